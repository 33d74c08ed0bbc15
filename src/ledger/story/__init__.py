"""A thing's life as people read it: who, when, how late, what changed, what was retracted and corrected.

`told` makes it from the log alone, at any pair of dates, in French or English.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from babel import Locale

from ledger.codec import Recorded
from ledger.kinds import kind_of
from ledger.plain import plain_data
from ledger.story.life import Moment, life
from ledger.story.names import Names, Reader, called, names_for
from ledger.story.sentences import Amended, Said, corrected, retracted, sentence
from ledger.story.values import Around, Words
from ledger.times import format_instant

_LOCALES = {"fr": "fr_FR", "en": "en_GB"}


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event of the life.

    `effective_at` and `data` are as they count, corrections applied. `late` says how long after (or before) its
    effect it was recorded; `amends` is the version that a retraction or correction speaks of; `text` is the sentence,
    `changes` hold every field it names or moves.
    """

    position: int
    version: int
    type: str
    effective_at: str
    recorded_at: str
    appended_at: str
    actor: str
    source: str | None = None
    title: str
    text: str
    late: str | None = None
    changes: tuple[Said, ...] = ()
    retracted: Amended | None = None
    corrections: tuple[Amended, ...] = ()
    amends: int | None = None
    data: dict[str, Any]

    @property
    def details(self) -> list[str]:
        """What its sentence leaves out."""
        return [each.text for each in self.changes if not each.in_sentence]


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A life at a pair of dates; `name` is what the thing is called at its end, `version` the stream's own, now."""

    stream: str
    name: str | None
    version: int
    as_of: str
    known_at: str
    life: tuple[Entry, ...]


def locale_of(language: str) -> Locale:
    """A language as it is written at home."""
    return Locale.parse(_LOCALES[language])


def told(
    reader: Reader, events: Sequence[Recorded], *, as_of: int, known_at: int, time_zone: str, locale: Locale
) -> Story:
    """The life of a stream, given whole in order of version, as known at one instant and up to another."""
    moments = life(events, as_of, known_at)
    stream = events[0].stream
    kind = kind_of(stream)
    said = [data for moment in moments for data in (moment.event.data, moment.data, *_data_of(moment))]
    names = names_for(reader, kind, said, known_at)
    words = Words(locale, time_zone, names)
    return Story(
        stream=stream,
        name=_name(moments, kind, words),
        version=len(events),
        as_of=format_instant(as_of),
        known_at=format_instant(known_at),
        life=tuple(_entry(each, words, names) for each in moments),
    )


def _data_of(moment: Moment) -> Iterator[msgspec.Struct]:
    for correction in moment.corrections:
        yield correction.event.data
        yield from correction.data
    if moment.retraction is not None:
        yield moment.retraction.data


def _name(moments: Sequence[Moment], kind: str, words: Words) -> str | None:
    standing = [each for each in moments if each.target is None and each.retraction is None]
    name = called(standing[-1].after, kind) if standing else None
    return None if name is None else words.value("name", name, None, Around(kind, standing[-1].effective_at))


def _entry(moment: Moment, words: Words, names: Names) -> Entry:
    event, in_words = moment.event, sentence(moment, words)
    return Entry(
        position=event.position,
        version=event.version,
        type=event.type,
        effective_at=format_instant(moment.effective_at),
        recorded_at=format_instant(event.recorded_at),
        appended_at=format_instant(event.appended_at),
        actor=event.actor,
        source=event.source,
        title=in_words.title,
        text=in_words.text,
        late=words.late(moment.effective_at, event.recorded_at),
        changes=in_words.changes,
        retracted=None if moment.retraction is None else retracted(moment.retraction, words),
        corrections=tuple(corrected(each, words, moment) for each in moment.corrections),
        amends=None if moment.target is None else moment.target.version,
        data=plain_data(moment.data, names.values),
    )


__all__ = ["Amended", "Entry", "Reader", "Said", "Story", "locale_of", "told"]
