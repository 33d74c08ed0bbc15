"""Lines of an explanation as a page of deals shows them: largest first, with names and expected close beside ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import select

from ledger.times import parse_instant
from projections import intervals
from projections.pairs import Pair
from projections.reports.labels import revealed, shown_in
from projections.tables import customer_versions, deal_versions, person_versions, stage_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Table

    from api.service import Service
    from projections.reports import Explained, Explanation
    from projections.store import View


def page_of_lines(service: Service, found: Explanation, offset: int, limit: int, lang: str) -> bytes:
    """The explanation's JSON with one page of its lines.

    `total` is how many lines there are, `more` how many come after this page. Each line has `names` for the ids in its
    `dimensions`, and, when it is an open deal, `expected_close_on`.
    """
    page = sorted(found.lines, key=_largest)[offset : offset + limit]
    total = len(found.lines) + found.more
    fields = {name: getattr(found, name) for name in found.__struct_fields__} | {
        "lines": _lines(service, page, Pair(parse_instant(found.as_of), parse_instant(found.known_at)), lang),
        "total": total,
        "more": max(0, total - offset - len(page)),
    }
    return msgspec.json.encode(fields)


def _largest(line: Explained) -> tuple[int, str]:
    amounts = [value for name, value in line.figures.items() if name.endswith("_minor")]
    return -(amounts[0] or 0 if amounts else 0), line.stream


def _lines(service: Service, page: list[Explained], pair: Pair, lang: str) -> list[dict[str, Any]]:
    owners = {each.dimensions.get("owner") for each in page} - {None}
    customers = {each.dimensions.get("customer") for each in page} - {None}
    with service.store.view() as view:
        names = {
            "owner": _persons(service, view, pair, owners),
            "customer": _customers(service, view, pair, customers),
            "stage": _stages(view, pair),
        }
        due = _expected(view, pair, [each.stream for each in page])
    lines = []
    for each in page:
        line: dict[str, Any] = msgspec.to_builtins(each)
        line["names"] = {name: shown_in(lang, found.get(each.dimensions.get(name))) for name, found in names.items()}
        line["expected_close_on"] = due.get(each.stream)
        lines.append(line)
    return lines


def _expected(view: View, pair: Pair, streams: list[str]) -> dict[str, str]:
    rows = intervals.at_pair(
        deal_versions, pair, view, deal_versions.c.stream.in_(streams), deal_versions.c.status == "open"
    )
    return {row.stream: row.expected_close_on for row in view.rows(select(rows.c.stream, rows.c.expected_close_on))}


def _rows(table: Table, prefix: str, ids: Iterable[Any], view: View, pair: Pair) -> Iterable[Any]:
    rows = intervals.at_pair(table, pair, view, table.c.stream.in_([f"{prefix}{each}" for each in ids]))
    return view.rows(select(rows))


def _persons(service: Service, view: View, pair: Pair, ids: Iterable[Any]) -> dict[Any, Any]:
    rows = _rows(person_versions, "person-", ids, view, pair)
    return _revealed(service, {row.stream.removeprefix("person-"): row.name_commitment for row in rows})


def _customers(service: Service, view: View, pair: Pair, ids: Iterable[Any]) -> dict[Any, Any]:
    rows = list(_rows(customer_versions, "customer-", ids, view, pair))
    in_clear = {row.stream.removeprefix("customer-"): row.name for row in rows if row.name is not None}
    people = {row.stream.removeprefix("customer-"): row.name_commitment for row in rows if row.name is None}
    return in_clear | _revealed(service, people)


def _stages(view: View, pair: Pair) -> dict[Any, str]:
    rows = intervals.at_pair(stage_versions, pair, view)
    return {row.stage: row.stage_name for row in view.rows(select(rows.c.stage, rows.c.stage_name))}


def _revealed(service: Service, commitments: Mapping[str, str | None]) -> dict[Any, Any]:
    """Names from the vault."""
    return revealed({thing: commitment for thing, commitment in commitments.items() if commitment}, service.ledger)
