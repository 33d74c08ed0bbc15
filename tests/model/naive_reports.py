"""The five reports a second way: each line and each cell, over the plain replay of `naive`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.model.naive import (
    AFTER,
    DECIMALS,
    ENDINGS,
    Seen,
    State,
    add_months,
    day_of,
    half_even,
    largest_remainder,
    midnight,
    product_lines,
    ratio,
    seen,
)

Row = dict[str, Any]

CUMULATED = {"commit": "commit", "most_likely": "most_likely", "best_case": "best_case", "pipeline": "open"}
"""Forecast categories from the surest on, and what each is called once those before it are added."""

MOST_KEPT = 50
"""Lists of lines that a book keeps at hand."""

# A book, and a question put to it ---------------------------------------------------------------------------------


@dataclass
class Question:
    """The common parameters of a report, resolved: instants, days, dimensions."""

    as_of: int
    known_at: int
    period: tuple[date, date] | None = None
    by: tuple[str, ...] = ()
    where: dict[str, str | None] = field(default_factory=dict)
    currency: str | None = None
    constant_rates: bool = False
    basis: str = "closed"
    months: int = 12

    @property
    def happened_by(self) -> int:
        """What happened cannot be known before it happened."""
        return min(self.as_of, self.known_at)


class MissingRate(Exception):
    """No rate in force to convert one currency into another."""


SHARED_BY = {
    "amount_minor": "value",
    "margin_minor": "margin",
    "quantity_e6": "quantity",
    "weighted_minor": "value",
    "weighted_margin_minor": "margin",
}
"""What of a product line its part of the whole's figure is measured by."""


@dataclass
class Line:
    """What one deal, win, loss or quote contributes: its dimensions and its figures."""

    stream: str
    dimensions: dict[str, Any]
    figures: dict[str, Any]
    missing: MissingRate | None = None


