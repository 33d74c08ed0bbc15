"""Payloads that add up, such as a deal's invoices or a channel's daily counts, shared between the states of a stream.

As a tuple every state would hold again all that those before it held; here it adds one to what they hold. What is
empty is the empty tuple.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from projections.rectangle import Payload, Payloads


class Grown:
    """What `rest` holds and one more payload, `last`. Payloads come in the order in which they were added."""

    __slots__ = ("_hash", "_size", "last", "rest")

    def __init__(self, rest: Grown | Payloads, last: Payload) -> None:
        self.rest = rest
        self.last = last
        self._size = len(rest) + 1
        self._hash = hash((rest, last))

    def __len__(self) -> int:
        return self._size

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Grown) or self._hash != other._hash or self._size != other._size:
            return False
        gone, come = changes(self, other)
        return not gone and not come

    def __iter__(self) -> Iterator[Payload]:
        return reversed(list(self._backwards()))

    def __contains__(self, payload: object) -> bool:
        return any(each == payload for each in self._backwards())

    def _backwards(self) -> Iterator[Payload]:
        now: Grown | Payloads = self
        while isinstance(now, Grown):
            yield now.last
            now = now.rest


Shown = tuple["Payload", ...] | Grown
"""What a state shows in a table: always a tuple, or always a tuple while it is empty and `Grown` from then on."""


def changes(before: Shown, now: Shown) -> tuple[list[Payload], list[Payload]]:
    """The payloads that went and those that came.

    >>> one = Grown((), ("a",))
    >>> changes(Grown(one, ("b",)), Grown(Grown(one, ("c",)), ("d",)))
    ([('b',)], [('c',), ('d',)])
    """
    if not isinstance(before, Grown) and not isinstance(now, Grown):
        return [each for each in before if each not in now], [each for each in now if each not in before]
    gone: list[Payload] = []
    come: list[Payload] = []
    while before is not now:
        if isinstance(now, Grown) and len(now) >= len(before):
            come.append(now.last)
            now = now.rest
        else:
            assert isinstance(before, Grown), "a table's payloads are grown once there are any"
            gone.append(before.last)
            before = before.rest
    if gone and come:
        both = {*gone}.intersection(come)
        gone = [each for each in gone if each not in both]
        come = [each for each in come if each not in both]
    return gone[::-1], come[::-1]


def replaced(shown: Shown, wanted: Callable[[Payload], Any], by: Callable[[Payload], Payload | None]) -> Shown:
    """The payloads with the last one that is `wanted` put otherwise, or left out where `by` gives None.

    >>> [*replaced(Grown(Grown((), ("a", 1)), ("b", 2)), lambda row: row[0] == "a", lambda row: ("a", 3))]
    [('a', 3), ('b', 2)]
    """
    later: list[Payload] = []
    while isinstance(shown, Grown):
        last, rest = shown.last, shown.rest
        if wanted(last):
            instead = by(last)
            found: Shown = rest if instead is None else Grown(rest, instead)
            for each in reversed(later):
                found = Grown(found, each)
            return found
        later.append(last)
        shown = rest
    raise LookupError("no payload is wanted")


def makers_of(group: Sequence[tuple[Any, Any]], table: int, shown: Shown) -> dict[Payload, Any]:
    """Of several events at one instant, each with what it shows, the one from which each new payload holds to the last.

    `shown` is what was shown before that instant.
    """
    makers: dict[Payload, Any] = {}
    for event, shows in group:
        _, come = changes(shown, shows[table])
        makers |= dict.fromkeys(come, event)
        shown = shows[table]
    return makers
