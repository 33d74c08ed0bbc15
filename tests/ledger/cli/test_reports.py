from __future__ import annotations

import csv
import io
import json

import pytest

from ledger.cli import report as cli
from projections.exports import FORMATS
from projections.reports import REPORTS
from tests.ledger.cli.conftest import OPENED, PIPELINE, WON, jsonl

SECOND = {
    **OPENED,
    "stream": "deal-2",
    "data": {**OPENED["data"], "owner": "bob", "title": "=cmd", "value": {"minor": 1_000_000, "currency": "EUR"}},
}


@pytest.fixture
def filled(sales_ledger):
    assert sales_ledger("append", "-", "--history", stdin=jsonl(PIPELINE, OPENED, SECOND, WON)).code == 0
    return sales_ledger


def test_a_report_shows_the_pair_the_rows_and_their_total(filled):
    shown = filled("report", "pipeline", "--as-of", "2026-03-01").out.splitlines()
    assert shown[:2] == [
        "Pipeline by stage",
        "As of 2026-03-01, as known at 2026-03-01 (Europe/Paris); position 5 of the log.",
    ]
    assert [line.split()[:3] for line in shown[4:6]] == [["Offer", "2", "11,250.00"], ["Total", "2", "11,250.00"]]


def test_the_total_is_called_so_where_nothing_heads_the_rows_and_stands_alone(filled):
    for lang in ("en", "fr"):
        head, only, after, *_ = filled("report", "sales", "--as-of", "2026-04-01", "--lang", lang).out.splitlines()[3:]
        assert head.startswith(" ")
        assert (only.split()[:2], after) == (["Total", "1"], "")


def test_what_does_not_add_up_has_no_total(filled):
    shown = filled("report", "dashboard", "--as-of", "2026-04-01").out
    assert "Sales: Amount" in shown
    assert "Total" not in shown


def test_in_french_amounts_and_words_are_french(filled):
    shown = filled("report", "pipeline", "--as-of", "2026-03-01", "--lang", "fr").out
    assert shown.startswith("Affaires en cours par étape\nAu 2026-03-01, tel que connu au 2026-03-01")
    assert "11\u202f250,00" in shown


def test_a_reason_is_a_word_in_a_table(filled):
    lost = {"stream": "deal-2", "type": "deal.lost", "effective_at": "2026-03-02", "data": {"reason": "no_budget"}}
    assert filled("append", "-", stdin=jsonl(lost)).code == 0
    asked = ("report", "losses", "--period", "2026-Q1", "--lang", "fr")
    assert "Pas de budget" in filled(*asked).out
    assert "no_budget" in filled(*asked, "--format", "csv").out


def test_json_is_the_contract(filled):
    answer = json.loads(filled("report", "sales", "--period=2026-Q1", "--by", "owner", "--format", "json").out)
    assert answer["report"] == "sales"
    assert answer["parameters"]["period"] == "2026-01-01..2026-03-31"
    assert answer["rows"][0]["owner"] == "ana"
    assert answer["totals"]["amount_minor"] == 125_000


def test_csv_holds_the_same_figures_and_goes_to_a_file(filled, tmp_path):
    path = tmp_path / "pipeline.csv"
    arguments = ["--as-of", "2026-03-01", "--by", "owner", "--format", "csv", "--output", str(path)]
    done = filled("report", "pipeline", *arguments)
    assert (done.code, done.out) == (0, "")
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert [(row["owner"], row["amount_minor"]) for row in rows] == [("ana", "125000"), ("bob", "1000000")]


def test_csv_for_a_spreadsheet_is_in_the_language_of_its_locale(filled):
    shown = filled("report", "pipeline", "--as-of", "2026-03-01", "--format", "csv", "--locale", "fr").out
    assert shown.startswith("\ufeffÉtape;Étape (nom);Affaires;Montant (EUR)")
    assert ";11250,00;" in shown


def test_a_workbook_and_a_picture_go_to_files(filled, tmp_path):
    for form, magic in (("xlsx", b"PK"), ("parquet", b"PAR1"), ("png", b"\x89PNG"), ("svg", b"<svg"), ("pdf", b"%PDF")):
        path = tmp_path / f"pipeline.{form}"
        done = filled("report", "pipeline", "--as-of", "2026-03-01", "--format", form, "--output", str(path))
        assert (done.code, done.out, done.err) == (0, "", "")
        assert path.read_bytes().startswith(magic)


