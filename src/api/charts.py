"""The pictures, as Altair definitions: drawn in the browser here, to files by the command line's `--format svg`."""

from __future__ import annotations

from typing import Any

import altair as alt

LYING_HEIGHT = 26 * 21
FORECAST_DATA = "forecast"
"""Name of the data set that the page fills: `slot, colour, rank, value` (major units), one row per slot and series."""


def forecast(*, lying: bool = False) -> dict[str, Any]:
    """Stacked bars by month of expected close, the surest at the base; `lying` turns them for a narrow page.

    The page sets `slots` in their order (`gap` sets apart what has no month in sight), `top` (the end of the value
    axis), `over` and `chosen` (slots under the pointer, and drilled into) and `current` (the month of the date in
    question). It provides the functions `slotLabel` and `moneyLabel`, since numbers and months are written in its
    language. Colours come with the rows, so that a stage keeps its own. A screen reader is told nothing of the parts:
    the page describes the whole, and has it as a table.
    """
    slots = alt.param(name="slots", value=[])
    top = alt.param(name="top", value=1)
    over, chosen, current = (alt.param(name=name, value="") for name in ("over", "chosen", "current"))
    along = alt.Axis(
        title=None,
        domain=False,
        ticks=False,
        labelAngle=0,
        labelPadding=8,
        labelExpr=f"slotLabel(datum.value, {slots.name}[0], {'true' if lying else 'false'})",
        labelFontWeight=alt.condition(f"datum.value === {current.name}", alt.value(700), alt.value(400)),
    )
    up = alt.Axis(
        title=None,
        domain=False,
        ticks=False,
        tickCount=3 if lying else 4,
        labelPadding=8,
        orient="top" if lying else "left",
        labelExpr="moneyLabel(datum.value)",
    )
    across, height = (alt.Y, alt.X) if lying else (alt.X, alt.Y)
    places = alt.Scale(domain=alt.ExprRef(slots.name), paddingInner=0.24, paddingOuter=0.12)
    slot = across("slot:N", sort=None, axis=along, scale=places)
    scale = alt.Scale(domain=alt.ExprRef(f"[0, {top.name}]"), nice=False, clamp=True)

    def is_slot(name: str) -> str:
        return f"datum.slot === {name}"

    rows = alt.Chart(alt.NamedData(FORECAST_DATA))
    band = (
        rows.transform_aggregate(rows="count()", groupby=["slot"])
        .transform_filter("datum.slot !== 'gap'")
        .mark_rect(cursor="pointer")
        .encode(
            slot,
            opacity=alt.condition(f"{is_slot(over.name)} || {is_slot(chosen.name)}", alt.value(1), alt.value(0)),
        )
    )
    bars = (
        rows.transform_filter("datum.value > 0")
        .mark_bar(cursor="pointer")
        .encode(
            slot,
            height("value:Q", stack="zero", axis=up, scale=scale),
            color=alt.Color("colour:N", scale=None, legend=None),
            order=alt.Order("rank:Q"),
            opacity=alt.condition(
                f"{chosen.name} === '' || {is_slot(chosen.name)} || {is_slot(over.name)}", alt.value(1), alt.value(0.5)
            ),
        )
    )
    chart = (band + bars).add_params(slots, top, over, chosen, current)
    size = {"width": "container", "height": LYING_HEIGHT} if lying else {"width": "container", "height": 320}
    definition: dict[str, Any] = (
        chart.properties(**size, autosize=alt.AutoSizeParams(type="fit-x", contains="padding", resize=True))
        .configure(aria=False, view=alt.ViewConfig(stroke=None))
        .to_dict()
    )
    return definition
