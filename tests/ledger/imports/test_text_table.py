"""Rows of a delimited text file with the text they came from, whatever state the file is in."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.imports import text_table
from ledger.imports.rows import CannotImport


@pytest.fixture
def table(tmp_path):
    def write(content, columns=(), **options):
        path = tmp_path / "deals.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        settings = {"encoding": None, "delimiter": None, "columns": dict.fromkeys(columns, "x"), **options}
        return text_table.open_table(path, **settings)

    return write


def read(table):
    return [(row.line_number, row.fault or row.fields) for row in text_table.rows(table)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_from_the_header(table, delimiter):
    opened = table(f"id{delimiter}value\nA{delimiter}1\n", ["value"])
    assert read(opened) == [(2, ["A", "1"])]


def test_the_delimiter_that_gives_the_wanted_columns_wins(table):
    opened = table("a,b,c;value\n1;2\n", ["value"])
    assert opened.header == ("a,b,c", "value")


def test_excels_own_line_about_the_delimiter_is_not_the_header(table):
    opened = table("sep=;\nid;value\nA;1\n", ["id"])
    assert read(opened) == [(3, ["A", "1"])]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_not_part_of_the_first_column(table, encoding):
    opened = table("id,nom\nA,Élan\n".encode(encoding), ["id"])
    assert (opened.header, read(opened)) == (("id", "nom"), [(2, ["A", "Élan"])])


def test_another_encoding_is_refused_with_its_line_and_the_option_to_set(table):
    content = "id,nom\nA,Elan\nB,Élan\n".encode("cp1252")
    with pytest.raises(CannotImport, match=r'deals.csv line 3 is not UTF-8; say encoding = "cp1252"'):
        table(content)
    assert read(table(content, encoding="cp1252"))[1] == (3, ["B", "Élan"])


def test_a_row_keeps_its_raw_text_quotes_and_line_ends_included(table):
    opened = table('id,note\r\n A ,"two\r\nlines, and ""quotes"""\r\nB,x\r\n')
    first, second = text_table.rows(opened)
    assert (first.line_number, first.text) == (2, ' A ,"two\r\nlines, and ""quotes"""\r\n')
    assert first.fields == ["A", 'two\r\nlines, and "quotes"']
    assert (second.line_number, second.text) == (4, "B,x\r\n")


def test_blank_lines_are_no_rows_but_count_as_lines(table):
    assert read(table("id\n\nA\n\n\nB")) == [(3, ["A"]), (6, ["B"])]


def test_a_ragged_row_has_a_reason(table):
    assert read(table("a,b\n1\n1,2,3\n1,2\n")) == [
        (2, "1 fields where the header has 2"),
        (3, "3 fields where the header has 2"),
        (4, ["1", "2"]),
    ]


def test_a_stray_quotation_mark_costs_its_own_line_only(table):
    numbered = read(table('a,b\n1,"x\n2,y\n3,"z"\n4,w\n'))
    assert [line for line, _ in numbered] == [2, 3, 4, 5]
    assert "not a readable row" in numbered[0][1]
    assert [fields for _, fields in numbered[1:]] == [["2", "y"], ["3", "z"], ["4", "w"]]


def test_a_huge_field_costs_its_own_row_only(table):
    numbered = read(table(f"a,b\n1,{'x' * 200_000}\n2,y\n"))
    assert "field larger than field limit" in numbered[0][1]
    assert numbered[1] == (3, ["2", "y"])


def test_an_endless_line_is_refused_at_once(table):
    with pytest.raises(CannotImport, match="line 2 is longer than 1048576 characters"):
        table("a,b\n" + "x" * 1_100_000)


@pytest.mark.parametrize("content", ["", "\n", "\ufeff", ",,\n"])
def test_an_empty_file_is_refused(table, content):
    with pytest.raises(CannotImport, match=r"deals.csv is empty: its first line must name its columns"):
        table(content)


def test_a_header_alone_has_no_rows(table):
    assert read(table("a,b\n")) == []


def test_a_missing_column_is_refused_with_the_columns_there_are(table):
    with pytest.raises(
        CannotImport, match=r"has no column 'stage', which the mapping reads for x; its columns are: id, value"
    ):
        table("id,value\n", ["id", "stage"])


def test_a_column_that_stands_twice_is_refused_when_it_is_read(table):
    with pytest.raises(CannotImport, match=r"has column 'id' twice"):
        table("id,id\n", ["id"])
    assert table("id,id,x\n", ["x"]).header == ("id", "id", "x")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CannotImport, match=r"cannot read .*none.csv: No such file"):
        text_table.open_table(tmp_path / "none.csv", encoding=None, delimiter=None, columns={})


cells = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=8)
lines_inside = st.sampled_from(["", "\n", "\r\n", '"', ",", ";"])


@given(st.lists(st.tuples(cells, lines_inside, cells).map("".join), min_size=1, max_size=20))
def test_raw_texts_together_are_the_file_and_fields_are_what_was_written(tmp_path_factory, notes):
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(["id", "note"])
    for number, note in enumerate(notes):
        writer.writerow([number, note])
    path = tmp_path_factory.mktemp("table") / "t.csv"
    path.write_text(written.getvalue(), encoding="utf-8", newline="")
    opened = text_table.open_table(path, encoding=None, delimiter=",", columns={"id": "x"})
    found = list(text_table.rows(opened))
    assert "".join(["id,note\n", *(row.text for row in found)]) == written.getvalue()
    assert [row.fields[1] for row in found] == [note.strip() for note in notes]
