"""The demo company is legal, the same every time, and believable."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections import Counter
from itertools import islice
from statistics import mean, median

import msgspec
import pytest

from ledger.application import open_ledger
from ledger.checks import check
from ledger.codec import encode
from ledger.demo import history
from ledger.events import EVENTS
from ledger.kinds import KINDS
from ledger.times import format_instant, parse_instant
from tests.ledger.demo.legality import Illegal, Judge, visible

UNTIL = parse_instant("2026-09-28T10:00:00.000000Z")
NEVER = {"book.history_closed", "subject.erased"}
"""Closing history would keep whoever tries the demo from importing into it."""


@pytest.fixture(scope="module")
def lines():
    return list(history(until=UNTIL))


@pytest.fixture(scope="module")
def judge(lines):
    judge = Judge()
    for line in lines:
        judge.append(line)
    return judge


@pytest.fixture(scope="module")
def deals(judge):
    """Each deal's visible history, with how it stands at the end."""
    told = {name: visible(stream) for name, stream in judge.streams.items() if name.startswith("deal-")}
    return {name: shown for name, shown in told.items() if shown}


def _closing(shown):
    """The closing in force, or None for what is open."""
    closing = None
    for event in shown:
        if event["type"] in {"deal.won", "deal.lost", "deal.abandoned", "deal.merged"}:
            closing = event
        elif event["type"] == "deal.reopened":
            closing = None
    return closing


def _value(shown):
    """The last value said before it was delivered and invoiced, in euros or as many of its own currency."""
    said = [event["data"]["value"]["minor"] for event in shown if "value" in event["data"] and not _follows(event)]
    return said[-1] / 100 if said else 0


def _follows(event):
    return event["type"] in {"deal.invoiced", "deal.delivered", "deal.credited"}


def _won(deals):
    return [
        (shown, closing) for shown in deals.values() if (closing := _closing(shown)) and closing["type"] == "deal.won"
    ]


def test_the_same_arguments_give_the_same_history(lines):
    assert list(history(until=UNTIL)) == lines
    assert list(islice(history(until=UNTIL, seed=8), 5_000)) != lines[:5_000]