def test_the_command_line_writes_what_there_is_to_write():
    assert set(cli.FORMATS) == {"table", *FORMATS, "pdf"}
    assert {each.name for each in FORMATS.values() if not each.text} | {"pdf"} == cli.BINARY


def test_a_file_for_programs_does_not_go_to_a_screen(filled, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    done = filled("report", "pipeline", "--format", "xlsx")
    assert (done.code, done.out) == (2, "")
    assert "--output FILE" in done.err


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (["gossip"], "no report 'gossip'; there are pipeline"),
        (["pipeline", "--format", "docx"], "reports are written as table, json, csv, xlsx, parquet, svg, png, pdf"),
        (["pipeline", "--format", "csv", "--locale", "de"], "unknown locale 'de'; write fr, en"),
        (["pipeline", "--locale", "fr"], "locale says how to write csv"),
        (["pipeline", "--colour", "red"], "it takes as_of"),
        (["pipeline", "--as-of"], "--as-of needs a value"),
        (["pipeline", "--by", "owner", "--by", "team"], "given twice"),
        (["pipeline", "stray"], "unexpected 'stray'"),
        (["--as-of", "2026-03-01", "pipeline"], "after the report's name"),
        (["pipeline", "--as-of", "2026-02-30"], "does not exist"),
        (["pipeline", "--as-of", "2100-01-01"], "lies after now"),
        (["pipeline", "--lang", "fr", "--by", "moon"], "by=moon n’est pas possible"),
    ],
)
def test_a_question_that_cannot_be_asked_is_one_line(filled, wrong, says):
    done = filled("report", *wrong)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert done.err.count("\n") == 1


def test_the_catalogue_lists_every_report_and_defines_each(sales_ledger):
    listed = sales_ledger("reports").out.splitlines()[1:]
    assert [line.split()[0] for line in listed] == [report.name for report in REPORTS]
    for report in REPORTS:
        for lang in ("fr", "en"):
            defined = sales_ledger("reports", report.name, "--lang", lang).out
            assert all(f"  --{name.replace('_', '-')} " in defined for name in report.parameters)
            assert report.title.in_(lang) in defined


def test_explain_lists_the_lines_and_events_of_a_cell(filled):
    shown = filled("explain", "pipeline", "--as-of", "2026-03-01", "--cell", "owner=bob").out.splitlines()
    assert len(shown) == 2
    assert shown[1].startswith("deal-2  =cmd")
    assert "10,000.00" in shown[1]
    assert "deal-2 4" in shown[1]


def test_explained_figures_are_called_what_the_report_calls_them(filled):
    asked = ("explain", "leaderboard", "--metric", "won_count", "--as-of", "2026-04-01")
    assert "  Achieved  " in filled(*asked).out.splitlines()[0]
    for lang, labels in {"en": "  Amount (EUR)  Margin (EUR)  ", "fr": "  Montant (EUR)  Marge (EUR)  "}.items():
        head = filled("explain", "forecast", "--as-of", "2026-03-01", "--lang", lang).out.splitlines()[0]
        assert " ".join(labels.split()) in " ".join(head.split())
        assert "_" not in head
        assert head.index(labels.split()[0]) < head.index("(EUR)")


def test_explained_lines_add_up_to_the_figure(filled):
    explained = json.loads(filled("explain", "pipeline", "--as-of", "2026-03-01", "--format", "json").out)
    assert sum(line["figures"]["amount_minor"] for line in explained["lines"]) == 1_125_000
    assert explained["figures"]["amount_minor"] == 1_125_000


def test_a_cell_is_written_key_equals_value(filled):
    assert "KEY=VALUE" in filled("explain", "pipeline", "--cell", "bob").err
    short = filled("explain", "pipeline", "--as-of", "2026-03-01", "--limit", "1")
    assert "1 more lines" in short.err


@pytest.mark.parametrize("arguments", [["reports"], ["report", "sales"], ["history", "deal-1"]])
def test_a_language_that_is_not_spoken_is_one_error_that_names_those_that_are(sales_ledger, arguments):
    assert sales_ledger(*arguments, "--lang", "de") == (
        2,
        "",
        "sales-ledger: unknown language 'de'; write --lang fr or --lang en\n",
    )


def test_a_language_may_name_its_country(sales_ledger):
    assert "titre" in sales_ledger("reports", "--lang", "fr-CA").out
