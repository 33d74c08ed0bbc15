"""Reports of what people do, the second way: activity, and objectives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

from tests.model.naive import DECIMALS, State, day_of, half_even, ratio
from tests.model.naive_reports import Book, Line, Question, Row, calendar, closings, in_period, month_of, open_deals
from tests.second_ways.plain import Rows, Way, added, labels

# Activity ---------------------------------------------------------------------------------------------------------

EFFORT = {
    "call": "calls",
    "email": "emails",
    "visit": "visits",
    "meeting": "meetings",
    "prospecting_meeting": "prospecting_meetings",
    "demo": "demos",
    "proposal": "proposals",
}


def done(book: Book, question: Question) -> list[Line]:
    """Whatever was done in the period."""
    found = [*talks(book, question), *_leads_and_contacts(book, question), *_opened(book, question)]
    found += [_counted(line, "quotes_issued") for line in issued(book, question)]
    found += [_counted(line, "deals_won") for line in closings(book, question, {"won"})]
    for line in found:
        line.dimensions |= calendar(month_of(line.figures["effective_at"], book, question))
    return [line for line in found if in_period(line.figures["effective_at"], question, book)]


def _counted(line: Line, name: str) -> Line:
    return Line(line.stream, line.dimensions, {name: 1, "effective_at": line.figures["effective_at"]})


def talks(book: Book, question: Question, kinds: Iterable[str] = EFFORT) -> list[Line]:
    """Every interaction of these kinds up to the pair."""
    found = []
    for stream in book.of_kind("interaction"):
        state = book.state(stream, question.happened_by, question.known_at)
        if state is not None and state["kind"] in kinds:
            about = {name: state.get(name) for name in ("owner", "customer", "campaign")}
            figures: Row = {"minutes": state.get("duration_minutes"), "effective_at": state["logged_at"]}
            if state["kind"] in EFFORT:
                figures[EFFORT[state["kind"]]] = 1
            found.append(Line(stream, labels(book, question, about, state["logged_at"]), figures))
    return found


def _leads_and_contacts(book: Book, question: Question) -> list[Line]:
    """Customers registered as leads, but duplicates merged since; contacts that are still there."""
    found = []
    for stream in book.of_kind("customer"):
        now = book.state(stream, question.happened_by, question.known_at)
        if now is None:
            continue
        things = [("new_contacts", contact["at"]) for contact in now["contacts"].values()]
        if now["first_kind"] == "lead" and now["into"] is None:
            things.append(("new_leads", now["at"]))
        for name, at in things:
            then = book.state(stream, at, question.known_at) or {}
            about: State = {"customer": stream.partition("-")[2]}
            about |= {label: then.get(label) for label in ("owner", "region", "country", "channel", "campaign")}
            found.append(Line(stream, labels(book, question, about, at), {name: 1, "effective_at": at}))
    return found


def _opened(book: Book, question: Question) -> list[Line]:
    """Deals as they were opened, but duplicates merged since."""
    found = []
    for stream in book.of_kind("deal"):
        now = book.state(stream, question.happened_by, question.known_at)
        if now is not None and now["status"] != "merged":
            at = now["opened_at"]
            then = book.state(stream, at, question.known_at)
            assert then is not None
            figures = {"deals_opened": 1, "effective_at": at}
            found.append(Line(stream, labels(book, question, then, at), figures))
    return found


def issued(book: Book, question: Question) -> list[Line]:
    """Every quote issued up to the pair."""
    found = []
    for stream in book.of_kind("quote"):
        state = book.state(stream, question.happened_by, question.known_at)
        if state is not None:
            at = state["opened_at"]
            found.append(Line(stream, labels(book, question, state, at), {"effective_at": at}))
    return found


def _activity(cell: list[Line], lines: list[Line]) -> Row:
    names = (*EFFORT.values(), "new_leads", "new_contacts", "deals_opened", "quotes_issued", "deals_won", "minutes")
    row = {name: added(cell, name) for name in names}
    return row | {"effort_per_win": ratio(sum(row[name] for name in EFFORT.values()), row["deals_won"])}


ACTIVITY = Way(done, _activity)

# Objectives -------------------------------------------------------------------------------------------------------

SOLD = {"amount": "amount_minor", "margin": "margin_minor", "quantity": "quantity_e6", "won_count": None}
MONEY = ("amount", "margin", "invoiced_amount", "delivered_amount")
HEADS = ("objective", "scope", "owner", "team", "metric")
TELL_KIND = (*SOLD, "invoiced_amount", "delivered_amount", "new_customers")
TELL_RANGE = (*SOLD, "new_customers")
WINS = ("deal.won", "quote.accepted")


@dataclass
class Objective:
    """One in force, and what it counts."""

    book: Book
    question: Question
    state: State
    found: dict[Any, list[Line]]
    """The lines that other objectives have been told already."""

    def __post_init__(self) -> None:
        self.metric = self.state["metric"]
        self.zone = self.book.settings(self.question)["time_zone"]
        self.first_left = day_of(self.question.as_of + 1, self.zone)
        """The first day that is not gone."""
        self.first, self.last = (date.fromisoformat(self.state["period"][end]) for end in ("from", "to"))
        team = self.state["scope"].get("team")
        self.teams = None if team is None else _below(self.book, team, self.question)
        by = ("product_range",) if self.state.get("product_range") else ()
        self.split = replace(self.question, by=by, where={})

    def counts(self, line: Line, day: date) -> bool:
        person = self.state["scope"].get("person")
        of = line.dimensions
        return (
            self.first <= day <= self.last
            and (person is None or of["owner"] == person)
            and (self.teams is None or of["team"] in self.teams)
            and self.state.get("kind") in {None, of["kind"]}
            and (not self.state.get("product_range") or of["product_range"] == self.state["product_range"])
        )

    def is_counted(self) -> bool:
        """Whether its metric knows the kinds and ranges that it is narrowed to."""
        if self.state.get("kind") and self.metric not in TELL_KIND:
            return False
        return not self.state.get("product_range") or self.metric in TELL_RANGE

    def achieved(self) -> Fraction | None:
        """In minor units, or in number; unknown where no line says it."""
        if not self.is_counted():
            return None
        found = [
            line
            for line in self._once(self.metric, self._lines)
            if self.counts(line, day_of(line.figures["effective_at"], self.zone))
        ]
        return measured(self.metric, found)

    def forecast(self) -> Fraction | None:
        """What open deals due in what is left may bring, each times its probability."""
        if self.metric not in SOLD or not self.is_counted():
            return None
        if self.last < self.first_left:
            return Fraction(0)
        found = []
        for line in self._once("open", lambda: open_deals(self.book, self.split)):
            due = line.figures["expected_close_on"]
            if due is None or due > self.last.isoformat() or line.figures["category"] == "omitted":
                continue
            if self.counts(line, max(date.fromisoformat(due), self.first_left)):
                found.append(line)
        match self.metric:
            case "amount":
                expected = added(found, "weighted_minor")
            case "margin":
                expected = added(found, "weighted_margin_minor")
            case "quantity":
                said = [line.figures for line in found if line.figures["quantity_e6"] is not None]
                each = [figures["chance"] * figures["quantity_e6"] / 10**6 for figures in said]
                expected = sum(each) if said or not found else None
            case _:
                expected = sum({line.stream: line.figures["chance"] for line in found}.values())
        return None if expected is None else Fraction(expected)

    def _once(self, name: str, lines: Callable[[], list[Line]]) -> list[Line]:
        key = (name, self.split.by)
        if key not in self.found:
            self.found[key] = lines()
        return self.found[key]

    def _lines(self) -> list[Line]:
        return of_metric(self.metric, self.book, self.split)


def of_metric(metric: str, book: Book, question: Question) -> list[Line]:
    """What counts for a metric, whenever it was."""
    match metric:
        case "amount" | "margin" | "quantity" | "won_count":
            return closings(book, question, {"won"})
        case "invoiced_amount":
            return invoiced(book, question, {"deal.invoiced": 1, "deal.credited": -1})
        case "delivered_amount":
            return invoiced(book, question, {"deal.delivered": 1})
        case "quotes_issued":
            return issued(book, question)
        case "new_customers":
            return _first_wins(book, question)
        case _:
            return talks(book, question, (metric.removeprefix("interactions:"),))


def measured(metric: str, found: list[Line]) -> Fraction | None:
    """In minor units, or in number; unknown where no line says it."""
    figure = SOLD.get(metric) or ("minor" if metric in MONEY else None)
    if figure is None:
        return Fraction(len({(line.stream, line.figures["effective_at"]) for line in found}))
    amount = added(found, figure)
    return None if amount is None else Fraction(amount, 10**6 if figure == "quantity_e6" else 1)


def _below(book: Book, team: str, question: Question) -> set[str]:
    """A team and those below it."""
    found = {team}
    while True:
        more = {
            stream.partition("-")[2]
            for stream in book.of_kind("team")
            if (book.state(stream, question.as_of, question.known_at) or {}).get("parent") in found
        }
        if more <= found:
            return found
        found |= more


def invoiced(book: Book, question: Question, signs: dict[str, int], figure: str = "value") -> list[Line]:
    """Invoices, deliveries or credit notes up to the pair, each at the rate of its date: their value or margin."""
    into = question.currency or book.settings(question)["currency"]
    found = []
    for stream in book.of_kind("deal"):
        now = book.state(stream, question.happened_by, question.known_at)
        for entry in now["invoices"] if now is not None else ():
            if entry["type"] not in signs:
                continue
            then = book.state(stream, entry["at"], question.known_at)
            assert then is not None
            figures: Row = {"minor": None, "effective_at": entry["at"]}
            said, missing = entry.get(figure), None
            if said is not None:
                rate, missing = book.rate(said["currency"], into, entry["at"], question)
                figures["minor"] = half_even(signs[entry["type"]] * said["minor"] * rate)
            found.append(Line(stream, labels(book, question, then, entry["at"]), figures, missing))
    return found


def _first_wins(book: Book, question: Question) -> list[Line]:
    """The first win of each customer; of several at once the one appended first."""
    wins = [line for line in closings(book, question, {"won"}) if line.dimensions["customer"] is not None]
    first: dict[str, tuple[int, int]] = {}
    for line in wins:
        customer, place = line.dimensions["customer"], _place(book, question, line)
        first[customer] = min(place, first.get(customer, place))
    return [line for line in wins if first[line.dimensions["customer"]] == _place(book, question, line)]


def _place(book: Book, question: Question, win: Line) -> tuple[int, int]:
    """When it was won, and the position of the event that won it."""
    at = win.figures["effective_at"]
    events = book.seen(win.stream, question.known_at)
    return at, max(event.position for event in events if event.at == at and event.type in WINS)


def objectives(book: Book, question: Question) -> tuple[Rows, Row]:
    """Those in force whose period holds the day of `as_of`."""
    rows: Rows = {}
    found: dict[Any, list[Line]] = {}
    today = day_of(question.as_of, book.settings(question)["time_zone"]).isoformat()
    for stream in book.of_kind("objective"):
        state = book.state(stream, question.as_of, question.known_at)
        if state is None or state["cancelled"] or not state["period"]["from"] <= today <= state["period"]["to"]:
            continue
        [(scope, whose)] = state["scope"].items()
        name, team = stream.partition("-")[2], whose if scope == "team" else None
        if scope == "person":
            team = (book.state(f"person-{whose}", question.as_of, question.known_at) or {}).get("team")
        key = (name, scope, whose if scope == "person" else None, team, state["metric"])
        rows[key] = _objective(Objective(book, question, state, found))
    return rows, {}


def _objective(objective: Objective) -> Row:
    book, question = objective.book, objective.question
    into = question.currency or book.settings(question)["currency"]
    target, money = objective.state["target"], objective.metric in MONEY
    if money:
        rate, missing = book.rate(target["currency"], into, question.as_of, question)
        assert missing is None
        goal = Fraction(half_even(target["minor"] * rate))
    else:
        goal = Fraction(target)
    days = (objective.last - objective.first).days + 1
    gone = (objective.first_left - objective.first).days
    elapsed = Fraction(min(max(gone, 0), days), days)
    achieved, forecast = objective.achieved(), objective.forecast()
    row: Row = {"elapsed": elapsed, "period_from": objective.first.isoformat(), "period_to": objective.last.isoformat()}
    progress = None if achieved is None or goal <= 0 else achieved / goal
    row["progress"], row["pace"] = progress, None if progress is None or not elapsed else progress / elapsed
    figures: dict[str, Callable[[], Fraction | None]] = {
        "target": lambda: goal,
        "achieved": lambda: achieved,
        "projected": lambda: None if achieved is None or not elapsed else achieved / elapsed,
        "remaining": lambda: None if achieved is None else max(Fraction(0), goal - achieved),
        "forecast": lambda: forecast,
    }
    for name, figure in figures.items():
        amount = figure()
        row[name] = amount / 10 ** DECIMALS[into] if money and amount is not None else amount
        row[f"{name}_minor"] = half_even(amount) if money and amount is not None else None
    row["covered"] = None if achieved is None else int(achieved + (forecast or 0) >= goal)
    row["status"] = None if achieved is None else _status(achieved >= goal, elapsed, row["pace"])
    return row


def _status(met: bool, elapsed: Fraction, pace: Any) -> str:
    if met:
        return "met"
    if elapsed == 1:
        return "missed"
    if not elapsed:
        return "on_track"
    return "ahead" if pace >= Fraction(11, 10) else "on_track" if pace >= Fraction(95, 100) else "behind"
