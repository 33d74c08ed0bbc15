"""What becomes of the customers won in a month: how many are active, and what they buy, one, two, three months on."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from fractions import Fraction
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select

from ledger.times import day_start
from projections import intervals
from projections.reports.active_customers import activity
from projections.reports.customers import CUSTOMER_DIMENSIONS, behind, purchases
from projections.reports.customers_at import places
from projections.reports.definition import Column, Item, Report, Text, told
from projections.reports.dimensions import time_label
from projections.reports.periods import month_first, month_number
from projections.tables import customer_versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.customers import Win
    from projections.reports.definition import Exact, Sums
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

MONTHS = {"month": 1, "quarter": 3, "year": 12}
UNASKED = 12
"""How many cohorts are told when no period is given, the last ones."""

SUMS = ("customers", "active", "revenue_minor", "first_revenue_minor", "leads", "converted")
NOTHING = dict.fromkeys(SUMS, 0)


@dataclass(frozen=True)
class Steps:
    """Months, quarters or years on end, up to that of `as_of`, from that of the first cohort.

    `starts` are their first instants, `ends` their last ones; the last step ends at `as_of`.
    """

    labels: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def of(self, instant: int) -> int:
        """The number of the step in which an instant lies, from 0; -1 before the first."""
        return bisect_right(self.starts, instant) - 1


def steps(question: Question) -> Steps:
    """The steps of the question's cohorts and of what became of them."""
    name, zone = question.choice("cohort"), question.book.time_zone
    size = MONTHS[name]
    last = month_number(question.today) // size
    first = last - UNASKED + 1 if question.period is None else month_number(question.period.first) // size
    months = [number * size for number in range(first, last + 1)]
    starts = [day_start(month_first(month), zone) for month in months]
    ends = [day_start(month_first(month + size), zone) - 1 for month in months]
    labels = [time_label(name, f"{month_first(month):%Y-%m}") or "" for month in months]
    return Steps(tuple(labels), tuple(starts), tuple(min(end, question.pair.happened.as_of) for end in ends))


class _Told(NamedTuple):
    """A customer of a cohort, or a lead of its months: at the end of every step since, its latest event and its sums.

    The `sums` of one step, as many as `SUMS`, follow those of the step before.
    """

    customer: str
    where: Mapping[str, str | None]
    cohort: int
    late: bool
    positions: Sequence[int]
    sums: Sequence[int]


class _Alike:
    """Customers and leads of one cohort that are told apart by nothing else."""

    def __init__(self, first: _Told) -> None:
        self.first = first
        self.sums = [0] * len(first.sums)
        self.lines = self.late = 0

    def add(self, told_of: _Told) -> None:
        self.sums = list(map(add, self.sums, told_of.sums))
        self.lines += 1
        self.late += told_of.late


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """The lines of `evidence` added up where they are alike."""
    told_at = steps(question)
    found: dict[Any, _Alike] = {}
    for told_of in _tell(question, view, rates, told_at):
        key = (told_of.cohort, *told_of.where.values())
        if key not in found:
            found[key] = _Alike(told_of)
        found[key].add(told_of)
    for alike in found.values():
        yield from _items(told_at, alike.first._replace(sums=alike.sums), alike.late, alike.lines)


