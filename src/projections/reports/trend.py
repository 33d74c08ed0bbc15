"""Whether sales rise by themselves or by the season: the months of a series split into trend, season and remainder."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ledger.money import E6
from ledger.times import day_end
from projections.reports.definition import Column, Report, Sum, Text
from projections.reports.dimensions import DEAL_DIMENSIONS
from projections.reports.periods import month_first, month_number
from projections.reports.sources import closed
from projections.tables import wins

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from projections.reports.definition import Base, Exact, Key, Sums
    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View

SEASON_MONTHS = 12
LEAST_MONTHS = 24
MEASURES: dict[str, Base] = {"amount": "value", "margin": "margin", "quantity": "quantity", "count": "one"}


def lines(question: Question, view: View) -> list[Source]:
    """Each win in force at the pair that took effect in the period."""
    return [closed(question, view, wins)]


def decompose(question: Question, rows: dict[Key, Sums], totals: Sums) -> Sequence[Text]:  # noqa: ARG001
    """Tell each month of each series its parts, and add the months without sales.

    The month of `as_of` is left out unless it is over: half a month would look like a fall. Series are told apart by
    what the rows show beside the month.
    """
    series: dict[Key, dict[int, int | None]] = defaultdict(dict)
    for key, sums in rows.items():
        assert key[0] is not None
        series[key[1:]][month_number(_first(key[0]))] = sums["value"]
    last = _last_whole(question)
    short = []
    for rest, values in series.items():
        start = month_number(question.period.first) if question.period else min(values)
        months = range(start, last + 1)
        for number in months:
            rows.setdefault((f"{month_first(number):%Y-%m}", *rest), {"value": 0})
        if len(months) < LEAST_MONTHS:
            short.append(len(months))
            continue
        trend, season = split([values.get(number) or 0 for number in months])
        for number, its_trend, its_season in zip(months, trend, season, strict=True):
            sums = rows[f"{month_first(number):%Y-%m}", *rest]
            left = None if sums["value"] is None else sums["value"] - its_trend - its_season
            sums |= {"trend": its_trend, "season": its_season, "remainder": left}
    return _too_short(short)


def split(values: Sequence[int]) -> tuple[list[int], list[int]]:
    """The trend and the season of monthly values, at least two years of them, by STL, robust against outliers.

    R. B. Cleveland and others, STL: a seasonal-trend decomposition procedure based on loess, 1990.
    """
    import numpy as np  # noqa: PLC0415 (slow to import, and most commands do without)
    from statsmodels.tsa.seasonal import STL  # noqa: PLC0415 (as above)

    found = STL(np.array(values, float), period=SEASON_MONTHS, robust=True).fit()
    return [round(float(each)) for each in found.trend], [round(float(each)) for each in found.seasonal]


def _last_whole(question: Question) -> int:
    """The number of the last month that is over at `as_of`, and in the period."""
    today = question.today
    number = month_number(today)
    end = month_first(number + 1).toordinal() - 1
    if today.toordinal() < end or question.pair.happened.as_of < day_end(today, question.book.time_zone):
        number -= 1
    if question.period is None:
        return number
    after = question.period.last.toordinal() + 1
    whole = month_number(question.period.last)
    if month_first(whole + 1).toordinal() > after:
        whole -= 1
    return min(number, whole)


def _first(month: str) -> date:
    return month_first(int(month[:4]) * 12 + int(month[5:]) - 1)


def _too_short(months: Sequence[int]) -> tuple[Text, ...]:
    if not months:
        return ()
    return (
        Text(
            "{series} série(s) de moins de {least} mois entiers (la plus longue : {longest}) : sans tendance ni saison",
            "{series} series of less than {least} whole months (the longest: {longest}): no trend or season",
        ).counting(series=len(months), least=LEAST_MONTHS, longest=max(months)),
    )


def _columns(measure: str) -> tuple[Column, ...]:
    is_money = measure in {"amount", "margin"}
    suffix, scale = ("_minor", 1) if is_money else ("", E6 if measure == "count" else 1)

    def column(name: str, label: Text) -> Column:
        def value(sums: Sums) -> Exact:
            found = sums.get(name)
            return None if found is None else found * scale

        return Column(f"{name}{suffix}", "money" if is_money else "quantity", label, value)

    return (
        column("value", Text("Valeur", "Value")),
        column("trend", Text("Tendance", "Trend")),
        column("season", Text("Saison", "Season")),
        column("remainder", Text("Reste", "Remainder")),
    )


_AMOUNT = Report(
    name="trend",
    title=Text("Tendance et saison", "Trend and season"),
    description=Text(
        "Les ventes mois par mois, décomposées en tendance, saison et reste : ce qui tient à l'entreprise et ce qui "
        "tient au calendrier. Il y faut deux ans de mois entiers ; un mois sans vente compte pour zéro.",
        "Sales month by month, split into trend, season and remainder: what is structural and what is the calendar's. "
        "It takes two years of whole months; a month without sales counts as zero.",
    ),
    formula=Text(
        "STL (Cleveland et autres, 1990), période de 12 mois, robuste ; valeur = tendance + saison + reste, au "
        "centime. Le mois d'as_of n'y est que s'il est fini. measure : amount, margin, quantity ou count.",
        "STL (Cleveland and others, 1990), period of 12 months, robust; value = trend + season + remainder, to the "
        "minor unit. The month of as_of is in it only when it is over. measure: amount, margin, quantity or count.",
    ),
    source=Text(
        "Événements deal.won, deal.reopened, quote.accepted, rate.fixed, person.*, customer.*, product.*",
        "Events deal.won, deal.reopened, quote.accepted, rate.fixed, person.*, customer.*, product.*",
    ),
    sums=(Sum("value", "value"),),
    columns=_columns("amount"),
    parameters=("as_of", "known_at", "period", "measure", "by", "where", "currency", "fx"),
    dimensions=("month", *DEAL_DIMENSIONS),
    fixed=("month",),
    lines=lines,
    across=decompose,
    choices={"measure": tuple(MEASURES)},
)

TREND = replace(
    _AMOUNT,
    variants={
        f"measure={measure}": replace(_AMOUNT, sums=(Sum("value", base),), columns=_columns(measure))
        for measure, base in MEASURES.items()
    },
)
