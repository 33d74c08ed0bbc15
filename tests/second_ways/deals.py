"""Reports of deals the second way: losses, products, funnel, cycle, slippage."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.model.naive import DAY_US, State, add_months, half_even, midnight, ratio
from tests.model.naive_reports import (
    Book,
    Line,
    Question,
    Row,
    calendar,
    closings,
    in_period,
    month_of,
    open_deals,
    things,
    total,
    wanted,
)
from tests.second_ways.plain import Rows, Way, added, in_days, labels, mean, quantile

# Losses -----------------------------------------------------------------------------------------------------------


def lost(book: Book, question: Question) -> list[Line]:
    return _closed(book, question, {"lost"})


def _closed(book: Book, question: Question, statuses: set[str]) -> list[Line]:
    found = closings(book, question, statuses)
    return [line for line in found if in_period(line.figures["effective_at"], question, book)]


def _losses(cell: list[Line], lines: list[Line]) -> Row:
    return {
        "lost": things(cell),
        "amount_minor": total(cell, "amount_minor"),
        "share": ratio(things(cell), things(lines)),
    }


LOSSES = Way(lost, _losses, ("reason", "competitor"))

# Products ---------------------------------------------------------------------------------------------------------


def products(book: Book, question: Question) -> tuple[Rows, Row]:
    """Sales of a period of whole months by range and product, beside those of the one before and of a year before."""
    assert question.period is not None
    first, after = question.period
    months = (after.year - first.year) * 12 + after.month - first.month
    asked = replace(question, by=("product_range", "product", *question.by))
    found = {}
    for name, back in (("now", 0), ("previous_period", months), ("previous_year", 12)):
        period = (add_months(first, -back), add_months(after, -back))
        found[name] = wanted(_closed(book, replace(asked, period=period), {"won"}), asked)
    keys = {tuple(line.dimensions[name] for name in asked.by) for lines in found.values() for line in lines}
    whole = total(found["now"], "amount_minor")
    rows = {key: _products(found, asked.by, key, whole) for key in keys}
    for key, row in rows.items():
        alike = [other["amount_minor"] for its_key, other in rows.items() if its_key[2:] == key[2:]]
        row["rank"] = 1 + sum(amount > row["amount_minor"] for amount in alike)
    return rows, _products(found, (), (), whole)


def _products(found: dict[str, list[Line]], heads: tuple[str, ...], key: tuple[Any, ...], whole: int) -> Row:
    cell = {
        name: [line for line in lines if tuple(line.dimensions[head] for head in heads) == key]
        for name, lines in found.items()
    }
    now = cell["now"]
    amount, margin = total(now, "amount_minor"), total(now, "margin_minor")
    row = {
        "won": things(now),
        "amount_minor": amount,
        "margin_minor": margin,
        "margin_rate": ratio(margin, amount),
        "quantity": total(now, "quantity_e6"),
        "share": ratio(amount, whole),
    }
    for name in ("previous_period", "previous_year"):
        before = total(cell[name], "amount_minor")
        change = None if None in {amount, before} else amount - before
        row |= {f"{name}_minor": before, f"{name}_change_minor": change, f"{name}_growth": ratio(change, before)}
    return row


# Funnel -----------------------------------------------------------------------------------------------------------


def passages(book: Book, question: Question) -> list[Line]:
    """Each stage that each deal opened in the period has been in, and how it left it last."""
    lines = []
    for stream in book.of_kind("deal"):
        now = book.state(stream, question.happened_by, question.known_at)
        if now is None or now["status"] == "merged" or not in_period(now["opened_at"], question, book):
            continue
        order = stage_order(book, now["pipeline"], question)
        stays = _stays(book, stream, question)
        month = calendar(month_of(now["opened_at"], book, question))
        for stage in dict.fromkeys(state["stage"] for state, _, _ in stays):
            here = [index for index, (state, _, _) in enumerate(stays) if state["stage"] == stage]
            entered, at, _ = stays[here[0]]
            last = here[-1]
            figures: dict[str, Any] = {"entered": 1}
            if stays[last][2] is None:
                figures["still_here"] = 1
            else:
                figures["stay_us"] = sum(left - came for _, came, left in (stays[index] for index in here))
                if last + 1 < len(stays):
                    figures["advanced"] = int(order[stays[last + 1][0]["stage"]] > order[stage])
                else:
                    figures["advanced" if now["status"] == "won" else "lost_here"] = 1
            lines.append(Line(stream, labels(book, question, entered, at) | month, figures))
    return lines


def _stays(book: Book, stream: str, question: Question) -> list[tuple[State, int, Any]]:
    """The deal's uninterrupted stays in a stage: what it was when one began, since when and until when."""
    events = [event for event in book.seen(stream, question.known_at) if event.at <= question.happened_by]
    stays: list[tuple[State, int, Any]] = []
    before = None
    for at in sorted({event.at for event in events}):
        state = book.state(stream, at, question.known_at)
        stage = state["stage"] if state is not None and state["status"] == "open" else None
        if stage != before:
            if before is not None:
                stays[-1] = (*stays[-1][:2], at)
            if stage is not None:
                assert state is not None
                stays.append((state, at, None))
        before = stage
    return stays


