"""What exports for people say: headings with their unit, words for states, amounts in units of their currency."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ledger.codes import code_text
from ledger.money import decimals
from projections.reports.dashboard import title
from projections.reports.definition import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projections.reports import AnswerColumn

FIGURES = frozenset({"count", "money", "quantity", "ratio"})
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
REASON, INDICATOR = "reason", "indicator"
"""Columns of codes that a book chooses itself, of which the usual ones have words, and of figures of other reports."""
WORDED = frozenset(
    {
        *("month", "quarter", "year", "category", "outcome", "status", "line", "severity", "health", "metric", "what"),
        *("scope", REASON, INDICATOR),
    }
)
"""Columns whose values are shown as words of ours, not as the book writes them."""

WORDS: Mapping[str, Text] = {
    "overdue": Text("En retard", "Overdue"),
    "later": Text("Au-delà", "Later"),
    "undated": Text("Sans date", "Undated"),
    "open": Text("En cours", "Open"),
    "won": Text("Gagnée", "Won"),
    "lost": Text("Perdue", "Lost"),
    "abandoned": Text("Abandonnée", "Abandoned"),
    "accepted": Text("Accepté", "Accepted"),
    "declined": Text("Refusé", "Declined"),
    "expired": Text("Expiré", "Expired"),
    "withdrawn": Text("Retiré", "Withdrawn"),
    "commit": Text("Engagé", "Commit"),
    "most_likely": Text("Le plus probable", "Most likely"),
    "best_case": Text("Meilleur cas", "Best case"),
    "pipeline": Text("En cours", "Pipeline"),
    "omitted": Text("Écarté", "Omitted"),
    "company": Text("Toute l'entreprise", "The whole company"),
    "team": Text("Équipe", "Team"),
    "person": Text("Personne", "Person"),
    "met": Text("Atteint", "Met"),
    "missed": Text("Manqué", "Missed"),
    "ahead": Text("En avance", "Ahead"),
    "on_track": Text("En bonne voie", "On track"),
    "behind": Text("En retard", "Behind"),
    "cancelled": Text("Annulé", "Cancelled"),
    "amount": Text("Montant", "Amount"),
    "margin": Text("Marge", "Margin"),
    "quantity": Text("Quantité", "Quantity"),
    "won_count": Text("Affaires gagnées", "Deals won"),
    "invoiced_amount": Text("Montant facturé", "Amount invoiced"),
    "delivered_amount": Text("Montant livré", "Amount delivered"),
    "new_customers": Text("Nouveaux clients", "New customers"),
    "quotes_issued": Text("Devis émis", "Quotes issued"),
    "high": Text("Élevée", "High"),
    "medium": Text("Moyenne", "Medium"),
    "low": Text("Faible", "Low"),
    "task_due": Text("Tâche due", "Task due"),
    "task_overdue": Text("Tâche en retard", "Task overdue"),
    "quote_expiring": Text("Devis près d'expirer", "Quote about to expire"),
    "deal_past_close": Text("Date de conclusion passée", "Past its close date"),
    "deal_stalled": Text("Affaire sans contact", "Deal without interaction"),
    "objective_behind": Text("Objectif en retard", "Objective behind pace"),
    "complaint_open": Text("Réclamation ouverte", "Complaint open too long"),
    "threshold": Text("Seuil franchi", "Past its threshold"),
    "win_rate": Text("taux de réussite", "win rate"),
    "conversion": Text("conversion des devis", "quotes to orders"),
    "overdue_tasks": Text("tâches en retard", "overdue tasks"),
    "stalled_deals": Text("affaires sans contact", "deals without interaction"),
    "late_deals": Text("affaires en retard", "deals past their close date"),
    "expiring_quotes": Text("devis près d'expirer", "quotes about to expire"),
    "open_complaints": Text("réclamations ouvertes", "complaints open too long"),
    "behind_objectives": Text("objectifs en retard", "objectives behind pace"),
    "interactions": Text("Contacts", "Interactions"),
    "call": Text("appels", "calls"),
    "email": Text("courriels", "e-mails"),
    "visit": Text("visites", "visits"),
    "meeting": Text("réunions", "meetings"),
    "prospecting_meeting": Text("rendez-vous de prospection", "prospecting meetings"),
    "demo": Text("démonstrations", "demos"),
    "proposal": Text("propositions", "proposals"),
    "document": Text("documents", "documents"),
    "support_request": Text("demandes d'aide", "support requests"),
    "maintenance": Text("maintenance", "maintenance"),
    "complaint": Text("réclamations", "complaints"),
    "web_visit": Text("visites du site", "web visits"),
    "cart": Text("paniers", "carts"),
    "survey": Text("enquêtes", "surveys"),
    "other": Text("autres", "others"),
    "loyal": Text("Fidèle", "Loyal"),
    "active": Text("Actif", "Active"),
    "at_risk": Text("À risque", "At risk"),
    "lapsed": Text("Perdu de vue", "Lapsed"),
}


def word(column: AnswerColumn, value: Any, lang: str) -> Any:
    """A word of ours in the reader's language, or two of them; what the book says stays as it is."""
    if column.name not in WORDED or not isinstance(value, str):
        return value
    if column.name == INDICATOR:
        return title(value, lang)
    if column.name == REASON:
        said = code_text(value, lang)
        return said[:1].upper() + said[1:]
    words = [WORDS[each].in_(lang) if each in WORDS else each for each in value.split(":")]
    return "\u00a0: ".join(words) if lang == "fr" else ": ".join(words)


def day_text(day: str, lang: str) -> str:
    """A date as people write it, and whatever time follows it as it is.

    >>> day_text("2026-09-30 12:00:00", "fr"), day_text("2026-09-30", "en")
    ('30/09/2026 12:00:00', '2026-09-30')
    """
    return f"{day[8:10]}/{day[5:7]}/{day[:4]}{day[10:]}" if lang == "fr" else day


def month_text(month: str, lang: str, *, short: bool = False) -> str:
    """A month in words, such as `septembre 2026`; what is none, such as `overdue`, as it is."""
    from babel.dates import format_skeleton  # noqa: PLC0415 (babel is slow to import)

    if not MONTH.fullmatch(month):
        return month
    return str(format_skeleton("yMMM" if short else "yMMMM", date.fromisoformat(f"{month}-01"), locale=lang))


def heading(column: AnswerColumn) -> str:
    """`Amount (EUR)`."""
    return f"{column.label} ({column.unit})" if column.unit else column.label


def units(minor: int, currency: str | None) -> Decimal:
    """Minor units as an exact amount with all of its decimals.

    >>> units(125_000, "EUR"), units(-5, "JPY")
    (Decimal('1250.00'), Decimal('-5'))
    """
    return Decimal(minor).scaleb(-decimals(currency or ""))


def is_share(column: AnswerColumn) -> bool:
    """Whether a ratio is read as a percentage: not one of quotes per order."""
    return column.type == "ratio" and "_per_" not in column.name
