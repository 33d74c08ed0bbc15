"""What is told by column is what its lines tell one by one."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from projections.reports.cells import work_out
from projections.reports.loyalty import LOYALTY
from projections.reports.question import ask
from projections.reports.scoring import SCORING
from projections.reports.touches import FAMILIES
from tests.projections.reports.plain_customers import random_book
from tests.support.book import eur

ASKED = {
    "loyalty": (
        {},
        {"by": "team", "rule": "declared"},
        {"where": "health=loyal"},
        {"by": "segment", "currency": "USD"},
    ),
    "scoring": (
        *({}, {"by": "owner,country"}, {"of": "prospects", "where": "segment=small"}, {"of": "deals", "by": "team"}),
        *({"of": "deals", "where": "stream=deal-open3"}, {"of": "deals", "currency": "USD", "where": "segment=small"}),
    ),
}
KINDS = [*(kind for kinds in FAMILIES.values() for kind in kinds), "survey", "other"]


@pytest.mark.parametrize("report", [LOYALTY, SCORING], ids=lambda report: report.name)
def test_rows_totals_and_late_lines_are_those_of_the_lines(book, report):
    random_book(book, 1, customers=16, deals=60)
    chance = random.Random(1)
    for number in range(8):
        book.customer(f"p{number}", "2024-01-01", kind="prospect", segment=chance.choice(["small", "large"]))
        book.deal(f"open{number}", "2024-02-01", eur(number), customer=f"p{number % 3}" if number else None)
    for number in range(80):
        customer, kind = chance.choice(["c1", "c2", "c3", "c5", "p0", "p1", "nobody"]), chance.choice(KINDS)
        answer = {"satisfaction": {"scale": "csat", "score": 1 + number % 5}} if kind == "survey" else {}
        said = {"customer": customer, "kind": kind, "direction": "in", **answer}
        book.say(f"interaction-i{number}", "interaction.logged", f"2025-0{1 + number % 9}-1{number % 10}", **said)
    in_turn = replace(report, items=report.evidence, completed=None)
    with book.folded().view() as view:
        for asked in ASKED[report.name]:
            for dates in ({"as_of": "2025-06-30"}, {"as_of": "2025-09-30", "known_at": "now"}):
                told, alone = (
                    work_out(ask(view, each, asked | dates, clock=view.stamp), view) for each in (report, in_turn)
                )
                by_column = told.by_column
                assert by_column is not None
                assert list(told.rows) == list(alone.rows)
                for column in report.columns:
                    one_by_one = list(map(column.value, alone.rows.values()))
                    assert list(by_column.figures[column.name]) == one_by_one, (column.name, asked, dates)
                    assert column.value(told.totals) == column.value(alone.totals), (column.name, asked, dates)
                assert (told.lines, told.late) == (alone.lines, alone.late), (asked, dates)
                assert told.lines or "where" in asked
