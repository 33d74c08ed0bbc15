"""CSV files to event lines, by a mapping file."""

from __future__ import annotations

import re
import tracemalloc

import msgspec
import pytest

from ledger.imports.csv import CannotImport, Produced, Rejected, load, read
from ledger.lines import read as read_line

MAPPING = """
currency = "EUR"

[aliases.products]
"Bac" = "Bac acier"

[aliases.stages]
"Ouverte" = "new"
"Gagnée" = "new"

[tables.people]
file = "equipes.csv"
key = "commercial"
prefix = "p-"

[tables.offices]
file = "equipes.csv"
key = "agence"
ids = "slug"

[[files]]
name = "equipes.csv"
unique = "{commercial}"

[[files.events]]
type = "team.created"
once = true
id = { from = "{agence}", id = "offices" }
effective_at = 2020-01-01
data = { name = "{agence}" }

[[files.events]]
type = "person.joined"
id = { from = "{commercial}", id = "people" }
effective_at = 2020-01-01
data = { name = "{commercial}", role = "rep", team = { from = "{agence}", id = "offices" } }

[[files]]
name = "ventes*.csv"
alias = { produit = "products" }
unique = "{ref}"

[[files.events]]
type = "deal.opened"
id = "{ref}"
effective_at = "{ouverte le}"

[files.events.data]
pipeline = "sales"
stage = { from = "{statut}", values = "stages" }
owner = { from = "{commercial}", id = "people" }
title = "{produit}, {ref}"
region = { from = { from = "{commercial}", lookup = "people", take = "agence" }, id = "offices" }
customer = { from = "{client}", missing = "omit" }
expected_close_on = { from = "{close le}", as = "date", else = "2030-12-31" }

[[files.events]]
type = "deal.won"
id = "{ref}"
when = { statut = "Gagnée" }
unless = { "close le" = "" }
effective_at = "{close le}"
data = { value = { from = "{montant}", as = "money" } }
"""
TEAMS = "commercial;agence\nZoé Élan;Lyon\nBob;Lyon\nCid;Orléans\n"
HEADER = "ref;commercial;client;produit;statut;ouverte le;close le;montant\n"


@pytest.fixture
def imported(tmp_path):
    def run(rows, *, mapping=MAPPING, header=HEADER, teams=TEAMS):
        (tmp_path / "mapping.toml").write_text(mapping, encoding="utf-8")
        (tmp_path / "equipes.csv").write_text(teams, encoding="utf-8")
        (tmp_path / "ventes.csv").write_text(header + rows, encoding="utf-8", newline="")
        results = read([tmp_path / "ventes.csv", tmp_path / "equipes.csv"], load(tmp_path / "mapping.toml"))
        return [result for result in results if result.path.name == "ventes.csv" or teams is not TEAMS]

    return run


def test_one_row_makes_several_events_in_order(imported):
    (row,) = imported("D1;Bob;Acme;Bac;Gagnée;25/12/2019;31/12/2020;1 234,50 €\n")
    assert row.lines == [
        {
            "stream": "deal-D1",
            "type": "deal.opened",
            "effective_at": "2019-12-25",
            "data": {
                "pipeline": "sales",
                "stage": "new",
                "owner": "p-2",
                "title": "Bac acier, D1",
                "region": "lyon",
                "customer": "Acme",
                "expected_close_on": "2020-12-31",
            },
        },
        {
            "stream": "deal-D1",
            "type": "deal.won",
            "effective_at": "2020-12-31",
            "data": {"value": {"minor": 123450, "currency": "EUR"}},
        },
    ]


def test_what_is_missing_is_left_out_or_replaced_as_the_mapping_says(imported):
    (row,) = imported("D1;Bob;;Bac;Ouverte;25/12/2019;;\n")
    (opened,) = row.lines
    assert "customer" not in opened["data"]
    assert opened["data"]["expected_close_on"] == "2030-12-31"


def test_files_come_in_the_mappings_order(imported):
    results = imported("D1;Bob;;Bac;Ouverte;25/12/2019;;\n", teams=TEAMS + "\n")
    made = dict.fromkeys(line["stream"] for result in results for line in result.lines)
    assert list(made) == ["team-lyon", "person-p-1", "person-p-2", "team-orleans", "person-p-3", "deal-D1"]


