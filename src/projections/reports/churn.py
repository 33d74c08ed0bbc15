"""How many customers were lost, and how much of the revenue of those there were."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import structs

from ledger.times import day_start, local_date
from projections.reports.active_customers import activity, span
from projections.reports.customers import CUSTOMER_DIMENSIONS, Of, behind, bought, customer_item, places
from projections.reports.definition import Column, Report, Text, ratio, told
from projections.reports.periods import add_months

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.active_customers import Span
    from projections.reports.customers import Bought
    from projections.reports.definition import Exact, Item, Sums
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

COUNTS = ("start", "new", "lost", "lost_new", "reactivated", "end")
AMOUNTS = ("revenue_start_minor", "churned_minor", "contraction_minor", "expansion_minor")
SUMS = COUNTS + AMOUNTS
NO_REVENUE = (0,) * len(AMOUNTS)
TRAILING_MONTHS = 12


class _Told(NamedTuple):
    """A customer that was active when the period began or ended, or became one in it; `sums` are its part of `SUMS`."""

    customer: str
    at: int
    its: Bought
    where: Mapping[str, str | None]
    sums: tuple[int, ...]


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """The lines of `evidence` added up where they are alike."""
    alike: dict[Any, list[_Told]] = {}
    for told_of in _tell(question, view, rates):
        alike.setdefault(tuple(told_of.where.values()), []).append(told_of)
    for some in alike.values():
        sums = tuple(map(sum, zip(*[each.sums for each in some], strict=True)))
        late = sum(each.its["appended_at"] > question.pair.known_at for each in some)
        yield structs.replace(_item(question, some[0]._replace(sums=sums)), lines=len(some), late=late)


def evidence(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each customer that was active when the period began or ended, or became one in it."""
    for told_of in _tell(question, view, rates):
        yield _item(question, told_of)


def _item(question: Question, told_of: _Told) -> Item:
    customer, at, its, where, sums = told_of
    figures = dict(zip(SUMS, map(int, sums), strict=True))
    return customer_item(question, at, customer, its, dimensions=where, figures=figures)


def _tell(question: Question, view: View, rates: Rates) -> Iterator[_Told]:
    between = span(question)
    if between is None:
        return
    opening, closing = between
    before, after = _trailing_from(question, between)
    asked = {
        "opening": Of("last", opening),
        "first": Of("first", closing),
        "closing": Of("last", closing),
        "revenue_before": Of("value", opening, before),
        "revenue_after": Of("value", closing, after),
    }
    active_at_start, active_at_end = activity(question, view, question.choice("rule"), between)
    place = places(question, view, closing)
    for customer, its in bought(question, view, rates, asked).items():
        start = active_at_start(customer, its["opening"])
        end = active_at_end(customer, its["closing"])
        new = not start and its["opening"] is None and its["first"] is not None
        if start or end or new:
            lost, lost_new, reactivated = start and not end, new and not end, end and not start and not new
            revenue = _revenue(its["revenue_before"], its["revenue_after"], end=end) if start else NO_REVENUE
            sums = (start, new, lost, lost_new, reactivated, end, *revenue)
            yield _Told(customer, closing, its, place(customer), sums)


def _trailing_from(question: Question, between: Span) -> tuple[int, int]:
    """The first instant of the twelve months before the period, and of those before its end."""
    zone = question.book.time_zone
    after_end = local_date(between.closing, zone) + timedelta(days=1)
    from_end = day_start(add_months(after_end, -TRAILING_MONTHS), zone)
    if question.period is None:
        return between.opening, from_end
    return day_start(add_months(question.period.first, -TRAILING_MONTHS), zone), from_end


def _revenue(before: int, after: int, *, end: bool) -> tuple[int, int, int, int]:
    """What a customer active at the start brought before it, and what of that was lost, lessened or grew by the end."""
    grown = after - before if end else 0
    return before, 0 if end else before, max(0, -grown), max(0, grown)


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (a cell is its sums)
    """Customers and revenue add up over customers; the rates are worked out from them."""
    return {name: sum([item.figures[name] for item in found]) for name in SUMS}


def _of_start(numerator: str, name: str, label: Text) -> Column:
    """A column of the part of the customers at start that `numerator`, a name or a difference of two, makes."""
    first, _, less = numerator.partition(" - ")

    def value(sums: Sums) -> Exact:
        return Fraction(sums[first] - (sums[less] if less else 0), sums["start"]) if sums["start"] > 0 else None

    return Column(name, "ratio", label, value)


