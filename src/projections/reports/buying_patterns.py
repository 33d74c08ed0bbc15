"""Customers whose buying changed: how often and for how much they buy now, against their own past."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from ledger.money import half_even
from ledger.times import DAY_US, local_date
from projections.reports.customers import CUSTOMER_DIMENSIONS, behind, purchases
from projections.reports.customers_at import places
from projections.reports.definition import Item, Report, Text, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.customers import Win
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

RECENT = 2
"""How many of the last wins are held against those before."""
FEWEST = 5
"""Wins that a customer must have for its past to say anything."""
UNUSUAL = Fraction("3.5")
"""The robust z-score from which a change counts, after Iglewicz and Hoaglin (1993)."""
TO_SIGMA = Fraction("1.4826")
"""What makes a median absolute deviation comparable with a standard deviation."""
LEAST_SPREAD = Fraction(1, 10)
"""Of the median: who has always bought alike would else stand out by a day or a cent."""


class Pattern(NamedTuple):
    """How a customer buys; intervals in microseconds, z-scores null where its past is all nothing."""

    name: str
    usual_interval: Fraction
    recent_interval: Fraction
    interval_z: Fraction | None
    usual_value: Fraction
    recent_value: Fraction
    value_z: Fraction | None
    silence_z: Fraction | None


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each customer that buys more, less or not at all any more."""
    at, zone = question.pair.happened.as_of, question.book.time_zone
    place = places(question, view, at)
    for customer, its_wins in purchases(question, view, rates).items():
        found = pattern(its_wins, at) if len(its_wins) >= FEWEST else None
        if found is None:
            continue
        last = its_wins[-1]
        yield Item(
            stream=f"customer-{customer}",
            position=last.position,
            at=at,
            dimensions=place(customer) | {"pattern": found.name},
            figures={
                "wins": len(its_wins),
                "last_win": local_date(last.at, zone).isoformat(),
                "silent_days": (local_date(at, zone) - local_date(last.at, zone)).days,
                "usual_interval_days": found.usual_interval / DAY_US,
                "recent_interval_days": found.recent_interval / DAY_US,
                "interval_z": found.interval_z,
                "usual_value_minor": half_even(*found.usual_value.as_integer_ratio()),
                "recent_value_minor": half_even(*found.recent_value.as_integer_ratio()),
                "value_z": found.value_z,
                "silence_z": found.silence_z,
            },
            late=max(win.appended_at for win in its_wins) > question.pair.known_at,
        )


def pattern(its_wins: Sequence[Win], at: int) -> Pattern | None:
    """What changed in the buying of a customer with `FEWEST` wins or more, in order of time; None if nothing did."""
    instants, values = [win.at for win in its_wins], [win.value for win in its_wins]
    intervals = [after - before for before, after in pairwise(instants)]
    silence_z = robust_z(Fraction(at - instants[-1]), intervals)
    recent_interval, recent_value = (Fraction(sum(each[-RECENT:]), RECENT) for each in (intervals, values))
    interval_z = robust_z(recent_interval, intervals[:-RECENT])
    value_z = robust_z(recent_value, values[:-RECENT])
    more, less = (
        (value_z or Fraction(), -(interval_z or Fraction())),
        (-(value_z or Fraction()), interval_z or Fraction()),
    )
    if silence_z is not None and silence_z >= UNUSUAL:
        name = "silent"
    elif max(*more, *less) < UNUSUAL:
        return None
    else:
        name = "rising" if max(more) >= max(less) else "falling"
    usual = _median(intervals[:-RECENT]), _median(values[:-RECENT])
    return Pattern(name, usual[0], recent_interval, interval_z, usual[1], recent_value, value_z, silence_z)


def robust_z(value: Fraction, past: Sequence[int]) -> Fraction | None:
    """How far a value lies from the median of the past, in robust standard deviations; None where all is nothing.

    >>> robust_z(Fraction(40), [28, 30, 32, 30]), robust_z(Fraction(5), [0, 0, 0])
    (Fraction(10, 3), None)
    """
    median = _median(past)
    twice = int(2 * median)
    spread = max(TO_SIGMA * _median([abs(2 * each - twice) for each in past]) / 2, LEAST_SPREAD * abs(median))
    return (value - median) / spread if spread else None


def _median(values: Sequence[int]) -> Fraction:
    ordered = sorted(values)
    return Fraction(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2], 2)


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (a cell is its items)
    """A customer's own figures; of several only how many they are and how often they bought."""
    counts = {"customers": len(found), "wins": sum(item.figures["wins"] for item in found)}
    if len(found) == 1:
        return {**found[0].figures, **counts}
    return dict.fromkeys(OWN) | counts


OWN = (
    *("last_win", "silent_days", "usual_interval_days", "recent_interval_days", "interval_z", "usual_value_minor"),
    *("recent_value_minor", "value_z", "silence_z"),
)


BUYING_PATTERNS = Report(
    name="buying_patterns",
    title=Text("Changements d'habitudes d'achat", "Changes in buying"),
    description=Text(
        "Les clients dont les achats ont changé par rapport à leur propre passé : en hausse (rising), en baisse "
        "(falling), silencieux (silent). Seuls ceux qui ont au moins cinq ventes.",
        "Customers whose buying changed against their own past: rising, falling, silent. Only those with at least five "
        "wins.",
    ),
    formula=Text(
        "Les deux dernières ventes et les deux derniers intervalles (moyennes) contre ceux d'avant : z robuste = "
        "(récent − médiane) / max(1,4826 × écart absolu médian, 10 % de la médiane) ; silencieux : z du temps écoulé "
        "depuis la dernière vente, contre tous les intervalles, d'au moins 3,5 ; en hausse ou en baisse : montant ou "
        "fréquence dont le z est d'au moins 3,5, le plus grand des deux sens l'emportant.",
        "The last two wins and the last two intervals (means) against those before: robust z = (recent − median) / "
        "max(1.4826 × median absolute deviation, 10 % of the median); silent: the z of the time since the last win, "
        "against all intervals, is at least 3.5; rising or falling: a value or frequency whose z is at least 3.5, the "
        "greater of the two ways.",
    ),
    source=Text(
        "Événements deal.won, deal.reopened, quote.accepted sans affaire, customer.*, person.*, rate.fixed",
        "Events deal.won, deal.reopened, quote.accepted without a deal, customer.*, person.*, rate.fixed",
    ),
    columns=(
        told("customers", "count", Text("Clients", "Customers")),
        told("wins", "count", Text("Ventes", "Wins")),
        told("last_win", "date", Text("Dernière vente", "Last win")),
        told("silent_days", "count", Text("Jours sans vente", "Days without a win")),
        told("usual_interval_days", "ratio", Text("Intervalle habituel (jours)", "Usual interval (days)")),
        told("recent_interval_days", "ratio", Text("Intervalle récent (jours)", "Recent interval (days)")),
        told("interval_z", "ratio", Text("z de l'intervalle", "z of the interval")),
        told("usual_value_minor", "money", Text("Vente habituelle", "Usual win")),
        told("recent_value_minor", "money", Text("Vente récente", "Recent win")),
        told("value_z", "ratio", Text("z du montant", "z of the amount")),
        told("silence_z", "ratio", Text("z du silence", "z of the silence")),
    ),
    parameters=("as_of", "known_at", "by", "where", "currency", "fx", "compare", "period", "every"),
    dimensions=("pattern", *CUSTOMER_DIMENSIONS),
    items=items,
    summary=summary,
    behind=behind,
    fixed=("customer", "pattern"),
    snapshot=True,
)