def evidence(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each customer of a cohort, and each lead of its months, at the end of every step since."""
    told_at = steps(question)
    for told_of in _tell(question, view, rates, told_at):
        yield from _items(told_at, told_of, int(told_of.late), 1)


def _items(told_at: Steps, told_of: _Told, late: int, lines: int) -> Iterator[Item]:
    for after, position in enumerate(told_of.positions):
        sums = told_of.sums[after * len(SUMS) : (after + 1) * len(SUMS)]
        figures = {name: each for name, each in zip(SUMS, sums, strict=True) if each}
        yield Item(
            stream=f"customer-{told_of.customer}",
            position=position,
            at=told_at.ends[told_of.cohort + after],
            dimensions={**told_of.where, "cohort": told_at.labels[told_of.cohort], "after": str(after)},
            figures=figures,
            state="lead" if "leads" in figures else "customer",
            late=late,
            lines=lines,
        )


def _tell(question: Question, view: View, rates: Rates, told_at: Steps) -> Iterator[_Told]:
    if not told_at.ends:
        return
    sold = purchases(question, view, rates)
    place = places(question, view, question.pair.happened.as_of)
    active = activity(question, view, question.choice("rule"), told_at.ends)
    since, known_at = max(question.period_from, told_at.starts[0]), question.pair.known_at
    for customer, its_wins in sold.items():
        first = its_wins[0].at
        if since <= first < question.period_to:
            cohort = told_at.of(first)
            late = its_wins[-1].appended_at > known_at
            revenue = _by_step(its_wins, told_at)
            at_first = revenue.get(cohort, 0)
            last = 0
            positions, sums = [], list[int]()
            for step in range(cohort, len(told_at.ends)):
                while last + 1 < len(its_wins) and its_wins[last + 1].at <= told_at.ends[step]:
                    last += 1
                positions.append(its_wins[last].position)
                is_active = int(active[step](customer, its_wins[last].at))
                sums += (1, is_active, revenue.get(step, 0), at_first, 0, 0)
            yield _Told(customer, place(customer), cohort, late, positions, sums)
    told: Sequence[Any] = _leads(question, view)
    for stream, registered_at, position, appended_at in told:
        if since <= registered_at < question.period_to:
            customer, cohort = stream.removeprefix("customer-"), told_at.of(registered_at)
            first_win = sold[customer][0].at if customer in sold else None
            ends = told_at.ends[cohort:]
            before = len(ends) if first_win is None else bisect_left(ends, first_win)
            sums = [0, 0, 0, 0, 1, 0] * before + [0, 0, 0, 0, 1, 1] * (len(ends) - before)
            yield _Told(customer, place(customer), cohort, appended_at > known_at, [position] * len(ends), sums)


def _by_step(its_wins: Sequence[Win], told_at: Steps) -> dict[int, int]:
    found: dict[int, int] = {}
    for win in its_wins:
        step = told_at.of(win.at)
        found[step] = found.get(step, 0) + win.value
    return found


def _leads(question: Question, view: View) -> Sequence[Any]:
    """Who was registered as a lead, merged duplicates aside."""
    c = customer_versions.c
    in_force = intervals.holds(customer_versions, question.pair.happened.as_of, question.pair, view)
    query = select(c.stream, c.registered_at, c.position, c.appended_at)
    return view.rows(query.where(in_force, c.registered_kind == "lead", c.merged_into.is_(None)))


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (a cell is its sums)
    """Sums over the customers and leads of a step; over several steps only how many these are."""
    if len(found) == 1:
        return {**NOTHING, **found[0].figures}
    after = {item.dimensions["after"] or "" for item in found}
    if len(after) > 1:  # who is there after some steps was there after fewer
        first = min(after, key=int)
        sums = _sums([item for item in found if item.dimensions["after"] == first])
        return dict.fromkeys(SUMS) | {name: sums[name] for name in ("customers", "leads")}
    return _sums(found)


def _sums(found: Sequence[Item]) -> dict[str, int]:
    return {name: sum([item.figures.get(name, 0) for item in found]) for name in SUMS}


def _part(name: str, label: Text, over: str, under: str) -> Column:
    def value(sums: Sums) -> Exact:
        return Fraction(sums[over], sums[under]) if sums[over] is not None and (sums[under] or 0) > 0 else None

    return Column(name, "ratio", label, value)


COHORTS = Report(
    name="cohorts",
    title=Text("Cohortes de clients", "Customer cohorts"),
    description=Text(
        "Les clients par mois (trimestre, année) de leur première vente : combien sont encore actifs et ce qu'ils "
        "achètent après 1, 2, 3… périodes ; à côté, combien des prospects entrants du même mois sont devenus clients. "
        "Sans période : les douze dernières cohortes.",
        "Customers by the month (quarter, year) of their first win: how many are still active, and what they buy, "
        "after 1, 2, 3 … periods; beside them, how many of the leads of that month have become customers. Without a "
        "period: the last twelve cohorts.",
    ),
    formula=Text(
        "actifs : à la fin de la n-ième période suivante, ou à as_of s'il vient avant, selon la règle d'attrition "
        "(rule) ; rétention = actifs / clients de la cohorte ; CA : ventes de cette période ; rétention du CA = CA / "
        "CA de la période de la cohorte ; convertis : leads enregistrés dans la période de la cohorte dont la première "
        "vente est faite ; conversion = convertis / leads. Seules comptent les ventes en vigueur aux dates de la "
        "question.",
        "active: at the end of the n-th period after, or at as_of if earlier, by the churn rule (rule); retention = "
        "active / customers of the cohort; revenue: wins of that period; revenue retention = revenue / revenue of the "
        "cohort's own period; converted: leads registered in the cohort's period that have won by then; conversion = "
        "converted / leads. Only wins in force at the question's dates count.",
    ),
    source=Text(
        "Événements deal.won, deal.reopened, quote.accepted sans affaire, deal.invoiced, customer.registered, "
        "customer.churned, customer.reactivated, customer.merged, rate.fixed, book.settings_changed",
        "Events deal.won, deal.reopened, quote.accepted without a deal, deal.invoiced, customer.registered, "
        "customer.churned, customer.reactivated, customer.merged, rate.fixed, book.settings_changed",
    ),
    columns=(
        told("customers", "count", Text("Clients", "Customers")),
        told("active", "count", Text("Encore actifs", "Still active")),
        _part("retention_rate", Text("Rétention", "Retention"), "active", "customers"),
        told("revenue_minor", "money", Text("Chiffre d'affaires", "Revenue")),
        _part(
            "revenue_retention", Text("Rétention du CA", "Revenue retention"), "revenue_minor", "first_revenue_minor"
        ),
        told("leads", "count", Text("Leads", "Leads")),
        told("converted", "count", Text("Convertis", "Converted")),
        _part("lead_conversion", Text("Conversion des leads", "Lead conversion"), "converted", "leads"),
    ),
    parameters=("as_of", "known_at", "period", "cohort", "rule", "by", "where", "currency", "fx"),
    dimensions=("cohort", "after", *CUSTOMER_DIMENSIONS),
    items=items,
    evidence=evidence,
    summary=summary,
    behind=behind,
    fixed=("cohort", "after"),
)
