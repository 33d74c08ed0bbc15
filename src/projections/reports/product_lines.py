"""The product lines of a report's lines, each with its product's range at the line's own date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Subquery, Text, and_, cast, func, literal, null, select

from projections import intervals
from projections.reports.dimensions import one_of
from projections.tables import deal_lines, losses, product_versions, win_lines, wins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, FromClause, Select

    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View


NAMED_ONE_BY_ONE = 500


def ranges(source: Source, question: Question, view: View) -> dict[str, str | None] | None:
    """The range of each product, of those that the source tells apart, if its lines' products are all of one instant."""
    if not isinstance(source.at, int) or isinstance(source.product_lines, Subquery):
        return None
    if "product_range" not in question.dimensions:
        return {}
    listed = product_versions.c
    held = intervals.holds(product_versions, source.at, question.pair, view)
    found = view.tuples(select(listed.stream, listed.product_range).where(held))
    told = source.ranges
    return {stream.removeprefix("product-"): range_ for stream, range_ in found if told is None or range_ in told}


def query(
    source: Source,
    question: Question,
    view: View,
    streams: Sequence[str] | None = None,
    *,
    with_range: bool = True,
) -> Select[Any]:
    """One row per product line of a source: `stream, line_no`, its product and range, its amounts, unknown being 0.

    Of its lines of these `streams` alone, if they are given; that is quicker than to look for the lines once more.
    """
    assert source.product_lines is not None
    at = source.at
    rows: FromClause
    is_own = isinstance(source.product_lines, Subquery) and not source.where
    if isinstance(source.product_lines, Subquery):
        rows = source.product_lines
        at = rows.c.at
    else:
        rows = intervals.at_pair(source.product_lines, question.pair, view)
    range_: ColumnElement[Any] = cast(null(), Text)
    frm: FromClause = rows
    if source.product_lines is deal_lines and not isinstance(source.at, int):  # lost: those it had until then
        rows = deal_lines
        lost = intervals.at_pair(losses, question.pair, view)
        before = intervals.holds(rows, lost.c.effective_from - 1, question.pair, view)
        frm, at = rows.join(lost, and_(lost.c.stream == rows.c.stream, before)), lost.c.effective_from
    if with_range and "product_range" in question.dimensions:
        if source.product_lines is win_lines:  # lines that two wins share begin before the second: ask the win itself
            won = intervals.at_pair(wins, question.pair, view)
            frm, at = frm.join(won, won.c.stream == rows.c.stream), won.c.effective_from
        frm, range_ = _with_range(frm, rows.c.product, at, question, view)
    amounts = (column.label(name) for name, column in _amounts(rows).items())
    found = select(rows.c.stream, rows.c.line_no, rows.c.product, range_.label("product_range"), *amounts)
    found = found.select_from(frm)
    if streams is not None:
        return found.where(one_of(rows.c.stream, streams, view))
    if is_own:
        return found
    return found.where(rows.c.stream.in_(select(source.columns["stream"]).select_from(source.frm).where(*source.where)))


def has_one(source: Source, products: frozenset[str], view: View) -> ColumnElement[bool]:
    """Whether a source's line ever had one of these products."""
    assert source.product_lines is not None
    its = source.product_lines.alias("of_products").c
    own = (its.stream == source.columns["stream"], _among(its.product, products, view))
    return select(its.line_no).where(*own).exists()


def _among(product: ColumnElement[Any], products: frozenset[str], view: View) -> ColumnElement[bool]:
    """Few are named one by one, which a database plans best; many, of which it takes only so many, as one parameter."""
    named = sorted(products)
    return product.in_(named) if len(named) <= NAMED_ONE_BY_ONE else one_of(product, named, view)


def beside(
    each: Any, source: Source, question: Question, view: View
) -> tuple[FromClause, Mapping[str, ColumnElement[Any]]]:
    """A source's lines, given by their `stream` and `at`, with their product lines beside them, or null.

    Those that must have one of some products have these alone beside them, or are left out. What to select from, and the
    columns of `query` there but for `line_no`.
    """
    frm = each.stream.table
    products = source.of_products
    if source.product_lines is not win_lines:
        parts = query(source, question, view).subquery("parts")
        among = () if products is None else (_among(parts.c.product, products, view),)
        frm = frm.join(parts, and_(parts.c.stream == each.stream, *among), isouter=products is None)
        return frm, dict(parts.c)
    its = win_lines.c
    held = intervals.in_force(win_lines, question.pair, view)
    among = () if products is None else (_among(its.product, products, view),)
    frm = frm.join(win_lines, and_(its.stream == each.stream, held, *among), isouter=products is None)
    columns = {"stream": its.stream, "product": its.product, **_amounts(win_lines)}
    if "product_range" in question.dimensions:
        frm, columns["product_range"] = _with_range(frm, its.product, each.at, question, view)
    return frm, columns


def _amounts(rows: FromClause) -> dict[str, ColumnElement[int]]:
    return {name: func.coalesce(rows.c[name], 0) for name in ("value_minor", "margin_minor", "quantity_e6")}


def _with_range(
    frm: FromClause, product: ColumnElement[str], at: ColumnElement[int] | int, question: Question, view: View
) -> tuple[FromClause, ColumnElement[Any]]:
    listed = product_versions.alias("products")
    same = listed.c.stream == literal("product-", Text) + product
    return frm.outerjoin(listed, and_(same, intervals.holds(listed, at, question.pair, view))), listed.c.product_range
