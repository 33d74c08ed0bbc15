"""What customers bring and how they feel, the second way: lifetime value, loyalty, satisfaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from tests.model.naive import State, day_of, half_even, midnight, ratio
from tests.model.naive_reports import Book, Line, Question, Row, calendar, closings, in_period, month_of
from tests.second_ways.customers import Customers, its_line, year_before
from tests.second_ways.plain import Way, added, in_days, labels, mean, quantile

# Lifetime value ---------------------------------------------------------------------------------------------------

MOST_YEARS = 5


def won_by_customer(book: Book, question: Question) -> dict[str, list[Line]]:
    """Wins in force at the pair, in order, of each customer."""
    found: dict[str, list[Line]] = {}
    for line in closings(book, replace(question, by=(), where={}), {"won"}):
        if line.dimensions["customer"] is not None:
            found.setdefault(line.dimensions["customer"], []).append(line)
    return {customer: sorted(wins, key=lambda win: win.figures["effective_at"]) for customer, wins in found.items()}


def year_earlier(at: int, zone: str) -> int:
    """The end of the same day a year before the day of an instant that ends one."""
    return midnight(year_before(day_of(at, zone)) + timedelta(days=1), zone) - 1


def lifetime_value(rule: str) -> Way:
    """By the rule declared, lapsed or both."""

    def lines(book: Book, question: Question) -> list[Line]:
        now = question.happened_by
        zone = book.settings(question)["time_zone"]
        today, before = Customers(book, question, now), Customers(book, question, year_earlier(now, zone))
        won = won_by_customer(book, question)
        found = []
        for customer in sorted(won.keys() | before.wins.keys()):
            figures: Row = {"was_active": before.active(customer, rule)}
            figures["lost"] = figures["was_active"] and not today.active(customer, rule)
            if customer in won:
                figures |= bought(won[customer], now, zone) | {"active": today.active(customer, rule)}
            found.append(its_line(book, question, customer, now, figures))
        return found

    return Way(lines, _lifetime_value)


def bought(wins: list[Line], now: int, zone: str) -> Row:
    """Wins and margin of one customer, and for how many years it has been one, at least one: both ends count."""
    days = (day_of(now, zone) - day_of(wins[0].figures["effective_at"], zone)).days + 1
    figures = {"customers": 1, "wins": len(wins), "years": max(Fraction(1), Fraction(days, 365))}
    told = [win.figures["margin_minor"] for win in wins if win.figures["margin_minor"] is not None]
    return figures | {"margin": sum(told) if told else None, "told": len(told)}


def years_left(lines: list[Line]) -> tuple[Fraction | None, Fraction | None]:
    """Yearly churn, and the years left to whoever is active."""
    churn = ratio(added(lines, "lost"), added(lines, "was_active"))
    if not churn:
        return churn, None if churn is None else Fraction(MOST_YEARS)
    return churn, min(Fraction(MOST_YEARS), 1 / churn)


def _lifetime_value(cell: list[Line], lines: list[Line]) -> Row:
    observed, customers, wins, active = (added(cell, name) for name in ("margin", "customers", "wins", "active"))
    per_win, per_year = ratio(observed, added(cell, "told")), ratio(wins, added(cell, "years"))
    churn, left = years_left(cell)
    expected = None if None in (per_win, per_year, left) else half_even(active * per_win * per_year * left)
    lifetime = None if None in (observed, expected) else observed + expected
    return {
        "customers": customers,
        "active": active,
        "wins": wins,
        "observed_minor": observed,
        "margin_per_win_minor": None if per_win is None else half_even(per_win),
        "wins_per_year": per_year,
        "yearly_churn": churn,
        "years_left": left,
        "expected_minor": expected,
        "lifetime_minor": lifetime,
        "average_minor": None if lifetime is None or not customers else half_even(Fraction(lifetime, customers)),
    }


# Loyalty ----------------------------------------------------------------------------------------------------------

FAMILIES = {
    "call": "calls",
    "email": "emails",
    "visit": "meetings",
    "meeting": "meetings",
    "prospecting_meeting": "meetings",
    "demo": "meetings",
    "proposal": "documents",
    "document": "documents",
    "web_visit": "online",
    "cart": "online",
    "support_request": "support_requests",
    "complaint": "complaints",
}
ENDS_OF_SCALE = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}


def talks_by_customer(book: Book, question: Question) -> dict[str, list[State]]:
    """Every interaction up to the pair, of each customer."""
    found: dict[str, list[State]] = {}
    for stream in book.of_kind("interaction"):
        state = book.state(stream, question.happened_by, question.known_at)
        customer = None if state is None else book.survivor(state["customer"], question)
        if state is not None and customer is not None:
            found.setdefault(customer, []).append(state)
    return found


def loyalty(rule: str) -> Way:
    """By the rule declared, lapsed or both."""

    def lines(book: Book, question: Question) -> list[Line]:
        now = question.happened_by
        zone = book.settings(question)["time_zone"]
        customers, talks = Customers(book, question, now), talks_by_customer(book, question)
        found = []
        for customer, wins in won_by_customer(book, question).items():
            said = talks.get(customer, [])
            figures = _purchases(wins, now, zone) | _talked(said, zone)
            health = "lapsed"
            if customers.active(customer, rule):
                patience = Fraction(3, 4) * (book.settings(question).get("lapse_after_days") or 365)
                silent = (day_of(now, zone) - figures["last_win"]).days > patience
                satisfaction = mean(figures["answers"])
                low = satisfaction is not None and satisfaction < Fraction(1, 2)
                at_risk = figures["open_complaints"] or low or silent
                health = "at_risk" if at_risk else "loyal" if figures["regular"] else "active"
            line = its_line(book, question, customer, now, figures)
            line.dimensions["health"] = health
            found.append(line)
        return found

    return Way(lines, _loyalty, ("customer", "health"))


def _purchases(wins: list[Line], now: int, zone: str) -> Row:
    days = [day_of(win.figures["effective_at"], zone) for win in wins]
    year = day_of(year_earlier(now, zone), zone)
    two_years = year_before(year)
    of_12m, of_24m = [day for day in days if day > year], [day for day in days if day > two_years]
    return {
        "first_win": min(days),
        "last_win": max(days),
        "wins": len(wins),
        "wins_12m": len(of_12m),
        "wins_24m": len(of_24m),
        "regular": int(0 < len(of_12m) < len(of_24m)),
        "revenue_minor": added(wins, "amount_minor"),
        "margin_minor": added(wins, "margin_minor"),
    }


def _talked(said: list[State], zone: str) -> Row:
    figures: Row = dict.fromkeys(FAMILIES.values(), 0)
    for each in said:
        if each["kind"] in FAMILIES:
            figures[FAMILIES[each["kind"]]] += 1
    return figures | {
        "interactions": len(said),
        "open_complaints": len([each for each in said if each["kind"] == "complaint" and not each["resolved_at"]]),
        "answers": [between_0_and_1(each["satisfaction"]) for each in said if each.get("satisfaction")],
        "last_contact": max((day_of(each["logged_at"], zone) for each in said), default=None),
    }


def between_0_and_1(answer: State) -> Fraction:
    low, high = ENDS_OF_SCALE[answer["scale"]]
    return Fraction(answer["score"] - low, high - low)


def _loyalty(cell: list[Line], lines: list[Line]) -> Row:
    counts = ("wins", "wins_12m", "wins_24m", "regular", "interactions", *FAMILIES.values(), "open_complaints")
    row = {name: added(cell, name) for name in (*counts, "revenue_minor", "margin_minor")}
    contacts = [line.figures["last_contact"] for line in cell if line.figures["last_contact"] is not None]
    return row | {
        "first_win": _iso(min((line.figures["first_win"] for line in cell), default=None)),
        "last_win": _iso(max((line.figures["last_win"] for line in cell), default=None)),
        "last_contact": _iso(max(contacts, default=None)),
        "satisfaction": mean([answer for line in cell for answer in line.figures["answers"]]),
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


# Satisfaction -----------------------------------------------------------------------------------------------------


def answers(book: Book, question: Question) -> list[Line]:
    """Each answer of the period, and each complaint."""
    found = []
    for stream in book.of_kind("interaction"):
        state = book.state(stream, question.happened_by, question.known_at)
        if state is None or not in_period(state["logged_at"], question, book):
            continue
        figures: Row = {}
        if state.get("satisfaction"):
            figures["answer"] = state["satisfaction"]["scale"], state["satisfaction"]["score"]
        if state["kind"] == "complaint":
            settled = state["resolved_at"]
            figures["settled_after_us"] = None if settled is None else settled - state["logged_at"]
        if figures:
            about = {name: state.get(name) for name in ("owner", "customer", "campaign")}
            line = Line(stream, labels(book, question, about, state["logged_at"]), figures)
            line.dimensions |= calendar(month_of(state["logged_at"], book, question))
            found.append(line)
    return found


def _satisfaction(cell: list[Line], lines: list[Line]) -> Row:
    said = [line.figures["answer"] for line in cell if "answer" in line.figures]
    nps, csat, ces = ([score for its, score in said if its == scale] for scale in ("nps", "csat", "ces"))
    promoters, detractors = len([each for each in nps if each >= 9]), len([each for each in nps if each <= 6])
    complaints = [line.figures["settled_after_us"] for line in cell if "settled_after_us" in line.figures]
    settled = [each for each in complaints if each is not None]
    return {
        "answers": len(said),
        "nps_answers": len(nps),
        "promoters": promoters,
        "detractors": detractors,
        "nps": Fraction(promoters - detractors, len(nps)) if nps else None,
        "csat_answers": len(csat),
        "csat": ratio(len([each for each in csat if each >= 4]), len(csat)),
        "ces_answers": len(ces),
        "ces": mean(ces),
        "complaints": len(complaints),
        "open_complaints": len(complaints) - len(settled),
        "median_days_to_resolve": in_days(quantile(settled, Fraction(1, 2))),
        "mean_days_to_resolve": in_days(mean(settled)),
    }


SATISFACTION = Way(answers, _satisfaction)
