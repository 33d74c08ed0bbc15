"""The board pack, read back from its pages: its figures are the reports', its foot proves them."""

from __future__ import annotations

import io
import re
from typing import Any

import pypdf
import pytest

from api.pack import ROLES, gather, gathering, pack, single, tell
from api.pack.sections import SECTIONS, sections
from api.pack.telling import shown_rows
from ledger.errors import BadRequest, Moved, NotFound
from ledger.formats import amount_text, percent_text
from ledger.proof.merkle import EMPTY_ROOT, Frontier
from ledger.times import format_instant
from projections.pairs import Present
from projections.reports import REPORTS, answer
from tests.support import company as companies
from tests.support.book import ZONE, GivenBook, eur

REGISTERED = {each.name for each in REPORTS}


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    given = companies.company(f"sqlite:///{tmp_path_factory.mktemp('company') / 'sales-ledger.db'}")
    yield given
    given.close()


@pytest.fixture
def book(database_url):
    given = GivenBook(database_url)
    yield given
    given.close()


def gathered(book, as_of="2026-05-31", known_at=None, *, role="director", lang="fr", team=None):
    pair = Present(book.ledger.head().stamp, book.ledger.now(), ZONE).pair(as_of, known_at)
    return gather(book.ledger, book.folded(), pair, role=role, lang=lang, team=team)


def read(pages: bytes) -> list[str]:
    """The text of each page, its spaces all alike."""
    return [" ".join(re.split(r"\s+", page.extract_text())) for page in pypdf.PdfReader(io.BytesIO(pages)).pages]


def plain(text: str) -> str:
    return " ".join(re.split(r"\s+", text)).replace("-", "−")


def root_of(book, position: int) -> bytes:
    frontier = Frontier()
    for row in book.ledger.feed_rows(0, position):
        frontier.append(bytes(row[7]))
    return frontier.root()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_page_says_what_it_rests_on(company, role, lang):
    found = gathered(company, role=role, lang=lang)
    pages = read(pack(found, lang))
    root = root_of(company, company.ledger.head().position).hex()
    assert found.root.hex() == root
    dates = "31 mai 2026, tel que connu au 31 mai 2026" if lang == "fr" else "31 May 2026, as known at 31 May 2026"
    assert len(pages) >= 2 + len(found.parts)
    for number, page in enumerate(pages, start=1):
        assert root in page
        assert dates in page
        assert "Lumérys Énergie SAS (main)" in page
        assert f"page {number} / {len(pages)}" in page
    told = tell(found, lang)
    assert f"position {plain(told['position'])} · " in pages[0]
    for each in told["sections"]:
        assert each["title"] in pages[0]
        assert any(page.startswith(each["title"]) for page in pages[1:])


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_figures_are_those_of_the_reports(company, role, lang):
    found = gathered(company, known_at="now", role=role, lang=lang)
    text = " ".join(read(pack(found, lang)))
    checked = 0
    for part in found.parts:
        expected = company.report(part.answer.report, lang=lang, **part.asked)
        assert expected.rows == part.answer.rows
        assert expected.totals == part.answer.totals
        shown = {name.replace("{whose}", part.asked.get("by", "")) for name in part.section.table}
        for row in (*shown_rows(part)[0], expected.totals if part.section.totals else {}):
            for column in expected.columns:
                value = row.get(column.name)
                if value is None or column.name not in shown:
                    continue
                if column.type == "money":
                    assert plain(amount_text(value, column.unit or "", lang)) in text
                    checked += 1
                elif column.type == "ratio" and "_per_" not in column.name:
                    assert plain(percent_text(value, lang)) in text
                    checked += 1
    assert checked > 50


@pytest.mark.parametrize("role", ROLES)
def test_sections_of_reports_that_are_not_registered_are_left_out(company, role, monkeypatch):
    wanted = [each.report for each in sections(role)]
    assert [part.answer.report for part in gathered(company, role=role).parts] == [
        each for each in wanted if each in REGISTERED
    ]
    monkeypatch.setattr(gathering, "REPORTS", tuple(each for each in REPORTS if each.name != "forecast"))
    assert "forecast" not in [part.answer.report for part in gathered(company, role=role).parts]


def test_sections_ask_and_show_what_their_reports_have():
    for section in SECTIONS:
        report = next((each for each in REPORTS if each.name == section.report), None)
        if report is None:
            continue
        there = {each.name for each in report.columns} | set(report.dimensions) | set(report.fixed)
        beside = {f"{prefix}{name}" for name in there for prefix in ("previous_", "change_")}
        assert set(section.table) - there - beside <= {"{whose}"}
        assert section.figure in there | {""}
        assert set(section.asked) <= set(report.parameters)


def test_what_was_learnt_later_shows_only_in_the_restated_pack(book):
    book.deal("d1", "2026-01-05", eur(1_234_56)).won("d1", "2026-02-10", recorded="2026-07-01")
    reported, restated = (
        read(pack(gathered(book, "2026-05-31", known_at, lang="fr"), "fr")) for known_at in (None, "now")
    )
    assert "Telle que connue ce jour-là" in reported[0]
    assert "Retraitée" in restated[0]
    (before,), (after,) = ([page for page in pages if page.startswith("Ventes")] for pages in (reported, restated))
    assert ("1 234,56" in before, "1 234,56" in after) == (False, True)