def _kept(sums: Sums, *, expanded: bool) -> Exact:
    start = sums["revenue_start_minor"]
    kept = start - sums["churned_minor"] - sums["contraction_minor"]
    return Fraction(kept + (sums["expansion_minor"] if expanded else 0), start) if start > 0 else None


CHURN = Report(
    name="churn",
    title=Text("Attrition de la clientèle", "Customer churn"),
    description=Text(
        "Les clients actifs au début et à la fin de la période, ceux gagnés, perdus et revenus entre les deux, et ce "
        "qu'est devenu le chiffre d'affaires de ceux du début.",
        "The customers active when the period began and ended, those won, lost and won back in between, and what "
        "became of the revenue of those of the start.",
    ),
    formula=Text(
        "Un client est actif depuis sa première vente ; rule=declared : jusqu'à ce qu'il soit déclaré perdu ; "
        "rule=lapsed : jusqu'au soir du jour de sa dernière vente ou facture + lapse_after_days (valeur aux dates de "
        "la question) ; rule=both : jusqu'au premier des deux ; une vente ultérieure le réactive. "
        "Perdu puis revenu dans la période, il n'est ni perdu ni réactivé. "
        "début + nouveaux + réactivés − perdus − nouveaux perdus = fin. Attrition brute = perdus / début ; nette = "
        "(début − fin) / début ; rétention = (début − perdus) / début. Chiffre d'affaires des clients du début : "
        "ventes des 12 mois avant le début, comparées à celles des 12 mois avant la fin ; grr = 1 − (perdu + baisse) / "
        "début ; nrr = grr + hausse / début.",
        "A customer is active from its first win; rule=declared: until declared churned; rule=lapsed: through the day "
        "of its last win or invoice + lapse_after_days (the value at the question's dates); rule=both: until the "
        "first of the two; a later win reactivates. Lost and back within the period, it is neither lost nor "
        "reactivated. start + new + reactivated − lost − lost new = end. Gross churn = "
        "lost / start; net = (start − end) / start; retention = (start − lost) / start. Revenue of the customers of "
        "the start: wins of the 12 months before it, against those of the 12 months before the end; grr = 1 − "
        "(churned + contraction) / start; nrr = grr + expansion / start.",
    ),
    source=Text(
        "Événements deal.won, deal.reopened, quote.accepted sans affaire, deal.invoiced, customer.churned, "
        "customer.reactivated, customer.merged, rate.fixed, book.settings_changed",
        "Events deal.won, deal.reopened, quote.accepted without a deal, deal.invoiced, customer.churned, "
        "customer.reactivated, customer.merged, rate.fixed, book.settings_changed",
    ),
    columns=(
        told("start", "count", Text("Au début", "At start")),
        told("new", "count", Text("Nouveaux", "New")),
        told("lost", "count", Text("Perdus", "Lost")),
        told("lost_new", "count", Text("Nouveaux perdus", "New and lost")),
        told("reactivated", "count", Text("Réactivés", "Reactivated")),
        told("end", "count", Text("À la fin", "At end")),
        ratio("churn_rate", Text("Attrition brute", "Gross churn"), "lost", "start"),
        _of_start("start - end", "net_churn_rate", Text("Attrition nette", "Net churn")),
        _of_start("start - lost", "retention_rate", Text("Rétention", "Retention")),
        told("revenue_start_minor", "money", Text("Chiffre d'affaires du début", "Revenue at start")),
        told("churned_minor", "money", Text("Chiffre d'affaires perdu", "Churned revenue")),
        told("contraction_minor", "money", Text("Baisse", "Contraction")),
        told("expansion_minor", "money", Text("Hausse", "Expansion")),
        Column(
            "grr", "ratio", Text("Rétention brute du CA", "Gross revenue retention"), lambda s: _kept(s, expanded=False)
        ),
        Column(
            "nrr", "ratio", Text("Rétention nette du CA", "Net revenue retention"), lambda s: _kept(s, expanded=True)
        ),
    ),
    parameters=(
        *("as_of", "known_at", "period", "rule", "by", "where", "currency", "fx", "compare", "years", "every"),
    ),
    dimensions=CUSTOMER_DIMENSIONS,
    items=items,
    summary=summary,
    behind=behind,
    evidence=evidence,
)
