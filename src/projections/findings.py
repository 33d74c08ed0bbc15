"""What deserves a look: references that lead nowhere, open deals in stages that are gone, customers merged in a circle,
streams in quarantine.

References are not checked at append, because history arrives in any order. Here they are, with all that is known now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import ColumnElement, Table, and_, distinct, exists, func, literal, select, true

from projections.reports.dimensions import survivors
from projections.tables import (
    CUSTOMER_MERGED,
    FOREVER_SQL,
    OPEN_DEAL,
    call_versions,
    campaign_versions,
    customer_versions,
    deal_lines,
    deal_versions,
    interactions,
    invoices,
    losses,
    objective_versions,
    person_versions,
    product_versions,
    quarantine,
    quote_versions,
    stage_versions,
    task_versions,
    team_versions,
    win_lines,
    wins,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.store import View

MOST_PER_KIND: Final = 20


class Finding(NamedTuple):
    """One thing to look at. A `problem` means that figures are wrong or missing; the rest may be as intended."""

    problem: bool
    text: str


class _Reference(NamedTuple):
    table: Table
    column: str
    kind: str
    target: Table
    where: ColumnElement[bool] = true()


_REFERENCES: Final = (
    _Reference(deal_versions, "owner", "person", person_versions),
    _Reference(deal_versions, "customer", "customer", customer_versions),
    _Reference(deal_lines, "product", "product", product_versions),
    _Reference(wins, "owner", "person", person_versions),
    _Reference(wins, "customer", "customer", customer_versions),
    _Reference(win_lines, "product", "product", product_versions),
    _Reference(losses, "owner", "person", person_versions),
    _Reference(losses, "customer", "customer", customer_versions),
    _Reference(invoices, "owner", "person", person_versions),
    _Reference(invoices, "customer", "customer", customer_versions),
    _Reference(quote_versions, "deal", "deal", deal_versions),
    _Reference(quote_versions, "customer", "customer", customer_versions),
    _Reference(quote_versions, "owner", "person", person_versions),
    _Reference(customer_versions, "owner", "person", person_versions),
    _Reference(customer_versions, "parent", "customer", customer_versions),
    _Reference(customer_versions, "merged_into", "customer", customer_versions),
    _Reference(person_versions, "team", "team", team_versions),
    _Reference(team_versions, "parent", "team", team_versions),
    *(
        _Reference(table, "campaign", "campaign", campaign_versions)
        for table in (deal_versions, customer_versions, interactions)
    ),
    *(_Reference(table, "owner", "person", person_versions) for table in (interactions, task_versions)),
    *(_Reference(table, "customer", "customer", customer_versions) for table in (interactions, task_versions)),
    *(_Reference(table, "deal", "deal", deal_versions) for table in (interactions, task_versions)),
    _Reference(interactions, "converted_deal", "deal", deal_versions),
    *(
        _Reference(table, "scope", kind, target, table.c.scope_kind == kind)
        for table in (objective_versions, call_versions)
        for kind, target in (("team", team_versions), ("person", person_versions))
    ),
)


def findings(view: View) -> list[Finding]:
    """Everything found in a read store, problems first."""
    return [*_quarantined(view), *_dangling(view), *_in_gone_stages(view), *_in_circles(view)]


def _quarantined(view: View) -> Iterator[Finding]:
    for row in view.rows(select(quarantine).order_by(quarantine.c.position)):
        yield Finding(True, f"{row.stream} is left out of all reports since position {row.position}: {row.error}")


def _dangling(view: View) -> Iterator[Finding]:
    """One finding for each missing thing, however many tables and streams name it."""
    named: dict[tuple[str, str], tuple[int, str]] = {}
    for reference in _REFERENCES:
        column = reference.table.c[reference.column]
        asked = (
            select(
                column.label("id"),
                func.count(distinct(reference.table.c.stream)).label("streams"),
                func.min(reference.table.c.stream).label("first"),
            )
            .where(reference.table.c.known_to == FOREVER_SQL, column.is_not(None), reference.where)
            .group_by(column)
            .subquery()
        )
        target = reference.target.alias("target")
        found = exists().where(target.c.stream == literal(f"{reference.kind}-") + asked.c.id)
        for row in view.rows(select(asked).where(~found).order_by(asked.c.id)):
            count, first = named.get((reference.kind, row.id), (0, row.first))
            named[reference.kind, row.id] = max(count, row.streams), min(first, row.first)
    by_kind: dict[str, int] = {}
    for (kind, thing), (streams, first) in sorted(named.items()):
        by_kind[kind] = by_kind.get(kind, 0) + 1
        if by_kind[kind] <= MOST_PER_KIND:
            others = f" and {streams - 1:,} more" if streams > 1 else ""
            yield Finding(False, f"there is no {kind}-{thing}, which {first}{others} names")
    for kind, count in by_kind.items():
        if count > MOST_PER_KIND:
            yield Finding(False, f"{count - MOST_PER_KIND:,} more of kind {kind} are named and do not exist")


def _in_gone_stages(view: View) -> Iterator[Finding]:
    deal, stage = deal_versions.c, stage_versions.c
    matching = and_(
        stage.stream == literal("pipeline-") + deal.pipeline,
        stage.stage == deal.stage,
        stage.known_to == FOREVER_SQL,
        stage.effective_to == FOREVER_SQL,
        stage.gone == 1,
    )
    query = (
        select(deal.pipeline, deal.stage, func.count().label("deals"), func.min(deal.stream).label("first"))
        .join(stage_versions, matching)
        .where(OPEN_DEAL, deal.known_to == FOREVER_SQL, deal.effective_to == FOREVER_SQL)
        .group_by(deal.pipeline, deal.stage)
        .order_by(deal.pipeline, deal.stage)
    )
    for row in view.rows(query):
        count = f"{row.deals:,} open deal{'s' * (row.deals > 1)}"
        text = f"{count} in stage {row.stage}, which pipeline-{row.pipeline} no longer has (as {row.first})"
        yield Finding(False, f"{text}; its last probability still counts")


def _in_circles(view: View) -> Iterator[Finding]:
    """Two processes that merge at the same time may close one."""
    customer = customer_versions.c
    still = (CUSTOMER_MERGED, customer.known_to == FOREVER_SQL, customer.effective_to == FOREVER_SQL)
    rows = view.rows(select(customer.stream, customer.merged_into).where(*still))
    into = {row.stream.removeprefix("customer-"): row.merged_into for row in rows}
    for survivor in sorted({each for each in survivors(into).values() if each in into}):
        text = f"customer-{survivor} is merged in a circle, which reports count as one customer, {survivor}"
        yield Finding(False, f"{text}; retract one of the merges")
