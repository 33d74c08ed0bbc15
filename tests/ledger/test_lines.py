"""What people and programs may get wrong in a line: each gets one clear line that says what, and what to do."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.application import open_ledger
from ledger.codec import encode
from ledger.errors import BadRequest, LedgerError, Refused
from ledger.examples import EXAMPLES
from ledger.lines import read
from tests.support.lines import STAGES, Clock, check_log, corrected, eur, opened, pipeline, say, team

BIG = 10**12 + 1
PRICE = ("product-p", "product.listed")


def priced(money):
    return say("product-p", "product.listed", name="p", unit_price=money)


def dated(text, **more):
    return team("b") | {"effective_at": text} | more


BAD = {
    "unknown type": (
        say("deal-d1", "deal.teleported"),
        "unknown_type",
        "docs/events.md and sales-ledger schema list them",
    ),
    "unknown field": (say("team-b", "team.created", name="b", colour="red"), "bad_data", "unknown field `colour`"),
    "unknown field of the line": (team("b") | {"colour": "red"}, "bad_line", "unknown field `colour`"),
    "missing field": (say("team-b", "team.created"), "bad_data", "missing required field `name`"),
    "unknown kind of stream": (
        say("galaxy-b", "team.created", name="b"),
        "unknown_stream",
        "streams are book, pipeline-…",
    ),
    "stream without id": (say("team", "team.created", name="b"), "unknown_stream", "team-…"),
    "book with id": (say("book-b", "book.history_closed"), "unknown_stream", "'book-b' is not a stream"),
    "another kind's event": (
        say("deal-b", "team.created", name="b"),
        "wrong_stream",
        "does not belong on a deal stream",
    ),
    "version of nothing": (corrected("team-none", 1, {"name": "x"}), "unknown_version", "no event 1; it has none yet"),
    "wrong version": (corrected("team-a", 9, {"name": "x"}), "unknown_version", "has no event 9"),
    "version 0": (corrected("team-a", 0, {"name": "x"}), "bad_value", "version must be"),
    "closed deal won again": (say("deal-won", "deal.won", order="o2"), "closed_deal", "this deal is won; reopen it"),
    "stage not in its pipeline": (opened("x", stage="demo"), "unknown_stage", "it has lead, offer, closing"),
    "negative money": (priced(eur(-1)), "bad_value", "unit_price.minor must be zero or more"),
    "fractional money": (priced({"minor": 10.5, "currency": "EUR"}), "bad_data", "expected `int`, got `float`"),
    "money as text": (priced({"minor": "10", "currency": "EUR"}), "bad_data", "expected `int`, got `str`"),
    "huge money": (priced(eur(BIG)), "bad_value", "at most 1,000,000,000,000 minor units"),
    "endless money": (priced(eur(10**40)), "bad_value", "unit_price.minor must be at most"),
    "unknown currency": (
        priced({"minor": 1, "currency": "EUX"}),
        "bad_value",
        "unit_price.currency must be an ISO 4217",
    ),
    "lower-case currency": (priced({"minor": 1, "currency": "eur"}), "bad_value", "such as EUR"),
    "date 0001": (dated("0001-01-01"), "bad_date", "not between 1900 and 2199"),
    "date 9999": (dated("9999-12-31"), "bad_date", "not between 1900 and 2199"),
    "instant 0001": (dated("0001-01-01T00:00:00Z"), "bad_date", "not between"),
    "date that does not exist": (dated("2023-02-29"), "bad_date", "2023-02-29 does not exist"),
    "hour that does not exist": (dated("2023-02-28T25:00:00Z"), "bad_instant", "does not exist"),
    "time without zone": (dated("2026-03-31T16:00:00"), "bad_instant", "with a time zone; write 2026-03-31T16:00:00Z"),
    "time with a space": (dated("2026-03-31 16:00:00Z"), "bad_instant", "write 2026-03-31T16:00:00Z"),
    "date in French": (dated("31/03/2026"), "bad_instant", "write 2026-03-31T16:00:00Z"),
    "close date that does not exist": (
        opened("x", expected_close_on="2026-06-31"),
        "bad_date",
        "expected_close_on: the date",
    ),
    "close date with a time": (opened("x", expected_close_on="2026-06-30T00:00:00Z"), "bad_date", "write YYYY-MM-DD"),
    "id with spaces": (say("team-the north", "team.created", name="b"), "bad_id", "'the north' is not an id"),
    "id of 10 kB": (say("team-" + "x" * 10_000, "team.created", name="b"), "bad_id", "1 to 64 of"),
    "owner with spaces": (opened("x", owner="Ana Lopez"), "bad_value", "owner must be an id"),
    "id of 10 kB inside": (opened("x", owner="y" * 10_000), "bad_value", "owner must be an id"),
    "empty id": (opened("x", owner=""), "bad_value", "owner must be an id"),
    "empty name": (say("team-b", "team.created", name="  "), "bad_value", "name must be a text of 1 to 200 characters"),
    "NUL": (say("team-b", "team.created", name="a\x00b"), "bad_value", "without NUL"),
    "long text": (opened("x", title="x" * 10_001), "bad_value", "title must be a text of 1 to 10000 characters"),
    "reason in words": (say("deal-d1", "deal.lost", reason="Too expensive"), "bad_value", "reason must be a code"),
    "probability of 200 %": (
        say("deal-d1", "deal.probability_set", probability_bp=20_000),
        "bad_value",
        "basis points",
    ),
    "corrected to no time": (
        say("deal-d1", "event.corrected", version=1, reason="typo", effective_at=""),
        "bad_instant",
        "effective_at: '' is not an instant",
    ),
    "quantity in other digits": (opened("x", quantity="١٢"), "bad_value", "quantity must be a decimal string"),
    "quantity with a comma": (opened("x", quantity="1,5"), "bad_value", 'such as "12.5"'),
    "rate of nothing": (say("rate-XYZ", "rate.fixed", base="EUR", rate="1"), "bad_id", "is not a currency"),
    "rate of zero": (say("rate-USD", "rate.fixed", base="EUR", rate="0.0"), "bad_value", "more than zero"),
    "time zone on the moon": (
        say(
            "book",
            "book.opened",
            name="b",
            currency="EUR",
            time_zone="Moon/Sea",
            fiscal_year_start_month=1,
            locale="fr",
        ),
        "unknown_time_zone",
        "use one such as Europe/Paris",
    ),
    "attribute key": (opened("x", attributes={"Shoe size": 1}), "bad_value", "shoe_size"),
    "too many attributes": (opened("x", attributes={f"a{n}": n for n in range(33)}), "bad_value", "at most 32 pairs"),
    "attribute beyond 2^53": (opened("x", attributes={"a": 2**53}), "bad_value", "within 2^53"),
    "fractional attribute": (opened("x", attributes={"a": 1.5}), "bad_data", "got `float`"),
    "no lines": (opened("x", lines=[]), "bad_value", "a list of 1 to 200"),
    "stage twice": (
        say("pipeline-b", "pipeline.defined", name="b", stages=STAGES + STAGES),
        "bad_value",
        "a stage twice",
    ),
    "a seal of one's own": (opened("x", title={"$sealed": {"c": "a", "s": "b"}}), "bad_value", "the text itself"),
    "claimed recording": (
        team("b") | {"recorded_at": "2020-01-01T00:00:00Z"},
        "history_only",
        "`sales-ledger append --history`, as no request",
    ),
    "claimed source": (team("b") | {"source": "crm"}, "history_only", "leave them out"),
    "version as text": (team("b") | {"expected_version": "1"}, "bad_line", "expected `int"),
    "negative version": (team("b") | {"expected_version": -1}, "bad_value", "0 for a new stream"),
    "long key": (team("b") | {"key": "k" * 201}, "bad_key", "1 to 200 printable characters"),
    "a list": ([team("b")], "bad_line", "expected `object`, got `array`"),
    "null": (None, "bad_line", "expected `object`"),
}

RAW = {
    "empty": (b"", "empty_line", "the line is empty"),
    "spaces": (b"  \n", "empty_line", "the line is empty"),
    "not JSON": (b"deal won", "bad_line", "JSON is malformed"),
    "half a line": (b'{"stream":"team-b","type":"team.cre', "bad_line", "truncated"),
    "Latin-1": (
        '{"stream":"team-b","type":"team.created","data":{"name":"é"}}'.encode("latin-1"),
        "not_utf8",
        "save the file as UTF-8",
    ),
    "UTF-16": ('{"stream":"team-b"}'.encode("utf-16"), "not_utf8", "save the file as UTF-8"),
    "byte order mark": (
        b'\xef\xbb\xbf{"stream":"team-b","type":"team.created","data":{"name":"b"}}',
        "bad_line",
        "byte order mark",
    ),
    "half a surrogate": (
        b'{"stream":"team-b","type":"team.created","data":{"name":"\\ud800"}}',
        "bad_line",
        "not an event line",
    ),
    "key twice": (
        b'{"stream":"team-b","type":"team.created","data":{"name":"a","name":"b"}}',
        "duplicate_key",
        "'name' comes twice",
    ),
    "key twice, spaced": (
        b'{"stream":"team-b","type":"team.created","data":{"name":"a","name" :"b"}}',
        "duplicate_key",
        "say it once",
    ),
    "key twice, escaped": (
        b'{"stream":"team-b","type":"team.created","data":{"name":"a","n\\u0061me":"b"}}',
        "duplicate_key",
        "'name'",
    ),
    "type twice": (
        b'{"stream":"team-b","type":"team.closed","type":"team.created","data":{"name":"a"}}',
        "duplicate_key",
        "'type'",
    ),
    "data twice": (
        b'{"stream":"team-b","type":"team.created","data":{},"data":{"name":"a"}}',
        "duplicate_key",
        "'data'",
    ),
    "null beside a value": (
        b'{"stream":"team-b","type":"team.created","data":{"name":"a","parent":null,"parent":"p"}}',
        "duplicate_key",
        "'parent'",
    ),
    "not a number": (
        b'{"stream":"product-p","type":"product.listed","data":{"name":"p","unit_price":{"minor":NaN}}}',
        "bad_line",
        "malformed",
    ),
    "1 MB": (
        b'{"stream":"team-b","type":"team.created","data":{"name":"' + b"x" * 1_000_000 + b'"}}',
        "too_large",
        "at most 65535",
    ),
    "10,000 deep in a correction": (
        b'{"stream":"team-a","type":"event.corrected","data":{"version":1,"reason":"x","data":'
        + b'{"a":' * 10_000
        + b"1"
        + b"}" * 10_000
        + b"}}",
        "too_deep",
        "nested too deeply",
    ),
    "10,000 deep": (b"[" * 10_000 + b"]" * 10_000, "bad_line", "not an event line"),
}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """A book with a closed deal, in which nothing bad may leave a trace."""
    ledger = open_ledger(f"sqlite:///{tmp_path_factory.mktemp('bad') / 'x.db'}", clock=Clock())
    ledger.append([pipeline(), team("a"), opened(), opened("won"), say("deal-won", "deal.won")], actor="ana")
    return ledger


def refusal(ledger, line, error: type[LedgerError] = Refused, **options):
    before = ledger.head()
    with pytest.raises(error) as refused:
        ledger.append([line], **({"actor": "ana"} | options))
    said = str(refused.value)
    assert "\n" not in said
    assert len(said) < 300
    assert ledger.head() == before
    return refused.value.code, said


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_clear_line(ledger, name):
    line, code, words = BAD[name]
    found, said = refusal(ledger, msgspec.json.encode(line))
    assert (found, words in said) == (code, True), said


@pytest.mark.parametrize("name", RAW)
def test_bytes_that_are_no_line_get_one_clear_line(ledger, name):
    line, code, words = RAW[name]
    found, said = refusal(ledger, line)
    assert (found, words in said) == (code, True), said


@pytest.mark.parametrize("actor", ["", "Ana Lopez", "a" * 65, "a\n"])
def test_an_actor_is_an_id(ledger, actor):
    assert "cannot name an actor" in refusal(ledger, team("b"), BadRequest, actor=actor)[1]


@pytest.mark.parametrize("key", ["", "a\x00b", "k" * 201, "a\nb"])
def test_a_requests_key_is_printable(ledger, key):
    assert refusal(ledger, team("b"), key=key)[0] == "bad_key"


def test_an_entry_of_70_kb_is_refused(ledger):
    line = {"product": "p" * 64, "quantity": "123456789012.123456", "value": eur(10**9), "margin": eur(10**9)}
    huge = opened("big", attributes={f"{'a' * 60}{n}": "\x01" * 200 for n in range(32)}, lines=[line] * 200)
    code, said = refusal(ledger, huge)
    assert code == "too_large"
    assert "the most is 65535" in said


def test_a_request_has_between_1_and_10_000_lines(ledger):
    for lines in ([], [team("b")] * 10_001):
        with pytest.raises(Refused, match="a request holds 1 to 10000 lines"):
            ledger.append(lines, actor="ana")


def test_a_request_of_several_lines_says_which_one_it_is(ledger):
    with pytest.raises(Refused, match=r"^line 2: data of team\.created: "):
        ledger.append([team("b"), say("team-c", "team.created", name=1)], actor="ana")
    with pytest.raises(Refused, match="lines of one request share its key"):
        ledger.append([team("b") | {"key": "k"}, team("c")], actor="ana")


def test_a_bad_line_among_good_ones_harms_none_of_them(ledger):
    lines = [msgspec.json.encode(line) for line, _, _ in BAD.values()] + [line for line, _, _ in RAW.values()]
    head = ledger.head().position
    mixed = [each for index, line in enumerate(lines) for each in (line, msgspec.json.encode(team(f"good{index}")))]
    outcomes = list(ledger.append_each(enumerate(mixed, 1), actor="ana"))
    refused = [outcome for outcome in outcomes if outcome.error is not None]
    assert [outcome.line for outcome in refused] == lines
    assert {type(outcome.error) for outcome in refused} == {Refused}
    assert check_log(ledger) == head + len(lines)


def test_what_looks_odd_but_is_fine_is_read():
    said = read(b'\t{ "data" : { "name" : "a \\" :b\\u00e9" } , "type" :"team.created", "stream": "team-b" }\r\n')
    assert encode(said.event) == encode({"name": 'a " :bé'})
    assert (
        encode(read(b'{"stream":"team-b","type":"team.created","data":{"name":"a","parent":null}}').event)
        == b'{"name":"a"}'
    )
    assert read(b'{"stream":"team-b","type":"team.closed"}').event.TYPE == "team.closed"


@settings(deadline=None, max_examples=400)
@given(data=st.data())
def test_a_key_said_twice_is_refused_wherever_it_stands_and_however_it_is_written(data):
    """Every example's line, one of its keys said once more: the same, null, a number, or beside a text that was dropped."""
    line = EXAMPLES[data.draw(st.sampled_from(sorted(EXAMPLES)))]
    colon = data.draw(st.sampled_from([":", " :", ": ", "\t: "]))
    places = [path for path, each in _objects(line) if each]
    chosen = data.draw(st.sampled_from(places))
    again = data.draw(st.sampled_from(sorted(_at(line, chosen))))
    value = data.draw(st.sampled_from([None, 1, "", "data", _at(line, chosen)[again]]))
    is_first = data.draw(st.booleans())

    def written(each, path=()):
        if isinstance(each, list):
            return f"[{','.join(written(item, (*path, index)) for index, item in enumerate(each))}]"
        if not isinstance(each, dict):
            return msgspec.json.encode(each).decode()
        pairs = [f'"{name}"{colon}{written(item, (*path, name))}' for name, item in each.items()]
        if path == chosen:
            pairs.insert(0 if is_first else len(pairs), f'"{again}"{colon}{msgspec.json.encode(value).decode()}')
        return f"{{{','.join(pairs)}}}"

    assert read(msgspec.json.encode(line), history=True)
    with pytest.raises(Refused) as refused:
        read(written(line).encode(), history=True)
    assert refused.value.code == "duplicate_key" or value != _at(line, chosen)[again]


def _objects(each, path=()):
    """The objects of a value, each with the way to it."""
    if isinstance(each, dict):
        yield path, each
    for name, item in each.items() if isinstance(each, dict) else enumerate(each) if isinstance(each, list) else ():
        yield from _objects(item, (*path, name))


def _at(each, path):
    for name in path:
        each = each[name]
    return each
