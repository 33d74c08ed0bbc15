"""How many quotes became orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.reports.definition import Report, Sum, Text, figure, ratio
from projections.reports.dimensions import QUOTE_DIMENSIONS
from projections.reports.sources import quotes

if TYPE_CHECKING:
    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View


def lines(question: Question, view: View) -> list[Source]:
    """Each quote issued in the period, as it stands at the pair."""
    return [quotes(question, view)]


def _in(status: str) -> Sum:
    return Sum(status, "one", frozenset({status}))


CONVERSION = Report(
    name="conversion",
    title=Text("Conversion des devis", "Quotes to orders"),
    description=Text(
        "Ce que sont devenus les devis émis dans la période, à la date.",
        "What has become, at the date, of the quotes issued in the period.",
    ),
    formula=Text(
        "conversion = acceptés / émis ; devis par commande = émis / acceptés. Passé sa date de validité un devis "
        "compte comme expiré dès le lendemain, jusqu'à ce qu'il soit accepté.",
        "conversion = accepted / issued; quotes per order = issued / accepted. Past valid_until a quote counts as "
        "expired from the next day, until accepted.",
    ),
    source=Text("Événements quote.*, person.*, customer.*", "Events quote.*, person.*, customer.*"),
    sums=(
        Sum("quotes", "one"),
        *(_in(status) for status in ("accepted", "declined", "expired", "withdrawn", "open")),
    ),
    columns=(
        figure("quotes", "count", Text("Devis", "Quotes")),
        figure("accepted", "count", Text("Acceptés", "Accepted")),
        figure("declined", "count", Text("Refusés", "Declined")),
        figure("expired", "count", Text("Expirés", "Expired")),
        figure("withdrawn", "count", Text("Retirés", "Withdrawn")),
        figure("open", "count", Text("En attente", "Open")),
        ratio("conversion", Text("Conversion", "Conversion"), "accepted", "quotes"),
        ratio("quotes_per_order", Text("Devis par commande", "Quotes per order"), "quotes", "accepted"),
    ),
    parameters=("as_of", "known_at", "period", "of", "by", "where", "compare", "years", "every"),
    dimensions=("month", "quarter", "year", "status", *QUOTE_DIMENSIONS),
    lines=lines,
)
