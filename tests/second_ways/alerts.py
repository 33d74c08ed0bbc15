"""What needs someone now, the second way."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from tests.model.naive import DAY_US, add_months, day_of, instant, ratio
from tests.model.naive_reports import Book, Line, Question, Row, closings, conversion, in_period, open_deals
from tests.second_ways.doing import issued, objectives, talks
from tests.second_ways.plain import Way

EXPIRING_DAYS, STALLED_DAYS, COMPLAINT_DAYS = 7, 30, 7
MEDIUM = ("quote_expiring", "deal_past_close", "deal_stalled")
COUNTED = {
    "overdue_tasks": "task_overdue",
    "stalled_deals": "deal_stalled",
    "late_deals": "deal_past_close",
    "expiring_quotes": "quote_expiring",
    "open_complaints": "complaint_open",
    "behind_objectives": "objective_behind",
}


def needed(book: Book, question: Question) -> list[Line]:
    """Everything that needs someone, then the indicators past their thresholds."""
    found = [
        *_tasks(book, question),
        *_quotes(book, question),
        *_deals(book, question),
        *_objectives(book, question),
        *_complaints(book, question),
    ]
    return found + _indicators(book, question, found)


def _today(book: Book, question: Question) -> date:
    return day_of(question.as_of, book.settings(question)["time_zone"])


def _alert(book: Book, question: Question, what: str, stream: str, *, who: str | None, since: date) -> Line:
    person = book.state(f"person-{who}", question.as_of, question.known_at) or {}
    severity = "low" if what == "task_due" else "medium" if what in MEDIUM else "high"
    of = {"severity": severity, "what": what, "who": who, "since": since.isoformat(), "stream": stream}
    return Line(stream, of | {"team": person.get("team")}, {"alerts": 1})


def _tasks(book: Book, question: Question) -> list[Line]:
    zone, found = book.settings(question)["time_zone"], []
    for stream in book.of_kind("task"):
        state = book.state(stream, question.happened_by, question.known_at)
        if state is None or state["status"] != "planned":
            continue
        due = instant(state["due_at"])
        day = day_of(due, zone)
        if due <= question.as_of:
            found.append(_alert(book, question, "task_overdue", stream, who=state["owner"], since=day))
        elif day == _today(book, question):
            found.append(_alert(book, question, "task_due", stream, who=state["owner"], since=day))
    return found


def _quotes(book: Book, question: Question) -> list[Line]:
    today, found = _today(book, question), []
    for line in issued(book, question):
        state = book.state(line.stream, question.happened_by, question.known_at)
        assert state is not None
        if state["status"] == "issued" and state["valid_until"] is not None:
            until = date.fromisoformat(state["valid_until"])
            if today <= until <= today + timedelta(days=EXPIRING_DAYS):
                found.append(_alert(book, question, "quote_expiring", line.stream, who=state["owner"], since=until))
    return found


def _deals(book: Book, question: Question) -> list[Line]:
    settings, today, found = book.settings(question), _today(book, question), []
    spoken: dict[str, int] = {}
    for stream in book.of_kind("interaction"):
        said = book.state(stream, question.happened_by, question.known_at)
        if said is not None and said.get("deal") is not None:
            spoken[said["deal"]] = max(said["logged_at"], spoken.get(said["deal"], said["logged_at"]))
    for line in open_deals(book, question):
        state = book.state(line.stream, question.happened_by, question.known_at)
        assert state is not None
        due = state["expected_close_on"]
        if due is not None and due < today.isoformat():
            when = date.fromisoformat(due)
            found.append(_alert(book, question, "deal_past_close", line.stream, who=state["owner"], since=when))
        last = max(state["opened_at"], spoken.get(line.stream.partition("-")[2], state["opened_at"]))
        day = day_of(last, settings["time_zone"])
        if last <= question.as_of - (settings.get("stalled_after_days") or STALLED_DAYS) * DAY_US:
            found.append(_alert(book, question, "deal_stalled", line.stream, who=state["owner"], since=day))
    return found


def _objectives(book: Book, question: Question) -> list[Line]:
    rows, _ = objectives(book, question)
    found = []
    for (name, _scope, owner, team, _metric), row in rows.items():
        if row["status"] == "behind":
            since = date.fromisoformat(row["period_from"])
            line = _alert(book, question, "objective_behind", f"objective-{name}", who=owner, since=since)
            line.dimensions["team"] = team
            found.append(line)
    return found


def _complaints(book: Book, question: Question) -> list[Line]:
    settings, found = book.settings(question), []
    limit = Fraction((settings.get("thresholds") or {}).get("open_complaint_days", COMPLAINT_DAYS))
    for line in talks(book, question, ("complaint",)):
        state = book.state(line.stream, question.happened_by, question.known_at)
        assert state is not None
        day = day_of(state["logged_at"], settings["time_zone"])
        if state["resolved_at"] is None and state["logged_at"] <= question.as_of - limit * DAY_US:
            found.append(_alert(book, question, "complaint_open", line.stream, who=state.get("owner"), since=day))
    return found


def _indicators(book: Book, question: Question, found: list[Line]) -> list[Line]:
    today, past = _today(book, question), []
    for name, said in (book.settings(question).get("thresholds") or {}).items():
        if name in COUNTED:
            is_past = len([line for line in found if line.dimensions["what"] == COUNTED[name]]) > Fraction(said)
        elif name in {"win_rate", "conversion"}:
            rate = _rate(name, book, question)
            is_past = rate is not None and rate < Fraction(said)
        else:
            continue
        if is_past:
            line = _alert(book, question, f"threshold:{name}", "book", who=None, since=today)
            past.append(line)
    return past


def _rate(name: str, book: Book, question: Question) -> Fraction | None:
    """Of the three months up to the day of `as_of`."""
    tomorrow = _today(book, question) + timedelta(days=1)
    first = add_months(tomorrow, -3)
    try:
        first = first.replace(day=tomorrow.day)
    except ValueError:
        first = add_months(first, 1) - timedelta(days=1)
    recent = replace(question, period=(first, tomorrow), by=(), where={})
    if name == "conversion":
        _, rows = conversion(book, recent)
        rate: Fraction | None = rows.get((), {"conversion": None})["conversion"]
        return rate
    ends = closings(book, recent, {"won", "lost", "abandoned"})
    closed = [line for line in ends if in_period(line.figures["effective_at"], recent, book)]
    return ratio(len([line for line in closed if line.figures["status"] == "won"]), len(closed))


def _alerts(cell: list[Line], _: list[Line]) -> Row:
    return {"alerts": len(cell)}


ALERTS = Way(needed, _alerts, ("severity", "what", "who", "since", "stream"))
