"""Sentences: what an event did, in words, from its template and from what it changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from ledger.codec import Recorded
from ledger.events import Event, EventCorrected, EventRetracted
from ledger.kinds import kind_of
from ledger.story.fields import Change, changes, differences, hints, hints_of_kind, standing
from ledger.story.life import Correction, Moment
from ledger.story.values import ARROW, Around, Words
from ledger.times import format_instant

_BLANK = re.compile(r"\{([a-z_]+\.)?([a-z_]+)(\.before)?\}")
_OPTION = re.compile(r"\[([^\[\]]*)\]")


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A field's change as people read it: `text` is all of it, as `value: €1,200.00 → €2,100.00`.

    Of lists and tables the text holds only what differs. `in_sentence` where the sentence says it already.
    """

    field: str
    before: str | None = None
    after: str
    text: str
    in_sentence: bool = False


class Amended(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A retraction or correction: who, when and why, and what a correction changed."""

    version: int
    position: int
    recorded_at: str
    actor: str
    reason: str
    text: str
    note: str | None = None
    changes: tuple[Said, ...] = ()


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """An event in words: what happened, the same as a sentence, and each change it made."""

    title: str
    text: str
    changes: tuple[Said, ...] = ()


def title_of(event: Event, words: Words) -> str:
    """What happened, in a word or two; its type where the table has no text for it."""
    return str(words.texts["title"].get(event.TYPE, event.TYPE))


def sentence(moment: Moment, words: Words) -> Sentence:
    """What a moment did."""
    data = moment.data
    if isinstance(data, EventRetracted | EventCorrected):
        return _of_amendment(moment, data, words)
    kind = kind_of(moment.event.stream)
    before, after = standing(moment.before, kind, data), standing(moment.after, kind, data)
    around = _around(moment, kind, before, after)
    changed = list(changes(data, before, after))
    made = [_said(each, data, kind, words, around) for each in changed]
    title = title_of(data, words)
    templates = _templates(data, words) or (title,)
    thing = {
        name: words.value(name, value, _hint(name, data, kind), around)
        for name, value in after.items()
        if value is not None and any(f"thing.{name}" in _names(each) for each in templates)
    }
    blanks = _blanks(changed, made, thing) | {"id": moment.event.stream.partition("-")[2]}
    text, used = _filled(templates, blanks, title)
    known = used.union(*map(_names, templates))
    return Sentence(
        title=title,
        text=text,
        changes=tuple(
            msgspec.structs.replace(said, in_sentence=_is_said(change, said, known if change.after is None else used))
            for change, said in zip(changed, made, strict=True)
        ),
    )


def retracted(event: Recorded, words: Words) -> Amended:
    """Who retracted something, when and why."""
    assert isinstance(event.data, EventRetracted)
    return _amended(event, event.data, words, "retracted", ())


def corrected(correction: Correction, words: Words, moment: Moment) -> Amended:
    """Who corrected something, when and why, and how it was before."""
    said = correction.event.data
    assert isinstance(said, EventCorrected)
    kind = kind_of(moment.event.stream)
    old, new = correction.data
    before, after = standing(moment.before, kind, new), standing(moment.after, kind, new)
    around = _around(moment, kind, before, after)
    made = [_said(each, new, kind, words, around, whole=True) for each in differences(old, new)]
    then, now = (words.moment(at) for at in correction.effective_at)
    if correction.effective_at[0] != correction.effective_at[1]:
        made.insert(0, _moved("effective_at", then, now, words))
    known = tuple(each for each in made if each.before != each.after)  # a text said again has another seal
    return _amended(correction.event, said, words, "corrected", known)


def _amended(
    event: Recorded, said: EventRetracted | EventCorrected, words: Words, mark: str, made: tuple[Said, ...]
) -> Amended:
    around = Around(kind_of(event.stream), event.recorded_at)
    reason, note = (
        None if value is None else words.value(name, value, hints(type(said))[name], around)
        for name, value in (("reason", said.reason), ("note", said.note))
    )
    assert reason is not None
    when = words.moment(event.recorded_at)
    text = str(words.texts["mark"][mark]).format(when=when, actor=event.actor, reason=reason)
    return Amended(
        version=event.version,
        position=event.position,
        recorded_at=format_instant(event.recorded_at),
        actor=event.actor,
        reason=said.reason,
        text=text if note is None else f"{text} – {note}",
        note=note,
        changes=made,
    )


def _of_amendment(moment: Moment, data: EventRetracted | EventCorrected, words: Words) -> Sentence:
    """Which event it speaks of, and why; what a correction changed stands with what it corrects."""
    assert moment.target is not None
    around = Around(kind_of(moment.event.stream), moment.effective_at)
    named = {
        name: words.value(name, getattr(data, name), hints(type(data))[name], around)
        for name in ("version", "reason", "note")
        if getattr(data, name) is not None
    }
    title = title_of(data, words)
    blanks = named | {"thing.title": title_of(moment.target.data, words)}
    return Sentence(title=title, text=_filled(_templates(data, words), blanks, title)[0])


def _around(moment: Moment, kind: str, *known: Mapping[str, Any]) -> Around:
    def there(name: str) -> str | None:
        values = (getattr(moment.data, name, None), *(each.get(name) for each in reversed(known)))
        return next((value for value in values if isinstance(value, str)), None)

    return Around(kind, moment.effective_at, there("pipeline"), there("customer"))


def _hint(field: str, event: Event, kind: str) -> Any:
    return hints(type(event)).get(field) or hints_of_kind(kind).get(field)


def _templates(event: Event, words: Words) -> tuple[str, ...]:
    """The sentences of an event type, the fullest first."""
    found: str | list[str] = words.texts["sentence"].get(event.TYPE, [])
    return (found,) if isinstance(found, str) else tuple(found)


def _said(change: Change, event: Event, kind: str, words: Words, around: Around, *, whole: bool = False) -> Said:
    """A change in words; `whole` also says that there was nothing before."""
    hint = _hint(change.field, event, kind)
    after = words.value(change.field, change.after, hint, around)
    if change.before is None and not whole:
        return Said(field=change.field, after=after, text=words.labelled(change.field, after))
    before = words.value(change.field, change.before, hint, around)
    if before == after:
        return Said(
            field=change.field, before=before if whole else None, after=after, text=words.labelled(change.field, after)
        )
    parts = words.difference(change.field, change.before, change.after, hint, around)
    return _moved(change.field, before, after, words, parts)


def _moved(field: str, before: str, after: str, words: Words, parts: str | None = None) -> Said:
    text = words.labelled(field, parts or f"{before} {ARROW} {after}")
    return Said(field=field, before=before, after=after, text=text)


def _is_said(change: Change, said: Said, used: frozenset[str]) -> bool:
    """Whether a sentence with these blanks says all of a change. That there is none now, its words say."""
    before = f"{change.field}.before"
    if change.after is None:
        return before in used
    return not used.isdisjoint({change.field, f"thing.{change.field}"}) and (said.before is None or before in used)


def _blanks(changed: Iterable[Change], made: Iterable[Said], thing: Mapping[str, str]) -> dict[str, str]:
    """What may be put into a template; a field that now says nothing fills no blank."""
    blanks = {f"thing.{name}": text for name, text in thing.items()}
    for change, said in zip(changed, made, strict=True):
        if change.after is not None:
            blanks[said.field] = said.after
        if said.before is not None:
            blanks[f"{said.field}.before"] = said.before
    return blanks


def _filled(templates: Iterable[str], blanks: Mapping[str, str], title: str) -> tuple[str, frozenset[str]]:
    """The first template whose blanks can be filled, filled, and the blanks it had; else the title."""
    for template in templates:
        chosen = _OPTION.sub(lambda option: option[1] if _names(option[1]) <= blanks.keys() else "", template)
        if _names(chosen) <= blanks.keys():
            text = _BLANK.sub(lambda blank: blanks[blank[0][1:-1]], chosen)
            return text, _names(chosen)
    return title, frozenset()


@cache
def _names(template: str) -> frozenset[str]:
    return frozenset(blank[0][1:-1] for blank in _BLANK.finditer(template))
