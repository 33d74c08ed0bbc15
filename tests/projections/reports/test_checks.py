"""The page that says how each report is checked names every report, and only tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

from projections.reports import REPORTS
from tests.projections.reports.test_explain import ASKED

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
PAGE = (ROOT / "docs" / "report-checks.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| (\w+) \| (.+) \|$", PAGE, re.MULTILINE))
BOTH, EVENTS = "second way: both", "`tests/second_ways`"


def test_every_report_is_in_it_in_order():
    assert [name for name in ROWS if name != "report"] == [report.name for report in REPORTS]


def test_every_report_has_its_worked_examples_and_its_lines_add_up():
    for report in REPORTS:
        assert (HERE / f"test_{report.name}.py").is_file()
        assert report.name in ASKED


def test_what_is_named_is_there():
    for name in re.findall(r"`(test_\w+\.py)`", PAGE):
        assert (HERE / name).is_file(), name
    for name in re.findall(r"`(tests/[\w/.]+)`", PAGE):
        assert (ROOT / name).exists() or "NAME" in name, name


def test_a_second_way_that_is_claimed_is_asked():
    asked = (ROOT / "tests" / "second_ways" / "test_second_ways.py").read_text("utf-8")
    for name, how in ROWS.items():
        assert (f'"{name}"' in asked) == (BOTH in how or EVENTS in how or "both" in how), name
