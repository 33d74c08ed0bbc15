"""A chart of any report, chosen from its columns: a waterfall, a line over dates, bars over months or by dimension.

What is drawn is the report's headline: the figure that bears its name, else its first amount, share or count.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import altair as alt
import vl_convert

from ledger.formats import number_text, until_text
from ledger.times import parse_instant
from projections.exports import shapes
from projections.exports.words import FIGURES, day_text
from projections.reports.definition import TIME, Text
from projections.reports.labels import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.reports import Answer, AnswerColumn

WIDTH, SCALE = 620, 2.0
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""Vega measures text with the first, which its wheel brings; the others have the same widths."""

HEADLINES = {
    "objectives": "progress",
    "forecast_accuracy": "wape",
    "slippage": "push_rate",
    "cycle": "median_days",
    "cohorts": "retention_rate",
    "scoring": "score",
    "trend": "value",
}
"""Reports whose headline is neither their name nor their first amount."""

ASKED_DATES = frozenset({"date", "day"})
"""Dates that rows were asked for by; any other is one that a row tells of itself."""

_TAG, _LONG = re.compile(r"<[^>]+>"), re.compile(r"-?\d+\.\d{3,}")
_D3: dict[str, Any] = {"fr": "fr-FR", "en": "en-GB"}
_AND = {"fr": " ; ", "en": "; "}
_PAIR = Text("Au {as_of}, tel que connu au {known_at}", "As of {as_of}, as known at {known_at}")
_PERIOD = Text("période {period}", "period {period}")
_SOME = Text("les {shown} plus grands sur {all}", "the {shown} largest of {all}")


def draw(answer: Answer, lang: str, form: str, time_zone: str) -> bytes:
    """The chart as `svg` or `png`."""
    spec = definition(answer, lang, time_zone)
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(spec, scale=SCALE, format_locale=_D3[lang]))
    return svg(spec, lang).encode()


def svg(spec: dict[str, Any], lang: str) -> str:
    """The picture, to hundredths of a pixel."""
    drawn = str(vl_convert.vegalite_to_svg(spec, format_locale=_D3[lang]))
    return _TAG.sub(lambda tag: _LONG.sub(lambda number: f"{float(number[0]):.2f}", tag[0]), drawn)


def definition(
    answer: Answer,
    lang: str,
    time_zone: str,
    *,
    font: str = FONT,
    width: int = WIDTH,
    most: int = shapes.MOST_BARS,
    titled: bool = True,
) -> dict[str, Any]:
    """The chart in Vega-Lite, its data included. `width` is in pixels, without labels; `most` bars lie below each other."""
    chart = _chart(answer, lang, width, most)
    if titled:
        chart = chart.properties(
            title=alt.TitleParams(text=answer.title, subtitle=_subtitle(answer, lang, time_zone, most))
        )
    axis = alt.AxisConfig(
        domain=False,
        ticks=False,
        gridColor=shapes.LINE,
        labelColor=shapes.MUTED,
        labelPadding=6,
        titleColor=shapes.MUTED,
        titleFontWeight="normal",
    )
    chart = chart.configure(
        aria=False, font=font, padding=8, background="white", view=alt.ViewConfig(stroke=None), axis=axis
    )
    chart = chart.configure_title(anchor="start", color=shapes.INK, subtitleColor=shapes.MUTED, offset=12, fontSize=15)
    chart = chart.configure_legend(
        orient="bottom",
        title=None,
        symbolType="square",
        symbolOpacity=1,
        labelColor=shapes.INK,
        columns=4,
        labelLimit=170,
    )
    found: dict[str, Any] = chart.to_dict()
    return found


def _chart(answer: Answer, lang: str, width: int, most: int) -> Any:
    main = headline(answer)
    if main is None or not (answer.rows or answer.totals):
        return shapes.nothing(lang, width)
    picture = shapes.Picture(answer, lang, main, _heads(answer.columns), most)
    steps = shapes.steps_of(picture)
    if steps:
        return shapes.waterfall(picture, steps, width)
    if shapes.is_empty(picture):
        return shapes.nothing(lang, width)
    if not picture.heads:
        return shapes.figures(picture, width)
    if not answer.rows:
        return shapes.nothing(lang, width)
    if picture.heads[0].type == "date":
        is_asked = picture.heads[0].name in ASKED_DATES or picture.main.type not in shapes.ADDED
        return shapes.over_dates(picture, width) if is_asked else shapes.per_date(picture, width)
    return shapes.bars(picture, width, upright=picture.heads[0].type == "month")


def headline(answer: Answer) -> AnswerColumn | None:
    """The figure that a picture of the report shows.

    If nothing is known of the usual one, the first that is something: of deals without amounts how many they are, rather
    than another amount, which leaves them out.
    """
    figures = [each for each in answer.columns if each.type in FIGURES]
    told = {each.name: [row.get(each.name) for row in (*answer.rows, answer.totals)] for each in figures}
    usual = _first(answer.report, figures)
    if usual is None or shapes.is_worth_drawing(told[usual.name]):
        return usual
    known = [each for each in figures if any(told[each.name])]
    return _first(answer.report, [each for each in known if each.type != usual.type] or known) or usual


def _first(report: str, figures: Sequence[AnswerColumn]) -> AnswerColumn | None:
    for suits in (
        lambda each: each.name == HEADLINES.get(report),
        lambda each: each.name in {report, f"{report}_rate"},
        lambda each: each.type == "money" and not each.name.startswith("average_"),
        lambda each: each.type == "ratio",
    ):
        found = next(filter(suits, figures), None)
        if found:
            return found
    return figures[0] if figures else None


def _heads(columns: Sequence[AnswerColumn]) -> list[AnswerColumn]:
    """The columns that say what a row is about, without the names beside ids: dates first, then as they stand.

    Those are its dimensions; in a report without any, all that stands before the first figure.
    """
    before = list(takewhile(lambda each: each.type not in FIGURES, columns))
    heads = [each for each in before if not each.name.endswith("_name")]
    heads = [each for each in heads if each.name in DIMENSIONS] or heads
    return sorted(heads, key=lambda each: (each.type != "date", each.name not in TIME))


def too_many(answer: Answer, most: int) -> int | None:
    """How many bars there would be, where that is more than fit below each other; those of months always do."""
    heads = _heads(answer.columns)
    if not heads or heads[0].type in {"date", "month"}:
        return None
    slots = len({row.get(heads[0].name) for row in answer.rows})
    return slots if slots > most else None


def _subtitle(answer: Answer, lang: str, time_zone: str, most: int) -> str:
    dates = {
        name: day_text(until_text(parse_instant(getattr(answer, name)), time_zone), lang)
        for name in ("as_of", "known_at")
    }
    said = _PAIR.in_(lang).format(**dates)
    if "period" in answer.parameters:
        period = " – ".join(day_text(each, lang) for each in answer.parameters["period"].split(".."))
        said += f"{_AND[lang]}{_PERIOD.in_(lang).format(period=period)}"
    slots = too_many(answer, most)
    if slots:
        shown, every = number_text(most, lang), number_text(slots, lang)
        said += f"{_AND[lang]}{_SOME.in_(lang).format(shown=shown, all=every)}"
    return said
