"""`/v1/reports`: the catalogue, answers at pairs of dates, and what is behind a figure."""

from __future__ import annotations

import csv
import io

import openpyxl
import pyarrow.parquet as pq
import pytest

from projections.exports import FORMATS
from projections.reports import REPORTS


def get(client, path, **params):
    return client.get(f"/v1/reports{path}", params=params)


def test_the_catalogue_lists_every_report_with_its_parameters(client):
    found = get(client, "", lang="fr").json()["reports"]
    assert [each["name"] for each in found] == [each.name for each in REPORTS]
    forecast = next(each for each in found if each["name"] == "forecast")
    assert forecast["title"] == "Prévision des ventes"
    assert {"as_of", "known_at", "by"} <= {each["name"] for each in forecast["parameters"]}


def test_a_forecast_differs_by_what_was_known(client):
    reported = get(client, "/forecast", as_of="2026-02-10").json()
    restated = get(client, "/forecast", as_of="2026-02-10", known_at="now").json()
    assert reported["totals"]["amount_minor"] == 120_000 + 900_050 + 40_000
    assert restated["totals"]["amount_minor"] == 210_000 + 900_050


def test_a_backdated_win_shows_only_where_it_was_known(client):
    january = {"period": "2026-01", "as_of": "2026-01-31"}
    assert get(client, "/sales", **january).json()["totals"]["amount_minor"] == 0
    assert get(client, "/sales", **january, known_at="now").json()["totals"]["amount_minor"] == 40_000


def test_titles_speak_the_language_of_the_reader(client):
    answer = client.get("/v1/reports/sales", headers={"Accept-Language": "fr-CA,en;q=0.5"})
    assert answer.json()["title"] == "Ventes"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nope", 404),
        ("/nope/explain", 404),
        ("/forecast?surprise=1", 400),
        ("/forecast?as_of=2026-02-30", 400),
        ("/forecast?as_of=2999-01-01", 400),
        ("/forecast?as_of=2026-01-01&as_of=2026-01-02", 400),
        ("/forecast?by=moon", 400),
        ("/forecast?currency=XXY", 400),
        ("/forecast?format=docx", 400),
        ("/forecast?format=csv&locale=de", 400),
        ("/forecast?format=xlsx&locale=fr", 400),
        ("/forecast?locale=fr", 400),
        ("/forecast/explain?format=csv", 400),
        ("/forecast/explain?cell=month", 400),
        ("/forecast/explain?cell=month=1,month=2", 400),
        ("/forecast/explain?cell=moon=1", 400),
        ("/forecast/explain?limit=501", 400),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(client, path, status):
    answer = client.get(f"/v1/reports{path}")
    assert (answer.status_code, bool(answer.json()["detail"])) == (status, True)


def test_an_explanation_lists_the_largest_line_first_with_names_and_events(client):
    found = get(client, "/forecast/explain", as_of="2026-02-10", by="stage,owner,customer", cell="month=2026-03").json()
    assert [line["stream"] for line in found["lines"]] == ["deal-large", "deal-small"]
    large = found["lines"][0]
    assert large["title"] == "Usine"
    assert large["names"] == {"owner": "Ana Diallo", "customer": "Acme SARL", "stage": "Offre"}
    assert large["expected_close_on"] == "2026-03-15"
    assert large["events"]["deal-large"] == [7]
    assert sum(line["figures"]["amount_minor"] for line in found["lines"]) == found["figures"]["amount_minor"]


def test_an_explanation_comes_in_pages(client):
    asked = {"as_of": "2026-02-10", "cell": "month=2026-03", "limit": 1}
    first = get(client, "/forecast/explain", **asked).json()
    second = get(client, "/forecast/explain", **asked, offset=1).json()
    assert (first["total"], first["more"], second["more"]) == (2, 1, 0)
    assert [first["lines"][0]["stream"], second["lines"][0]["stream"]] == ["deal-large", "deal-small"]


def test_an_answer_includes_what_was_appended_just_before(client):
    before = get(client, "/pipeline").json()["totals"]["deals"]
    data = {"pipeline": "main", "stage": "talk", "owner": "ana", "title": "Neuf"}
    client.post("/v1/events", json=[{"stream": "deal-new", "type": "deal.opened", "data": data}])
    assert get(client, "/pipeline").json()["totals"]["deals"] == before + 1


def test_a_report_comes_as_a_file_in_every_format(client):
    asked = {"as_of": "2026-02-10", "by": "owner"}
    rows = get(client, "/pipeline", **asked).json()["rows"]
    for form in FORMATS.values():
        answer = get(client, "/pipeline", **asked, format=form.name)
        assert answer.headers["content-type"].partition(";")[0] == form.media_type
        kept = "inline" if form.name in {"json", "svg", "png"} else "attachment"
        assert answer.headers["content-disposition"] == f'{kept}; filename="pipeline-2026-02-10.{form.name}"'
        assert client.get("/v1/reports/pipeline", params=asked, headers={"Accept": form.media_type}).content == (
            answer.content
        )
    read = pq.read_table(io.BytesIO(get(client, "/pipeline", **asked, format="parquet").content))
    assert read.to_pylist() == [{name: row.get(name) for name in read.column_names} for row in rows]
    sheet = openpyxl.load_workbook(io.BytesIO(get(client, "/pipeline", **asked, format="xlsx").content)).worksheets[0]
    assert [row[5] for row in sheet.iter_rows(min_row=2, values_only=True)][:-1] == [
        row["amount_minor"] / 100 for row in rows
    ]


def test_a_csv_for_a_country_speaks_its_language(client):
    answer = get(client, "/pipeline", as_of="2026-02-10", format="csv", locale="fr", lang="en")
    header, first, *_ = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";")
    assert header[3] == "Montant (EUR)"
    assert first[3] == "1200,00"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("text/csv;q=0.5, image/png;q=0.9", "image/png"),
        ("image/*", "image/svg+xml"),
        ("text/csv;q=0, application/json;q=0.1", "application/json"),
        ("moon/cheese", "application/json"),
    ],
)
def test_accept_chooses_among_formats(client, accept, media_type):
    answer = client.get("/v1/reports/pipeline", headers={"Accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert "Accept" in answer.headers["vary"]


def test_openapi_tells_every_format_of_a_report(client):
    told = client.get("/v1/openapi.json").json()["paths"]["/v1/reports/{name}"]["get"]
    assert set(told["responses"]["200"]["content"]) == {form.media_type for form in FORMATS.values()}
    assert "Content-Disposition" in told["responses"]["200"]["headers"]
    (form,) = [each for each in told["parameters"] if each["name"] == "format"]
    assert form["schema"]["enum"] == list(FORMATS)
