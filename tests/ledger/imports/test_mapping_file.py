"""A wrong mapping is one clear error that says what to do."""

from __future__ import annotations

import pytest

from ledger.imports.mapping_file import load
from ledger.imports.rows import CannotImport

DEAL = """
[[files]]
name = "deals.csv"

[[files.events]]
type = "deal.opened"
id = "{id}"
effective_at = "{opened}"
data = { pipeline = "sales", stage = "new", owner = "ana", title = "{id}" }
"""


EVENT = """
currency = "EUR"
[aliases.kinds]
"Appel" = "cal"
[[files]]
name = "export.csv"
[[files.events]]
type = "%s"
id = "{id}"
effective_at = "{on}"
data = { %s }
"""
INTERACTION = 'direction = "in", customer = "{c}", '


def with_value(value):
    return DEAL.replace('title = "{id}"', f'title = "{{id}}", value = {value}')


@pytest.fixture
def mapping(tmp_path):
    def write(text):
        path = tmp_path / "mapping.toml"
        path.write_text(text, encoding="utf-8")
        return load(path)

    return write


def test_a_small_mapping_is_enough(mapping):
    (rule,) = mapping(DEAL).files
    (event,) = rule.events
    assert (rule.name, event.type, event.stream_kind, event.once) == ("deals.csv", "deal.opened", "deal", False)


def test_settings_at_the_top_hold_for_every_file_that_says_nothing_else(mapping):
    loaded = mapping(
        'delimiter = ";"\ndecimal = ","\n'
        + DEAL
        + '[[files]]\nname = "x.csv"\ndelimiter = "|"\n'
        + DEAL.split("\n", 3)[3]
    )
    assert [(rule.delimiter, rule.formats.decimal) for rule in loaded.files] == [(";", ","), ("|", ",")]