def test_what_is_said_once_of_a_thing_is_known_by_the_thing_and_all_else_by_its_row(imported):
    first, second, _ = imported("", teams=TEAMS + "\n")
    team, person = first.made
    assert team.identity == second.made[0].identity == ("", "once", "team-lyon", "team.created")
    assert (team.once, person.once) == (True, False)
    assert person.identity == ("", "equipes.csv", "Zoé Élan", "person.joined 1")
    assert second.made[1].identity != person.identity


def test_a_row_without_unique_is_known_by_its_text(imported):
    mapping = MAPPING.replace('unique = "{ref}"', "")
    row = "D1;Bob;;Bac;Ouverte;25/12/2019;;"
    first, again, other = imported(f"{row}\r\n{row}\n{row.replace('Bac', 'Seau')}\n", mapping=mapping)
    assert first.made[0].identity == again.made[0].identity == ("", "ventes*.csv", row, "deal.opened 1")
    assert other.made[0].identity != first.made[0].identity


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("D1;Bob;;Bac;Ouverte;;;", "deal.opened effective_at: column ouverte le is empty"),
        ("D1;Bob;;Bac;Ouverte;31/02/2019;;", "deal.opened effective_at: .*2019-02-31 does not exist"),
        ("D1;Bob;;Bac;Perdue;25/12/2019;;", "deal.opened: stage: 'Perdue' is not one of: Gagnée, Ouverte"),
        ("D1;Eve;;Bac;Ouverte;25/12/2019;;", "owner: 'Eve' is not in column commercial of equipes.csv"),
        ("D1;Bob;;Bac;Gagnée;25/12/2019;26/12/2019;1,005", "deal.won: value: '1,005' has more than the 2 decimals"),
        ("D1;Bob;;Bac;Gagnée;25/12/2019;26/12/2019;-1,00", "deal.won: value: '-1,00' is negative"),
        ("D1;Bob;;Bac;Gagnée;25/12/2019;26/12/2019;", "deal.won: value: column montant is empty"),
        ("D 1;Bob;;Bac;Ouverte;25/12/2019;;", "deal.opened id: 'D 1' cannot be an id"),
        (f"{'D' * 10_000};Bob;;Bac;Ouverte;25/12/2019;;", "cannot be an id: 1 to 64"),
        ("D1;Bob;;Bac;Ouverte;25/12/2019", "6 fields where the header has 8"),
        ('D1;"Bo"b;;Bac;Ouverte;25/12/2019;;', "not a readable row"),
    ],
)
def test_a_wrong_row_is_rejected_whole_with_its_text_line_and_reason(imported, row, reason):
    good = "D2;Bob;;Bac;Ouverte;25/12/2019;;12,5\r\n"
    rejected, produced = imported(f"{row}\r\n{good}")
    assert isinstance(rejected, Rejected)
    assert (rejected.line_number, rejected.row_text) == (2, row + "\r\n")
    assert re.search(reason, rejected.reason)
    assert isinstance(produced, Produced)
    assert (produced.line_number, produced.row_text) == (3, good)


def test_a_repeated_id_is_rejected_with_the_place_of_the_first(imported):
    row = "D1;Bob;;Bac;Ouverte;25/12/2019;;\n"
    _, rejected = imported(row + row.replace("Bac", "Seau"))
    assert rejected.reason == "'D1' was already read at ventes.csv line 2, with other content; it must be unique"


def test_a_row_that_stands_twice_is_left_to_be_recognised_by_its_identity(imported):
    row = "D1;Bob;;Bac;Ouverte;25/12/2019;;\n"
    first, again = imported(row + row)
    assert first.made == again.made


def test_a_rejected_row_does_not_take_its_id(imported):
    rejected, produced = imported("D1;Bob;;Bac;Ouverte;;;\nD1;Bob;;Bac;Ouverte;25/12/2019;;\n")
    assert isinstance(rejected, Rejected)
    assert isinstance(produced, Produced)


def test_a_row_to_which_no_event_applies_is_rejected_not_dropped(imported):
    only_wins = MAPPING.replace(
        'effective_at = "{ouverte le}"', 'effective_at = "{ouverte le}"\nwhen = { statut = "Ouverte" }'
    )
    (rejected,) = imported("D1;Bob;;Bac;Autre;25/12/2019;;\n", mapping=only_wins)
    assert rejected.reason == "no event of the mapping applies to this row (see when and unless)"


def test_the_columns_of_the_whole_file_settle_what_one_row_leaves_open(imported):
    first, second = imported("D1;Bob;;Bac;Ouverte;03/04/2019;;\nD2;Bob;;Bac;Ouverte;25/12/2019;;\n")
    assert [row.lines[0]["effective_at"] for row in (first, second)] == ["2019-04-03", "2019-12-25"]


