"""Each format read back with somebody else's program, and set beside the JSON answer."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime
from decimal import Decimal
from xml.etree import ElementTree as ET

import openpyxl
import pyarrow.parquet as pq
import pytest

from ledger.errors import BadRequest
from ledger.money import decimals
from projections.exports import FORMATS, check_format, export, file_name, language, pictures
from projections.reports import REPORTS, Answer, AnswerColumn
from projections.reports.definition import DAYS
from tests.support.book import ZONE, eur, money

FIGURES = {"count", "money", "quantity", "ratio"}


def written(answer: Answer, form: str, lang: str = "en", locale: str | None = None) -> bytes:
    return export(answer, form, lang=lang, time_zone=ZONE, locale=locale)


def told(answer: Answer) -> list[list]:
    """The rows of the JSON answer, as a program reads them."""
    found = json.loads(answer.json())
    return [[row.get(column["name"]) for column in found["columns"]] for row in found["rows"]]


def in_units(value, column: AnswerColumn):
    if value is None or column.type != "money":
        return value
    return Decimal(value) / 10 ** decimals(column.unit or "")


def of_every_report(book, lang: str = "en") -> list[Answer]:
    """Each report as it comes, and by its first dimensions."""
    answers = []
    for report in REPORTS:
        answers.append(book.report(report.name, lang=lang))
        if "by" in report.parameters:
            short = [name for name in report.dimensions if name not in DAYS]  # all of history has too many days
            answers.append(book.report(report.name, lang=lang, by=",".join(short[:2])))
    return answers


def check_json(answer: Answer) -> None:
    found = json.loads(answer.json())
    assert found["rows"] == answer.rows
    names = [column["name"] for column in found["columns"]]
    assert list(answer.values) == names
    assert all(list(row) == names for row in found["rows"])


def check_contract_csv(answer: Answer) -> None:
    header, *rows = csv.reader(io.StringIO(written(answer, "csv").decode(), newline=""))
    assert header == [column.name for column in answer.columns]
    assert rows == [["" if value is None else str(value) for value in row] for row in told(answer)]


def check_french_csv(answer: Answer) -> None:
    content = written(answer, "csv", "fr", "fr")
    assert content.startswith(b"\xef\xbb\xbf")
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";")
    assert header == [f"{each.label} ({each.unit})" if each.unit else each.label for each in answer.columns]
    for row, expected in zip(rows, told(answer), strict=True):
        for cell, value, column in zip(row, expected, answer.columns, strict=True):
            if value is None:
                assert not cell
            elif column.type in FIGURES:
                assert "." not in cell
                assert Decimal(cell.replace(",", ".")) == in_units(Decimal(repr(value)), column)


def check_xlsx(answer: Answer, lang: str = "en") -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(answer, "xlsx", lang)))
    rows, question = book.worksheets
    assert rows.freeze_panes == "A2"
    header, *cells = rows.iter_rows()
    assert [cell.value for cell in header] == [
        f"{each.label} ({each.unit})" if each.unit else each.label for each in answer.columns
    ]
    expected = told(answer)
    if expected and answer.totals:
        *cells, totals = cells
        check_line(totals, [answer.totals.get(each.name) for each in answer.columns], answer, total=True)
    for line, values in zip(cells, expected, strict=True):
        check_line(line, values, answer)
    said = {row[0]: row[1:] for row in question.iter_rows(values_only=True) if row[0]}
    assert said["As of" if lang == "en" else "Au"][0] == answer.as_of
    assert [said[name][0] for name in answer.parameters] == list(answer.parameters.values())
    assert all(note in said for note in answer.notes)


def check_line(line, values, answer: Answer, *, total: bool = False) -> None:
    for cell, value, column in zip(line, values, answer.columns, strict=True):
        if value is None:
            assert cell.value is None or (total and cell.value == "Total")
        elif column.type in FIGURES:
            assert cell.data_type == "n"
            assert cell.value == pytest.approx(float(in_units(value, column)), rel=1e-15)
            assert (column.type != "money") or ("€" in cell.number_format and "0.00" in cell.number_format)
        elif column.type == "date":
            assert cell.value == datetime.fromisoformat(value)


def check_parquet(answer: Answer) -> None:
    table = pq.read_table(io.BytesIO(written(answer, "parquet")))
    assert table.column_names == [column.name for column in answer.columns]
    rows = [
        [value.isoformat() if isinstance(value, date) else value for value in row.values()] for row in table.to_pylist()
    ]
    assert rows == told(answer)
    for column in answer.columns:
        field = table.schema.field(column.name)
        assert field.metadata[b"label"].decode() == column.label
        if column.type == "money":
            assert (str(field.type), field.metadata[b"currency"].decode()) == ("int64", column.unit)
    said = {name.decode(): value.decode() for name, value in table.schema.metadata.items()}
    assert said["sales_ledger.known_at"] == answer.known_at
    assert json.loads(said["sales_ledger.parameters"]) == answer.parameters
    assert json.loads(said["sales_ledger.totals"]) == answer.totals


def check_pictures(answer: Answer, lang: str = "en") -> None:
    drawn = written(answer, "svg", lang).decode()
    text = {element.text for element in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")}
    assert answer.title in text
    if not answer.rows and not answer.totals:
        assert "Nothing to show" in text


CHECKS = (check_json, check_contract_csv, check_french_csv, check_xlsx, check_parquet, check_pictures)


@pytest.mark.parametrize("check", CHECKS)
def test_an_empty_book_exports(empty_book, check):
    for answer in of_every_report(empty_book):
        check(answer)


@pytest.mark.parametrize("check", CHECKS)
def test_one_deal_exports(book, check):
    book.deal("d1", "2026-10-05", eur(1_234_56), expected_close_on="2027-01-31").deal("d2", "2026-10-06", eur(70))
    book.won("d2", "2026-11-02")
    for answer in of_every_report(book):
        check(answer)


@pytest.mark.parametrize("check", CHECKS)
def test_a_company_exports(company, check):
    for answer in of_every_report(company):
        check(answer)


def test_a_series_has_dates(company):
    answer = company.report("pipeline", period="2026-01..2026-06", every="month")
    assert len(answer.rows) > 6
    for check in CHECKS:
        check(answer)


def test_the_same_answer_gives_the_same_bytes(company):
    answer = company.report("forecast", by="team")
    for form in FORMATS:
        assert written(answer, form) == written(answer, form)


HOSTILE = ["=1+2", "+33 1", "-2", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")']


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_never_a_formula(book, name):
    book.customer("c1", "2026-01-02", name=name).deal("d1", "2026-10-05", eur(100), customer="c1")
    answer = book.report("pipeline", by="customer")
    assert answer.rows[0]["customer_name"] == name
    column = [each.name for each in answer.columns].index("customer_name")
    for content, delimiter in ((written(answer, "csv"), ","), (written(answer, "csv", "fr", "fr"), ";")):
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))
        assert rows[1][column] == f"'{name}"
    sheet = openpyxl.load_workbook(io.BytesIO(written(answer, "xlsx"))).worksheets[0]
    cell = sheet.cell(2, column + 1)
    assert (cell.data_type, cell.quotePrefix) == ("s", True)
    assert cell.value.replace("_x000D_", "\r") == name  # as ECMA-376 writes a carriage return
    parquet = pq.read_table(io.BytesIO(written(answer, "parquet")))
    assert parquet["customer_name"].to_pylist() == [name]


def test_money_has_the_decimals_of_its_currency(book):
    book.rate("JPY", "2026-01-01", "0.005").deal("d1", "2026-10-05", money(200_000, "JPY"))
    answer = book.report("pipeline", currency="JPY", lang="fr")
    cell = openpyxl.load_workbook(io.BytesIO(written(answer, "xlsx", "fr"))).worksheets[0]["D2"]
    assert (cell.value, cell.number_format) == (200_000, "#,##0\u00a0[$JPY]")
    assert ";200000;" in written(answer, "csv", "fr", "fr").decode()


def test_a_locale_says_how_numbers_are_written(book):
    book.deal("d1", "2026-10-05", eur(1_234_50))
    answer = book.report("pipeline")
    assert ",1234.50," in written(answer, "csv", "en", "en").decode()
    assert ";1234,50;" in written(answer, "csv", "fr", "fr_FR").decode()
    assert ";1234,50;" in written(answer, "csv", "en", "en-ZA").decode()


def test_words_of_ours_are_in_the_readers_language(book):
    book.deal("d1", "2026-10-05", eur(100), expected_close_on="2026-11-30").deal("d2", "2026-10-05", eur(100))
    answer = book.report("forecast", lang="fr")
    assert [row["month"] for row in answer.rows] == ["overdue", "undated"]
    sheet = openpyxl.load_workbook(io.BytesIO(written(answer, "xlsx", "fr"))).worksheets[0]
    assert [sheet["A2"].value, sheet["A3"].value] == ["En retard", "Sans date"]
    drawn = written(answer, "svg", "fr").decode()
    assert "En retard" in drawn
    assert "Au 31/12/2026 13:00:00, tel que connu au 31/12/2026 13:00:00" in drawn


def test_reasons_and_scopes_are_codes_for_programs_and_words_for_people(book):
    book.deal("d1", "2026-10-05", eur(100)).lost("d1", "2026-10-06", reason="no_budget")
    book.deal("d2", "2026-10-05", eur(100)).lost("d2", "2026-10-06", reason="cold_feet")
    year = {"from": "2026-01-01", "to": "2026-12-31"}
    aim = {"scope": {"company": True}, "metric": "amount", "period": year, "target": eur(500)}
    book.say("objective-1", "objective.set", "2026-01-01", **aim)
    for report, lang, codes, words in (
        ("losses", "fr", ["cold_feet", "no_budget"], ["Cold feet", "Pas de budget"]),
        ("losses", "en", ["cold_feet", "no_budget"], ["Cold feet", "No budget"]),
        ("objectives", "fr", ["company"], ["Toute l'entreprise"]),
        ("objectives", "en", ["company"], ["The whole company"]),
    ):
        answer = book.report(report, lang=lang)
        column = "reason" if report == "losses" else "scope"
        assert [row[column] for row in answer.rows] == codes
        assert all(f"{code}," in written(answer, "csv", lang).decode() for code in codes)
        localised = written(answer, "csv", lang, lang).decode()
        assert all(word in localised for word in words)
        drawn = texts(written(answer, "svg", lang).decode())
        assert all(any(word in each for each in drawn if each) for word in words)


def test_objectives_are_drawn_by_whose_they_are_and_whole(book):
    book.say("team-ouest", "team.created", "2026-01-01", name="Grand Est et Hauts-de-France")
    book.person("ana", "2026-01-01", "ouest", name="Ana Kermarrec")
    year = {"from": "2026-01-01", "to": "2026-12-31"}
    for number, scope in enumerate(({"company": True}, {"team": "ouest"}, {"person": "ana"}), start=1):
        aim = {"scope": scope, "metric": "new_customers", "period": year, "target": "5"}
        book.say(f"objective-annual-{number}", "objective.set", "2026-01-01", **aim)
    book.customer("c1", "2026-01-05", owner="ana").deal("d1", "2026-01-05", eur(100), customer="c1", owner="ana")
    book.won("d1", "2026-02-01")
    drawn = texts(written(book.report("objectives", lang="fr"), "svg", "fr").decode())
    assert "Toute l'entreprise · Nouveaux clients (annual-1)" in drawn
    assert "Grand Est et Hauts-de-France · Nouveaux clients (annual-2)" in drawn
    assert "Ana Kermarrec · Nouveaux clients (annual-3)" in drawn


def test_what_was_done_is_drawn_where_there_is_only_one_rate(book):
    for number in range(3):
        call = {"kind": "call", "direction": "out", "owner": "ana", "customer": "c1", "duration_minutes": 500}
        book.say(f"interaction-{number}", "interaction.logged", "2026-10-05", **call)
    book.deal("d1", "2026-10-05", eur(100)).won("d1", "2026-10-06")
    answer = book.report("activity", lang="fr")
    assert answer.totals["effort_per_win"] is not None
    drawn = texts(written(answer, "svg", "fr").decode())
    assert {"Appels", "Affaires ouvertes", "Ventes"} <= set(drawn)
    assert not {"Effort par vente", "Minutes"} & set(drawn)


@pytest.mark.parametrize(
    ("lang", "words"),
    [("fr", "Prévision des ventes\u00a0: Montant pondéré"), ("en", "Sales forecast: Weighted amount")],
)
def test_indicators_of_a_dashboard_are_drawn_by_their_titles(book, lang, words):
    book.deal("d1", "2026-10-05", eur(100))
    answer = book.report("dashboard", lang=lang, role="director")
    assert "forecast.weighted_minor" in [row["indicator"] for row in answer.rows]
    assert words in texts(written(answer, "svg", lang).decode())


def test_a_chart_shows_months_without_anything(book):
    for number, month in enumerate(("2027-01", "2027-04")):
        book.deal(f"d{number}", "2026-10-05", eur(100), expected_close_on=f"{month}-15")
    drawn = written(book.report("forecast"), "svg").decode()
    assert all(f">{month} 2027<" in drawn for month in ("Jan", "Feb", "Mar", "Apr"))


def test_french_pictures_write_dates_and_months_as_french_people_do(book):
    book.deal("d1", "2026-10-05", eur(100), expected_close_on="2027-02-15")
    assert "févr. 2027" in texts(written(book.report("forecast", lang="fr"), "svg", "fr").decode())
    series = book.report("pipeline", lang="fr", period="2026-10", every="month")
    drawn = texts(written(series, "svg", "fr").decode())
    assert "31/10/2026" in drawn
    assert any(each and "période 01/10/2026 – 31/10/2026" in each for each in drawn)


def drawn_data(answer: Answer) -> list[dict]:
    """What a chart shows, of its first layer."""
    spec = pictures.definition(answer, "en", ZONE)
    values: list[dict] = spec.get("layer", [spec])[0]["data"]["values"]
    return values


def test_of_too_many_bars_the_largest_are_drawn_whole(book):
    for number in range(40):
        book.deal(f"d{number}", "2026-10-05", eur(100 * (number + 1)), owner=f"o{number}", kind="new")
        book.deal(f"e{number}", "2026-10-05", eur(10_000), owner=f"o{number}", kind="old", stage="demo")
    for number in range(40):
        book.won(f"d{number}", "2026-11-05").won(f"e{number}", "2026-11-06")
    sold = book.report("sales", by="owner,kind")
    assert len(sold.rows) == 80
    shown = drawn_data(sold)
    assert {row["x"] for row in shown} == {f"o{number}" for number in range(15, 40)}
    assert sum(row["y"] for row in shown) == sum(100 + number + 1 for number in range(15, 40))
    assert "the 25 largest of 40" in pictures.definition(sold, "en", ZONE)["title"]["subtitle"]


def test_a_picture_shows_a_figure_that_is_known(book):
    book.deal("a", "2026-01-05")
    deals = pictures.headline(book.report("pipeline"))
    book.deal("b", "2026-01-05", eur(100))
    amount = pictures.headline(book.report("pipeline"))
    assert deals is not None
    assert amount is not None
    assert (deals.name, amount.name) == ("deals", "amount_minor")


def test_a_waterfall_of_amounts_that_nobody_gave_is_one_of_deals(book):
    book.deal("a", "2026-01-05")
    changes = book.report("pipeline_changes", from_="2026-01-10")
    assert {row["x"]: row["y"] for row in drawn_data(changes)}["Closing (deals)"] == 1
    book.deal("b", "2026-01-05", eur(100))
    changes = book.report("pipeline_changes", from_="2026-01-10")
    assert [row["x"] for row in pictures.definition(changes, "en", ZONE)["data"]["values"]] == ["Opening", "Closing"]


def test_alerts_of_one_date_are_counted_together(book):
    for number in range(7):
        book.deal(f"d{number}", "2026-10-05", eur(100), owner=f"o{number}", expected_close_on="2026-11-30")
    alerts = book.report("alerts", as_of="2026-12-20", where="what=deal_past_close")
    assert len(alerts.rows) == 7
    assert [(each["x"], each["y"]) for each in drawn_data(alerts)] == [("2026-11-30", 7.0)]


def test_rows_of_one_date_and_line_are_one_sum(book):
    for number in range(4):
        book.deal(f"d{number}", "2026-10-05", eur(100), owner=f"o{number % 2}", kind=f"k{number // 2}")
    series = book.report("pipeline", by="owner,kind", period="2026-10", every="month")
    assert {(each["c"], each["y"]) for each in drawn_data(series)} == {("Lead", 4.0)}


def texts(drawn: str) -> list[str | None]:
    return [each.text for each in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]


def test_whole_things_are_counted_in_whole_ticks_and_small_amounts_in_decimals(book):
    book.deal("a", "2026-11-05")
    counted = texts(written(book.report("pipeline", by="owner"), "svg").decode())
    assert [each for each in counted if each and each[0].isdigit()] == ["0", "1"]
    book.deal("b", "2026-11-05", eur(80))
    small = texts(written(book.report("pipeline", by="owner"), "svg").decode())
    assert "0.2" in small
    assert not [each for each in small if each and each.endswith("m")]


def test_a_leaderboard_is_drawn_in_the_order_of_its_ranks(book):
    for number, value in enumerate((20, 10, 30)):
        book.deal(f"d{number}", "2026-10-05", eur(value), owner=f"o{number}").won(f"d{number}", "2026-11-05")
    assert [each["x"] for each in drawn_data(book.report("leaderboard", period="2026"))] == ["o2", "o0", "o1"]


def test_a_trend_is_drawn_beside_what_it_is_of(book):
    for number in range(30):
        day = f"{2024 + number // 12}-{number % 12 + 1:02}-15"
        book.deal(f"d{number}", "2024-01-01", eur(100 + number)).won(f"d{number}", day)
    spec = pictures.definition(book.report("trend", as_of="2026-06-30"), "en", ZONE)
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["bar", "line"]
    assert [layer["data"]["values"][0]["c"] for layer in spec["layer"]] == ["Value", "Trend"]


def test_scoring_draws_scores(company):
    found = pictures.headline(company.report("scoring"))
    assert found is not None
    assert found.name == "score"


def test_a_frame_without_anything_in_it_says_so(book):
    book.deal("d1", "2026-01-05", eur(100), expected_close_on="2026-11-15")
    slippage = book.report("slippage", period="2026-Q4", by="month")
    assert [row["push_rate"] for row in slippage.rows] == [0.0]
    assert "Nothing to show" in texts(written(slippage, "svg").decode())


def test_a_forecast_of_deals_without_amounts_draws_how_many_they_are(book):
    book.deal("won", "2026-10-05", eur(100)).won("won", "2026-12-05").deal("open", "2026-10-05")
    found = drawn_data(book.report("forecast"))
    assert {each["x"]: each["y"] for each in found}["Undated"] == 1


def test_labels_below_a_grid_are_turned_where_they_would_meet(book):
    for number in range(12):
        owner = f"somebody-with-a-name-{number:02}"
        book.deal(f"d{number}", "2026-10-05", eur(100), owner=owner).won(f"d{number}", "2026-11-05")
    axis = pictures.definition(book.report("sales", by="month,owner"), "en", ZONE)["encoding"]["x"]["axis"]
    assert axis["labelAngle"] == -90


def test_two_dimensions_with_many_values_are_a_grid(book):
    for number in range(12):
        book.deal(f"d{number}", "2026-10-05", eur(100), owner=f"o{number:02}").won(f"d{number}", "2026-11-05")
    cells = drawn_data(book.report("sales", by="month,owner"))
    assert [(cell["y"], cell["x"], cell["v"]) for cell in cells] == [
        ("2026-11", f"o{number:02}", 1.0) for number in range(12)
    ]


def test_a_waterfall_goes_from_its_opening_to_its_closing():
    steps = {
        "opening_minor": 100_00,
        "created_minor": 50_00,
        "lost_minor": -30_00,
        "fx_minor": 0,
        "closing_minor": 120_00,
    }
    answer = Answer(
        report="pipeline_changes",
        title="Pipeline changes",
        as_of="2026-06-30T21:59:59.999999Z",
        known_at="2026-06-30T21:59:59.999999Z",
        position=1,
        generation=1,
        parameters={},
        columns=[AnswerColumn(name, "money", "EUR", name.removesuffix("_minor")) for name in steps],
        values={name: [step] for name, step in steps.items()},
        totals=steps,
        notes=[],
    )
    drawn = written(answer, "svg", "fr").decode()
    assert all(f">{text}<" in drawn for text in ("opening", "100", "created", "+50", "lost", "−30", "closing", "120"))
    assert ">fx<" not in drawn


def test_a_format_that_does_not_exist_is_refused():
    with pytest.raises(BadRequest, match="reports are written as json, csv, xlsx, parquet, svg, png"):
        check_format("docx")


@pytest.mark.parametrize(
    ("form", "locale", "says"),
    [
        ("csv", "de", "write fr, en"),
        ("csv", "../x", "unknown locale"),
        ("xlsx", "fr", "locale says how to write csv"),
    ],
)
def test_a_locale_that_changes_nothing_is_refused(form, locale, says):
    with pytest.raises(BadRequest, match=says):
        language(form, locale)


def test_a_file_is_named_after_its_report_and_date(book):
    assert file_name(book.report("sales", as_of="2026-03-31"), "xlsx") == "sales-2026-03-31.xlsx"
