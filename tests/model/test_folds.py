"""The folds against plain replay: the rows of every stream of a random book, at many pairs, legal histories or not."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from projections.facts import FOLDS, kind_of
from projections.tables import INTERVAL_COLUMNS, PLANNED, TABLES
from projections.timeline import rectangles
from tests.model import naive
from tests.model.histories import Case, books

if TYPE_CHECKING:
    from ledger.codec import Recorded

Rows = dict[str, list[dict[str, Any]]]

AMOUNTS = ("value_minor", "margin_minor", "quantity_e6", "currency")
HAPPENED = {"deal", "quote", "customer", "interaction", "task", "call", "campaign", "channel"}
LABELS = ("owner", "customer", "kind", "region", "country", "channel", "campaign")


def folded(stream: str, events: list[Recorded]) -> Rows:
    """Every row of a stream, by table, as dictionaries."""
    fold = FOLDS[kind_of(stream)]
    return {
        name: [dict(zip(TABLES[name].columns.keys(), row, strict=True)) for row in rows]
        for (name, _), rows in zip(fold.tables, rectangles(events, fold), strict=True)
    }


def holding(rows: Rows, as_of: int, known_at: int) -> Rows:
    """The payloads that hold at a pair; of facts also when they happened."""
    found = {}
    for table, each in rows.items():
        at = as_of if table in PLANNED else min(as_of, known_at)
        found[table] = [
            {name: value for name, value in row.items() if name not in INTERVAL_COLUMNS}
            | ({"at": row["closed_at"]} if table in {"wins", "losses"} else {})
            for row in each
            if row["effective_from"] <= at < row["effective_to"] and row["known_from"] <= known_at < row["known_to"]
        ]
    return found


def replayed(stream: str, events: list[dict[str, Any]], as_of: int, known_at: int) -> Rows:
    """What plain replay says these tables should hold: only the columns it speaks of."""
    kind = kind_of(stream)
    if kind in HAPPENED:
        as_of = min(as_of, known_at)
    seen = [event for event in naive.seen(events, known_at) if event.at <= as_of]
    state = naive.AFTER[kind](seen)
    if state is None:
        return {}
    names: tuple[str, ...]
    match kind:
        case "deal":
            return of_deal(state, seen)
        case "quote":
            return of_quote(state)
        case "customer":
            return of_customer(state)
        case "interaction":
            names = ("kind", "direction", "customer", "owner", "duration_minutes", "outcome")
            row = {name: state.get(name) for name in (*names, "logged_at", "resolved_at", "converted_deal")}
            return {"interactions": [row | {"satisfaction_score": (state.get("satisfaction") or {}).get("score")}]}
        case "task":
            row = {name: state[name] for name in ("status", "kind", "owner", "planned_at", "ended_at")}
            return {"task_versions": [row | {"due_at": naive.instant(state["due_at"])}]}
        case "objective":
            return {"objective_versions": [of_target(state) | {"cancelled": int(state["cancelled"])}]}
        case "call":
            rows = [of_target(each) | {"category": category} for category, each in state.items()]
            return {"call_versions": [row | {"submitted_at": state[row["category"]]["said"][0]} for row in rows]}
        case "campaign" | "channel":
            return of_campaign(state)
        case "person":
            return {"person_versions": [{"team": state["team"], "role": state["role"], "active": int(state["active"])}]}
        case "team":
            names = ("name", "parent")
            return {"team_versions": [{name: state[name] for name in names} | {"active": int(state["active"])}]}
        case "product":
            return {"product_versions": [{"product_range": state["range"], "active": int(state["active"])}]}
        case "pipeline":
            wanted = ("stage", "probability_bp", "category")
            return {"stage_versions": [{name: stage[name] for name in wanted} for stage in state.values()]}
        case "rate":
            return {"rate_versions": [{"base": state["base"], "rate": state["rate"]}]}
        case "book":
            return {"book_versions": [{name: value for name, value in state.items() if name != "thresholds"}]}
        case _:
            return {}


def worth(state: dict[str, Any]) -> dict[str, Any]:
    return {
        "value_minor": state["value"],
        "margin_minor": state["margin"],
        "quantity_e6": None if state["quantity"] is None else int(state["quantity"] * 1_000_000),
        "currency": state["currency"],
    }


def lines_of(state: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"product": line["product"]} | worth(line | {"currency": state["currency"]})
        for line in naive.product_lines(state)
    ]


def of_deal(state: dict[str, Any], seen: list[naive.Seen]) -> Rows:
    rows: Rows = {"deal_versions": [{"status": state["status"]}]}
    names: tuple[str, ...]
    if state["status"] == "open":
        names = ("status", "pipeline", "stage", "expected_close_on", "probability_bp", "category", "opened_at", *LABELS)
        rows["deal_versions"] = [{name: state[name] for name in names} | worth(state)]
        rows["deal_lines"] = lines_of(state)
    elif state["status"] != "merged":
        then = naive.deal_after(event for event in seen if event.at <= state["closed_at"])
        assert then is not None
        names = ("pipeline", "stage", "opened_at", *LABELS)
        row = {name: then[name] for name in names} | worth(then) | {"at": state["closed_at"]}
        row["stages"] = " ".join(stages_open_in(seen))
        if state["status"] == "won":
            rows |= {"wins": [row], "win_lines": lines_of(then)}
        else:
            rows["losses"] = [row | {"outcome": then["status"], "reason": then["reason"]}]
    if state["status"] != "merged":
        rows["invoices"] = of_invoices(state["invoices"], seen)
    return rows


def stages_open_in(seen: list[naive.Seen]) -> list[str]:
    """The stages in which the deal was open at the end of some instant, in order."""
    ends = (naive.deal_after(event for event in seen if event.at <= at) for at in sorted({event.at for event in seen}))
    return list(dict.fromkeys(deal["stage"] for deal in ends if deal is not None and deal["status"] == "open"))


def of_invoices(invoices: list[dict[str, Any]], seen: list[naive.Seen]) -> list[dict[str, Any]]:
    rows = []
    for each in invoices:
        deal = naive.deal_after(event for event in seen if event.at <= each["at"])
        assert deal is not None
        sign = -1 if each["type"] == "deal.credited" else 1
        value, margin, quantity = each.get("value"), each.get("margin"), each.get("quantity")
        currency = value and value["currency"]
        rows.append(
            {name: deal[name] for name in ("pipeline", "stage", "opened_at", *LABELS)}
            | {
                "entry": naive.INVOICED[each["type"]],
                "invoice": each.get("invoice"),
                "invoiced_at": each["at"],
                "value_minor": value and sign * value["minor"],
                "margin_minor": sign * margin["minor"] if margin and margin["currency"] == currency else None,
                "quantity_e6": None if quantity is None else int(Fraction(quantity) * 1_000_000),
                "currency": currency,
            }
        )
    return rows


def of_customer(state: dict[str, Any]) -> Rows:
    names = ("name", "kind", "country", "region", "segment", "industry", "channel", "campaign", "owner")
    row = {name: state[name] for name in names} | {"merged_into": state["into"], "registered_at": state["at"]}
    row |= {"registered_kind": state["first_kind"], "kind_since_at": state["kind_since"]}
    contacts = [
        {"contact": contact, "role": each.get("role"), "added_at": each["at"]}
        for contact, each in state["contacts"].items()
    ]
    return {
        "customer_versions": [row],
        "contact_versions": contacts,
        "churns": [state["churned"]] if state["churned"] else [],
    }


def of_target(state: dict[str, Any]) -> dict[str, Any]:
    """Whose, for which days, and how much, of an objective or call."""
    [(scope_kind, scope)] = state["scope"].items()
    row = {"scope_kind": scope_kind, "scope": None if scope_kind == "company" else scope}
    row |= {"period_from": state["period"]["from"], "period_to": state["period"]["to"]}
    amount: Any = state.get("target", state.get("value"))
    if isinstance(amount, str):
        return row | {"target_minor": None, "target_e6": int(Fraction(amount) * 1_000_000), "currency": None}
    return row | {
        "target_minor" if "target" in state else "value_minor": amount["minor"],
        "currency": amount["currency"],
    }


def of_campaign(state: dict[str, Any]) -> Rows:
    """A campaign or a channel: what it cost, and what was counted."""
    costs = [
        {"channel": each["channel"], "what": each.get("what"), "spent_at": each["at"]}
        | {"value_minor": each["value"]["minor"], "currency": each["value"]["currency"]}
        for each in state["costs"]
    ]
    if "days" in state:
        days = [
            {"day": day, "visits_count": each.get("visits"), "carts_count": each.get("carts"), "counted_at": each["at"]}
            for day, each in state["days"].items()
        ]
        return {"costs": costs, "channel_counts": days}
    row = {name: state.get(name) for name in ("name", "channel", "starts_on", "launched_at", "closed_at")}
    row |= {f"{name}_count": state["counts"].get(name) for name in ("sent", "opened", "reached")}
    return {"costs": costs, "campaign_versions": [row | {"status": "closed" if state["closed_at"] else "launched"}]}


def of_quote(state: dict[str, Any]) -> Rows:
    row = {name: state[name] for name in ("status", "deal", "customer", "owner", "number", "valid_until")}
    row |= {"issued_at": state["opened_at"], "value_minor": state["value"], "margin_minor": state["margin"]}
    rows: Rows = {"quote_versions": [row]}
    if state["status"] == "accepted" and state["deal"] is None:
        names = ("owner", "customer", "opened_at")
        rows["wins"] = [{name: state[name] for name in names} | worth(state) | {"at": state["closed_at"]}]
        rows["win_lines"] = lines_of(state)
    return rows


def read(name: str, value: Any) -> Any:
    return Fraction(value) if name == "rate" else value


def comparable(rows: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(sorted(row.items())) for row in rows)


def differences(case: Case) -> list[str]:
    """Where a stream's rows and its replay disagree."""
    found = []
    streams: dict[str, list[Recorded]] = {}
    for event in case.events:
        streams.setdefault(event.stream, []).append(event)
    for stream, events in streams.items():
        plain = [naive.plain(event) for event in events]
        rows = folded(stream, events)
        for as_of, known_at in case.pairs:
            said = holding(rows, as_of, known_at)
            wanted = replayed(stream, plain, as_of, known_at)
            for table in said.keys() | wanted.keys():
                right = wanted.get(table, [])
                names = right[0].keys() if right else ()
                got = [{name: read(name, row[name]) for name in names} for row in said.get(table, [])]
                if comparable(got) != comparable(right):
                    found.append(f"{stream} {table} at ({as_of}, {known_at}): {got} but replay says {right}")
    return found


BOTH = pytest.mark.parametrize("legal", [True, False], ids=["legal", "odd"])


@BOTH
def test_rows_say_what_plain_replay_says(explore, legal):
    explore(books(legal=legal), agrees)


@BOTH
@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_rows_of_many_histories_say_what_plain_replay_says(explore, legal):
    explore(books(legal=legal), agrees)


def agrees(case: Case) -> None:
    found = differences(case)
    assert not found, "\n".join(found[:3])
