"""Rows that are one thing together: an order whose products stand in rows of their own."""

from __future__ import annotations

import pytest

from ledger.imports import groups
from ledger.imports.csv import Produced, Rejected, load, read

MAPPING = """
currency = "EUR"
[[files]]
name = "lignes.csv"
group = "{commande}"
[[files.events]]
type = "deal.won"
id = "{commande}"
effective_at = "{date}"
[files.events.data]
order = "{commande}"
quantity = { from = "{quantité}", total = true }
value = { from = "{montant}", total = true }
[files.events.data.lines.each]
product = { from = "{article}", missing = "omit_all" }
quantity = "{quantité}"
value = "{montant}"
"""
HEADER = "commande;date;article;quantité;montant\n"


@pytest.fixture
def imported(tmp_path):
    def run(rows, mapping=MAPPING):
        (tmp_path / "mapping.toml").write_text(mapping, encoding="utf-8")
        (tmp_path / "lignes.csv").write_text(HEADER + rows, encoding="utf-8")
        return list(read([tmp_path], load(tmp_path / "mapping.toml")))

    return run


def eur(minor):
    return {"minor": minor, "currency": "EUR"}


def test_rows_that_follow_each_other_make_one_event_with_a_line_each_and_their_totals(imported):
    rows = "C1;25/03/2026;pompe;2;1 160,10\nC1;25/03/2026;pose;1,5;85,00\n"
    first, second = imported(rows + "C2;26/03/2026;pompe;1;580,05\n")
    assert first.lines == [
        {
            "stream": "deal-C1",
            "type": "deal.won",
            "effective_at": "2026-03-25",
            "data": {
                "order": "C1",
                "quantity": "3.5",
                "value": eur(124_510),
                "lines": [
                    {"product": "pompe", "quantity": "2", "value": eur(116_010)},
                    {"product": "pose", "quantity": "1.5", "value": eur(8_500)},
                ],
            },
        }
    ]
    assert (first.line_number, first.row_text) == (2, rows)
    assert second.lines[0]["data"]["value"] == eur(58_005)
    assert first.made[0].identity == ("", "lignes.csv", "C1", "deal.won 1")


def test_a_row_that_has_no_item_is_left_out_of_the_list_and_counts_in_the_total(imported):
    (order,) = imported("C1;25/03/2026;pompe;2;100,00\nC1;25/03/2026;;;-10,00\n".replace("-10", "10"))
    assert len(order.lines[0]["data"]["lines"]) == 1
    assert order.lines[0]["data"]["value"] == eur(11_000)


def test_a_list_without_any_item_is_left_out(imported):
    (order,) = imported("C1;25/03/2026;;2;100,00\n")
    assert "lines" not in order.lines[0]["data"]


def test_rows_of_a_group_must_agree_in_what_is_said_of_them_together(imported):
    rejected, good = imported("C1;25/03/2026;a;1;1,00\nC1;26/03/2026;b;1;1,00\nC2;26/03/2026;b;1;1,00\n")
    assert rejected.reason == "the rows of 'C1' differ in column date, which is read for all of them together"
    assert rejected.row_text.count("\n") == 2
    assert isinstance(good, Produced)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("C1;25/03/2026;pose;1\n", "line 3: 4 fields where the header has 5"),
        ("C1;25/03/2026;pose;1;cher\n", "deal.won: value: 'cher' is not a number"),
        ("C1;25/03/2026;pose;;1,00\n", "deal.won: lines: quantity: column quantité is empty"),
    ],
)
def test_a_bad_row_rejects_its_whole_group_and_no_other(imported, bad, reason):
    one, other = "C1;25/03/2026;pompe;2;1,00\n", "C2;25/03/2026;pompe;2;1,00\n"
    rejected, good = imported(one + bad + other)
    assert isinstance(rejected, Rejected)
    assert (rejected.row_text, rejected.reason) == (one + bad, reason)
    assert isinstance(good, Produced)


def test_a_row_that_cannot_be_read_casts_doubt_on_the_groups_beside_it(imported):
    """It may have belonged to either, and an order is not to be stored without one of its lines."""
    good = [f"C{number};25/03/2026;pompe;2;1,00\n" for number in range(4)]
    stray = 'C"1";"25"/03/2026;po\n'
    results = imported(good[0] + good[1] + stray + good[2] + good[3])
    assert [type(result) for result in results] == [Produced, Rejected, Rejected, Rejected, Produced]
    assert results[2].row_text == stray
    assert {results[1].reason, results[3].reason} == {"line 4 cannot be read, and may belong to it"}


def test_a_row_without_key_such_as_a_grand_total_is_rejected_alone(imported):
    rows = "C1;25/03/2026;pompe;2;1,00\n;;;;\nC1;25/03/2026;pose;1;1,00\nTotal;;\n".replace("Total;;", ";;;3;2,00")
    results = imported(rows)
    assert [type(result) for result in results] == [Rejected, Rejected, Produced]
    assert results[0].reason == "column commande is empty"
    assert len(results[2].lines[0]["data"]["lines"]) == 2


def test_rows_of_a_group_that_stand_apart_are_refused_with_what_to_do(imported):
    row = "C1;25/03/2026;{};2;1,00\n"
    first, _, rejected = imported(row.format("a") + row.format("a").replace("C1", "C2") + row.format("b"))
    assert isinstance(first, Produced)
    wanted = "rows of 'C1' already stood at lignes.csv line 2; sort the file so that they stand together"
    assert rejected.reason == wanted


def test_amounts_in_two_currencies_are_not_added_up(imported):
    mapping = MAPPING.replace(
        'value = { from = "{montant}", total = true }',
        'value = { from = "{montant}", total = true, currency = "{article}" }',
    )
    (rejected,) = imported("C1;25/03/2026;EUR;2;1,00\nC1;25/03/2026;USD;2;1,00\n", mapping)
    assert "the rows are in EUR and USD, which cannot be added up" in rejected.reason


def test_a_group_has_an_end(imported, monkeypatch):
    monkeypatch.setattr(groups, "MAX_ROWS", 3)
    results = imported("C1;25/03/2026;pompe;2;1,00\n" * 9 + "C2;25/03/2026;pompe;2;1,00\n")
    assert [type(result) for result in results] == [Rejected] * 3 + [Produced]
    assert {result.reason for result in results[:3]} == {"more than 3 rows have 'C1' in common"}
    assert sum(result.row_text.count("\n") for result in results) == 10
