"""What the shortfall to an objective means in sales, quotes and visits."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from sqlalchemy import case

from ledger.errors import BadRequest
from ledger.money import E6, decimals, half_even
from projections.reports import targets
from projections.reports.definition import Column, Report, Sum, Text, said_of
from projections.reports.metrics import talks
from projections.reports.periods import Period, add_months, parse_period
from projections.reports.sources import closed, label, quotes
from projections.tables import wins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.reports.definition import Exact, Key, Sums
    from projections.reports.exact import Line
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.sources import Source
    from projections.store import View

LOOKBACK_MONTHS = 12
OBJECTIVE, WON, PAST_WON = frozenset({targets.OBJECTIVE}), frozenset({"won"}), frozenset({"past_won"})
ACCEPTED, VISIT = frozenset({"past_accepted"}), frozenset({"visit"})
QUOTED = ACCEPTED | {"past_quote"}
ASSUMED = ("average", "conversion", "quotes_per_visit")
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,6})?", re.ASCII)


def window(question: Question) -> Period:
    """The period asked for, or else the quarter of `as_of`."""
    return question.period or parse_period(
        "this-quarter", today=question.today, fiscal_month=question.book.fiscal_month
    )


def lines(question: Question, view: View) -> list[Source]:
    """Each win of the period, and the wins, quotes and visits of the twelve months up to `as_of`."""
    first = add_months(question.today, -LOOKBACK_MONTHS) + timedelta(days=1)
    past = question.over(Period("lookback", first, question.today))
    quoted = quotes(past, view)
    accepted = case((quoted.state == "accepted", label("past_accepted")), else_=label("past_quote"))
    return [
        closed(question.over(window(question)), view, wins),
        closed(past, view, wins).in_state(label("past_won")),
        quoted.in_state(accepted),
        talks(past, view, ("visit",)),
    ]


def objective(question: Question, view: View, rates: Rates) -> Iterator[Line]:
    """The period's part of the objectives of amount whose scope is exactly that of the rows."""
    for line in targets.lines(question, view, rates, window(question), "amount"):
        if line.state == targets.OBJECTIVE:
            yield line


def assume(question: Question, rows: dict[Key, Sums], totals: Sums) -> tuple[Text, ...]:
    """Tell each row what the scenario assumes. Raises `BadRequest`."""
    assumed = _scenario(question)
    for sums in (*rows.values(), totals):
        sums["assumed"] = assumed
    return ()


def _scenario(question: Question) -> dict[str, Fraction]:
    found: dict[str, Fraction] = {}
    for part in filter(None, (each.strip() for each in question.given.get("scenario", "").split(","))):
        name, _, value = (each.strip() for each in part.partition("="))
        if name not in ASSUMED or not _NUMBER.fullmatch(value) or not Fraction(value):
            raise BadRequest(
                f"scenario={part[:40]} is not possible; write {', '.join(f'{each}=NUMBER' for each in ASSUMED)}, "
                "each greater than 0, such as average=25000,conversion=0.3"
            )
        found[name] = Fraction(value)
    if "average" in found:
        found["average"] *= 10 ** decimals(question.currency)
    return found


def _objective(sums: Sums) -> int | None:
    return sums["objective"] if sums["objectives"] else None


def _remaining(sums: Sums) -> int | None:
    is_known = sums["objectives"] and sums["achieved"] is not None
    return max(0, sums["objective"] - sums["achieved"]) if is_known else None


def _average(sums: Sums) -> Exact:
    return _assumed(sums, "average", "past_amount", said_of("past_amount"))


def _conversion(sums: Sums) -> Exact:
    return _assumed(sums, "conversion", "accepted", "quoted")


def _quotes_per_visit(sums: Sums) -> Exact:
    return _assumed(sums, "quotes_per_visit", "quoted", "visited")