class Book:
    """All events of a book, and what each stream was at any pair of instants."""

    def __init__(self, events: Iterable[dict[str, Any]]) -> None:
        self.streams: dict[str, list[dict[str, Any]]] = {}
        for event in events:
            self.streams.setdefault(event["stream"], []).append(event)
        self._seen: dict[tuple[str, int], list[Seen]] = {}
        self._states: dict[Any, State | None] = {}
        self._lines: dict[Any, list[Line]] = {}

    def seen(self, stream: str, known_at: int) -> list[Seen]:
        key = stream, known_at
        if key not in self._seen:
            self._seen[key] = seen(self.streams.get(stream, []), known_at)
        return self._seen[key]

    def state(self, stream: str, as_of: int, known_at: int) -> State | None:
        """What the stream was at an instant, after all that happened up to and at it; nobody may change it."""
        events = [event for event in self.seen(stream, known_at) if event.at <= as_of]
        same = (stream, *((event.at, event.position, id(event.data)) for event in events))
        if same not in self._states:
            self._states[same] = AFTER[stream.partition("-")[0]](events)
        return self._states[same]

    def once(self, what: str, question: Question, lines: Callable[[Book, Question], list[Line]]) -> list[Line]:
        """Lines that many questions of one pair ask for; nobody may change them."""
        split = not {"product", "product_range"}.isdisjoint({*question.by, *question.where})
        key = (
            what,
            question.as_of,
            question.known_at,
            question.currency,
            question.constant_rates,
            question.basis,
            split,
        )
        if key not in self._lines:
            while len(self._lines) >= MOST_KEPT:
                del self._lines[next(iter(self._lines))]
            self._lines[key] = lines(self, question)
        return self._lines[key]

    def of_kind(self, kind: str) -> list[str]:
        return sorted(stream for stream in self.streams if stream.startswith(kind + "-"))

    def settings(self, question: Question) -> State:
        """Those at the pair; else the first as known then; else what was first said; else none but the usual ones."""
        found = self.state("book", question.as_of, question.known_at)
        recorded = sorted(event["recorded_at"] for event in self.streams.get("book", ()))
        for known_at in (question.known_at, *recorded):
            for event in self.seen("book", known_at):
                found = found or self.state("book", event.at, known_at)
        return found or {"currency": "EUR", "time_zone": "Europe/Paris", "fiscal_year_start_month": 1}

    # joins

    def survivor(self, customer: str | None, question: Question) -> str | None:
        """Who a customer is, settled once at the question's pair; those merged in a circle are its first by id."""
        met: list[str] = []
        while customer is not None and customer not in met:
            met.append(customer)
            state = self.state(f"customer-{customer}", question.happened_by, question.known_at)
            if state is None or state["into"] is None:
                return customer
            customer = state["into"]
        return None if customer is None else min(met[met.index(customer) :])

    def rate(self, currency: str | None, into: str, at: int, question: Question) -> tuple[Fraction, MissingRate | None]:
        """Minor units of one currency for one minor unit of the other: fixed so, the other way round, or across."""
        if currency is None:
            return Fraction(0), None
        at = question.as_of if question.constant_rates else at
        exact = self.fixed(currency, into, at, question)
        if exact is None:
            through = self.settings(question)["currency"]
            first, second = self.fixed(currency, through, at, question), self.fixed(through, into, at, question)
            if first is None or second is None:
                return Fraction(0), MissingRate(currency, into)
            exact = first * second
        return exact * Fraction(10) ** (DECIMALS[into] - DECIMALS[currency]), None

    def fixed(self, currency: str, into: str, at: int, question: Question) -> Fraction | None:
        if currency == into:
            return Fraction(1)
        direct = self.state(f"rate-{currency}", at, question.known_at)
        if direct is not None and direct["base"] == into:
            return Fraction(direct["rate"])
        inverse = self.state(f"rate-{into}", at, question.known_at)
        if inverse is not None and inverse["base"] == currency:
            return 1 / Fraction(inverse["rate"])
        return None

    def dimensions(self, state: State, at: int, question: Question) -> dict[str, Any]:
        """Labels of a deal or quote: its own, else its customer's; owner's team and customer's labels at `at`."""
        known_at = question.known_at
        customer = self.survivor(state["customer"], question)
        about = self.state(f"customer-{customer}", min(at, question.happened_by), known_at) or {}
        person = self.state(f"person-{state['owner']}", at, known_at) or {}
        own_or_customers = {
            name: about.get(name) if state[name] is None else state[name]
            for name in ("region", "country", "channel", "campaign")
        }
        return {
            "owner": state["owner"],
            "team": person.get("team"),
            "kind": state["kind"],
            "stage": state["stage"],
            "customer": customer,
            "segment": about.get("segment"),
            **own_or_customers,
        }

    def by_product(
        self, lines: list[Line], states: dict[str, State], at: dict[str, int], question: Question
    ) -> list[Line]:
        """Each line shared over its product lines, the whole staying what it was."""
        shared = []
        for line in lines:
            nothing = {"product": None, "value": 1, "margin": 1, "quantity": Fraction(1)}
            parts = product_lines(states[line.stream]) or [nothing]
            split = {
                figure: _shared(line.figures[figure], [part[of] or 0 for part in parts])
                for figure, of in SHARED_BY.items()
                if figure in line.figures
            }
            for index, part in enumerate(parts):
                product = part["product"]
                about = self.state(f"product-{product}", at[line.stream], question.known_at) or {}
                labels = line.dimensions | {"product": product, "product_range": about.get("range")}
                figures = line.figures | {name: split[name][index] for name in split}
                shared.append(Line(line.stream, labels, figures, line.missing))
        return shared


def _shared(total_: int | None, weights: list[Any]) -> list[Any]:
    return [None] * len(weights) if total_ is None else largest_remainder(total_, weights)


def amounts(state: State, rate: Fraction) -> dict[str, Any]:
    """Amount and margin converted, each rounded once; what is not said is unknown."""
    return {
        "amount_minor": None if state["value"] is None else half_even(state["value"] * rate),
        "margin_minor": None if state["margin"] is None else half_even(state["margin"] * rate),
        "quantity_e6": None if state["quantity"] is None else int(state["quantity"] * 1_000_000),
    }


# Reports ----------------------------------------------------------------------------------------------------------


def open_deals(book: Book, question: Question) -> list[Line]:
    """The deals open at the pair, valued at `as_of`, with their probability and category in force."""
    return book.once("open", question, _open_deals)