def test_a_year_that_is_not_over_is_beside_the_same_days_a_year_earlier(book):
    book.deal("d1", "2025-01-05", eur(100)).won("d1", "2025-03-10").deal("d2", "2025-01-05", eur(900))
    book.won("d2", "2025-11-10").deal("d3", "2026-01-05", eur(110)).won("d3", "2026-03-10")
    found = gathered(book, "2026-09-30", known_at="now")
    compared = [part for part in found.parts if "compare" in part.asked]
    assert [part.asked["period"] for part in compared] == ["2026-01-01..2026-09-30"] * 3
    (sales,) = [part.answer for part in compared if part.answer.report == "sales"]
    assert (sales.totals["amount_minor"], sales.totals["previous_amount_minor"]) == (110, 100)
    told = next(each for each in tell(found, "en")["sections"] if each["title"] == sales.title)
    assert told["when"] == "1 January 2026 to 30 September 2026"


def test_a_section_that_shows_only_some_rows_shows_the_largest_of_them_first(book):
    for number in range(30):
        book.deal(f"d{number}", "2026-01-05", eur(100 + number), owner=f"o{number:02}").won(f"d{number}", "2026-02-10")
    found = gathered(book, role="manager", known_at="now")
    (sales,) = [part for part in found.parts if part.answer.report == "sales"]
    most = sales.section.most_rows
    table = next(each for each in tell(found, "fr")["sections"] if each["title"] == sales.answer.title)["table"]
    assert [row[0] for row in table["rows"]] == [f"o{number:02}" for number in range(29, 29 - most, -1)]
    assert table["note"] == f"Les {most} plus grandes lignes sur 30, par\u00a0: Montant"


def test_a_pack_of_a_log_that_has_grown_names_the_position_it_was_read_at(book):
    book.deal("d1", "2026-01-05", eur(100))
    first = gathered(book)
    book.deal("d2", "2026-01-06", eur(200))
    assert gathering.root_at(book.ledger, first.position) == first.root == root_of(book, first.position)
    assert gathering.root_at(book.ledger, 0) == EMPTY_ROOT
    assert gathered(book).position == first.position + 1


def test_a_log_that_never_rests_is_said_so(book, monkeypatch):
    def answer_and_append(store, name, *rest, **more):
        book.deal(f"{name}-{book.ledger.head().position}", "2026-01-06", eur(200)).folded()
        return answer(store, name, *rest, **more)

    monkeypatch.setattr(gathering, "answer", answer_and_append)
    with pytest.raises(Moved, match="make it again"):
        gathered(book)


def test_an_empty_book_has_a_pack(database_url):
    book = GivenBook(database_url, opened=None)
    try:
        pages = read(pack(gathered(book), "fr"))
    finally:
        book.close()
    assert EMPTY_ROOT.hex() in pages[0]
    assert any("Rien à signaler." in page for page in pages)


def test_a_section_without_rows_draws_nothing_where_its_table_would_be(book):
    reader = pypdf.PdfReader(io.BytesIO(pack(gathered(book), "fr")))
    (page,) = [each for each in reader.pages if "Où en est chaque objectif" in each.extract_text()]
    assert "Rien à signaler" in page.extract_text()
    content = pypdf.generic.ContentStream(page.get_contents(), reader)
    assert not {b"f", b"f*"} & {operator for _, operator in content.operations}


@pytest.mark.parametrize(("lang", "said"), [("fr", "Objectifs aucun"), ("en", "Objectives none")])
def test_a_book_without_objectives_has_none_not_0_of_0(book, lang, said):
    assert said in read(pack(gathered(book, lang=lang), lang))[0]


def test_names_are_text_never_markup(book):
    name = '#panic("x") *a* $b$ <c> `d` \\e //f'
    book.person("ana", "2026-01-02", "north", name=name).deal("d1", "2026-01-05", eur(100)).won("d1", "2026-02-10")
    pages = read(pack(gathered(book, role="manager"), "fr"))
    assert any(name in page for page in pages)


def test_the_same_pack_gives_the_same_bytes(company):
    assert pack(gathered(company), "fr") == pack(gathered(company), "fr")


def test_a_pack_of_one_team_holds_that_team_alone(company):
    teams = [row["team"] for row in company.report("sales", by="team", as_of="2026-05-31").rows if row["team"]]
    found = gathered(company, role="manager", team=teams[0])
    (sales,) = [part.answer for part in found.parts if part.answer.report == "sales"]
    expected = company.report("sales", as_of="2026-05-31", period="2026", where=f"team={teams[0]}")
    assert sales.totals["amount_minor"] == expected.totals["amount_minor"]


def test_one_report_is_printed_with_every_column_and_what_proves_it(book):
    book.deal("d1", "2026-01-05", eur(1_234_56), expected_close_on="2026-06-30")
    asked = {"as_of": "2026-05-31", "by": "owner", "where": "owner=ana"}
    answer = book.report("forecast", lang="fr", **asked)
    found = single(book.ledger, answer, asked)
    book.deal("d2", "2026-01-06", eur(200))
    again = single(book.ledger, answer, asked)
    assert found.root == again.root == root_of(book, answer.position)
    first, *_, last = read(pack(again, "fr"))
    assert first.startswith("Prévision des ventes")
    assert "Montants en EUR." in first
    assert "1 234,56" in first
    assert "Montant pondéré" in first
    assert f"replay forecast −−as−of {plain(answer.as_of)} −−by owner" in plain(last)
    assert found.root.hex() in first


def test_what_cannot_be_packed_is_refused(company):
    with pytest.raises(BadRequest, match="director or manager"):
        gathered(company, role="king")
    with pytest.raises(NotFound, match="no team 'moon'"):
        gathered(company, team="moon")


def test_the_pages_are_archivable_and_dated(company):
    found = gathered(company)
    reader: Any = pypdf.PdfReader(io.BytesIO(pack(found, "fr")))
    assert reader.metadata.title == "Tableau de bord des ventes, Lumérys Énergie SAS"
    assert reader.metadata.creation_date.strftime("%Y-%m-%d") == format_instant(found.pair.known_at)[:10]
    assert b"pdfaid" in reader.trailer["/Root"]["/Metadata"].get_data()
