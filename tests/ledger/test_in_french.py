"""The French of what the ledger says no with: complete, with the same values, and nothing in it that nobody says."""

from __future__ import annotations

import re
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.in_french import CATALOGUE, NO_BREAK, in_french, in_language, template
from tests.support.said import sites, texts

TABLES = tomllib.loads(CATALOGUE.read_text("utf-8"))
TEXTS = {english: french for name, table in TABLES.items() if name != "words" for english, french in table.items()}

MADE_ELSEWHERE = {
    "api/routes/commands.py: str(conflict)": "deal-1 is at version 2, not 1; read it again and decide anew",
    "api/routes/streams.py: str(refused)": "'x' is not a stream; streams are book, deal-…",
    "ledger/bulk.py: str(outcome)": "deal-1 has moved on; read it again and decide anew",
    "ledger/imports/appending.py: each.outcome.row.reason": "deal.opened: value: column price is empty",
    "ledger/imports/appending.py: str(outcome)": "deal-1 has moved on; read it again and decide anew",
    "ledger/imports/csv.py: row.fault": "3 fields where the header has 4",
    "ledger/imports/field_types.py: str(refused)": "amount must be a text of 1 to 200 characters, not ''",
    "ledger/imports/text_table.py: _not_decodable(path, chosen)": (
        'deals.csv line 7 is not UTF-8; say encoding = "cp1252" (Windows), or the one it was saved in, in the mapping'
    ),
    "ledger/log/storing.py: reply.message": "deal-1 has moved on; read it again and decide anew",
    "ledger/log/storing.py: replies.failure": "the disk of a.db is full or failing; free some space and try again (full)",
    "ledger/privacy/key_file.py: self._missing()": (
        "the key store a.db is missing, and without it what is personal in this database cannot be opened: put it back,"
        " or name its folder with LEDGER_TRUST_DIR"
    ),
}
"""Errors whose message cannot be seen where they are raised, each with one that it may be given."""

PUT_TOGETHER = [
    "attributes must be at most 32 pairs, not '40 of them'",
    "scope must be exactly one of company, team, person, not 'none of them'",
    "probability_bp must be basis points from 0 to 10000, not 10001",
    "month must be a month from 1 to 12, not 13",
    "days must be a number of days from 1 to 36500, not 0",
    "count must be a count from 0 to 1,000,000,000,000, not -1",
    "minutes must be a number of minutes from 0 to 100000, not -1",
    "score must be a score from 0 to 10, not 11",
    "value.minor must be at most 1,000,000,000,000 minor units, not 1000000000001",
    "position 3: the log has 1 event",
    "position 3: the log has 2 events",
    (
        "the key store a.db is missing, and without it what is personal in this database cannot be opened; b.db there"
        " belongs to another database: put it back, or name its folder with LEDGER_TRUST_DIR"
    ),
    "files[1] (a.csv) events[1] (book.opened): the book has no id; leave it out",
    "files[1] (a.csv) events[1] (deal.opened): say which deal: add id",
    'a.csv is not UTF-8; say encoding = "cp1252" (Windows), or the one it was saved in, in the mapping',
    ("'31/02/2026': the date 2026-02-31 does not exist (read as dmy: day and month may be the other way round)"),
    "customer-1: customer.registered says segment 'a'; a.csv line 2 said nothing of it",
    "customer-1: customer.registered says segment 'a'; a.csv line 2 said 'b', which stays",
]
"""Messages, and values of messages, that the source puts together of several texts."""

TOLD = [
    f"{count} {verb}{where}"
    for count in ("0 events", "1 event", "1,200 events")
    for verb, places in (("would be appended", [""]), ("appended", ["", " at position 3", " from position 3 to 1,202"]))
    for where in places
    if (count == "0 events") <= (not where) and (count == "1 event") <= ("from" not in where)
] + [
    "1 already known",
    "2 already known",
    "1 duplicate in the file",
    "2 duplicates in the file",
    "1 described otherwise than before",
    "2 described otherwise than before",
    *(
        f"{some}{where}"
        for some in ("1 line", "2 lines", "1 row", "2 rows")
        for where in (" refused", " refused (see a)")
    ),
    "1,220 lines refused (1,200 not shown; keep them with --rejects FILE)",
    "1,220 rows refused (1,200 not shown; keep them with --rejects FILE)",
]
"""What a summary of `append` and `import` is made of (`ledger.cli.tally`)."""

