"""Reports of customers the second way: churn, new revenue, upsell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from tests.model.naive import day_of, midnight, ratio
from tests.model.naive_reports import Book, Line, Question, Row, closings
from tests.second_ways.plain import Way, added, labels


@dataclass
class Customers:
    """Who had bought, been invoiced and been declared lost, at an instant of a question."""

    book: Book
    question: Question
    at: int

    def __post_init__(self) -> None:
        then = replace(self.question, as_of=self.at, by=(), where={})
        zone = self.book.settings(self.question)["time_zone"]
        self.wins: dict[str, list[tuple[int, int]]] = {}
        for line in closings(self.book, then, {"won"}):
            customer = self._who(line.stream, line.figures["effective_at"])
            if customer is not None:
                its = (line.figures["effective_at"], line.figures["amount_minor"])
                self.wins.setdefault(customer, []).append(its)
        self.invoiced: dict[str, int] = {}
        for stream in self.book.of_kind("deal"):
            for entry in (self._state(stream) or {"invoices": ()})["invoices"]:
                customer = self._who(stream, entry["at"])
                if entry["type"] == "deal.invoiced" and customer is not None:
                    self.invoiced[customer] = max(entry["at"], self.invoiced.get(customer, entry["at"]))
        self.declared: dict[str, int] = {}
        for stream in self.book.of_kind("customer"):
            state = self._state(stream)
            customer = self.book.survivor(stream.partition("-")[2], self.question)
            if state is not None and state["churned"] and customer is not None:
                since = state["churned"]["churned_at"]
                self.declared[customer] = max(since, self.declared.get(customer, since))
        self.today = day_of(self.at, zone)
        self.zone = zone

    def active(self, customer: str, rule: str) -> bool:
        if customer not in self.wins:
            return False
        last_win = max(at for at, _ in self.wins[customer])
        lapse_after_days = self.book.settings(self.question).get("lapse_after_days") or 365
        last = day_of(max(last_win, self.invoiced.get(customer, last_win)), self.zone)
        lapsed = self.today > last + timedelta(days=lapse_after_days)
        lost = last_win <= self.declared.get(customer, last_win - 1)
        return not (rule != "declared" and lapsed) and not (rule != "lapsed" and lost)

    def _state(self, stream: str) -> Any:
        return self.book.state(stream, self.at, self.question.known_at)

    def _who(self, stream: str, at: int) -> str | None:
        state = self.book.state(stream, at, self.question.known_at)
        return None if state is None else self.book.survivor(state["customer"], self.question)


def _ends(book: Book, question: Question) -> tuple[int, int, int]:
    """The period's first instant, the last before it, and the last of it up to `as_of`."""
    assert question.period is not None
    first, after = (midnight(day, book.settings(question)["time_zone"]) for day in question.period)
    return first, first - 1, min(after - 1, question.happened_by)


def its_line(book: Book, question: Question, customer: str, at: int, figures: Row) -> Line:
    state = book.state(f"customer-{customer}", at, question.known_at) or {}
    about = {"owner": state.get("owner"), "customer": customer}
    return Line(f"customer-{customer}", labels(book, question, about, at), figures)


# Churn ------------------------------------------------------------------------------------------------------------


