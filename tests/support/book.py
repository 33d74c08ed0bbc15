"""Given a book: a small language for the events that a test starts from, and for asking reports of it.

    book = GivenBook(database_url)
    book.deal("d1", "2026-01-05", eur(100_00), expected_close_on="2026-03-31")
    book.won("d1", "2026-03-20")
    assert book.totals("sales", period="2026-Q1", as_of="2026-03-31")["amount_minor"] == 100_00

A bare day means noon in UTC; what happened is recorded when it happened unless `recorded` says otherwise. Every event
passes through the ledger, decided like any other, and through the folds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ledger.application import open_ledger
from ledger.times import is_date, local_date, parse_instant
from projections import reports
from projections.runner import run_batch
from projections.store import ReadStore

if TYPE_CHECKING:
    from datetime import date

    from projections.reports import Answer, Explanation

STAGES = [
    {"stage": "lead", "name": "Lead", "probability_bp": 2_500, "category": "pipeline"},
    {"stage": "demo", "name": "Demo", "probability_bp": 5_000, "category": "best_case"},
    {"stage": "offer", "name": "Offer", "probability_bp": 7_500, "category": "most_likely"},
    {"stage": "closing", "name": "Closing", "probability_bp": 9_000, "category": "commit"},
    {"stage": "parked", "name": "Parked", "probability_bp": 1_000, "category": "omitted"},
]
ZONE = "Europe/Paris"


def eur(minor: int) -> dict[str, Any]:
    return money(minor, "EUR")


def money(minor: int, currency: str) -> dict[str, Any]:
    return {"minor": minor, "currency": currency}


def line(product: str | None, value: dict[str, Any], quantity: str = "1", **more: Any) -> dict[str, Any]:
    """A product line of a deal or quote."""
    return {"product": product, "value": value, "quantity": quantity, **more}


class GivenBook:
    """A ledger and its read store; events are appended as they are told and folded when something is asked."""

    def __init__(self, url: str, *, now: str = "2026-12-31T12:00:00Z", opened: str | None = "2020-01-01") -> None:
        self.clock = parse_instant(now)
        self.ledger = open_ledger(url, clock=lambda: self.clock)
        self.store = ReadStore.open(self.ledger)
        if opened:
            settings = {"currency": "EUR", "time_zone": ZONE, "locale": "fr", "name": "Book"}
            self.say("book", "book.opened", opened, fiscal_year_start_month=1, **settings)
            self.say("pipeline-sales", "pipeline.defined", opened, name="Sales", stages=STAGES)

    def close(self) -> None:
        self.store.engine.dispose()
        self.ledger.close()

    # Given --------------------------------------------------------------------------------------------------------

    def say(self, stream: str, type_: str, at: str, recorded: str | None = None, **data: Any) -> Self:
        """One event, exactly as told; arguments that are None are left out."""
        event = {
            "stream": stream,
            "type": type_,
            "effective_at": _instant(at),
            "data": {name: value for name, value in data.items() if value is not None},
        }
        if recorded:
            event["recorded_at"] = _instant(recorded)
        self.ledger.append([event], actor="test", history=True)
        return self

    def deal(self, deal: str, at: str, value: dict[str, Any] | None = None, **more: Any) -> Self:
        opening = {"pipeline": "sales", "stage": "lead", "owner": "ana", "title": f"Deal {deal}", "value": value}
        return self.say(f"deal-{deal}", "deal.opened", at, **(opening | more))

    def moved(self, deal: str, at: str, stage: str, **more: Any) -> Self:
        return self.say(f"deal-{deal}", "deal.stage_changed", at, stage=stage, **more)

    def won(self, deal: str, at: str, value: dict[str, Any] | None = None, **more: Any) -> Self:
        return self.say(f"deal-{deal}", "deal.won", at, value=value, **more)

    def lost(self, deal: str, at: str, **more: Any) -> Self:
        return self.say(f"deal-{deal}", "deal.lost", at, **({"reason": "price"} | more))

    def abandoned(self, deal: str, at: str, **more: Any) -> Self:
        return self.say(f"deal-{deal}", "deal.abandoned", at, **({"reason": "no_budget"} | more))

    def reopened(self, deal: str, at: str, stage: str = "lead", **more: Any) -> Self:
        return self.say(f"deal-{deal}", "deal.reopened", at, stage=stage, reason="call_back", **more)

    def retracted(self, stream: str, version: int, at: str) -> Self:
        return self.say(stream, "event.retracted", at, version=version, reason="mistake")

    def corrected(self, stream: str, version: int, at: str, **more: Any) -> Self:
        """`data` is whole, `correct_at` the instant at which it really took effect."""
        correct_at = more.pop("correct_at", None)
        effective_at = None if correct_at is None else _instant(correct_at)
        event = {"version": version, "reason": "mistake", "effective_at": effective_at, **more}
        return self.say(stream, "event.corrected", at, **event)

    def quote(self, quote: str, at: str, value: dict[str, Any], **more: Any) -> Self:
        issued = {"customer": "c1", "number": quote.upper(), "value": value}
        return self.say(f"quote-{quote}", "quote.issued", at, **(issued | more))

    def accepted(self, quote: str, at: str) -> Self:
        return self.say(f"quote-{quote}", "quote.accepted", at)

    def person(self, person: str, at: str, team: str, name: str | None = None) -> Self:
        return self.say(f"person-{person}", "person.joined", at, team=team, role="rep", name=name or person.title())

    def customer(self, customer: str, at: str, **more: Any) -> Self:
        registered = {"name": customer.title(), "kind": "customer"}
        return self.say(f"customer-{customer}", "customer.registered", at, **(registered | more))

    def rate(self, currency: str, at: str, rate: str, base: str = "EUR") -> Self:
        return self.say(f"rate-{currency}", "rate.fixed", at, base=base, rate=rate)

    def product(self, product: str, at: str, range_: str | None = None) -> Self:
        return self.say(f"product-{product}", "product.listed", at, name=product.title(), range=range_)

    # Asked --------------------------------------------------------------------------------------------------------

    @property
    def today(self) -> date:
        return local_date(self.ledger.now(), ZONE)

    def folded(self) -> ReadStore:
        """The read store, up to date."""
        while run_batch(self.ledger, self.store):
            pass
        return self.store

    def report(self, name: str, *, lang: str = "en", **parameters: str) -> Answer:
        """A report's answer; `of_` and the like pass for parameters that Python keeps for itself."""
        given = {each.rstrip("_"): value for each, value in parameters.items()}
        answer = reports.answer(self.folded(), name, given, today=self.today, lang=lang, ledger=self.ledger)
        whole = [column.name for column in answer.columns if column.type in {"money", "count"}]
        for row in (*answer.rows, answer.totals):
            assert {type(row[name]) for name in whole if name in row} <= {int, type(None)}, (name, row)
        return answer

    def rows(self, name: str, *columns: str, **parameters: str) -> list[tuple[Any, ...]]:
        """These columns of every row."""
        return [tuple(row[column] for column in columns) for row in self.report(name, **parameters).rows]

    def totals(self, name: str, **parameters: str) -> dict[str, Any]:
        return self.report(name, **parameters).totals

    def explained(self, name: str, cell: dict[str, str | None] | None = None, **parameters: str) -> Explanation:
        return reports.explain(self.folded(), self.ledger, name, parameters, cell or {}, today=self.today)


def _instant(text: str) -> str:
    return f"{text}T12:00:00Z" if is_date(text) else text
