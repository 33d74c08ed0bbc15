"""Erasing: fence, append `subject.erased`, destroy the key, delete the vault rows (TRUST 2).

Each step may be done again, so an erasure that was cut short anywhere is finished by doing it once more. From the
fence on nothing is sealed about the subject or shown of it, in any process; what follows only cleans up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from ledger.errors import BadRequest, Moved, NotFound, Refused
from ledger.events import EVENTS, CustomerMerged, EventCorrected, SubjectErased
from ledger.kinds import kind_of
from ledger.log.requests import PendingEntry, Request
from ledger.privacy.vault import SUBJECTS, erased
from ledger.stream import Stream

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.codec import Recorded

PAGE = 10_000

_ABOUT_CUSTOMERS = sorted(
    event.TYPE
    for event in EVENTS.values()
    if "customer" in event.__struct_fields__ or event in (CustomerMerged, EventCorrected)
)
"""Where the log says which customer something is about."""


class Erasure(msgspec.Struct, frozen=True):
    """What was erased: the subjects by what they are in the book, those that were not erased before, and how many values
    were in the vault.
    """

    subjects: dict[str, str]
    newly: int
    values: int


def covered(ledger: Ledger, thing: str) -> dict[str, str]:
    """The subjects that erasing a thing erases, and their refs.

    A thing is a stream, or a contact as `customer-42/jo`. A customer covers its duplicates, its contacts, and the texts
    of whatever was ever said to be with it. `subject-REF` is the one subject of that ref. Raises `BadRequest`,
    `NotFound` where nothing personal was ever sealed.
    """
    stream, slash, contact = thing.partition("/")
    try:
        kind = kind_of(stream)
    except Refused as refused:
        raise BadRequest(f"{refused}; or a contact, as customer-42/jo") from None
    if slash and (kind != "customer" or not contact):
        raise BadRequest(f"{thing[:80]!r} is neither a stream nor a contact, as customer-42/jo")
    if kind == "subject":
        found = ledger.recorder.subjects("ref = ?", [stream.removeprefix(SUBJECTS)])
    elif kind == "customer" and not slash:
        found = _with_customer(ledger, stream)
    else:
        found = ledger.recorder.subject_refs([thing])
    if not found:
        raise NotFound(f"nothing personal about {thing[:80]} was ever sealed in this book; there is nothing to erase")
    return dict(sorted(found.items()))


def erase(ledger: Ledger, thing: str, *, actor: str) -> Erasure:
    """Erase what is personal about a thing, for good; see `covered`. What is erased already is finished if need be."""
    subjects = covered(ledger, thing)
    refs = list(subjects.values())
    newly = len(set(refs) - ledger.recorder.keys.fenced())
    return Erasure(subjects, newly, carry_out(ledger, refs, actor))


def unfinished(ledger: Ledger) -> list[str]:
    """The refs of erasures that are not done in this book's log, vault and key store alike.

    Such are those cut short, and in a restored database or key store those since its backup.
    """
    if not ledger.recorder.has_subjects():
        return []
    keys = ledger.recorder.keys
    fenced, gone = set(keys.fenced()), erased(ledger.recorder)
    here = set(ledger.recorder.subjects_of(sorted(fenced - gone)))
    left = set(ledger.recorder.with_values(sorted(fenced | gone))) | keys.store.keys(sorted(fenced | gone)).keys()
    return sorted((gone - fenced) | here | left)


def finish(ledger: Ledger, *, actor: str) -> list[str]:
    """Do what is left of unfinished erasures, before anything is served; their refs."""
    refs = unfinished(ledger)
    if refs:
        carry_out(ledger, refs, actor)
    return refs


def carry_out(ledger: Ledger, refs: Sequence[str], actor: str) -> int:
    """Erase subjects by their refs, step by step; how many values were in the vault."""
    _fence(ledger, refs)
    _record(ledger, refs, actor)
    _destroy(ledger, refs)
    return _delete(ledger, refs)


def _fence(ledger: Ledger, refs: Sequence[str]) -> None:
    ledger.recorder.keys.forget(refs)
    ledger.recorder.keys.store.fence(refs, ledger.now())


def _record(ledger: Ledger, refs: Sequence[str], actor: str) -> None:
    """Besides saying so, this takes its turn after every append that did not see the fence yet."""
    missing = sorted(set(refs) - erased(ledger.recorder))
    while missing:
        entries = [PendingEntry(SUBJECTS + ref, 1, SubjectErased.TYPE, b"{}") for ref in missing]
        try:
            ledger.recorder.append(Request(entries, actor))
        except Moved:  # somebody else erases the same just now
            missing = sorted(set(missing) - erased(ledger.recorder))
        else:
            return


def _destroy(ledger: Ledger, refs: Sequence[str]) -> None:
    ledger.recorder.keys.store.destroy(refs)


def _delete(ledger: Ledger, refs: Sequence[str]) -> int:
    return ledger.recorder.delete_values(refs)


def _with_customer(ledger: Ledger, stream: str) -> dict[str, str]:
    """A customer with its duplicates and contacts, and all streams that ever named one of them."""
    about, merged = _streams_by_customer(ledger)
    family, waiting = {stream}, [stream]
    while waiting:
        each = waiting.pop()
        for other in merged.get(each, set()) - family:
            family.add(other)
            waiting.append(other)
    streams = {each for customer in family for each in about.get(customer, ())} | family
    found = ledger.recorder.subject_refs(sorted(streams))
    for customer in sorted(family):
        found |= ledger.recorder.subjects("subject > ? AND subject < ?", [f"{customer}/", f"{customer}0"])
    return found


def _streams_by_customer(ledger: Ledger) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The streams that name each customer, and the customers merged into one another, both ways."""
    about: dict[str, set[str]] = {}
    merging: set[str] = set()
    for event in _events_about_customers(ledger):
        match event.data:
            case CustomerMerged():
                merging.add(event.stream)
            case EventCorrected(data=dict(data)):
                if isinstance(customer := data.get("customer"), str):
                    about.setdefault(f"customer-{customer}", set()).add(event.stream)
            case data:
                if isinstance(customer := getattr(data, "customer", None), str):
                    about.setdefault(f"customer-{customer}", set()).add(event.stream)
    merged: dict[str, set[str]] = {}
    for name, events in ledger.streams(sorted(merging)).items():
        state = Stream(name, events).state
        if state is not None and state.merged_into is not None:
            merged.setdefault(name, set()).add(f"customer-{state.merged_into}")
            merged.setdefault(f"customer-{state.merged_into}", set()).add(name)
    return about, merged


def _events_about_customers(ledger: Ledger) -> Iterable[Recorded]:
    after = 0
    types = ", ".join("?" * len(_ABOUT_CUSTOMERS))
    while events := ledger.recorder.events(
        f"position > ? AND type IN ({types})", [after, *_ABOUT_CUSTOMERS], "position", PAGE
    ):
        yield from events
        after = events[-1].position