def test_a_quoted_line_break_stays_in_the_value_and_in_the_raw_text(imported):
    text = 'D1;Bob;"Ac\nme";Bac;Ouverte;25/12/2019;;\n'
    first, second = imported(text + "D2;Bob;;Bac;Ouverte;25/12/2019;;\n")
    assert first.lines[0]["data"]["customer"] == "Ac\nme"
    assert (first.row_text, second.line_number) == (text, 4)


ORDERS = """
currency = "EUR"
[tables.contacts]
file = "commandes.csv"
key = "{client} / {contact}"
prefix = "c-"
[[files]]
name = "commandes.csv"
[[files.events]]
type = "contact.added"
id = "{client}"
effective_at = 2026-01-01
[files.events.data]
contact = { from = "{client} / {contact}", id = "contacts", missing = "omit_all" }
name = { from = "{contact}", missing = "omit_all" }
role = { from = "{fonction}", missing = "omit" }
[[files.events]]
type = "deal.won"
id = "{ref}"
effective_at = "{date}"
[files.events.data]
value = { from = "{total}", missing = "omit" }
lines = [
    { product = { from = "{p1}", as = "slug", missing = "omit_all" }, quantity = "{q1}", value = "{m1}" },
    { product = { from = "{p2}", as = "slug", missing = "omit_all" }, quantity = "{q2}", value = "{m2}" },
]
[[files.events]]
type = "interaction.logged"
id = { from = "{enquête}", missing = "omit_all" }
effective_at = "{date}"
[files.events.data]
kind = "survey"
direction = "in"
customer = "{client}"
satisfaction = { scale = "nps", score = { from = "{note}", missing = "omit_all" } }
"""
ORDERS_HEADER = "ref;client;contact;fonction;date;total;p1;q1;m1;p2;q2;m2;enquête;note\n"


@pytest.fixture
def ordered(tmp_path):
    def run(rows, encoding="utf-8", settings=""):
        (tmp_path / "mapping.toml").write_text(settings + ORDERS, encoding="utf-8")
        (tmp_path / "commandes.csv").write_bytes((ORDERS_HEADER + rows).encode(encoding))
        return list(read([tmp_path], load(tmp_path / "mapping.toml")))

    return run


def test_products_in_several_columns_are_as_many_lines_as_there_are(ordered):
    both, one, none = ordered(
        "V1;a;;;25/03/2026;30,00;Bac acier;2;20,00;Pose;1,5;10,00;;\n"
        "V2;a;;;25/03/2026;30,00;Bac acier;2;30,00;;;;;\nV3;a;;;25/03/2026;30,00;;;;;;;;\n"
    )
    lines = [row.lines[0]["data"].get("lines") for row in (both, one, none)]
    assert lines[0] == [
        {"product": "bac-acier", "quantity": "2", "value": {"minor": 2_000, "currency": "EUR"}},
        {"product": "pose", "quantity": "1.5", "value": {"minor": 1_000, "currency": "EUR"}},
    ]
    assert [each["product"] for each in lines[1]] == ["bac-acier"]
    assert lines[2] is None


def test_a_product_without_its_amount_rejects_the_row(ordered):
    (rejected,) = ordered("V1;a;;;25/03/2026;30,00;Bac acier;2;;;;;;\n")
    assert rejected.reason == "deal.won: lines: value: column m1 is empty"


def test_what_stands_on_something_missing_is_left_out_whole_an_event_too(ordered):
    with_note, without = ordered(
        "V1;a;;;25/03/2026;30,00;;;;;;;E1;9\nV2;a;Zoé;Directrice d'usine;25/03/2026;30,00;;;;;;;E2;\n"
    )
    assert [line["type"] for line in with_note.lines] == ["deal.won", "interaction.logged"]
    assert with_note.lines[1]["data"]["satisfaction"] == {"scale": "nps", "score": 9}
    contact, _, survey = without.lines
    assert contact["data"] == {"contact": "c-1", "name": "Zoé", "role": "directrice_d_usine"}
    assert "satisfaction" not in survey["data"]


def test_people_of_the_same_name_at_two_customers_are_two(ordered):
    rows = [f"V{n};{client};Jean Roy;;25/03/2026;1,00;;;;;;;;\n" for n, client in enumerate("aba")]
    contacts = [row.lines[0]["data"]["contact"] for row in ordered("".join(rows))]
    assert contacts == ["c-1", "c-2", "c-1"]


