"""The manual's pages: what is committed is what the program writes, one page and picture for every report."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.cli import manual
from projections.reports import REPORTS

FOLDER = Path(__file__).parents[3] / "docs" / "reports"


@pytest.fixture(scope="module")
def pages():
    return manual.pages()


def test_every_report_has_its_page_and_picture(pages):
    assert set(pages) == {manual.INDEX, *(f"{each.name}{suffix}" for each in REPORTS for suffix in (".md", ".svg"))}
    for report in REPORTS:
        page = pages[f"{report.name}.md"]
        assert all(text in page for text in (*report.title, *report.description, *report.formula, *report.source))
        assert all(f"| `{column.name}` |" in page for column in report.columns)
        assert all(f"| `{name}` |" in page for name in report.parameters)
        assert f"({report.name}.md)" in pages[manual.INDEX]


def test_every_column_has_its_french_name(pages):
    for report in REPORTS:
        _, _, columns = pages[f"{report.name}.md"].partition("| column | type | what it is | en français |")
        for row in columns.partition("\n\n")[0].splitlines()[2:]:
            assert row.split("|")[4].strip(), (report.name, row)


def test_every_example_has_something_to_show(pages):
    for report in REPORTS:
        if report.name != "duplicates":  # none of the example's customers look the same
            assert '"rows": []' not in pages[f"{report.name}.md"], report.name
        assert len(pages[f"{report.name}.svg"]) < 150_000


def test_the_committed_pages_are_what_the_program_writes(pages):
    committed = {each.name: each.read_text("utf-8") for each in FOLDER.iterdir()}
    assert sorted(committed) == sorted(pages), f"run {manual.COMMAND}"
    for name, text in pages.items():
        assert committed[name] == text, f"{name} is not up to date: run {manual.COMMAND}"


def test_pages_of_reports_that_are_gone_are_removed(sqlite_url, tmp_path, monkeypatch):
    (tmp_path / "gossip.md").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    monkeypatch.setattr(manual, "pages", lambda: {"README.md": "new"})
    manual.write(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["README.md", "notes.txt"]
