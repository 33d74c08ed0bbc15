"""The kinds of charts that a report may be drawn as."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import altair as alt

from ledger.formats import number_text
from ledger.times import is_date
from projections.exports.words import FIGURES, MONTH, WORDED, day_text, heading, is_share, month_text, units, word
from projections.reports.definition import Text
from projections.reports.periods import month_first, month_number

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from projections.reports import Answer, AnswerColumn

HEIGHT, BAR, FEW, BROAD = 240, 20, 8, 28
LETTER = 7
"""How broad a letter of a label is at most, on the whole."""
LONGEST = 340
"""How broad a label beside a bar may be; what is longer is cut."""
MOST_BARS, MOST_COLOURS, MOST_LINES, MOST_ACROSS = 25, 8, 7, 36

INK, MUTED, LINE = "#1b1e25", "#5b6270", "#e5e2db"
MAIN, PALE, FAINT, UP, DOWN = "#3a5bb0", "#a9b4e6", "#f0eee8", "#2e7d5b", "#9a3b1f"
COLOURS = ["#2b458c", "#6f9bd8", "#2e7d5b", "#c8772a", "#8a5aa8", "#9a3b1f", "#7a7f3b", "#5b6270"]

ADDED = frozenset({"count", "money", "quantity"})
"""Kinds of figures of which there are none, rather than nothing known, where a row is missing."""

TOLD_BY = {"scope": ("owner", "team"), "team": ("owner",)}
"""Heads that say nothing more of a row which has another of these."""

DURATIONS = frozenset({"minutes"})
"""Counts of time, which say nothing beside counts of things."""

_NONE = Text("(sans)", "(none)")
_EMPTY = Text("Rien à montrer", "Nothing to show")


@dataclass(frozen=True)
class Picture:
    """What every kind of chart is made from."""

    answer: Answer
    lang: str
    main: AnswerColumn
    heads: Sequence[AnswerColumn]
    most: int

    @property
    def telling(self) -> Sequence[AnswerColumn]:
        """The first heads that tell one row from another; the rest say no more of it."""
        for count in range(1, len(self.heads)):
            keys = [tuple(row.get(each.name) for each in self.heads[:count]) for row in self.answer.rows]
            if len(set(keys)) == len(keys):
                return self.heads[:count]
        return self.heads

    def column(self, name: str) -> AnswerColumn | None:
        """A figure beside the main one, where some row has it."""
        found = next((each for each in self.answer.columns if each.name == name and each.type == self.main.type), None)
        return found if found and any(row.get(name) is not None for row in self.answer.rows) else None

    def number(self, column: AnswerColumn, row: dict[str, Any]) -> float | None:
        value = row.get(column.name)
        if value is None:
            return None
        return float(units(value, column.unit) if column.type == "money" else value)

    def label(self, head: AnswerColumn, row: dict[str, Any]) -> str:
        """What people call a row: its name, where it has one; else what its other heads say of it, before its id."""
        named = row.get(f"{head.name}_name") or row.get(head.name)
        said = str(word(head, named, self.lang)) if named is not None else _NONE.in_(self.lang)
        if head.type != "id" or f"{head.name}_name" in row or head != self.telling[0]:
            return said
        others = [each for each in self.heads if each not in self.telling and row.get(each.name) is not None]
        others = [each for each in others if all(row.get(name) is None for name in TOLD_BY.get(each.name, ()))]
        about = [self.label(each, row) for each in others if f"{each.name}_name" in row or each.name in WORDED]
        return f"{' · '.join(about)} ({said})" if about else said


@dataclass(frozen=True)
class Frame:
    """Where bars stand: the slots, how their height is told, and which of `width` and `height` goes across a bar."""

    size: dict[str, Any]
    slot: Any
    height: Callable[[], Any]
    across: str


def nothing(lang: str, width: int) -> Any:
    return (
        _drawn([{"text": _EMPTY.in_(lang)}], width=width, height=60)
        .mark_text(color=MUTED, fontSize=13)
        .encode(text="text:N")
    )


def _axis(column: AnswerColumn, along: str, *, title: str | None = None) -> alt.Axis:
    said = heading(column) if title is None else title
    return alt.Axis(title=said, labelExpr=_number(column), tickCount=_ticks(column, along, 5), grid=True)


def _number(column: AnswerColumn) -> str:
    """How a figure of an axis is written: small ones in full, thousands and millions in short."""
    if is_share(column):
        return "datum.value === 0 ? '0' : format(datum.value, '~%')"
    return "format(datum.value, abs(datum.value) < 1000 ? '~r' : '~s')"


def _ticks(column: AnswerColumn, along: str, most: int) -> Any:
    """How many ticks a scale has: where things are counted no more than there are whole numbers, for none is half there."""
    if column.type != "count":
        return most
    return alt.ExprRef(f"min({most}, max(1, domain('{along}')[1] - min(0, domain('{along}')[0])))")


def _said(head: AnswerColumn, labels: Iterable[str], lang: str) -> dict[str, Any]:
    """How the dates and months of an axis or a legend are written, which are drawn by their own order."""
    if head.type not in {"date", "month"}:
        return {}
    said = {each: day_text(each, lang) if is_date(each) else month_text(each, lang, short=True) for each in labels}
    return {"labelExpr": f"({json.dumps(said, ensure_ascii=False)})[datum.label]"}


def over_dates(picture: Picture, width: int) -> Any:
    """A line over the dates: one per value of the next dimension, else one per figure of the headline's kind.

    What adds up is the sum of all rows of a date and line; what does not has a line per value of every dimension.
    """
    day, *others = picture.telling
    rows = picture.answer.rows
    if others:
        apart = others[:1] if picture.main.type in ADDED else others
        named = [" · ".join(picture.label(each, row) for each in apart) for row in rows]
        lines = list(dict.fromkeys(named))[:MOST_COLOURS]
        told = _summed(
            (row[day.name], line, picture.number(picture.main, row)) for row, line in zip(rows, named, strict=True)
        )
        if picture.main.type in ADDED:
            there = {(at, line) for at, line, _ in told}
            days = dict.fromkeys(row[day.name] for row in rows)
            told += [(at, line, 0.0) for at in days for line in lines if (at, line) not in there]
        axis = _axis(picture.main, "y")
    else:
        figures = [each for each in picture.answer.columns if picture.column(each.name)]
        figures = [each for each in figures if not each.name.startswith("average_")][:MOST_LINES]
        lines = [each.label for each in figures]
        told = [(row[day.name], each.label, picture.number(each, row)) for each in figures for row in rows]
        axis = _axis(picture.main, "y", title=picture.main.unit or "")
    values = [{"x": at, "c": line, "y": value} for at, line, value in told if value is not None and line in lines]
    dated = _said(day, {row[day.name] for row in rows}, picture.lang)
    chart = _drawn(values, width=width, height=HEIGHT)
    return chart.mark_line(point=alt.OverlayMarkDef(size=22), strokeWidth=2).encode(
        x=alt.X("x:O", axis=alt.Axis(title=None, labelAngle=0, labelOverlap=True, **dated)),
        y=alt.Y("y:Q", axis=axis),
        color=_colour(lines),
    )


def per_date(picture: Picture, width: int) -> Any:
    """Bars of how much there is on each date that rows tell, or in each month or year where there are many."""
    day, *others = picture.telling
    rows = [row for row in picture.answer.rows if row.get(day.name)]
    for length in (len("2026-09-30"), len("2026-09"), len("2026")):
        slots = without_gaps(sorted({row[day.name][:length] for row in rows}))
        if len(slots) <= MOST_ACROSS:
            break
    named = [picture.label(others[0], row) if others else picture.main.label for row in rows]
    told = _summed(
        (row[day.name][:length], line, picture.number(picture.main, row)) for row, line in zip(rows, named, strict=True)
    )
    chart = _drawn([{"x": at, "c": line, "y": value} for at, line, value in told], width=width, height=HEIGHT)
    axis = alt.Axis(title=None, labelAngle=-40, **_said(day, slots, picture.lang))
    return chart.mark_bar().encode(
        x=alt.X("x:N", axis=axis, scale=alt.Scale(domain=slots, paddingInner=0.25)),
        y=alt.Y("y:Q", axis=_axis(picture.main, "y"), stack="zero"),
        color=_colour(list(dict.fromkeys(named))),
    )


def _summed(told: Iterable[tuple[str, str, float | None]]) -> list[tuple[str, str, float | None]]:
    """What is said of the same date and line, or of the same cell, as one sum."""
    sums: dict[tuple[str, str], float | None] = {}
    for at, line, value in told:
        sums[at, line] = value if sums.get((at, line)) is None else (sums[at, line] or 0.0) + (value or 0.0)
    return [(at, line, value) for (at, line), value in sums.items()]


def bars(picture: Picture, width: int, *, upright: bool) -> Any:
    """Bars of the headline, months side by side and anything else one below the other; a second dimension as colours."""
    first, *others = picture.telling
    rows = picture.answer.rows if upright else _largest(picture)
    slots = without_gaps(list(dict.fromkeys(picture.label(first, row) for row in rows)))
    values: list[dict[str, Any]] = [
        {
            "x": picture.label(first, row),
            "c": picture.label(others[0], row) if others else picture.main.label,
            "y": picture.number(picture.main, row),
        }
        for row in rows
    ]
    along, up = (alt.X, alt.Y) if upright else (alt.Y, alt.X)
    angle = -40 if upright and len(slots) > 12 else 0
    slot_axis = alt.Axis(title=None, labelAngle=angle, labelLimit=LONGEST, **_said(first, slots, picture.lang))
    slot = along("x:N", axis=slot_axis, scale=alt.Scale(domain=slots, paddingInner=0.25, paddingOuter=0.1))
    size = {"width": width, "height": HEIGHT if upright else _tall(len(slots))}
    chart = _drawn([each for each in values if each["y"] is not None], **size)
    axis = _axis(picture.main, "y" if upright else "x")
    if others:
        colours = list(dict.fromkeys(each["c"] for each in values))
        if len(colours) <= MOST_COLOURS:
            stack: Any = "zero" if picture.main.type in ADDED else None
            aside = (alt.XOffset if upright else alt.YOffset)("c:N", sort=colours)
            extra = [] if stack else [aside]
            return chart.mark_bar().encode(
                slot,
                up("y:Q", axis=axis, stack=stack),
                _colour(colours, _said(others[0], colours, picture.lang)),
                *extra,
            )
        return _grid(picture, rows, width)
    if not _beside(picture):
        return chart.mark_bar(color=MAIN).encode(slot, up("y:Q", axis=axis))
    frame = Frame(size, slot, lambda: up("y:Q", axis=axis), "width" if upright else "height")
    return alt.layer(*_layers(picture, rows, frame))


def without_gaps(slots: Sequence[str]) -> list[str]:
    """Months in a row, those without anything too.

    >>> without_gaps(["overdue", "2026-11", "2027-01", "undated"])
    ['overdue', '2026-11', '2026-12', '2027-01', 'undated']
    """
    found: list[str] = []
    for slot in slots:
        if found and MONTH.fullmatch(slot) and MONTH.fullmatch(found[-1]):
            first, last = (month_number(date.fromisoformat(f"{each}-01")) for each in (found[-1], slot))
            found += [f"{month_first(number):%Y-%m}" for number in range(first + 1, last)]
        found.append(slot)
    return found


def _grid(picture: Picture, rows: Sequence[dict[str, Any]], width: int) -> Any:
    """A cell for each pair of two dimensions, the darker the more, where the second has too many values for colours."""
    first, second = picture.telling[:2]
    told = [(picture.label(first, row), picture.label(second, row), picture.number(picture.main, row)) for row in rows]
    down = without_gaps(list(dict.fromkeys(label for label, _, _ in told)))
    across = list(dict.fromkeys(label for _, label, _ in told))[:MOST_ACROSS]
    values = [{"y": y, "x": x, "v": value} for y, x, value in told if value is not None and x in across]
    is_narrow = max(map(len, across)) * LETTER > width / len(across)
    turned = {"labelAngle": -90 if is_narrow else 0, "labelLimit": 180} | _said(second, across, picture.lang)
    beside = alt.Axis(title=None, labelLimit=240, **_said(first, down, picture.lang))
    legend = alt.Legend(
        title=heading(picture.main),
        labelExpr=_number(picture.main),
        gradientLength=160,
        tickCount=_ticks(picture.main, "color", 3),
    )
    return (
        _drawn(values, width=width, height=BAR * len(down))
        .mark_rect()
        .encode(
            alt.Y("y:N", axis=beside, scale=alt.Scale(domain=down)),
            alt.X("x:N", axis=alt.Axis(title=second.label, **turned), scale=alt.Scale(domain=across)),
            alt.Color("v:Q", scale=alt.Scale(domainMin=0, range=[FAINT, MAIN], interpolate="rgb"), legend=legend),
        )
    )


def _largest(picture: Picture) -> list[dict[str, Any]]:
    """Rows in their own order; of too many slots, those of the largest."""
    rows, name = picture.answer.rows, picture.telling[0].name
    size: dict[Any, float] = {}
    for row in rows:
        size[row.get(name)] = size.get(row.get(name), 0.0) + abs(picture.number(picture.main, row) or 0.0)
    kept = set(sorted(size, key=lambda slot: -size[slot])[: picture.most])
    return [row for row in rows if row.get(name) in kept]


def _beside(picture: Picture) -> list[tuple[AnswerColumn, str]]:
    """Figures that belong to the headline: part of it, what was wanted, what it was before; each with its mark."""
    name = picture.main.name
    wanted = {name.replace("amount", "weighted"): "part", "objective_minor": "tick", f"previous_{name}": "tick"}
    if picture.answer.report == "trend":
        wanted[name.replace("value", "trend")] = "line"
    wanted.pop(name, None)
    found = [(picture.column(each), mark) for each, mark in wanted.items()]
    return [(column, mark) for column, mark in found if column is not None]


def _layers(picture: Picture, rows: Sequence[dict[str, Any]], frame: Frame) -> list[Any]:
    """Pale bars of the headline; over them its part as narrower bars, its trend as a line and the rest as ticks."""
    beside = [(picture.main, "whole"), *_beside(picture)]
    shades = {column.label: {"whole": PALE, "part": MAIN}.get(mark, DOWN) for column, mark in beside}
    scale = alt.Scale(domain=list(shades), range=list(shades.values()))
    layers = []
    for column, mark in beside:
        told = [(picture.label(picture.heads[0], row), picture.number(column, row)) for row in rows]
        values = [{"x": label, "y": value, "c": column.label} for label, value in told if value is not None]
        chart = _drawn(values, **frame.size)
        match mark:
            case "whole":
                drawn = chart.mark_bar()
            case "part":
                drawn = chart.mark_bar(**{frame.across: {"band": 0.5}})
            case "line":
                drawn = chart.mark_line(strokeWidth=2)
            case _:
                drawn = chart.mark_tick(thickness=3, opacity=1, **{frame.across: {"band": 1.0}})
        layers.append(drawn.encode(frame.slot, frame.height(), color=alt.Color("c:N", scale=scale)))
    return layers


def figures(picture: Picture, width: int) -> Any:
    """A report of one row: its figures of the headline's kind or, where that is the only one, of the most usual kind."""
    row = picture.answer.rows[0] if picture.answer.rows else picture.answer.totals
    told = [each for each in picture.answer.columns if each.type in FIGURES and row.get(each.name) is not None]
    told = [each for each in told if each.name not in DURATIONS or each == picture.main]
    figures = [each for each in told if each.type == picture.main.type]
    if len(figures) == 1:
        usual, _ = Counter(each.type for each in told).most_common(1)[0]
        figures = [each for each in told if each.type == usual]
    values = [{"x": each.label, "y": picture.number(each, row)} for each in figures]
    if not values:
        return nothing(picture.lang, width)
    slot = alt.Y("x:N", sort=None, axis=alt.Axis(title=None, labelLimit=220))
    chart = _drawn(values, width=width, height=_tall(len(values)))
    axis = _axis(figures[0], "x", title=figures[0].unit or "")
    return chart.mark_bar(color=MAIN).encode(slot, alt.X("y:Q", axis=axis))


