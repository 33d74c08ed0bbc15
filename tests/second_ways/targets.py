"""Reports of what people are held to, the second way: required sales, leaderboard, bonus, team review."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.model.naive import day_of, half_even, midnight, ratio
from tests.model.naive_reports import (
    Book,
    Line,
    Question,
    Row,
    calendar,
    closings,
    grouped,
    in_period,
    month_of,
    targets,
)
from tests.second_ways.doing import EFFORT, MONEY, TELL_KIND, done, invoiced, issued, measured, of_metric, talks
from tests.second_ways.plain import Rows, Way, added, mean, quantile

# Required sales ---------------------------------------------------------------------------------------------------


def required_sales(**scenario: Fraction) -> Way:
    """As it was, but for what the scenario says: average (in units of the currency), conversion, quotes_per_visit."""
    return Way(_needed, lambda cell, _: _required(cell, scenario))


def _needed(book: Book, question: Question) -> list[Line]:
    """Objectives and wins of the period; wins, quotes and visits of the twelve months up to `as_of`."""
    assert question.period is not None
    zone = book.settings(question)["time_zone"]
    since = midnight(_a_year_before(day_of(question.as_of, zone) + timedelta(days=1)), zone)
    wins = closings(book, question, {"won"})
    found = [
        _one(line, objective=line.figures["amount_minor"])
        for line in targets(book, question, "objective", *question.period)
    ]
    sold = [line for line in wins if in_period(line.figures["effective_at"], question, book)]
    found += [_one(line, achieved=line.figures["amount_minor"]) for line in sold]
    recent = [*wins, *issued(book, question), *talks(book, question, ("visit",))]
    for line in recent:
        if line.figures["effective_at"] < since:
            continue
        if "status" in line.figures:
            found.append(_one(line, won=line.figures["amount_minor"]))
        elif line.stream.startswith("quote-"):
            now = book.state(line.stream, question.happened_by, question.known_at)
            assert now is not None
            found.append(_one(line, quotes=1, accepted=int(now["status"] == "accepted")))
        else:
            found.append(_one(line, visits=1))
    return found


def _a_year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _one(line: Line, **figures: int | None) -> Line:
    return replace(line, figures=figures)


def _required(cell: list[Line], scenario: dict[str, Fraction]) -> Row:
    objectives = [line for line in cell if "objective" in line.figures]
    objective = added(objectives, "objective") if objectives else None
    achieved = added(cell, "achieved")
    remaining = None if None in {objective, achieved} else max(0, objective - achieved)
    sold = [line.figures["won"] for line in cell if line.figures.get("won") is not None]
    quotes, accepted, visits = (added(cell, name) for name in ("quotes", "accepted", "visits"))
    average = 100 * scenario["average"] if "average" in scenario else mean(sold)
    conversion = scenario.get("conversion", ratio(accepted, quotes))
    per_visit = scenario.get("quotes_per_visit", ratio(quotes, visits))
    row: Row = {
        "objective_minor": objective,
        "achieved_minor": achieved,
        "remaining_minor": remaining,
        "average_minor": None if average is None else half_even(average),
        "conversion": conversion,
        "quotes_per_visit": per_visit,
    }
    needed = remaining
    for name, each in (("sales", average), ("quotes", conversion), ("visits", per_visit)):
        needed = None if needed is None or not each else needed / each
        row[name] = needed
    return row


# Leaderboard ------------------------------------------------------------------------------------------------------

METRICS = (*TELL_KIND, "quotes_issued", "interactions:visit")


def leaderboard(metric: str, among: str = "owner") -> Callable[[Book, Question], tuple[Rows, Row]]:
    """Owners or teams by what they achieved on a metric of objectives in the period."""

    def tell(book: Book, question: Question) -> tuple[Rows, Row]:
        lines = [
            line
            for line in of_metric(metric, book, question)
            if in_period(line.figures["effective_at"], question, book)
        ]
        cells = grouped(lines, (among, *question.by))
        achieved = {key: measured(metric, cell) for key, cell in cells.items()}
        whole = measured(metric, lines)
        ranked = [amount for (who, *_), amount in achieved.items() if who is not None and amount is not None]
        rows = {}
        for key, amount in achieved.items():
            rows[key] = _achieved(metric, amount, whole) | {"rank": None}
            if key[0] is not None and amount is not None:
                rows[key]["rank"] = 1 + sum(other > amount for other in ranked)
        return rows, _achieved(metric, whole, whole) | {"rank": None}

    return tell


def _achieved(metric: str, amount: Fraction | None, whole: Fraction | None) -> Row:
    return {
        "achieved_minor": amount if metric in MONEY else None,
        "achieved": None if metric in MONEY else amount,
        "share": None if amount is None or whole is None or whole <= 0 else amount / whole,
    }


# Bonus ------------------------------------------------------------------------------------------------------------


def bonus(basis: str) -> Way:
    """What each brought in, less the credit notes of the period."""

    def lines(book: Book, question: Question) -> list[Line]:
        figure = "margin" if basis == "margin" else "value"
        notes = [] if basis == "quantity" else invoiced(book, question, {"deal.credited": -1}, figure)
        notes = [_brings(line, "credited", "minor") for line in notes]
        found = _brought(basis, book, question) + notes
        for line in found:
            line.dimensions |= calendar(month_of(line.figures["effective_at"], book, question))
        return [line for line in found if in_period(line.figures["effective_at"], question, book)]

    def figures(cell: list[Line], lines: list[Line]) -> Row:
        gross, credited, base = (added(cell, name) for name in ("gross", "credited", "base"))
        row: Row = {
            "sales": sum("gross" in line.figures for line in cell),
            "credits": sum("credited" in line.figures for line in cell),
            "gross_minor": gross,
            "credited_minor": credited,
            "base_minor": base,
            "base_quantity": None,
        }
        if basis == "quantity":
            row |= dict.fromkeys(("gross_minor", "credited_minor", "base_minor"))
            row["base_quantity"] = None if gross is None else Fraction(gross, 10**6)
        return row

    return Way(lines, figures, ("owner",))


def _brought(basis: str, book: Book, question: Question) -> list[Line]:
    if basis in {"invoiced", "delivered"}:
        found, figure = invoiced(book, question, {f"deal.{basis}": 1}), "minor"
    else:
        found = closings(book, question, {"won"})
        figure = {"amount": "amount_minor", "margin": "margin_minor", "quantity": "quantity_e6"}[basis]
    return [_brings(line, "gross", figure) for line in found]


def _brings(line: Line, name: str, figure: str) -> Line:
    brought = line.figures[figure]
    figures = {name: brought, "base": brought, "effective_at": line.figures["effective_at"]}
    return replace(line, dimensions=dict(line.dimensions), figures=figures)


# Team review ------------------------------------------------------------------------------------------------------

COUNTED = (*EFFORT.values(), "deals_opened", "quotes_issued")
REVIEWED = ("interactions", "deals_opened", "quotes_issued", "won", "amount_minor", "win_rate")


def team_review(book: Book, question: Question) -> tuple[Rows, Row]:
    """Each rep of each team, and the median of the team's."""
    lines = [line for line in done(book, question) if not line.figures.keys().isdisjoint(COUNTED)]
    closed = [
        line
        for line in closings(book, question, {"won", "lost", "abandoned"})
        if in_period(line.figures["effective_at"], question, book)
    ]
    there = _there(book, question)
    heads = ("team", "owner")
    cells = grouped(lines, heads)
    ends = grouped(closed, heads)
    rows = {key: _reviewed(cells.get(key, []), ends.get(key, [])) for key in cells.keys() | ends.keys() | there}
    empty = dict.fromkeys((*(f"median_{name}" for name in REVIEWED), "below_median", "reps"))
    for row in rows.values():
        row.update(empty)
    for team in {team for team, _ in rows if team is not None}:
        reps = [row for key, row in rows.items() if key[0] == team]
        said = {name: [row[name] for row in reps if row[name] is not None] for name in REVIEWED}
        medians = {name: quantile(its, Fraction(1, 2)) for name, its in said.items()}
        shown = {f"median_{name}": median for name, median in medians.items()}
        if medians["amount_minor"] is not None:
            shown["median_amount_minor"] = Fraction(half_even(medians["amount_minor"]))
        for row in reps:
            below = [name for name, median in medians.items() if None not in {row[name], median} and row[name] < median]
            row.update(shown, below_median=len(below), reps=len(reps))
    return rows, _reviewed(lines, closed) | empty


def _there(book: Book, question: Question) -> set[tuple[Any, ...]]:
    """Reps in a team at the end of the period, or at `as_of` if that is before."""
    assert question.period is not None
    until = min(midnight(question.period[1], book.settings(question)["time_zone"]) - 1, question.as_of)
    found = set()
    for stream in book.of_kind("person"):
        state = book.state(stream, until, question.known_at)
        if state is not None and state["active"] and state["role"] == "rep":
            found.add((state["team"], stream.partition("-")[2]))
    return found


def _reviewed(lines: list[Line], closed: list[Line]) -> Row:
    of = {
        status: [line for line in closed if line.figures["status"] == status] for status in ("won", "lost", "abandoned")
    }
    return {
        "interactions": sum(not line.figures.keys().isdisjoint(EFFORT.values()) for line in lines),
        "deals_opened": added(lines, "deals_opened"),
        "quotes_issued": added(lines, "quotes_issued"),
        "won": len(of["won"]),
        "amount_minor": added(of["won"], "amount_minor"),
        "win_rate": ratio(len(of["won"]), len(closed)),
    }