def _open_deals(book: Book, question: Question) -> list[Line]:
    into = question.currency or book.settings(question)["currency"]
    lines, states = [], {}
    for stream in book.of_kind("deal"):
        state = book.state(stream, question.happened_by, question.known_at)
        if state is None or state["status"] != "open":
            continue
        rate, missing = book.rate(state["currency"], into, question.as_of, question)
        stages = book.state(f"pipeline-{state['pipeline']}", question.as_of, question.known_at) or {}
        stage = stages.get(state["stage"], {"probability_bp": 0, "category": None})
        own = state["probability_bp"]
        chance = Fraction(stage["probability_bp"] if own is None else own, 10_000)
        labels = book.dimensions(state, question.as_of, question)
        labels |= calendar((state["expected_close_on"] or "")[:7] or None)
        figures = amounts(state, rate) | {
            "chance": chance,
            "weighted_minor": None if state["value"] is None else half_even(state["value"] * rate * chance),
            "weighted_margin_minor": None if state["margin"] is None else half_even(state["margin"] * rate * chance),
            "category": state["category"] or stage["category"],
            "expected_close_on": state["expected_close_on"],
        }
        lines.append(Line(stream, labels, figures, missing))
        states[stream] = state
    return shared_out(book, lines, states, dict.fromkeys(states, question.as_of), question)


def closings(book: Book, question: Question, statuses: set[str]) -> list[Line]:
    """Wins, losses and abandonments in force at the pair, as their deal was when it closed."""
    return [line for line in book.once("closed", question, _closings) if line.figures["status"] in statuses]


def _closings(book: Book, question: Question) -> list[Line]:
    into = question.currency or book.settings(question)["currency"]
    lines, states, at = [], {}, {}
    for stream in book.of_kind("deal") + book.of_kind("quote"):
        now = book.state(stream, question.happened_by, question.known_at)
        if now is None or now["closed_at"] is None:
            continue
        state = book.state(stream, now["closed_at"], question.known_at)
        assert state is not None
        status = state["status"]
        if status == "accepted" and state["deal"] is None:
            status = "won"
        if status not in ENDINGS:
            continue
        rate, missing = book.rate(state["currency"], into, now["closed_at"], question)
        counted_at = state["opened_at"] if question.basis == "cohort" else now["closed_at"]
        labels = book.dimensions(state, now["closed_at"], question)
        labels |= calendar(month_of(counted_at, book, question))
        labels |= {name: state.get(name) for name in ("reason", "competitor")}
        figures = amounts(state, rate) | {
            "status": status,
            "effective_at": now["closed_at"],
            "opened_at": state["opened_at"],
        }
        lines.append(Line(stream, labels, figures, missing))
        states[stream], at[stream] = state, now["closed_at"]
    return shared_out(book, lines, states, at, question)


def shared_out(
    book: Book, lines: list[Line], states: dict[str, State], at: dict[str, int], question: Question
) -> list[Line]:
    """Shared over products where these are asked for."""
    asked = {*question.by, *question.where}
    return book.by_product(lines, states, at, question) if asked & {"product", "product_range"} else lines


def wanted(lines: list[Line], question: Question) -> list[Line]:
    """What passes the filters. Only then it matters whether there was a rate."""
    kept = [line for line in lines if all(line.dimensions[name] == value for name, value in question.where.items())]
    for line in kept:
        if line.missing is not None:
            raise line.missing
    return kept


def calendar(month: str | None) -> dict[str, str | None]:
    """Month, quarter and year of a `YYYY-MM`; words stay as they are."""
    if month is None or not month[:4].isdigit():
        return dict.fromkeys(("month", "quarter", "year"), month)
    return {"month": month, "quarter": f"{month[:4]}-Q{(int(month[5:]) + 2) // 3}", "year": month[:4]}


def month_of(at: int, book: Book, question: Question) -> str:
    return day_of(at, book.settings(question)["time_zone"]).strftime("%Y-%m")


def in_period(at: int, question: Question, book: Book) -> bool:
    assert question.period is not None
    zone = book.settings(question)["time_zone"]
    first, after = question.period
    return midnight(first, zone) <= at < midnight(after, zone)


