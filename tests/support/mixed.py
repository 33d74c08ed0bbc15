"""A believable history with bad lines of every sort strewn in: what comes out of real systems.

The good lines are all legal without the bad ones, and each bad line is refused where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec

from ledger.demo import history
from ledger.times import parse_instant

Line = dict[str, Any]
UNTIL = parse_instant("2026-01-01T00:00:00Z")
YEARS = 3
LINES_PER_DEAL = 8
"""A few less than there are, so that a history is long enough."""

encode = msgspec.json.encode


class Bad(NamedTuple):
    """A sort of bad line: made from a good one just before it, or None where that does not lend itself to it."""

    reason: str
    make: Callable[[Line], bytes | None]


def _with(line: Line, **changes: Any) -> bytes:
    return encode({name: value for name, value in (line | changes).items() if name != "key"})


def _data(line: Line, **changes: Any) -> bytes:
    return _with(line, data=line["data"] | changes)


def _after(event_type: str, make: Callable[[Line], bytes]) -> Callable[[Line], bytes | None]:
    return lambda line: make(line) if line["type"] == event_type else None


def _said_twice(line: Line) -> bytes:
    return _with(line)[:-1] + b',"type":' + encode(line["type"]) + b"}"


def _said_twice_inside(line: Line) -> bytes:
    return _with(line, data=msgspec.Raw(b'{"stage":"a","stage":"b"}'), stream="deal-x", type="deal.stage_changed")


def _with_its_key(line: Line) -> bytes:
    return encode(line | {"data": line["data"] | {"owner": "nobody"}})


def _huge(line: Line) -> bytes:
    part = {"product": "p" * 64, "quantity": "123456789012.123456", "value": {"minor": 10**9, "currency": "EUR"}}
    attributes = {f"{'a' * 60}{number}": "\x01" * 200 for number in range(32)}
    data = {name: value for name, value in line["data"].items() if name not in {"value", "margin"}}
    data |= {"attributes": attributes, "lines": [part | {"margin": part["value"]}] * 200}
    return _with(line, stream=f"{line['stream']}-big", data=data)


SORTS: dict[str, Bad] = {
    "not UTF-8": Bad("the line is not UTF-8", lambda line: _with(line)[:-1] + b',"source":"\xc9lan"}'),
    "truncated": Bad("not an event line", lambda line: _with(line)[: -len(_with(line)) // 3]),
    "not JSON": Bad("not an event line: JSON is malformed", lambda line: b"stream=" + line["stream"].encode()),
    "not an object": Bad("not an event line: expected `object`", lambda line: encode([line])),
    "unknown type": Bad("unknown event type 'deal.sung'", lambda line: _with(line, type="deal.sung")),
    "unknown stream": Bad("'dossier-1' is not a stream", lambda line: _with(line, stream="dossier-1")),
    "bad id": Bad("is not an id", lambda line: _with(line, stream=line["stream"].partition("-")[0] + "-é")),
    "another stream's type": Bad("does not belong on a", lambda line: _with(line, stream="rate-CHF", type="deal.won")),
    "unknown field": Bad("unknown field `colour`", lambda line: _data(line, colour="red")),
    "unknown key": Bad("unknown field `effectiv_at`", lambda line: _with(line, effectiv_at="2025-01-01")),
    "duplicate key": Bad("comes twice", _said_twice),
    "duplicate key inside": Bad("the key 'stage' comes twice", _said_twice_inside),
    "closed deal won again": Bad("reopen it with deal.reopened first", _after("deal.won", _with)),
    "opened again": Bad("this deal is open", _after("deal.opened", _with)),
    "stage not in pipeline": Bad(
        "has no stage 'nowhere'", _after("deal.stage_changed", lambda line: _data(line, stage="nowhere"))
    ),
    "money with cents as a fraction": Bad(
        "expected `int`, got `float`",
        _after("deal.opened", lambda line: _data(line, value={"minor": 12.5, "currency": "EUR"})),
    ),
    "money in no currency": Bad(
        "value.currency must be an ISO 4217",
        _after("deal.opened", lambda line: _data(line, value={"minor": 12, "currency": "EURO"})),
    ),
    "money below zero": Bad(
        "value.minor must be zero or more",
        _after("deal.opened", lambda line: _data(line, value={"minor": -1, "currency": "EUR"})),
    ),
    "money as text": Bad("expected `object", _after("deal.opened", lambda line: _data(line, value="12,50"))),
    "recorded in the future": Bad("lies in the future", lambda line: _with(line, recorded_at="2199-01-01T00:00:00Z")),
    "happened in the future": Bad(
        "is after", _after("deal.opened", lambda line: _with(line, stream="deal-f", effective_at="2199-01-01"))
    ),
    "no such day": Bad("does not exist", lambda line: _with(line, effective_at="2025-02-30")),
    "no such field's type": Bad(
        "data of deal.assigned: expected `str`",
        lambda line: _with(line, stream="deal-x", type="deal.assigned", data={"owner": 7}),
    ),
    "key used before": Bad("was used with another body", _after("deal.opened", _with_its_key)),
    "too large": Bad("the most is 65535", _after("deal.opened", _huge)),
}


def mixed(lines: Iterable[Line], *, share: float = 0.01, seed: int = 1) -> Iterator[tuple[bytes, str | None]]:
    """The lines as bytes, and among them bad ones, about a share of all, with what the reason for each must say."""
    rng = Random(seed)
    sorts = cycle(SORTS.values())
    owed: list[Bad] = []
    for told in lines:
        line = told | {"key": f"opening {told['stream']}"} if told["type"] == "deal.opened" else told
        yield encode(line), None
        if rng.random() < share:
            owed.append(next(sorts))
        for bad in owed[:]:
            if (made := bad.make(line)) is not None:
                yield made, bad.reason
                owed.remove(bad)


def write_mixed(path: Path, count: int, *, share: float = 0.01) -> tuple[int, dict[int, tuple[bytes, str]]]:
    """Write a file made of this many good lines; how many, and the bad ones with their reasons by line number."""
    good, refused = 0, {}
    story = islice(history(deals=count // LINES_PER_DEAL, years=YEARS, until=UNTIL), count)
    with path.open("wb") as file:
        for number, (line, reason) in enumerate(mixed(story, share=share), start=1):
            file.write(line + b"\n")
            if reason is None:
                good += 1
            else:
                refused[number] = line, reason
    return good, refused