def test_the_order_does_not_hang_on_hash_seeds(lines):
    script = (
        "import hashlib, json; from ledger.demo import history; digest = hashlib.sha256();"
        f"[digest.update(json.dumps(line).encode()) for line in history(deals=200, until={UNTIL})];"
        "print(digest.hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_it_begins_with_the_book_of_a_french_company(lines):
    assert lines[0]["type"] == "book.opened"
    assert lines[0]["data"].items() >= {"currency": "EUR", "time_zone": "Europe/Paris", "locale": "fr"}.items()


def test_lines_come_in_the_order_in_which_they_were_recorded(lines):
    recorded = [line["recorded_at"] for line in lines]
    assert recorded == sorted(recorded)
    assert recorded[-1] <= format_instant(UNTIL)


def test_instants_are_written_as_the_ledger_writes_them(lines):
    for line in lines[::37]:
        for name in ("effective_at", "recorded_at"):
            assert format_instant(parse_instant(line[name])) == line[name]


@pytest.mark.parametrize(("deals", "years", "seed"), [(0, 1, 1), (1, 1, 1), (40, 2, 3), (300, 5, 11), (700, 3, 12)])
def test_every_line_is_legal_whatever_the_size(deals, years, seed):
    judge = Judge()
    for line in history(deals=deals, years=years, seed=seed, until=UNTIL):
        judge.append(line)
    assert sum(stream.startswith("deal-") for stream in judge.streams) == deals


@pytest.mark.parametrize("until", ["2024-02-29T23:59:59Z", "2026-01-01T00:00:00Z", "2025-08-31T22:30:00Z"])
def test_every_line_is_legal_whatever_the_last_day(until):
    judge = Judge()
    for line in history(deals=150, years=1, until=parse_instant(until)):
        judge.append(line)


def test_every_line_is_legal_at_the_default_size(judge):
    assert sum(stream.startswith("deal-") for stream in judge.streams) == 2_000


def test_the_judge_refuses_a_deal_won_twice(judge, deals):
    won = next(name for name, shown in deals.items() if shown[-1]["type"] == "deal.won")
    again = Judge()
    for line in [*judge.streams["pipeline-affaires"], *judge.streams["pipeline-renouvellements"], *judge.streams[won]]:
        again.append(line)
    with pytest.raises(Illegal):
        again.append(judge.streams[won][-1] | {"type": "deal.won", "data": {}})


def test_every_line_decodes_and_passes_the_ledgers_own_rules(judge, lines):
    for line in lines:
        said = msgspec.convert(line["data"], EVENTS[line["type"]])
        if line["type"] != "event.corrected":
            check(said)
        elif "data" in line["data"]:
            corrected = judge.streams[line["stream"]][line["data"]["version"] - 1]
            check(msgspec.convert(line["data"]["data"], EVENTS[corrected["type"]]))


def test_every_stream_is_accepted_by_the_ledgers_own_decisions(judge):
    for name, stream in judge.streams.items():
        state = None
        for event in visible(stream):
            data = msgspec.convert(event["data"], EVENTS[event["type"]])
            state = KINDS[name.partition("-")[0]].evolve(state, data)
        assert state is not None or not visible(stream)


def test_nothing_refers_to_what_is_not_there(judge, lines):
    places = {"owner": "person", "team": "team", "customer": "customer", "deal": "deal", "product": "product"}
    places |= {"campaign": "campaign", "person": "person"}
    contacts = {line["data"]["contact"] for line in lines if line["type"] == "contact.added"}
    for line in lines:
        into = line["stream"].partition("-")[0]
        named = line["data"] | line["data"].get("scope", {})
        for name, kind in (places | {"into": into, "parent": into}).items():
            if name in named and named[name] is not True:
                assert f"{kind}-{named[name]}" in judge.streams, line
        assert named.get("contact", named.get("into")) in {*contacts, named.get("into")}
        for each in line["data"].get("lines", ()):
            assert f"product-{each['product']}" in judge.streams


def test_nobody_is_named_in_an_id_or_a_code(lines):
    people = {line["data"]["name"] for line in lines if line["type"] in {"person.joined", "contact.added"}}
    surnames = {name.split()[-1].lower() for name in people}
    sealed = {"name", "email", "phone", "title", "note", "notes", "subject", "statement"}
    for line in lines:
        plain = {name: part for name, part in line["data"].items() if name not in sealed | {"data"}}
        assert not surnames & set(json.dumps(plain, ensure_ascii=False).lower().split('"'))


def test_every_type_of_event_occurs(lines):
    assert {line["type"] for line in lines} == set(EVENTS) - NEVER


def test_about_thirteen_lines_a_deal_and_a_customer_for_three(lines):
    counts = Counter(line["type"] for line in lines)
    assert 11 <= len(lines) / 2_000 <= 14
    assert 600 <= counts["customer.registered"] <= 700


def test_about_thirteen_in_a_hundred_deals_are_open(deals):
    still_open = sum(_closing(shown) is None for shown in deals.values())
    assert 0.11 <= still_open / len(deals) <= 0.15


def test_wins_are_seasonal():
    wins: Counter[int] = Counter()
    for line in history(deals=10_000, until=UNTIL):
        if line["type"] == "deal.won" and "2024-10" <= line["effective_at"] < "2026-09-28":
            wins[int(line["effective_at"][5:7])] += 1
    usual = median(wins.values())
    assert wins[8] < 0.6 * usual
    assert wins[12] == max(wins.values()) > 1.4 * usual
    assert all(wins[month] > wins[month - 1] for month in (3, 6, 9, 12))


def test_win_rates_differ_between_reps_and_stay_sane(deals):
    closed: Counter[str] = Counter()
    won: Counter[str] = Counter()
    for shown in deals.values():
        closing = _closing(shown)
        if closing and closing["type"] != "deal.merged":
            owner = [event["data"]["owner"] for event in shown if "owner" in event["data"]][-1]
            closed[owner] += 1
            won[owner] += closing["type"] == "deal.won"
    assert 0.30 <= won.total() / closed.total() <= 0.45
    rates = sorted(won[owner] / closed[owner] for owner in closed if closed[owner] >= 30)
    assert rates[0] < 0.28
    assert rates[-1] > 0.45


def test_cycles_and_values_are_those_of_a_company(deals):
    days = sorted(
        (parse_instant(closing["effective_at"]) - parse_instant(shown[0]["effective_at"])) / 86_400e6
        for shown, closing in _won(deals)
    )
    assert 60 <= median(days) <= 110
    assert days[len(days) // 10] > 25
    assert days[len(days) * 9 // 10] < 220
    values = [_value(shown) for shown, _ in _won(deals)]
    assert 20_000 <= mean(values) <= 60_000
    assert min(values) > 0


def test_optimists_overstate_and_dates_slip(deals):
    late, over = [], []
    for shown, closing in _won(deals):
        opening = shown[0]["data"]
        if "expected_close_on" in opening:
            promised = parse_instant(opening["expected_close_on"] + "T12:00:00Z")
            late.append((parse_instant(closing["effective_at"]) - promised) / 86_400e6)
        if "value" in opening:
            over.append(opening["value"]["minor"] / 100 / _value(shown))
    assert 3 <= mean(late) <= 40
    assert 1.1 <= mean(over) <= 1.5
    pushed = sum(any(event["type"] == "deal.close_date_changed" for event in shown) for shown in deals.values())
    assert pushed / len(deals) > 0.4


def test_some_wins_are_recorded_later_some_of_them_after_their_quarter(deals):
    def quarter(instant):
        return instant[:4], (int(instant[5:7]) - 1) // 3

    wins = [closing for _, closing in _won(deals)]
    late = [win for win in wins if win["recorded_at"][:10] > win["effective_at"][:10]]
    crossing = [win for win in late if quarter(win["recorded_at"]) != quarter(win["effective_at"])]
    assert 0.1 <= len(late) / len(wins) <= 0.3
    assert crossing


def test_some_quotes_are_accepted_without_a_deal(judge):
    alone = [
        stream
        for name, stream in judge.streams.items()
        if name.startswith("quote-") and "deal" not in stream[0]["data"] and stream[-1]["type"] == "quote.accepted"
    ]
    assert len(alone) > 20


def test_a_few_deals_are_in_dollars_or_pounds_whose_rates_are_all_fixed(lines):
    currencies = Counter(
        line["data"]["value"]["currency"] for line in lines if line["type"] == "deal.opened" and "value" in line["data"]
    )
    abroad = (currencies["USD"] + currencies["GBP"]) / currencies.total()
    assert 0.01 <= abroad <= 0.08
    rates = Counter(line["stream"] for line in lines if line["type"] == "rate.fixed")
    assert rates == {"rate-USD": 36, "rate-GBP": 36}


# Around the deals -----------------------------------------------------------------------------------------------------


def _told(judge, kind):
    return {
        name: shown
        for name, stream in judge.streams.items()
        if name.startswith(f"{kind}-") and (shown := visible(stream))
    }


def test_what_was_won_is_delivered_and_invoiced_in_full_and_credited_rarely(deals):
    settled = [shown for shown, _ in _won(deals) if any(each["type"] == "deal.invoiced" for each in shown)]
    assert len(settled) / len(_won(deals)) > 0.9
    credited = 0
    for shown in settled:
        sums: Counter[str] = Counter()
        for event in shown:
            if _follows(event):
                sums[event["type"]] += event["data"]["value"]["minor"]
        assert sums["deal.credited"] < 0.15 * sums["deal.invoiced"]
        if _closing(shown)["effective_at"] < "2026-04":
            assert abs(sums["deal.delivered"] - sums["deal.invoiced"]) <= 1
        credited += sums["deal.credited"] > 0
    assert 0.02 < credited / len(settled) < 0.07


def test_people_talk_before_they_sell_and_listen_afterwards(judge, lines):
    kinds = Counter(shown[0]["data"]["kind"] for shown in _told(judge, "interaction").values())
    assert kinds.keys() == {
        *("call", "email", "visit", "meeting", "prospecting_meeting", "demo", "proposal", "document", "other"),
        *("support_request", "maintenance", "complaint", "web_visit", "cart", "survey"),
    }
    assert kinds.most_common(1)[0][0] == "call"
    scales = Counter(line["data"]["satisfaction"]["scale"] for line in lines if "satisfaction" in line["data"])
    assert scales.keys() == {"nps", "csat", "ces"}
    ended = Counter(line["type"] for line in lines)
    asked = kinds["support_request"] + kinds["complaint"]
    assert 0.7 < ended["interaction.resolved"] / asked < 0.98
    assert 0.6 < ended["interaction.converted"] / (kinds["cart"] + kinds["web_visit"]) < 1


def test_most_tasks_are_done_some_late_and_a_few_are_overdue(judge):
    tasks = list(_told(judge, "task").values())
    ends = Counter(shown[-1]["type"] for shown in tasks)
    assert 0.7 < ends["task.done"] / len(tasks) < 0.9
    late = overdue = 0
    for shown in tasks:
        due_at = [event["data"]["due_at"] for event in shown if "due_at" in event["data"]][-1]
        late += shown[-1]["type"] == "task.done" and shown[-1]["effective_at"] > due_at
        overdue += shown[-1]["type"] not in {"task.done", "task.cancelled"} and due_at < format_instant(UNTIL)
    assert 0.1 < late / len(tasks) < 0.5
    assert overdue


def test_company_teams_and_people_have_objectives_that_can_be_met(judge, deals):
    targets: Counter[tuple[str, str]] = Counter()
    metrics = set()
    for shown in _told(judge, "objective").values():
        data = shown[0]["data"]
        metrics.add(data["metric"])
        if data["metric"] == "amount" and not {"kind", "product_range"} & data.keys():
            targets[next(iter(data["scope"])), data["period"]["from"]] += data["target"]["minor"]
    assert metrics >= {"amount", "margin", "won_count", "new_customers", "interactions:visit", "invoiced_amount"}
    assert metrics >= {"delivered_amount", "quantity", "quotes_issued"}
    quarters = [start for scope, start in targets if scope == "company" and "2024" <= start < "2026-07"]
    won = sum(_value(shown) * 100 for shown, closing in _won(deals) if "2024" <= closing["effective_at"] < "2026-07")
    assert 0.7 < won / sum(targets["company", start] for start in quarters) < 1.3
    for start in quarters:
        assert 0.9 < targets["person", start] / targets["company", start] < 1.1
        assert 0.9 < targets["team", start] / targets["company", start] < 1.2


def test_forecasts_are_as_far_off_as_people_are_optimistic(judge, deals):
    won: Counter[tuple[str, str]] = Counter()
    for shown, closing in _won(deals):
        owner = [event["data"]["owner"] for event in shown if "owner" in event["data"]][-1]
        year, month = closing["effective_at"][:4], int(closing["effective_at"][5:7])
        won[owner, f"{year}-{month - (month - 1) % 3:02d}-01"] += _value(shown) * 100
    said: Counter[str] = Counter()
    real: Counter[str] = Counter()
    for shown in _told(judge, "call").values():
        data = shown[-1]["data"]
        if "person" in data.get("scope", {}) and data["period"]["to"] < "2026-09":
            said[data["scope"]["person"]] += data["value"]["minor"]
            real[data["scope"]["person"]] += won[data["scope"]["person"], data["period"]["from"]]
    bias = sorted(said[person] / real[person] for person in real if real[person] > 50_000_000)
    assert bias[0] < 1.05
    assert bias[-1] > 1.4


def test_campaigns_cost_about_what_they_may_and_are_answered(judge):
    campaigns = _told(judge, "campaign")
    closed = [shown for shown in campaigns.values() if shown[-1]["type"] == "campaign.closed"]
    assert len(closed) > 10
    for shown in campaigns.values():
        spent = sum(event["data"]["value"]["minor"] for event in shown if event["type"] == "campaign.spent")
        assert spent < 1.3 * shown[0]["data"]["budget"]["minor"]
        for event in shown:
            counts = event["data"]
            assert (
                counts.get("opened", 0) <= counts.get("delivered", counts.get("sent", 0)) <= counts.get("sent", 10**6)
            )
            assert counts.get("answered", 0) <= counts.get("reached", 10**6)
    days = Counter(event["data"]["on"] for event in judge.streams["channel-web"] if event["type"] == "channel.counted")
    assert len(days) > 500
    assert {1, 2} <= set(days.values())


@pytest.mark.parametrize(("deals", "seed"), [(20, 3), (300, 7)])
def test_the_ledger_itself_takes_every_line(tmp_path, deals, seed):
    ledger = open_ledger(f"sqlite:///{tmp_path / 'demo.db'}")
    lines = enumerate(map(encode, history(deals=deals, seed=seed, until=UNTIL)), 1)
    refused = [outcome for outcome in ledger.append_each(lines, actor="demo", history=True) if outcome.error]
    assert refused == []
    ledger.close()


def test_bad_arguments_are_refused_at_once():
    with pytest.raises(ValueError, match="deals"):
        history(deals=-1, until=UNTIL)
    with pytest.raises(ValueError, match="years"):
        history(years=0, until=UNTIL)


@pytest.mark.slow
def test_memory_follows_what_is_open_not_the_whole_history():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = sum(1 for _ in history(deals=40_000, until=UNTIL))
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert count > 440_000
    assert grown_mib < 100