def grouped(lines: list[Line], by: Iterable[str]) -> dict[tuple[Any, ...], list[Line]]:
    groups: dict[tuple[Any, ...], list[Line]] = {}
    for line in lines:
        groups.setdefault(tuple(line.dimensions.get(name) for name in by), []).append(line)
    return groups


def total(lines: list[Line], figure: str) -> Any:
    """The sum over the lines; unknown where it is of none of them."""
    told = [line.figures[figure] for line in lines if line.figures[figure] is not None]
    return sum(told) if told or not lines else None


def things(lines: list[Line]) -> int:
    return len({line.stream for line in lines})


def average(lines: list[Line], figure: str) -> int | None:
    """Over what says it."""
    added, count = total(lines, figure), things([line for line in lines if line.figures[figure] is not None])
    return half_even(Fraction(added, count)) if count else None


def pipeline(book: Book, question: Question) -> tuple[list[Line], dict[tuple[Any, ...], Row]]:
    """Open deals by stage: what they are worth, and what they are worth times their probability."""
    lines = wanted(open_deals(book, question), question)
    rows: dict[tuple[Any, ...], Row] = {}
    for key, cell in grouped(lines, ("stage", *question.by)).items():
        rows[key] = {
            "deals": things(cell),
            "amount_minor": total(cell, "amount_minor"),
            "margin_minor": total(cell, "margin_minor"),
            "quantity": total(cell, "quantity_e6"),
            "weighted_minor": total(cell, "weighted_minor"),
            "average_minor": average(cell, "amount_minor"),
        }
    return lines, rows


def forecast(book: Book, question: Question) -> tuple[list[Line], dict[tuple[Any, ...], Row]]:
    """Open deals by the month they are expected to close in, and what was won in those months already.

    With a period only what is due in it; overdue deals are due in the month of `as_of`.
    """
    zone = book.settings(question)["time_zone"]
    today = day_of(question.as_of, zone)
    first, after = question.period or (add_months(today, 0), add_months(today, question.months))
    coming = []
    for line in open_deals(book, question):
        due = line.figures["expected_close_on"]
        day = None if due is None else date.fromisoformat(due)
        if day is None:
            month, counts = "undated", question.period is None
        elif day < today:
            month, counts = "overdue", question.period is None or first <= today < after
        elif day >= after:
            month, counts = "later", question.period is None
        else:
            month, counts = due[:7], day >= first
        if counts:
            coming.append(replace(line, dimensions=line.dimensions | calendar(month)))
    won = [
        line
        for line in closings(book, question, {"won"})
        if midnight(first, zone) <= line.figures["effective_at"] < midnight(after, zone)
    ]
    coming, won = wanted(coming, question), wanted(won, question)
    objectives = wanted(targets(book, question, "objective", first, after), question)
    calls = wanted(targets(book, question, "call", first, after), question)
    rows: dict[tuple[Any, ...], Row] = {}
    for key, cell in grouped(coming + won + objectives + calls, ("month", *question.by)).items():
        still = [line for line in cell if "category" in line.figures]
        forecasted = [line for line in still if line.figures["category"] != "omitted"]
        row = {
            "deals": things(still),
            "amount_minor": total(still, "amount_minor"),
            "margin_minor": total(still, "margin_minor"),
            "quantity": total(still, "quantity_e6"),
            "weighted_minor": total(forecasted, "weighted_minor"),
            "weighted_margin_minor": total(forecasted, "weighted_margin_minor"),
            "won_minor": total([line for line in cell if line.figures.get("status") == "won"], "amount_minor"),
        }
        set_ = [line for line in cell if line.figures.get("status") == "objective"]
        called = [line for line in cell if line.figures.get("status") == "call"]
        objective = total(set_, "amount_minor") if set_ else None
        row["objective_minor"] = objective
        row["call_minor"] = total(called, "amount_minor") if called else None
        missing = None if None in {objective, row["won_minor"]} else objective - row["won_minor"]
        is_unknown = None in {missing, row["weighted_minor"]}
        row["shortfall_minor"] = None if is_unknown else max(0, missing - row["weighted_minor"])
        so_far = [line for line in cell if line.figures.get("status") == "won"]
        coming_here: list[Line] = []
        for category, cumulated in CUMULATED.items():
            its = [line for line in still if line.figures["category"] == category]
            so_far, coming_here = so_far + its, coming_here + its
            row |= {
                f"{category}_minor": total(its, "amount_minor"),
                f"cum_{cumulated}_minor": total(so_far, "amount_minor"),
            }
        row["coverage"] = ratio(total(coming_here, "amount_minor"), missing)
        rows[key] = row
    return coming + won + objectives + calls, rows


