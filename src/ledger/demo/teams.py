"""The teams, their territories, and how they were reorganised."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from ledger.demo.agenda import Agenda
from ledger.demo.calendar import HOUR_US, MINUTE_US, Calendar


class Place(NamedTuple):
    """Where a customer is, and the currency in which it buys."""

    country: str
    region: str | None
    currency: str = "EUR"


_FRANCE: Final = {
    "idf": ("FR-IDF",),
    "ouest": ("FR-BRE", "FR-PDL", "FR-NOR", "FR-CVL"),
    "est": ("FR-GES", "FR-HDF", "FR-BFC"),
    "sud": ("FR-ARA", "FR-PAC", "FR-OCC", "FR-NAQ"),
}
_NAMES: Final = {
    "idf": "Île-de-France",
    "ouest": "Grand Ouest",
    "est": "Nord et Est",
    "sud": "Sud et Rhône-Alpes",
    "export": "Europe et export",
}
REMOTE: Final = "televente"
"""The team that was closed."""

_ABROAD: Final = (
    Place("BE", "BE-BRU"),
    Place("BE", "BE-WAL"),
    Place("CH", "CH-GE"),
    Place("CH", "CH-VD"),
    Place("LU", None),
    Place("BE", "BE-VLG"),
    Place("GB", "GB-LND", "GBP"),
    Place("US", "US-MA", "USD"),
)


@cache
def places(team: str) -> tuple[Place, ...]:
    """The territory of a team."""
    area = team.partition("-")[0]
    if area == "export":
        return _ABROAD
    regions = _FRANCE.get(area) or tuple(region for each in _FRANCE.values() for region in each)
    return tuple(Place("FR", region) for region in regions)


def build_teams(agenda: Agenda, calendar: Calendar, *, extra: int) -> list[str]:
    """Create the teams and plan their reorganisation; returns the sales teams that stay.

    Five of them, `extra` more in a larger company, under one parent; later those at home come under a second one.
    """
    areas = [*_NAMES]
    teams = areas + [f"{areas[number % 5]}-{2 + number // 5}" for number in range(extra)]
    founded, recorded = calendar.midnight[0], calendar.midnight[0] + 6 * HOUR_US + 5 * MINUTE_US
    agenda.put("team-ventes", "team.created", {"name": "Direction commerciale"}, founded, recorded)
    for team in teams:
        area, _, number = team.partition("-")
        data = {"name": f"{_NAMES[area]} {number}".strip(), "parent": "ventes"}
        agenda.put(f"team-{team}", "team.created", data, founded, recorded)
    agenda.put(f"team-{REMOTE}", "team.created", {"name": "Télévente", "parent": "ventes"}, founded, recorded)

    reform, decided = calendar.midnight[calendar.share(0.33)], calendar.morning[calendar.share(0.33) - 12]
    agenda.put("team-france", "team.created", {"name": "France", "parent": "ventes"}, reform, decided)
    for team in teams:
        if not team.startswith("export"):
            agenda.put(f"team-{team}", "team.moved", {"parent": "france"}, reform, decided)
    agenda.put(f"team-{REMOTE}", "team.closed", {}, calendar.morning[calendar.share(0.45)] + 10 * HOUR_US)
    renamed = calendar.morning[calendar.share(0.6)]
    agenda.put("team-est", "team.renamed", {"name": "Grand Est et Hauts-de-France"}, renamed)
    return teams