def test_dates_and_instants_of_toml_become_text(mapping):
    loaded = mapping(
        '[[before]]\nstream = "team-north"\ntype = "team.created"\neffective_at = 2016-10-01\ndata = { name = "North" }\n'
        '[[before]]\nstream = "team-north"\ntype = "team.closed"\neffective_at = 2017-10-01T10:00:00+02:00\n' + DEAL
    )
    assert [line["effective_at"] for line in loaded.before] == ["2016-10-01", "2017-10-01T08:00:00.000000Z"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"nothing to import: add a \[\[files\]\]"),
        ("files = 3", r"files must be a list; write \[\[files\]\]"),
        ("[files", r"the mapping mapping.toml is not TOML: "),
        (
            DEAL.replace("type =", "typo ="),
            r"files\[1\] \(deals.csv\) events\[1\] has an unknown key 'typo'; did you mean",
        ),
        ('source = ""\n' + DEAL, r"source is a short name: 1 to 64 printable characters"),
        (
            '[[before]]\nstream = "team-n"\ntype = "team.created"\neffective_at = "2016-02-30"\ndata = {name = "N"}\n'
            + DEAL,
            r"before\[1\] \(team.created\): the date 2016-02-30 does not exist",
        ),
        ("colour = 1\n" + DEAL, r"the mapping has an unknown key 'colour'; it knows "),
        (DEAL.replace('name = "deals.csv"', ""), r"files\[1\] lacks name"),
        (DEAL.replace("deal.opened", "deal.opend"), r"no event type 'deal.opend'; did you mean deal.opened\?"),
        (DEAL.replace("deal.opened", "zzz"), r"no event type 'zzz'; the types are book.history_closed, book.opened"),
        (DEAL.replace("deal.opened", "event.retracted"), r"rows make what happened, not corrections"),
        (DEAL.replace('id = "{id}"', "", 1), r"\(deal.opened\): say which deal: add id"),
        (DEAL.replace('effective_at = "{opened}"', ""), r"say when it happened: add effective_at"),
        (DEAL.replace("owner =", "oner ="), r"data has an unknown key 'oner'; did you mean owner\?"),
        (DEAL.replace('owner = "ana", ', ""), r"data lacks owner, which every deal.opened has"),
        (with_value("1.5"), r"data.value: 1.5 cannot be stored exactly"),
        (with_value('{ from = "{v}", as = "euros" }'), r"as is one of text, integer, decimal, money, "),
        (with_value('{ from = "{v}", as = "money" }'), r"say which currency"),
        (with_value('{ from = "{v}", as = "money", currency = "EURO" }'), r"'EURO' is not a currency"),
        (
            DEAL.replace('title = "{id}"', 'title = { from = "{id}", currency = "EUR" }'),
            r'currency belongs to money; add as = "money"',
        ),
        (with_value("{ from = 3 }"), r"from must be text with columns in braces"),
        (
            with_value('{ from = "{v}", missing = "skip" }'),
            r'missing is "reject", "omit" or "omit_all"; for another value use else',
        ),
        (EVENT % ("customer.churned", "reason = 3"), r"data.reason takes text, not 3"),
        (EVENT % ("customer.churned", 'reason = "Trop cher"'), r"data.reason must be a code: .*, not 'Trop cher'"),
        (EVENT % ("product.retired", 'reason = "{r}"'), r"data has an unknown key 'reason'; it knows none"),
        (EVENT % ("product.changed", 'unit_price = "12"'), r"data.unit_price takes money: .*, not '12'"),
        (
            EVENT % ("product.changed", 'unit_price = { from = "{p}", as = "decimal" }'),
            r"data.unit_price takes money: .*, and a column read as decimal is none",
        ),
        (EVENT % ("deal.won", 'lines = "{l}"'), r"data.lines takes a list, and a column read as text is none"),
        (
            EVENT % ("deal.won", 'lines = [{ product = "{p}", qty = "1", value = "{v}" }]'),
            r"data.lines\[1\] has an unknown key 'qty'; it knows margin, product, quantity, value",
        ),
        (
            EVENT % ("deal.won", 'lines = [{ product = "{p}", quantity = "1,5", value = "{v}" }]'),
            r"data.lines\[1\].quantity must be a decimal string such as .*, not '1,5'",
        ),
        (
            EVENT % ("deal.won", 'lines = { each = { product = "{p}", quantity = "1", value = "{v}" } }'),
            r"data.lines: each makes an item of each row of a group; say group for the file",
        ),
        (
            EVENT % ("deal.won", 'value = { from = "{v}", total = true }'),
            r"data.value: total adds up the numbers of a group's rows; say group for the file",
        ),
        (
            EVENT % ("interaction.logged", INTERACTION + 'kind = { from = "{k}", values = "kinds" }'),
            r"data.kind: what the aliases make of 'Appel' takes one of call, email, .*, not 'cal'",
        ),
        (
            EVENT
            % ("interaction.logged", INTERACTION + 'kind = "call", satisfaction = { scale = "nsp", score = "{n}" }'),
            r"data.satisfaction.scale takes one of nps, csat, ces, not 'nsp'",
        ),
        (
            EVENT % ("interaction.logged", INTERACTION + 'kind = "call", satisfaction = { scale = "nps" }'),
            r"data.satisfaction lacks score, which it has",
        ),
        (
            EVENT % ("interaction.logged", INTERACTION + 'kind = "call", satisfaction = "{n}"'),
            r"data.satisfaction takes { scale, score }, and a column read as text is none",
        ),
        (
            EVENT
            % (
                "objective.set",
                'metric = "amount", scope = { company = true }, target = "{t}", period = { from = "{d}" }',
            ),
            r"data.period lacks to, which it has",
        ),
        (
            EVENT % ("customer.reclassified", 'country = "fr", attributes = { Taille = "{t}" }'),
            r"attributes must be keyed by names such as shoe_size, not 'Taille'",
        ),
        (
            DEAL.replace("[[files.events]]", 'unique = "{id}"\ngroup = "{id}"\n[[files.events]]'),
            r"leave out unique or group",
        ),
        (with_value('{ from = "{v}", values = "x" }'), r"values names 'x', but the mapping has only: none"),
        (with_value('{ from = "{v}", id = "x" }'), r"id names 'x', but the mapping has only: none"),
        (
            with_value('{ from = "{v}", lookup = "x" }'),
            r"lookup \(a table\) and take \(one of its columns\) go together",
        ),
        (with_value('{ from = { from = "{v}", else = "1" } }'), r"value from has an unknown key 'else'"),
        ('[aliases]\nproducts = ["x"]\n' + DEAL, r"aliases.products must be pairs of text"),
        ('[tables.x]\nfile = "x.csv"\n' + DEAL, r"tables.x lacks key"),
        ('[tables.x]\nfile = "x.csv"\nkey = "k"\nids = "hash"\n' + DEAL, r'ids is "number" or "slug", not \'hash\''),
        ('encoding = "utf-9"\n' + DEAL, r"unknown encoding 'utf-9'"),
        ('delimiter = ";;"\n' + DEAL, r"delimiter must be one character"),
        ('decimal = "comma"\n' + DEAL, r'decimal is "," or ".", not \'comma\''),
        ('dates = "ymd"\n' + DEAL, r'dates is "dmy" or "mdy"'),
        ('time_zone = "Paris"\n' + DEAL, r"unknown time zone 'Paris'"),
        (DEAL + "when = { stage = 3 }", r'when compares text: stage = "Won"'),
        (DEAL + 'once = "yes"', r"once is true or false"),
        ('[[before]]\nstream = "book"\n' + DEAL, r"before\[1\] lacks type"),
        (
            '[[before]]\nstream = "deal-1"\ntype = "book.opened"\neffective_at = 2016-10-01\n' + DEAL,
            r"book.opened does not belong on a deal stream",
        ),
        (
            '[[before]]\nstream = "team-n"\ntype = "team.created"\neffective_at = 2016-10-01\ndata = {nme = "N"}\n'
            + DEAL,
            r"before\[1\] \(team.created\): data of team.created: .*unknown field `nme`",
        ),
        (
            '[[before]]\nstream = "team-n"\ntype = "team.created"\neffective_at = 2016-10-01T09:00:00\n' + DEAL,
            r"has no time zone; write 2016-10-01T09:00:00Z",
        ),
    ],
)
def test_a_wrong_mapping_says_where_and_what_to_do(mapping, text, message):
    with pytest.raises(CannotImport, match=message) as raised:
        mapping(text)
    assert "\n" not in str(raised.value)


def test_a_mapping_that_is_not_there_or_not_text_is_refused(tmp_path):
    with pytest.raises(CannotImport, match=r"cannot read the mapping .*: No such file"):
        load(tmp_path / "none.toml")
    binary = tmp_path / "mapping.toml"
    binary.write_bytes(b"\xff\x00\x81")
    with pytest.raises(CannotImport, match="is not UTF-8"):
        load(binary)
