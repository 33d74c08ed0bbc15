"""Every report of an empty book, and of one with a single open deal of which as little as possible is known.

What divides by nothing is null, what nobody said is null, and whatever may be asked of it is answered.
"""

from __future__ import annotations

import pytest

from projections.exports import FORMATS, export
from projections.reports import REPORTS, choices
from projections.reports.definition import DAYS
from tests.support.book import ZONE, GivenBook

TRUE_ZEROS = {("win_rate", "close_rate"), ("funnel", "conversion")}
"""The one open deal is in progress and was not won, and it is in a stage that it has not left: nought of one."""

ROWS_OF_THEIR_OWN = {"forecast_history", "forecast_accuracy", "dashboard"}
"""Their rows are dates, periods and indicators, which are there without anything to tell."""

each_report = pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request, tmp_path_factory):
    """Makes databases of the module's own."""
    made = []

    def make() -> str:
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('little') / 'sales-ledger.db'}"
        server = request.getfixturevalue("postgres_server")
        made.append((server, server.create_database()))
        return str(server.url(made[-1][1]))

    yield make
    for server, name in made:
        server.drop_database(name)


@pytest.fixture(scope="module")
def empty(database):
    given = GivenBook(database(), opened=None)
    yield given
    given.close()


@pytest.fixture(scope="module")
def single(database):
    given = GivenBook(database())
    given.say("deal-d", "deal.opened", "2026-11-01", pipeline="sales", stage="lead", owner="ana", title="Only")
    yield given
    given.close()


def figures(answer, *types):
    """The figures of these types in rows and totals, by column."""
    names = [column.name for column in answer.columns if column.type in types]
    return [(name, row[name]) for row in (*answer.rows, answer.totals) for name in names if name in row]


def asked_every_way(report):
    """The parameters that a report takes, each by itself; the first few dimensions together."""
    yield {}
    if "by" in report.parameters and report.dimensions:
        yield {"by": ",".join(name for name in report.dimensions[:3] if name not in DAYS)}
        yield from ({"where": f"{name}="} for name in report.dimensions)
    for name in ("measure", "fx", "probabilities", "basis", "rule", "of", "metric", "among", "distribution"):
        if name in report.parameters:
            yield from ({name: choice} for choice in choices(report, name)[:12])
    if "compare" in report.parameters and not report.snapshot:
        yield {"compare": "previous_year", "period": "this-quarter"}
    if "years" in report.parameters:
        yield {"years": "3", "period": "this-quarter"}
    if "every" in report.parameters:
        yield {"every": "month", "period": "this-quarter"}
    if "currency" in report.parameters:
        yield {"currency": "USD"}


@each_report
def test_an_empty_book_has_nothing_to_tell_and_divides_by_nothing(empty, report):
    for asked in asked_every_way(report):
        answer = empty.report(report.name, **asked)
        assert report.name in ROWS_OF_THEIR_OWN or answer.rows == [], asked
        assert {value for _, value in figures(answer, "ratio")} <= {None}, asked
        told = {value for name, value in figures(answer, "money", "count", "quantity") if name != "place"}
        assert told <= {0, None}, asked


@each_report
def test_a_single_deal_has_no_rates_and_no_margin(single, report):
    for asked in asked_every_way(report):
        answer = single.report(report.name, **asked)
        told = {(report.name, name) for name, value in figures(answer, "ratio") if value is not None}
        assert told <= TRUE_ZEROS, asked
        if answer.totals.get("deals"):
            assert answer.totals["margin_minor"] is None, asked


@each_report
def test_what_little_there_is_can_be_explained(empty, single, report):
    for book in (empty, single):
        answer = book.report(report.name)
        whole = book.explained(report.name)
        assert report.name in ROWS_OF_THEIR_OWN or whole.figures == answer.totals
        assert {each.stream for each in whole.lines} <= {"deal-d", "book"}


@each_report
def test_what_little_there_is_can_be_exported(empty, single, report):
    for book, lang in ((empty, "fr"), (single, "en")):
        answer = book.report(report.name, lang=lang)
        for form in FORMATS:
            assert export(answer, form, lang=lang, time_zone=ZONE)
