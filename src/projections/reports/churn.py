"""How many customers were lost, and how much of the revenue of those there were."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ledger.times import day_start, local_date
from projections.reports.active_customers import Span, activity, span
from projections.reports.customers import CUSTOMER_DIMENSIONS, Of, behind, bought, customer_item
from projections.reports.customers_alike import Alike, alike
from projections.reports.customers_at import names_of_places, places
from projections.reports.definition import Column, Item, Report, Text, ratio, told
from projections.reports.periods import add_months

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.definition import Exact, Sums
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

COUNTS = ("start", "new", "lost", "lost_new", "reactivated", "end")
AMOUNTS = ("revenue_start_minor", "churned_minor", "contraction_minor", "expansion_minor")
SUMS = COUNTS + AMOUNTS
NO_REVENUE = (0,) * len(AMOUNTS)
TRAILING_MONTHS = 12


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """The lines of `evidence` added up where they are alike."""
    if "customer" in question.dimensions:
        yield from evidence(question, view, rates)
    elif between := span(question):
        apart_by, trailing = names_of_places(question), _trailing_from(question, between)
        found = alike(question, view, rates, between, apart_by=apart_by, amounts_from=trailing)
        for number, some in enumerate(found):
            if _are_told(some):
                figures = _sums(some)
                yield Item(str(number), 0, between.closing, some.where, figures, late=some.late, lines=some.customers)


def evidence(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each customer that was active when the period began or ended, or became one in it."""
    between = span(question)
    if between is None:
        return
    opening, closing = between
    since_before, since_after = _trailing_from(question, between)
    asked = {
        "opening": Of("last", opening),
        "closing": Of("last", closing),
        "before": Of("value", opening, since_before),
        "after": Of("value", closing, since_after),
    }
    active_at_start, active_at_end = activity(question, view, question.choice("rule"), between)
    place = places(question, view, closing)
    for customer, its in bought(question, view, rates, asked).items():
        where, late, more = place(customer), its["appended_at"] > question.pair.known_at, its["after"] - its["before"]
        stood = active_at_start(customer, its["opening"]), active_at_end(customer, its["closing"])
        amounts = its["before"], its["after"], max(0, -more), max(0, more)
        one = Alike(where, 1, late, its["opening"] is not None, *stood, *amounts)
        if _are_told(one):
            yield customer_item(question, closing, customer, its, dimensions=where, figures=_sums(one))


def _are_told(some: Alike) -> bool:
    return some.was_active or some.is_active or not some.had_bought


def _sums(some: Alike) -> dict[str, int]:
    """What customers add to `SUMS`, their revenue if they were active when the period began."""
    start, end, new = some.was_active, some.is_active, not some.had_bought
    stood = (start, new, start and not end, new and not end, end and not start and not new, end)
    revenue = (some.before, 0 if end else some.before, some.less if end else 0, some.more if end else 0)
    counts = [some.customers * is_so for is_so in stood]
    return dict(zip(SUMS, (*counts, *(revenue if start else NO_REVENUE)), strict=True))


def _trailing_from(question: Question, between: Span) -> Span:
    """The first instant of the twelve months before the period, and of those before its end."""
    zone = question.book.time_zone
    after_end = local_date(between.closing, zone) + timedelta(days=1)
    from_end = day_start(add_months(after_end, -TRAILING_MONTHS), zone)
    if question.period is None:
        return Span(between.opening, from_end)
    return Span(day_start(add_months(question.period.first, -TRAILING_MONTHS), zone), from_end)


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
