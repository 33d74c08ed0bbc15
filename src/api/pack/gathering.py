"""Asks every report of a pack at one pair of dates and one position, and finds what proves it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from api.pack.sections import WHOSE, Section, sections
from ledger.book import DEFAULT_OPENING
from ledger.errors import BadRequest, Moved, NotFound
from ledger.proof.merkle import Frontier
from ledger.stream import Stream
from ledger.times import format_instant, local_date, parse_instant
from projections.pairs import Pair
from projections.reports import REPORTS, answer, find
from projections.reports.periods import parse_period

if TYPE_CHECKING:
    from datetime import date

    from ledger.application import Ledger
    from ledger.events import BookOpened
    from projections.reports import Answer
    from projections.store import ReadStore

TRIES = 5
"""How often the reports are asked again because the log has grown in between."""
PAGE = 10_000
MOST_ROWS = 1_000
"""So many rows of one report are printed, on thirty pages."""


@dataclass(frozen=True)
class Part:
    """A section with what was asked for it, and the answer."""

    section: Section
    asked: dict[str, str]
    answer: Answer


@dataclass(frozen=True)
class Pack:
    """All that is in a pack, before it is put into words. `root` is the Merkle root of the log's first `position` entries."""

    book: str
    name: str
    time_zone: str
    currency: str
    role: str | None
    team: str | None
    pair: Pair
    position: int
    root: bytes
    parts: list[Part]


def gather(ledger: Ledger, store: ReadStore, pair: Pair, *, role: str, lang: str, team: str | None = None) -> Pack:
    """Ask what a role's pack needs. Raises `BadRequest` for an unknown role, `NotFound` for an unknown team."""
    if role not in WHOSE:
        raise BadRequest(f"unknown role {role[:40]!r}; packs are made for {' or '.join(WHOSE)}")
    if team is not None and not ledger.stream(f"team-{team}"):
        raise NotFound(f"there is no team {team[:40]!r} in this book")
    book = _book(ledger)
    today = local_date(pair.as_of, book.time_zone)
    named = {
        "whose": WHOSE[role],
        "eve": _eve(today, book.fiscal_year_start_month).isoformat(),
        "year": _year_to(today, book.fiscal_year_start_month),
    }
    registered = {each.name for each in REPORTS}
    asked = [(each, _asked(each, named, pair, team)) for each in sections(role) if each.report in registered]
    for _ in range(TRIES):
        now = ledger.now()
        clock = local_date(now, book.time_zone)
        parts = [
            Part(each, params, answer(store, each.report, params, today=clock, now=now, lang=lang, ledger=ledger))
            for each, params in asked
        ]
        positions = {part.answer.position for part in parts}
        if len(positions) == 1:
            (position,) = positions
            root = root_at(ledger, position)
            currency = next((column.unit for part in parts for column in part.answer.columns if column.unit), None)
            return Pack(
                ledger.book,
                book.name,
                book.time_zone,
                currency or book.currency,
                role,
                team,
                pair,
                position,
                root,
                parts,
            )
    raise Moved("the log grew while the pack was made; make it again when less is being written")


def single(ledger: Ledger, answer: Answer, asked: dict[str, str]) -> Pack:
    """One answer on pages of its own, every column in it."""
    report, book = find(answer.report), _book(ledger)
    names = tuple(each.name for each in answer.columns if not each.name.endswith("_name"))
    section = Section(report.name, report.description, "", names, most_rows=MOST_ROWS)
    pair = Pair(parse_instant(answer.as_of), parse_instant(answer.known_at))
    currency = next((column.unit for column in answer.columns if column.unit), book.currency)
    pinned = asked | {"as_of": answer.as_of, "known_at": answer.known_at}
    return Pack(
        book=ledger.book,
        name=book.name,
        time_zone=book.time_zone,
        currency=currency,
        role=None,
        team=None,
        pair=pair,
        position=answer.position,
        root=root_at(ledger, answer.position),
        parts=[Part(section, pinned, answer)],
    )


def root_at(ledger: Ledger, position: int) -> bytes:
    """The Merkle root of the log's first `position` entries (RFC 9162 2.1.1)."""
    head = ledger.recorder.head()
    if head.position == position:
        return head.frontier.root()
    frontier, after = Frontier(), 0
    while after < position:
        for row in ledger.feed_rows(after, min(PAGE, position - after)):
            frontier.append(bytes(row[7]))
        after = frontier.size
    return frontier.root()


def _book(ledger: Ledger) -> BookOpened:
    """The book's settings in force, or the defaults where it is not open yet."""
    state = Stream("book", ledger.stream("book")).state
    return state.settings if state else DEFAULT_OPENING


def _eve(today: date, fiscal_month: int) -> date:
    quarter = parse_period("this-fiscal-quarter", today=today, fiscal_month=fiscal_month)
    return quarter.first - timedelta(days=1)


def _year_to(today: date, fiscal_month: int) -> str:
    """The fiscal year up to that day, so that what it is compared with ends on the same day a year earlier."""
    year = parse_period("this-fiscal-year", today=today, fiscal_month=fiscal_month)
    return f"{year.first}..{today}"


def _asked(section: Section, named: dict[str, str], pair: Pair, team: str | None) -> dict[str, str]:
    report = find(section.report)
    params = {name: value.format(**named) for name, value in section.asked.items() if name in report.parameters}
    if team is not None and "team" in report.dimensions:
        params["where"] = ",".join(filter(None, (params.get("where"), f"team={team}")))
    return {"as_of": format_instant(pair.as_of), "known_at": format_instant(pair.known_at), **params}
