"""What people may ask, and what they are told when they may not."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import BadRequest, NotFound
from projections.reports import PARAMETERS, REPORTS, choices
from tests.support.book import GivenBook, eur


@pytest.fixture
def book(sqlite_url):
    given = GivenBook(sqlite_url)
    given.deal("d", "2026-01-05", eur(1), customer="c")
    for month in ("08", "09", "10", "11", "12"):
        given.deal(f"r{month}", f"2025-{month}-01", eur(1), customer="regular").won(f"r{month}", f"2025-{month}-02")
    given.customer("twin", "2025-01-01", name="Gemini").customer("twin2", "2025-01-01", name="Gemini Ltd")
    given.say("campaign-s", "campaign.launched", "2026-01-05", name="S", channel="mail", starts_on="2026-01-05")
    said: dict[str, Any] = {"kind": "survey", "direction": "in", "satisfaction": {"scale": "nps", "score": 9}}
    given.say("interaction-i", "interaction.logged", "2026-01-05", customer="c", **said)
    yield given
    given.close()


@pytest.mark.parametrize(
    ("report", "parameters", "message"),
    [
        ("pipeline", {"measure": "margin"}, "pipeline does not take 'measure'; it takes as_of, known_at, by"),
        ("sales", {"horizon": "3"}, "sales does not take 'horizon'"),
        ("sales", {"by": "colour"}, "by=colour is not possible in sales; write one of month, quarter"),
        ("conversion", {"by": "product"}, "by=product is not possible in conversion"),
        ("sales", {"where": "owner"}, "where takes dimension=value"),
        ("sales", {"where": "colour=red"}, "where=colour is not possible"),
        ("sales", {"period": "soon"}, "unknown period 'soon'"),
        ("sales", {"currency": "euro"}, "unknown currency 'euro'"),
        ("sales", {"fx": "yes"}, "fx=yes is not possible in sales; write effective or constant"),
        ("sales", {"compare": "previous_period"}, "compare=previous_period needs a period"),
        ("sales", {"years": "3"}, "years needs a period"),
        ("sales", {"years": "30", "period": "2026"}, "years=30 is not possible"),
        ("sales", {"every": "month"}, "every needs a period"),
        ("pipeline", {"period": "2026"}, "only spans the dates of every"),
        ("sales", {"every": "hour", "period": "2026"}, "every=hour is not possible in sales; write day or week"),
        ("win_rate", {"basis": "all"}, "write closed or cohort"),
        ("sales", {"as_of": "2026-02-30"}, "as_of: the date 2026-02-30 does not exist"),
        ("sales", {"as_of": "2027-06-30"}, "lies after now"),
        ("sales", {"compare": "2027-06-30"}, "lies after now"),
        ("sales", {"where": "owner=" + "x" * 5_000}, "longer than 2000 characters"),
    ],
)
def test_a_bad_parameter_is_one_clear_message(book, report, parameters, message):
    with pytest.raises(BadRequest) as refused:
        book.report(report, **parameters)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_report_is_told_which_there_are(book):
    with pytest.raises(NotFound, match="no report 'profit'; there are pipeline, forecast"):
        book.report("profit")


def test_empty_parameters_are_as_if_not_given(book):
    assert book.totals("pipeline", by="", where="", currency="")["deals"] == 1


def test_the_answer_repeats_what_was_understood(book):
    answer = book.report("sales", period="last-quarter", as_of="2026-05-15", by="owner")
    assert answer.parameters == {
        "as_of": "2026-05-15T21:59:59.999999Z",
        "known_at": "2026-05-15T21:59:59.999999Z",
        "period": "2026-01-01..2026-03-31",
        "by": "owner",
        "currency": "EUR",
    }
    assert book.report("sales", lang="fr").title == "Ventes"


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_the_catalogue_is_whole_and_in_both_languages(report):
    assert all(PARAMETERS[name].text.in_("fr") for name in report.parameters)
    assert all(choices(report, name)[0] == allowed[0] for name, allowed in report.choices.items())
    for text in (report.title, report.description, report.formula, report.source):
        assert text.fr
        assert text.en
    names = [column.name for column in report.columns]
    assert len(set(names)) == len(names)
    for column in report.columns:
        assert (column.type == "money") == column.name.endswith("_minor")


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_column_of_every_dimension_is_in_every_row(book, report, lang):
    book.won("d", "2026-02-01").deal("e", "2026-02-05", eur(2), expected_close_on="2026-12-30").quote(
        "q", "2026-02-01", eur(3)
    )
    book.deal("f", "2026-02-05", eur(4)).lost("f", "2026-02-06")
    year = {"from": "2026-01-01", "to": "2026-12-31"}
    book.say("objective-o", "objective.set", "2026-01-01", scope={"company": True}, metric="amount", period=year,
             target=eur(9))  # fmt: skip
    few_days = {"period": "2026-Q1"} if "day" in report.dimensions else {}
    answer = book.report(report.name, lang=lang, by=",".join(report.dimensions), **few_days)
    names = [column.name for column in answer.columns]
    assert all(list(row) == names for row in answer.rows)
    assert answer.rows
    assert b'"rows"' in answer.json()
