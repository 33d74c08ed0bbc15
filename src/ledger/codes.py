"""Reasons and the like in words: each is a code that the book chooses itself, and the usual ones have a French text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FRENCH: Mapping[str, str] = {
    "billing_error": "erreur de facturation",
    "closure": "fermeture",
    "competitor": "concurrent",
    "competitor_failed": "concurrent défaillant",
    "customer_returned": "retour du client",
    "damaged": "marchandise abîmée",
    "deal_closed": "affaire close",
    "delay": "retard",
    "duplicate": "doublon",
    "entered_by_mistake": "saisi par erreur",
    "entered_twice": "saisi deux fois",
    "goodwill": "geste commercial",
    "mistake": "erreur",
    "no_budget": "pas de budget",
    "no_decision": "pas de décision",
    "no_longer_needed": "plus nécessaire",
    "no_need": "pas de besoin",
    "no_response": "pas de réponse",
    "order_cancelled": "commande annulée",
    "other": "autre",
    "other_offer": "autre offre",
    "out_of_scope": "hors périmètre",
    "person_left": "départ de la personne",
    "price": "prix",
    "product_fit": "produit inadapté",
    "product_retired": "produit retiré",
    "project_cancelled": "projet annulé",
    "reorganisation": "réorganisation",
    "replaced": "remplacé",
    "team_closed": "équipe fermée",
    "timing": "calendrier",
    "typing_error": "erreur de saisie",
    "typo": "faute de frappe",
    "was_right": "c’était juste",
    "wrong_amount": "montant erroné",
    "wrong_customer": "client erroné",
    "wrong_date": "date erronée",
    "wrong_deal": "affaire erronée",
    "wrong_kind": "type erroné",
}


def code_text(code: str, language: str) -> str:
    """A code in words; one without a text of its own is called by its name.

    >>> code_text("no_budget", "fr"), code_text("no_budget", "en")
    ('pas de budget', 'no budget')
    """
    named = code.replace("_", " ")
    return FRENCH.get(code, named) if language == "fr" else named