def stage_order(book: Book, pipeline: str, question: Question) -> dict[str, int]:
    """Where each stage stands, one that is gone where it last stood."""
    order: dict[str, int] = {}
    for event in book.seen(f"pipeline-{pipeline}", question.known_at):
        if event.at <= question.as_of:
            order |= {stage["stage"]: number for number, stage in enumerate(event.data["stages"])}
    return order


def _funnel(cell: list[Line], lines: list[Line]) -> Row:
    durations = [line.figures["stay_us"] for line in cell if "stay_us" in line.figures]
    row = {name: added(cell, name) for name in ("entered", "advanced", "lost_here", "still_here")}
    return row | {
        "conversion": ratio(row["advanced"], row["entered"]),
        "median_days": in_days(quantile(durations, Fraction(1, 2))),
        "p90_days": in_days(quantile(durations, Fraction(9, 10))),
    }


FUNNEL = Way(passages, _funnel, ("stage",))

# Cycle ------------------------------------------------------------------------------------------------------------


def closed_and_open(book: Book, question: Question) -> list[Line]:
    """Wins and losses of the period, and the deals open at the pair."""
    closed = _closed(book, question, {"won", "lost"})
    still = [Line(line.stream, line.dimensions, {"status": "open"}) for line in open_deals(book, question)]
    return closed + still


def _cycle(cell: list[Line], lines: list[Line]) -> Row:
    of = {status: [line for line in cell if line.figures["status"] == status] for status in ("won", "lost", "open")}
    took = {
        status: [line.figures["effective_at"] - line.figures["opened_at"] for line in of[status]]
        for status in ("won", "lost")
    }
    every = took["won"] + took["lost"]
    won, lost_, still = (len(of[status]) for status in ("won", "lost", "open"))
    velocity = None
    if sum(took["won"]):
        average, rate = Fraction(total(of["won"], "amount_minor"), won), Fraction(won, won + lost_)
        velocity = half_even(still * average * rate / (Fraction(sum(took["won"]), won) / DAY_US))
    return {
        "won": won,
        "lost": lost_,
        "open_deals": still,
        "median_days": in_days(quantile(every, Fraction(1, 2))),
        "mean_days": in_days(mean(every)),
        "p90_days": in_days(quantile(every, Fraction(9, 10))),
        "mean_won_days": in_days(mean(took["won"])),
        "velocity_minor_per_day": velocity,
    }


CYCLE = Way(closed_and_open, _cycle)

# Slippage ---------------------------------------------------------------------------------------------------------


def due(book: Book, question: Question) -> list[Line]:
    """Deals open at the period's first instant and due in it, by what they were then."""
    assert question.period is not None
    settings = book.settings(question)
    first, after = question.period
    begins, ends = (midnight(day, settings["time_zone"]) for day in question.period)
    until = min(ends - 1, question.happened_by)
    last = (after - timedelta(days=1)).isoformat()
    lines = []
    for stream in book.of_kind("deal"):
        then = book.state(stream, begins, question.known_at)
        if (
            then is None
            or then["status"] != "open"
            or not first.isoformat() <= (then["expected_close_on"] or "") <= last
        ):
            continue
        now = book.state(stream, until, question.known_at)
        assert now is not None
        into = question.currency or settings["currency"]
        rate, missing = book.rate(then["currency"], into, begins, question)
        figures: dict[str, Any] = {"due": 1}
        if now["expected_close_on"] is None or now["expected_close_on"] > last:
            figures |= {"pushed": 1, "pushed_minor": None if then["value"] is None else half_even(then["value"] * rate)}
            if now["expected_close_on"] is not None:
                days = date.fromisoformat(now["expected_close_on"]) - date.fromisoformat(then["expected_close_on"])
                figures["days"] = days.days
        stages = book.state(f"pipeline-{then['pipeline']}", begins, question.known_at) or {}
        category = then["category"] or stages.get(then["stage"], {"category": None})["category"]
        of = labels(book, question, then, begins) | {"category": category}
        lines.append(Line(stream, of, figures, missing))
    return lines


def _slippage(cell: list[Line], lines: list[Line]) -> Row:
    return {
        "deals_due": len(cell),
        "pushed": added(cell, "pushed"),
        "push_rate": ratio(added(cell, "pushed"), len(cell)),
        "pushed_minor": added(cell, "pushed_minor"),
        "mean_push_days": mean([line.figures["days"] for line in cell if "days" in line.figures]),
    }


SLIPPAGE = Way(due, _slippage)
