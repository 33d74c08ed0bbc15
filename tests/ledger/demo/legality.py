"""The rules of EVENTS.md once more, written plainly and on their own, to judge a history line by line."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

OPENINGS = {
    "book": "book.opened",
    "pipeline": "pipeline.defined",
    "team": "team.created",
    "person": "person.joined",
    "product": "product.listed",
    "rate": "rate.fixed",
    "customer": "customer.registered",
    "deal": "deal.opened",
    "quote": "quote.issued",
    "interaction": "interaction.logged",
    "task": "task.planned",
    "objective": "objective.set",
    "campaign": "campaign.launched",
}
UNOPENED = {"rate", "call", "channel"}
"""Kinds whose streams may begin with any of their events, again and again."""

ENDINGS = {
    "team.closed",
    "person.left",
    "product.retired",
    "customer.merged",
    "quote.accepted",
    "quote.declined",
    "quote.expired",
    "quote.withdrawn",
    "interaction.resolved",
    "interaction.converted",
    "task.done",
    "task.cancelled",
    "objective.cancelled",
    "campaign.closed",
}
CLOSINGS = {"deal.won", "deal.lost", "deal.abandoned"}
AFTER_SALE = {"deal.invoiced", "deal.delivered", "deal.credited"}
HAPPENED = {"customer", "deal", "quote", "interaction", "task", "call", "campaign", "channel"}
ENDS_AS = {
    "interaction.resolved": {"support_request", "complaint"},
    "interaction.converted": {"cart", "visit", "web_visit"},
}
MONEY_METRICS = {"amount", "margin", "invoiced_amount", "delivered_amount"}


class Illegal(AssertionError):
    """A line that the rules refuse."""


class Judge:
    """Keeps every stream as a plain list and replays the whole of it after each line."""

    def __init__(self):
        self.streams = defaultdict(list)

    def append(self, line):
        stream = self.streams[line["stream"]]
        kind = line["stream"].partition("-")[0]
        self._check(set(line) == {"stream", "type", "effective_at", "recorded_at", "data"}, line)
        self._check(not stream or stream[-1]["recorded_at"] <= line["recorded_at"], line)
        if kind in HAPPENED:
            self._check(line["effective_at"] <= line["recorded_at"], line)
        if line["type"] in {"event.retracted", "event.corrected"}:
            self._check(1 <= line["data"]["version"] <= len(stream), line)
        stream.append(line)
        self._replay(kind, visible(stream), line)

    def _replay(self, kind, shown, line):
        state, merged = "absent", False
        contacts: set[str] = set()
        totals: dict[str, int] = {}
        for event in shown:
            name, data = event["type"], event["data"]
            if kind not in UNOPENED:
                self._check((state == "absent") == (name == OPENINGS[kind]), line)
            self._check(name != "forecast.withdrawn" or state == "forecast.submitted", line)
            self._check(not merged and state != "ended", line)
            self._check(name not in ENDS_AS or shown[0]["data"]["kind"] in ENDS_AS[name], line)
            if name == "campaign.responses_counted":
                self._check(all(count >= totals.get(each, 0) for each, count in data.items()), line)
                totals |= data
            if "target" in data:
                money = shown[0]["data"]["metric"] in MONEY_METRICS
                self._check(isinstance(data["target"], dict) == money, line)
            if "period" in data:
                self._check(data["period"] == shown[0]["data"]["period"], line)
                self._check(data["period"]["from"] <= data["period"]["to"] and len(data["scope"]) == 1, line)
            self._amounts(data, line)
            if name.startswith("contact."):
                self._check((name == "contact.added") == (data["contact"] not in contacts), line)
                (contacts.discard if name == "contact.removed" else contacts.add)(data["contact"])
            if kind == "deal":
                state, merged = self._deal(state, event, shown[0]["data"]["pipeline"], line)
            elif kind == "call":
                state = name
            else:
                state = "ended" if name in ENDINGS else "there"

    def _deal(self, state, event, pipeline, line):
        name, data = event["type"], event["data"]
        if "stage" in data:
            self._check(data["stage"] in self._stages(pipeline, event["effective_at"]), line)
        if name == "deal.reopened":
            self._check(state in CLOSINGS, line)
            return "open", False
        if name == "deal.merged":
            self._check(state != "deal.won", line)
            return state, True
        if name == "deal.reclassified":
            return state, False
        if name in AFTER_SALE:
            self._check(state == "deal.won", line)
            return state, False
        self._check(state not in CLOSINGS, line)
        return (name if name in CLOSINGS else "open"), False

    def _stages(self, pipeline, at):
        versions = [event for event in visible(self.streams[f"pipeline-{pipeline}"]) if event["effective_at"] <= at]
        return {stage["stage"] for stage in versions[-1]["data"]["stages"]} if versions else set()

    def _amounts(self, data, line):
        lines = data.get("lines") or []
        if "value" in data:
            self._check(0 <= data["value"]["minor"] <= 10**12, line)
            for part, whole in (("value", "value"), ("margin", "margin")):
                if lines:
                    self._check(sum(each[part]["minor"] for each in lines) == data[whole]["minor"], line)
        for each in lines:
            self._check(each["value"]["minor"] >= 0 and int(each["quantity"]) > 0, line)
        if lines and "quantity" in data:
            self._check(sum(int(each["quantity"]) for each in lines) == int(data["quantity"]), line)
        money = [data.get("value"), data.get("margin"), *(each["value"] for each in lines)]
        self._check(len({each["currency"] for each in money if each}) <= 1, line)

    def _check(self, holds, line):
        if not holds:
            raise Illegal(line)


def visible(stream):
    """What counts in a stream, in order of effect, with all that is known."""
    retracted: set[int] = set()
    corrections: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for version in range(len(stream), 0, -1):
        event = stream[version - 1]
        if version in retracted:
            continue
        if event["type"] == "event.retracted":
            retracted.add(event["data"]["version"])
        elif event["type"] == "event.corrected":
            corrections[event["data"]["version"]].insert(0, event["data"])
    shown = []
    for version, event in enumerate(stream, 1):
        if version not in retracted and event["type"] not in {"event.retracted", "event.corrected"}:
            counted = event
            for correction in corrections[version]:
                counted = counted | {name: correction[name] for name in ("data", "effective_at") if name in correction}
            shown.append(counted)
    return sorted(shown, key=lambda event: event["effective_at"])