OF_OTHERS = {"outside", "http"}
"""Tables with what packages and the system say."""


def blank(english: str) -> str:
    return re.sub(r"\{[nw]\}", "{}", english)


def values(text: str) -> list[int]:
    return sorted(int(number) for number in re.findall(r"\{(\d)(?::\w+)?\}", text))


def test_every_error_of_the_source_has_a_french_text_and_no_text_is_left_over():
    assert {site.template for site in sites() if site.template is not None} == TABLES["errors"].keys()


def test_errors_whose_message_cannot_be_seen_are_listed_each_with_an_example():
    assert {f"{site.file}: {site.expression}" for site in sites() if site.template is None} == MADE_ELSEWHERE.keys()


@pytest.mark.parametrize("english", [*MADE_ELSEWHERE.values(), *PUT_TOGETHER, *TOLD])
def test_what_is_put_together_has_a_french_text(english):
    french = in_french(english)
    assert french != english
    assert not re.search(r"\b(the|is|are|not|of|and|or|with|to|line|lines)\b", french)


def test_what_stands_in_for_a_value_stands_in_the_source_or_among_the_examples():
    written = {*texts()}
    examples = [*MADE_ELSEWHERE.values(), *PUT_TOGETHER, *TOLD]
    left = [each for name in ("parts", "words") for each in TABLES[name] if blank(each) not in written]
    unused = [each for each in left if not any(template(each).search(example) for example in examples)]
    assert unused == []


@pytest.mark.parametrize(("english", "french"), [pytest.param(*each, id=each[0][:60]) for each in TEXTS.items()])
def test_a_text_has_the_values_of_its_message(english, french):
    assert values(french) == list(range(blank(english).count("{}")))


PLAIN = st.text(
    st.characters(categories=("L", "N", "P", "S"), exclude_characters="`'\"{}"), min_size=1, max_size=12
).filter(lambda value: value not in TABLES["words"] and in_french(value) == value)


@pytest.mark.parametrize("table", [name for name in TABLES if name != "words"])
@settings(max_examples=20, deadline=None)
@given(values=st.lists(PLAIN, min_size=6, max_size=6), number=st.integers(2, 999))
def test_whatever_the_values_are_they_come_back_in_the_french(table, values, number):
    for english, french in TABLES[table].items():
        if not re.search(r"[^\W\d]", re.sub(r"\{[nw]?\}", "", english)):
            continue  # `{}: {}` is ours only where one of its values is
        literals = [literal.strip() for literal in re.split(r"\{[nw]?\}", english)]
        if any(literal and literal in value for literal in literals for value in values):
            continue
        pieces = re.split(r"(\{[nw]?\})", english)
        put = [str(number) if kind == "{n}" else value for kind, value in zip(pieces[1::2], values, strict=False)]
        pieces[1::2] = put
        filled = re.sub(r"\{(\d)(?::\w+)?\}", lambda match, put=put: put[int(match[1])], french)  # type: ignore[misc]
        assert in_french("".join(pieces)) == filled


@pytest.mark.parametrize("text", [*TEXTS.values(), *TABLES["words"].values()])
def test_french_is_set_as_french_is(text):
    bare = re.sub(r"_ : -|\S+:\S*|\S*\?\S+", "", text)
    assert not re.search(rf"(?<!{NO_BREAK})[;?!»](?=\s|$)| [:;?!»]|« |[^\s{NO_BREAK}]:(?=\s|$)", bare)
    assert not re.search(r"\w'\w", text), "the apostrophe is ’"


def test_a_message_inside_a_message_is_french_too():
    message = "line 2: then deal.won would no longer be allowed: this deal was merged into 7; use that one"
    assert in_french(message) == (
        "ligne 2\u00a0: deal.won ne serait alors plus permis\u00a0: cette affaire a été fusionnée avec 7\u00a0; utilisez"
        " celle-ci"
    )


def test_what_nobody_says_stays_english_whole():
    for english in ("", "word", "what is this: nobody says it", "the line is empty 5", "a: " * 1_000 + "b"):
        assert in_language(english, "fr") == english


def test_english_stays_as_it_is():
    assert in_language("the line is empty", "en") == "the line is empty"