def test_a_file_as_a_french_spreadsheet_saved_it_years_ago_is_read(ordered):
    """Windows' own encoding, line ends and no-break spaces, semicolons, decimal commas, a break within a name."""
    rows = 'V1;a;"Zoé\nDupré";;03/04/2026;1\xa0234,50\xa0€;Bac;2;1\xa0234,50;;;;;\r\n'
    (row,) = ordered(rows, encoding="cp1252", settings='encoding = "cp1252"\ndates = "dmy"\n')
    assert row.lines[0]["data"]["name"] == "Zoé\nDupré"
    assert row.lines[1]["effective_at"] == "2026-04-03"
    assert row.lines[1]["data"]["value"] == {"minor": 123_450, "currency": "EUR"}
    assert row.raw == rows.encode("cp1252")


def test_the_source_of_the_mapping_stands_on_every_line(imported):
    (row,) = imported("D1;Bob;;Bac;Ouverte;25/12/2019;;\n", mapping='source = "crm"\n' + MAPPING)
    assert {line["source"] for line in row.lines} == {"crm"}


def test_a_missing_column_stops_the_import_before_its_first_row(imported):
    with pytest.raises(CannotImport, match=r"ventes.csv has no column 'montant'.*its columns are: ref, commercial"):
        imported("", header=HEADER.replace("montant", "valeur"))


def test_two_names_that_would_share_an_id_stop_the_import(imported):
    with pytest.raises(CannotImport, match=r"'Orléans' and 'Orleans' both make the id 'orleans'"):
        imported("", teams=TEAMS + "Dan;Orleans\n")


def test_a_lookup_with_several_answers_is_rejected(imported):
    results = imported("D1;Bob;;Bac;Ouverte;25/12/2019;;\n", teams=TEAMS + "Bob;Orléans\n")
    reasons = [result.reason for result in results if isinstance(result, Rejected)]
    assert reasons == [
        "'Bob' was already read at equipes.csv line 3, with other content; it must be unique",
        "deal.opened: region: 'Bob' has several values of agence in equipes.csv",
    ]


def test_a_file_the_mapping_does_not_know_is_refused(imported, tmp_path):
    imported("")
    mapping = load(tmp_path / "mapping.toml")
    (tmp_path / "autre.csv").write_text("a\n")
    with pytest.raises(CannotImport, match=r"says nothing of autre.csv; it knows equipes.csv, ventes\*.csv"):
        read([tmp_path / "autre.csv"], mapping)


def test_a_file_the_mapping_needs_must_be_given(imported, tmp_path):
    imported("")
    with pytest.raises(CannotImport, match=r"the mapping needs equipes.csv, which is not among the files given"):
        read([tmp_path / "ventes.csv"], load(tmp_path / "mapping.toml"))


def test_in_a_folder_only_the_mappings_files_are_read(imported, tmp_path):
    imported("D1;Bob;;Bac;Ouverte;25/12/2019;;\n")
    (tmp_path / "ventes 2.csv").write_text(HEADER + "D2;Bob;;Bac;Ouverte;25/12/2019;;\n", encoding="utf-8")
    names = [result.path.name for result in read([tmp_path], load(tmp_path / "mapping.toml"))]
    assert names == ["equipes.csv"] * 3 + ["ventes 2.csv", "ventes.csv"]


def test_every_line_is_an_event_the_ledger_knows(imported):
    results = imported("D1;Bob;Acme;Bac;Gagnée;25/12/2019;31/12/2020;12,5\n", teams=TEAMS + "\n")
    for line in (line for result in results for line in result.lines):
        assert read_line(msgspec.json.encode(line), history=True).stream == line["stream"]


def test_memory_does_not_grow_with_the_file(tmp_path):
    (tmp_path / "mapping.toml").write_text(
        '[[files]]\nname = "d.csv"\nunique = "{id}"\n[[files.events]]\ntype = "deal.assigned"\nid = "{id}"\n'
        'effective_at = "{on}"\ndata = { owner = "ana" }\n'
    )
    with (tmp_path / "d.csv").open("w") as stream:
        stream.write("id,on,note\n")
        stream.writelines(f"D{number},2019-01-01,{'x' * 200}\n" for number in range(20_000))
    tracemalloc.start()
    try:
        count = sum(isinstance(result, Produced) for result in read([tmp_path], load(tmp_path / "mapping.toml")))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 3_500_000  # of which the bounded caches of ids and days are about two thirds; the file has 4,400,000