def targets(book: Book, question: Question, kind: str, first: date, after: date) -> list[Line]:
    """Objectives of amount, or forecasts submitted as commit, whose scope is that of the rows: a line for each month.

    Each day is for the one of the shortest period that covers it, of those for the one said last. What one has for a
    month is what largest remainder by days gives it, and of that again what falls on the days that are for it.
    """
    into = question.currency or book.settings(question)["currency"]
    asked = ({*question.by, *question.where} - {"month", "quarter", "year"}) or {"company"}
    scope_kind = {"company": "company", "owner": "person", "team": "team"}.get(asked.pop())
    if scope_kind is None or asked:
        return []
    at = question.as_of if kind == "objective" else question.happened_by
    same: dict[Any, list[tuple[str, State]]] = {}
    for stream in book.of_kind(kind):
        state = book.state(stream, at, question.known_at) or {}
        state = state if kind == "objective" else state.get("commit") or {}
        narrowed = state.get("kind") or state.get("product_range")
        if state.get("metric", "amount") == "amount" and not state.get("cancelled") and not narrowed:
            for whose in [state["scope"][scope_kind]] if scope_kind in state.get("scope", {}) else []:
                same.setdefault(whose, []).append((stream, state))
    lines = []
    for whose, theirs in same.items():
        days: dict[tuple[str, date], int] = {}
        for number in range((after - first).days):
            day = first + timedelta(days=number)
            covering = [(length_of(state), stream) for stream, state in theirs if covers(state, day)]
            if covering:
                shortest = min(length for length, _ in covering)
                latest = max((state["said"], stream) for stream, state in theirs if (shortest, stream) in covering)[1]
                days[latest, add_months(day, 0)] = days.get((latest, add_months(day, 0)), 0) + 1
        for (stream, month), counted in days.items():
            state = dict(theirs)[stream]
            amount = state["target"] if kind == "objective" else state["value"]
            rate, missing = book.rate(amount["currency"], into, question.as_of, question)
            months = sorted({add_months(day, 0) for day in days_of(state)})
            lengths = [len([day for day in days_of(state) if add_months(day, 0) == each]) for each in months]
            index = months.index(month)
            part = largest_remainder(half_even(amount["minor"] * rate), lengths)[index]
            part = largest_remainder(part, [counted, lengths[index] - counted])[0]
            labels = calendar(f"{month:%Y-%m}") | {"owner": whose, "team": whose}
            lines.append(Line(stream, labels, {"status": kind, "amount_minor": part}, missing))
    return lines


def days_of(state: State) -> list[date]:
    first, last = (date.fromisoformat(state["period"][end]) for end in ("from", "to"))
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def covers(state: State, day: date) -> bool:
    return bool(state["period"]["from"] <= day.isoformat() <= state["period"]["to"])


def length_of(state: State) -> int:
    first, last = (date.fromisoformat(state["period"][end]) for end in ("from", "to"))
    return (last - first).days + 1


def sales(book: Book, question: Question) -> tuple[list[Line], dict[tuple[Any, ...], Row]]:
    """Wins of the period."""
    lines = [
        line for line in closings(book, question, {"won"}) if in_period(line.figures["effective_at"], question, book)
    ]
    lines = wanted(lines, question)
    rows: dict[tuple[Any, ...], Row] = {}
    for key, cell in grouped(lines, question.by).items():
        amount, margin = total(cell, "amount_minor"), total(cell, "margin_minor")
        rows[key] = {
            "won": things(cell),
            "amount_minor": amount,
            "margin_minor": margin,
            "margin_rate": ratio(margin, amount),
            "quantity": total(cell, "quantity_e6"),
            "average_minor": average(cell, "amount_minor"),
        }
    return lines, rows