def is_worth_drawing(values: Collection[Any]) -> bool:
    """Whether figures are something, or nothing that is known to be that: not if what is not nothing is unknown."""
    return any(values) or None not in values


def is_empty(picture: Picture) -> bool:
    """Whether there is nothing but zeros and unknowns among what a picture draws, and so only an empty frame."""
    kind = {each.name for each in picture.answer.columns if each.type == picture.main.type}
    return not any(row.get(name) for row in (*picture.answer.rows, picture.answer.totals) for name in kind)


def steps_of(picture: Picture) -> list[tuple[str, float]]:
    """What lies between an opening and a closing, by its label; none unless the report has both, and knows of some."""
    names = [each.name for each in picture.answer.columns if each.type == "money"]
    if "opening_minor" not in names or "closing_minor" not in names:
        return []
    row = picture.answer.totals or (picture.answer.rows[0] if picture.answer.rows else {})
    between = names[names.index("opening_minor") : names.index("closing_minor") + 1]
    columns = [each for each in picture.answer.columns if each.name in between]
    if not is_worth_drawing([row.get(name) for name in between]):
        return []
    return [(each.label, picture.number(each, row) or 0.0) for each in columns]


def waterfall(picture: Picture, steps: Sequence[tuple[str, float]], width: int) -> Any:
    """Opening and closing as bars from zero, and what lies between hung one from the other; nothing is left out but 0."""
    opening, *between, closing = steps
    values: list[dict[str, Any]] = [
        {"x": opening[0], "from": 0.0, "to": opening[1], "c": "whole", "n": _round(opening[1], picture.lang)}
    ]
    at = opening[1]
    for label, change in between:
        if change:
            kind = "up" if change > 0 else "down"
            values.append({"x": label, "from": at, "to": at + change, "c": kind, "n": _signed(change, picture.lang)})
            at += change
    values.append({"x": closing[0], "from": 0.0, "to": closing[1], "c": "whole", "n": _round(closing[1], picture.lang)})
    values = [each | {"end": max(each["from"], each["to"])} for each in values]
    chart = _drawn(values, width=width, height=int(1.2 * BAR * len(values)))
    slot = alt.Y("x:N", sort=[each["x"] for each in values], axis=alt.Axis(title=None, labelLimit=220))
    scale = alt.Scale(domain=["whole", "up", "down"], range=[MAIN, UP, DOWN])
    axis = _axis(picture.main, "x", title=picture.main.unit or "")
    bars = chart.mark_bar().encode(
        slot, alt.X("from:Q", axis=axis), x2="to:Q", color=alt.Color("c:N", scale=scale, legend=None)
    )
    text = chart.mark_text(align="left", dx=5, color=INK).encode(slot, x="end:Q", text="n:N")
    return bars + text


def _tall(bars: int) -> int:
    """The height of a chart of so many bars; few are broader."""
    return max(60, (BROAD if bars <= FEW else BAR) * bars)


def _drawn(values: Sequence[Mapping[str, Any]], **size: Any) -> Any:
    return alt.Chart(alt.Data(values=values), **size)  # type: ignore[no-untyped-call]


def _round(value: float, lang: str) -> str:
    return number_text(round(value), lang)


def _signed(value: float, lang: str) -> str:
    return f"{'+' if value > 0 else '−'}{_round(abs(value), lang)}"


def _colour(lines: Sequence[str], said: Mapping[str, Any] | None = None) -> alt.Color:
    shades = [COLOURS[index % len(COLOURS)] for index in range(len(lines))]
    return alt.Color("c:N", scale=alt.Scale(domain=list(lines), range=shades), legend=alt.Legend(**said or {}))
