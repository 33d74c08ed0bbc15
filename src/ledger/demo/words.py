"""Invented French names: people, companies, sites, titles. Telephone numbers are from ranges kept for fiction."""

from __future__ import annotations

from typing import Final

from ledger.demo.calendar import Chance

_FIRST = """
Adèle Alban Amandine Anaïs Armel Basile Bérénice Brieuc Capucine Célestin Clémence Corentin
Diane Édouard Élise Emeric Estelle Fabien Flavie Gaspard Gwenaëlle Hélène Hippolyte Inès Jeanne
Jocelyn Karima Léopold Lilian Ludivine Maëlle Malik Mathilde Maxence Nadia Noémie Octave
Ophélie Pascal Perrine Quentin Rachid Romane Salomé Samuel Sidonie Solène Tanguy Thaïs Théodore
Ursule Valentine Victor Yaël Yannick Zoé
""".split()
_LAST = """
Abgrall Amblard Arnoult Aubrac Bellanger Bergeron Bonnefoy Bourdelle Brisset Cadoret Castaing
Chabrol Chauvet Cordier Courtois Dalmasso Delorme Desmarets Dubreuil Escoffier Estève Faucher
Fontanel Fournel Gaillard Garrigue Gauvin Grandin Guillermin Hamonic Jacquemin Jouannet
Kermarrec Labrousse Lacombe Lefranc Lestrade Loisel Maillard Marchais Mercadier Monnier Morvan
Nadaud Ollivier Pasquet Pelloquin Perrault Quemener Rabaud Ravel Rigaud Rousselin Sabatier
Salvignac Séguret Tardieu Thévenet Valmont Vernay Vidalenc Zeller
""".split()
_FORMS = """
Ateliers Établissements Groupe Maison Société Compagnie Cabinet Laboratoires Transports
Fonderies Clinique Imprimerie
""".split()
_TRADES = """
Mécanique Bâtiment Logistique Agro Énergies Textile Santé Hôtels Papeterie Plastiques
Menuiserie Cosmétique Distribution Conserves Optique
""".split()
_ENDINGS = ("SA", "SAS", "& Fils", "SARL", "et Associés", "Industries", "France", "")
_TOWNS = """
Angers Annecy Arras Bayonne Besançon Brest Bruxelles Caen Chambéry Cholet Colmar Dijon Dole
Épinal Genève Grenoble Laval Liège Lille Limoges Lorient Luxembourg Lyon
Metz Montauban Mulhouse Nancy Nantes Nevers Nîmes Niort Orléans Pau Périgueux Poitiers Reims
Rennes Roanne Rouen Saint-Malo Strasbourg Tarbes Toulon Tours Troyes Valence Vannes Vienne
""".split()
_PHONES = ("1 99 00", "2 61 91", "3 53 01", "4 65 71", "5 36 49")
_PLAIN: Final = str.maketrans("àâäçéèêëîïôöùûüÀÂÇÉÈÊËÎÏÔŒ", "aaaceeeeiioouuuAACEEEEIIOO", "'’ ")

_SUBJECTS: Final = {
    "new_business": (
        "Supervision énergétique",
        "Équipement en capteurs",
        "Site pilote de mesure",
        "Audit et instrumentation",
        "Télérelève des bâtiments",
        "Modernisation de la chaufferie",
        "Suivi des consommations",
    ),
    "extension": (
        "Extension à un second site",
        "Capteurs supplémentaires",
        "Licences complémentaires",
        "Formation des exploitants",
    ),
    "renewal": ("Renouvellement de la maintenance", "Reconduction du contrat"),
}


def person(chance: Chance) -> tuple[str, str]:
    """A first name and a last name."""
    return _FIRST[chance.below(len(_FIRST))], _LAST[chance.below(len(_LAST))]


def email(first: str, last: str, domain: str) -> str:
    return f"{first}.{last}@{domain}".translate(_PLAIN).lower()


def phone(chance: Chance) -> str:
    number = chance.below(10_000)
    return f"+33 {_PHONES[chance.below(5)]} {number // 100:02d} {number % 100:02d}"


def organisation(chance: Chance) -> str:
    name = _LAST[chance.below(len(_LAST))]
    draw = chance.random()
    if draw < 0.4:
        return f"{_FORMS[chance.below(len(_FORMS))]} {name}"
    if draw < 0.75:
        return f"{name} {_TRADES[chance.below(len(_TRADES))]}"
    return f"{name}-{_LAST[chance.below(len(_LAST))]} {_ENDINGS[chance.below(len(_ENDINGS))]}".strip()


def respelt(name: str) -> str:
    """The same company as somebody else would type it."""
    if name.startswith("Établissements "):
        return name.replace("Établissements", "Ets", 1)
    return name.removesuffix(" SA") if name.endswith(" SA") else name.upper()


def domain_of(name: str) -> str:
    """A domain that cannot exist (RFC 2606)."""
    return f"{name.translate(_PLAIN).replace('&', '-').lower()}.example"


def title(chance: Chance, kind: str) -> str:
    subjects = _SUBJECTS[kind]
    return f"{subjects[chance.below(len(subjects))]} – {_TOWNS[chance.below(len(_TOWNS))]}"