def win_rate(book: Book, question: Question) -> tuple[list[Line], dict[tuple[Any, ...], Row]]:
    """Closings of the period, or of the deals opened in it, and how many of the deals in progress they are."""
    opened_or_closed = "opened_at" if question.basis == "cohort" else "effective_at"
    lines = [
        line for line in closings(book, question, ENDINGS) if in_period(line.figures[opened_or_closed], question, book)
    ]
    if not {"month", "quarter", "year"} & {*question.by, *question.where}:
        lines += in_progress(book, question)
    lines = wanted(lines, question)
    rows: dict[tuple[Any, ...], Row] = {}
    for key, cell in grouped(lines, question.by).items():
        of = {
            status: [line for line in cell if line.figures["status"] == status]
            for status in ("won", "lost", "abandoned", "in_progress")
        }
        count = {status: things(each) for status, each in of.items()}
        closed = count["won"] + count["lost"] + count["abandoned"]
        amount = {status: total(each, "amount_minor") for status, each in of.items()}
        rows[key] = {
            **count,
            "in_progress": count["in_progress"] or None,
            "win_rate": ratio(count["won"], closed),
            "win_rate_narrow": ratio(count["won"], count["won"] + count["lost"]),
            "win_rate_amount": ratio(amount["won"], *(amount[status] for status in sorted(ENDINGS))),
            "close_rate": ratio(count["won"], count["in_progress"]),
        }
        for status in ("won", "lost"):
            for figure, name in (("amount_minor", ""), ("margin_minor", "_margin")):
                rows[key][f"average_{status}{name}_minor"] = average(of[status], figure)
    return lines, rows


def in_progress(book: Book, question: Question) -> list[Line]:
    """Deals open when the period began, as they were then, and those opened in it by `as_of`, as they are."""
    assert question.period is not None
    zone = book.settings(question)["time_zone"]
    first, after = (midnight(day, zone) for day in question.period)
    lines, states, at = [], {}, {}
    for stream in book.of_kind("deal"):
        before = book.state(stream, first - 1, question.known_at)
        now = book.state(stream, question.happened_by, question.known_at)
        if now is not None and first <= now["opened_at"] < after:
            if now["status"] == "merged":
                continue
            states[stream], at[stream] = now, question.as_of
        elif question.basis == "cohort":
            continue
        elif before is not None and before["status"] == "open" and first <= question.happened_by:
            states[stream], at[stream] = before, first - 1
    for stream, state in states.items():
        figures = {"status": "in_progress", "amount_minor": None, "margin_minor": None}
        lines.append(Line(stream, book.dimensions(state, at[stream], question), figures))
    return shared_out(book, lines, states, at, question)


def conversion(book: Book, question: Question) -> tuple[list[Line], dict[tuple[Any, ...], Row]]:
    """Quotes issued in the period, by what has become of them."""
    zone = book.settings(question)["time_zone"]
    today = day_of(question.happened_by, zone)
    lines = []
    for stream in book.of_kind("quote"):
        state = book.state(stream, question.happened_by, question.known_at)
        if state is None or not in_period(state["opened_at"], question, book):
            continue
        status = state["status"]
        if status == "issued":
            until = state["valid_until"]
            status = "expired" if until is not None and date.fromisoformat(until) < today else "open"
        labels = book.dimensions(state, state["opened_at"], question)
        labels |= calendar(month_of(state["opened_at"], book, question))
        lines.append(Line(stream, labels, {"status": status}))
    lines = wanted(lines, question)
    rows: dict[tuple[Any, ...], Row] = {}
    for key, cell in grouped(lines, question.by).items():
        count = {
            status: len([line for line in cell if line.figures["status"] == status])
            for status in ("accepted", "declined", "expired", "open", "withdrawn")
        }
        rows[key] = count | {
            "quotes": len(cell),
            "conversion": ratio(count["accepted"], len(cell)),
            "quotes_per_order": ratio(len(cell), count["accepted"]),
        }
    return lines, rows
