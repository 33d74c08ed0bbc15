"""Reports of what is spent to be known, the second way: acquisition, campaigns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from tests.model.naive import State, half_even, ratio
from tests.model.naive_reports import Book, Line, Question, Row, closings, in_period
from tests.second_ways.customers import Customers
from tests.second_ways.loyalty import bought, won_by_customer, year_earlier, years_left
from tests.second_ways.plain import Way, added


def spent(book: Book, question: Question) -> Iterator[Line]:
    """Every cost up to the pair, of its campaign and channel."""
    into = question.currency or book.settings(question)["currency"]
    for kind in ("campaign", "channel"):
        for stream in book.of_kind(kind):
            state = book.state(stream, question.happened_by, question.known_at)
            if state is None:
                continue
            name = stream.partition("-")[2]
            of = {"channel": name} if kind == "channel" else {"channel": state["channel"], "campaign": name}
            for cost in state["costs"]:
                rate, missing = book.rate(cost["value"]["currency"], into, cost["at"], question)
                figures = {"spent": half_even(cost["value"]["minor"] * rate), "at": cost["at"]}
                yield Line(stream, {"campaign": None} | of, figures, missing)


def leads(book: Book, question: Question) -> Iterator[Line]:
    """Those registered as leads up to the pair, but duplicates merged since, by what they were said to come from."""
    for stream in book.of_kind("customer"):
        now = book.state(stream, question.happened_by, question.known_at)
        if now is not None and now["first_kind"] == "lead" and now["into"] is None:
            then = book.state(stream, now["at"], question.known_at)
            assert then is not None
            yield Line(stream, origin(book, question, then), {"lead": 1, "at": now["at"]})


def origin(book: Book, question: Question, said: State) -> dict[str, Any]:
    """Channel and campaign, the channel being the campaign's where none is said."""
    channel, campaign = said["channel"], said["campaign"]
    if channel is None and campaign is not None:
        of_it = book.state(f"campaign-{campaign}", question.happened_by, question.known_at)
        channel = None if of_it is None else of_it["channel"]
    return {"channel": channel, "campaign": campaign}


# Acquisition ------------------------------------------------------------------------------------------------------


def acquisition(rule: str) -> Way:
    """By the rule declared, lapsed or both."""

    def lines(book: Book, question: Question) -> list[Line]:
        now = question.happened_by
        zone = book.settings(question)["time_zone"]
        found = [*spent(book, question), *leads(book, question)]
        today, before = Customers(book, question, now), Customers(book, question, year_earlier(now, zone))
        were = [customer for customer in before.wins if before.active(customer, rule)]
        lost = [customer for customer in were if not today.active(customer, rule)]
        everyone = [Line("", {}, {"was_active": len(were), "lost": len(lost)})]
        for customer, wins in won_by_customer(book, question).items():
            first = wins[0]
            figures = bought(wins, now, zone) | {"revenue": added(wins, "amount_minor")}
            figures |= {"at": first.figures["effective_at"], "years_left": years_left(everyone)[1]}
            of = origin(book, question, first.dimensions)
            found.append(Line(f"customer-{customer}", of, figures))
        return [line for line in found if in_period(line.figures["at"], question, book)]

    return Way(lines, _acquisition, ("channel",))


def _acquisition(cell: list[Line], lines: list[Line]) -> Row:
    cost, leads_, customers, wins = (added(cell, name) for name in ("spent", "lead", "customers", "wins"))
    margin = added(cell, "margin")
    cac = ratio(cost, customers)
    per_win, per_year = ratio(margin, added(cell, "told")), ratio(wins, added(cell, "years"))
    left = next((line.figures["years_left"] for line in lines if "years_left" in line.figures), None)
    yearly = value = None
    if per_win is not None and per_year is not None:
        yearly = per_win * per_year
        value = None if left is None else Fraction(margin, customers) + yearly * left
    return {
        "spent_minor": cost,
        "leads": leads_,
        "customers": customers,
        "cost_per_lead_minor": _whole(ratio(cost, leads_)),
        "cac_minor": _whole(cac),
        "revenue_minor": added(cell, "revenue"),
        "margin_minor": margin,
        "roi": Fraction(margin - cost, cost) if cost and margin is not None else None,
        "ltv_to_cac": value / cac if value is not None and cac else None,
        "payback_months": cac / (yearly / 12) if cac is not None and yearly is not None and yearly > 0 else None,
    }


def _whole(minor: Fraction | None) -> int | None:
    return None if minor is None else half_even(minor)


# Campaigns --------------------------------------------------------------------------------------------------------

COUNTS = ("sent", "delivered", "opened", "clicked", "answered", "unsubscribed", "called", "reached")


def campaigns(book: Book, question: Question) -> list[Line]:
    """A line for each campaign launched in the period, and for what came of it and what it cost, up to the pair."""
    found = []
    launched = {}
    for stream in book.of_kind("campaign"):
        state = book.state(stream, question.happened_by, question.known_at)
        if state is not None and in_period(state["launched_at"], question, book):
            name = stream.partition("-")[2]
            launched[name] = {"campaign": name, "channel": state["channel"]}
            found.append(Line(stream, launched[name], {count: state["counts"].get(count) for count in COUNTS}))
    wins = closings(book, replace(question, by=(), where={}), {"won"})
    for line in (*spent(book, question), *leads(book, question), *wins):
        campaign = line.dimensions["campaign"]
        if campaign in launched:
            won = {"won": 1, "won_minor": line.figures["amount_minor"]} if "status" in line.figures else {}
            found.append(Line(line.stream, launched[campaign], line.figures | won, line.missing))
    return found


def _campaigns(cell: list[Line], lines: list[Line]) -> Row:
    launched = [line.figures for line in cell if "sent" in line.figures]
    counts = {name: added(cell, name) if launched else None for name in COUNTS}
    return counts | {
        "delivery_rate": _rate(launched, "delivered", "sent"),
        "open_rate": _rate(launched, "opened", "delivered", "sent"),
        "click_rate": _rate(launched, "clicked", "delivered", "sent"),
        "unsubscribe_rate": _rate(launched, "unsubscribed", "delivered", "sent"),
        "answer_rate": _rate(launched, "answered", "delivered", "sent", "reached", "called"),
        "reached_rate": _rate(launched, "reached", "called"),
        "leads": added(cell, "lead"),
        "wins": added(cell, "won"),
        "won_minor": added(cell, "won_minor"),
        "spent_minor": added(cell, "spent"),
        "cost_per_answer_minor": _whole(ratio(added(cell, "spent"), counts["answered"])),
    }


def _rate(launched: list[Row], part: str, *wholes: str) -> Fraction | None:
    """Over the campaigns that counted the part and one of the wholes: the first that each of them counted."""
    parts, of = [], []
    for counts in launched:
        counted = [counts[whole] for whole in wholes if counts[whole] is not None]
        if counts[part] is not None and counted:
            parts.append(counts[part])
            of.append(counted[0])
    return ratio(sum(parts), sum(of))


CAMPAIGNS = Way(campaigns, _campaigns, ("campaign",))