def _assumed(sums: Sums, name: str, over: str, under: str) -> Exact:
    if name in sums.get("assumed", {}):
        return Fraction(sums["assumed"][name])
    return Fraction(sums[over], sums[under]) if sums[under] > 0 and sums[over] is not None else None


def _divided(amount: Exact, by: Exact) -> Exact:
    return None if amount is None or by is None or by <= 0 else Fraction(amount) / by


def _sales(sums: Sums) -> Exact:
    return _divided(_remaining(sums), _average(sums))


def _quotes(sums: Sums) -> Exact:
    return _divided(_sales(sums), _conversion(sums))


def _visits(sums: Sums) -> Exact:
    return _divided(_quotes(sums), _quotes_per_visit(sums))


def _average_minor(sums: Sums) -> Exact:
    average = _average(sums)
    return None if average is None else half_even(*Fraction(average).as_integer_ratio())


def _millionths(value: Exact) -> Exact:
    return None if value is None else value * E6


REQUIRED_SALES = Report(
    name="required_sales",
    title=Text("Ventes nécessaires", "Required sales"),
    description=Text(
        "Ce que le manque à l'objectif de montant représente en ventes, en devis et en visites, au rythme des douze "
        "derniers mois. scenario remplace la vente moyenne, la conversion ou les devis par visite. Sans période : le "
        "trimestre d'as_of.",
        "What the shortfall to the objective of amount means in sales, quotes and visits, at the pace of the last "
        "twelve months. scenario replaces the average sale, the conversion or the quotes per visit. Without a period: "
        "the quarter of as_of.",
    ),
    formula=Text(
        "reste = objectif − réalisé, au moins 0 ; ventes = reste / vente moyenne ; devis = ventes / conversion "
        "(acceptés / émis) ; visites = devis / devis par visite. Moyennes sur les douze mois jusqu'à as_of. "
        "L'objectif est celui dont la portée est exactement celle de la ligne.",
        "remaining = objective − achieved, at least 0; sales = remaining / average sale; quotes = sales / conversion "
        "(accepted / issued); visits = quotes / quotes per visit. Averages over the twelve months up to as_of. The "
        "objective is the one whose scope is exactly the row's.",
    ),
    source=Text(
        "Événements objective.*, deal.won, quote.*, interaction.logged (visit), rate.fixed, person.*",
        "Events objective.*, deal.won, quote.*, interaction.logged (visit), rate.fixed, person.*",
    ),
    sums=(
        Sum("objective", "value", OBJECTIVE),
        Sum("objectives", "one", OBJECTIVE),
        Sum("achieved", "value", WON),
        Sum("past_amount", "value", PAST_WON),
        Sum("quoted", "one", QUOTED),
        Sum("accepted", "one", ACCEPTED),
        Sum("visited", "one", VISIT),
    ),
    columns=(
        Column("objective_minor", "money", Text("Objectif", "Objective"), _objective),
        Column("achieved_minor", "money", Text("Réalisé", "Achieved"), lambda sums: sums["achieved"]),
        Column("remaining_minor", "money", Text("Reste", "Remaining"), _remaining),
        Column("average_minor", "money", Text("Vente moyenne", "Average sale"), _average_minor),
        Column("conversion", "ratio", Text("Conversion", "Conversion"), _conversion),
        Column("quotes_per_visit", "ratio", Text("Devis par visite", "Quotes per visit"), _quotes_per_visit),
        Column("sales", "quantity", Text("Ventes", "Sales"), lambda sums: _millionths(_sales(sums))),
        Column("quotes", "quantity", Text("Devis", "Quotes"), lambda sums: _millionths(_quotes(sums))),
        Column("visits", "quantity", Text("Visites", "Visits"), lambda sums: _millionths(_visits(sums))),
    ),
    parameters=("as_of", "known_at", "period", "scenario", "by", "where", "currency", "fx", "compare", "every"),
    dimensions=("owner", "team"),
    lines=lines,
    more_lines=objective,
    across=assume,
    among_all=True,
)
