from __future__ import annotations

from ledger.codec import Recorded
from ledger.events import Commitment, DealCategorySet, DealOpened, DealWon, EventCorrected, Money, Sealed
from ledger.plain import plain_events

HOUR_US = 3_600_000_000


class Vault:
    """Knows some values by commitment."""

    def __init__(self, **values: str) -> None:
        self._values = values

    def reveal(self, sealed):
        return {
            each.commitment.c: self._values[each.commitment.c] for each in sealed if each.commitment.c in self._values
        }


def recorded(data, **more) -> Recorded:
    return Recorded(1, "deal-1", 1, data.TYPE, HOUR_US, 2 * HOUR_US, 3 * HOUR_US, data, "ana", **more)


OPENED = DealOpened(owner="ana", pipeline="main", stage="offer", title=Sealed(Commitment("kept", "ref")))


def test_instants_are_written_in_utc_with_six_decimals():
    (event,) = plain_events([recorded(DealWon(value=Money(currency="EUR", minor=5)), source="crm")])
    assert event["effective_at"] == "1970-01-01T01:00:00.000000Z"
    assert event["appended_at"] == "1970-01-01T03:00:00.000000Z"
    assert event["source"] == "crm"
    assert event["data"] == {"value": {"minor": 5, "currency": "EUR"}}


def test_sealed_values_are_put_back_where_the_vault_knows_them():
    assert plain_events([recorded(OPENED)], Vault(kept="Sensors"))[0]["data"]["title"] == "Sensors"


def test_also_in_a_correction():
    said = {"title": {"$sealed": {"c": "kept", "s": "ref"}}, "stage": "offer"}
    correction = EventCorrected(version=1, data=said, reason="typo")
    assert plain_events([recorded(correction)], Vault(kept="Sensors"))[0]["data"]["data"] == said | {"title": "Sensors"}


def test_null_is_told_where_it_says_something():
    assert plain_events([recorded(DealCategorySet(category=None))])[0]["data"] == {"category": None}


def test_what_the_vault_no_longer_has_stays_sealed():
    still = {"$sealed": {"c": "kept", "s": "ref"}}
    assert plain_events([recorded(OPENED)], Vault())[0]["data"]["title"] == still
    assert plain_events([recorded(OPENED)])[0]["data"]["title"] == still