def churn(rule: str) -> Way:
    """By the rule declared, lapsed or both."""

    def lines(book: Book, question: Question) -> list[Line]:
        first, opening, closing = _ends(book, question)
        if first > question.happened_by:
            return []
        assert question.period is not None
        zone = book.settings(question)["time_zone"]
        before, after = Customers(book, question, opening), Customers(book, question, closing)
        of_start = midnight(year_before(question.period[0]), zone)
        of_end = midnight(year_before(day_of(closing, zone) + timedelta(days=1)), zone)
        found = []
        for customer in before.wins.keys() | after.wins.keys():
            was = before.active(customer, rule)
            is_ = after.active(customer, rule)
            new = customer not in before.wins and customer in after.wins
            figures: Row = {
                "start": was,
                "new": new,
                "lost": was and not is_,
                "lost_new": new and not is_,
                "reactivated": is_ and not was and not new,
                "end": is_,
            }
            if was:
                had = sum(minor for at, minor in before.wins[customer] if at >= of_start)
                has = sum(minor for at, minor in after.wins.get(customer, ()) if at >= of_end)
                figures |= {
                    "revenue_start_minor": had,
                    "churned_minor": 0 if is_ else had,
                    "contraction_minor": max(0, had - has) if is_ else 0,
                    "expansion_minor": max(0, has - had) if is_ else 0,
                }
            if any(figures.values()):
                found.append(its_line(book, question, customer, closing, figures))
        return found

    return Way(lines, _churn)


def year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def _churn(cell: list[Line], lines: list[Line]) -> Row:
    counts = ("start", "new", "lost", "lost_new", "reactivated", "end")
    amounts = ("revenue_start_minor", "churned_minor", "contraction_minor", "expansion_minor")
    row = {name: added(cell, name) for name in counts + amounts}
    start, revenue = row["start"], row["revenue_start_minor"]
    kept = revenue - row["churned_minor"] - row["contraction_minor"]
    return row | {
        "churn_rate": ratio(row["lost"], start),
        "net_churn_rate": ratio(start - row["end"], start),
        "retention_rate": ratio(start - row["lost"], start),
        "grr": ratio(kept, revenue),
        "nrr": ratio(kept + row["expansion_minor"], revenue),
    }


# New revenue, upsell ----------------------------------------------------------------------------------------------


def buyers(book: Book, question: Question) -> list[Line]:
    """Each customer that bought in the period, and for how much: wins that are still in force at the pair."""
    first, _, closing = _ends(book, question)
    found = []
    for customer, ever in Customers(book, question, question.happened_by).wins.items():
        wins = [win for win in ever if win[0] <= closing]
        inside = [minor for at, minor in wins if at >= first]
        if inside:
            new = min(at for at, _ in wins) >= first
            figures = {"new" if new else "existing": 1, "new_minor" if new else "existing_minor": sum(inside)}
            found.append(its_line(book, question, customer, closing, figures | {"wins": len(inside)}))
    return found


def _new_revenue(cell: list[Line], lines: list[Line]) -> Row:
    new, existing = added(cell, "new_minor"), added(cell, "existing_minor")
    return {
        "new_customers": added(cell, "new"),
        "new_minor": new,
        "existing_minor": existing,
        "new_share": ratio(new, new + existing),
    }


NEW_REVENUE = Way(buyers, _new_revenue)


def upsell(rule: str) -> Way:
    """By the rule declared, lapsed or both."""

    def lines(book: Book, question: Question) -> list[Line]:
        _, _, closing = _ends(book, question)
        customers = Customers(book, question, closing)
        bought = {line.stream: line.figures for line in buyers(book, question)}
        found = []
        for customer in sorted({*customers.wins, *(stream.partition("-")[2] for stream in bought)}):
            its = bought.get(f"customer-{customer}", {"wins": 0})
            figures = {"customers": customers.active(customer, rule), "wins": its["wins"]}
            figures["minor"] = its.get("new_minor", 0) + its.get("existing_minor", 0)
            if figures["customers"] or figures["wins"]:
                found.append(its_line(book, question, customer, closing, figures))
        return found

    return Way(lines, _upsell)


def _upsell(cell: list[Line], lines: list[Line]) -> Row:
    repeat = [line for line in cell if line.figures["wins"] >= 2]
    bought = sum(line.figures["wins"] > 0 for line in cell)
    return {
        "customers": added(cell, "customers"),
        "buyers": bought,
        "repeat_buyers": len(repeat),
        "upsell_rate": ratio(len(repeat), added(cell, "customers")),
        "repeat_purchase_rate": ratio(len(repeat), bought),
        "repeat_minor": added(repeat, "minor"),
    }
