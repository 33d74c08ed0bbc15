"""Mapping values turned into functions of a row's fields, once per file, so that a row costs only its own work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ledger.checks import is_id
from ledger.imports import values
from ledger.imports.mapping import Constant, Each, EventRule, Node, Template, Text, Value
from ledger.imports.rows import RowRefused
from ledger.imports.tables import slug
from ledger.money import is_currency

if TYPE_CHECKING:
    from ledger.imports.mapping import FileRule
    from ledger.imports.tables import Table
    from ledger.imports.values import Formats

Fields: TypeAlias = Sequence[str]
OMITTED = object()
"""What a function returns for a value that is to be left out."""


class Group(list[str]):
    """The fields of the first row of a group; `rows` are those of all its rows, the first included."""

    def __init__(self, rows: Sequence[list[str]]) -> None:
        super().__init__(rows[0])
        self.rows = rows


class _AllOmitted(Exception):
    """The object that a value stands in is to be left out."""


class RowCompiler:
    """Compiles for one file: its columns, the tables of the import and how the file writes numbers and dates."""

    def __init__(self, header: Sequence[str], tables: Mapping[str, Table], formats: Formats) -> None:
        self._header = header
        self._tables = tables
        self._formats = formats

    def event(self, rule: EventRule, source: str | None) -> Callable[[Fields], dict[str, Any] | None]:
        """The event line of a row, or `None` when its conditions do not hold. Raises `RowRefused`."""
        when = [(self._header.index(column), wanted) for column, wanted in rule.when.items()]
        unless = [(self._header.index(column), refused) for column, refused in rule.unless.items()]
        parts: dict[str, Callable[[Fields], Any]] = {"effective_at": self._node(rule.effective_at)}
        parts["data"] = self._members(rule.data)
        if rule.recorded_at is not None:
            parts["recorded_at"] = self._node(rule.recorded_at)
        identity = self._identity(rule.id) if rule.id is not None else None

        def line(fields: Fields) -> dict[str, Any] | None:
            if not all(fields[index] in wanted for index, wanted in when):
                return None
            if any(fields[index] in refused for index, refused in unless):
                return None
            made: dict[str, Any] = {"stream": rule.stream_kind, "type": rule.type}
            try:
                if identity is not None:
                    made["stream"] += "-" + _asked(identity, fields, rule.type, "id")
                for name, part in parts.items():
                    made[name] = _asked(part, fields, rule.type, name)
            except _AllOmitted:
                return None
            if made["effective_at"] is OMITTED:
                raise RowRefused(f"{rule.type} without effective_at: an event cannot be placed without its date")
            if source is not None:
                made["source"] = source
            return {name: value for name, value in made.items() if value is not OMITTED}

        return line

    def value(self, node: Node) -> Callable[[Fields], Any]:
        """The function of any value of the mapping."""
        return self._node(node)

    def _identity(self, node: Node) -> Callable[[Fields], str]:
        read = self._node(node)

        def identity(fields: Fields) -> str:
            value = read(fields)
            if not isinstance(value, str) or not is_id(value):
                shown = "nothing" if value is OMITTED else repr(value)[:80]
                raise RowRefused(f"{shown} cannot be an id: 1 to 64 of A-Z a-z 0-9 . _ : -; a table can give ids")
            return value

        return identity

    def _node(self, node: Node) -> Callable[[Fields], Any]:
        match node:
            case Constant():
                return lambda _fields: node.value
            case Value():
                return self._value(node)
            case dict():
                members = self._members(node)
                return lambda fields: _part(members, fields)
            case Each():
                each = self._node(node.item)
                return lambda fields: _listed(each(row) for row in _rows_of(fields))
            case list():
                items = [self._node(item) for item in node]
                return lambda fields: _listed(item(fields) for item in items)

    def _members(self, nodes: Mapping[str, Node]) -> Callable[[Fields], dict[str, Any]]:
        members = {name: self._node(member) for name, member in nodes.items()}
        return lambda fields: _object(members, fields)

    def _value(self, value: Value) -> Callable[[Fields], Any]:
        read = self._text(value.text)
        convert = self._converter(value)
        fallback = self._node(value.fallback) if value.fallback is not None else None
        what = " or ".join(f"column {column}" for column in value.text.columns)

        def worked_out(fields: Fields) -> Any:
            if value.total:
                found = [convert(text, row) for row in _rows_of(fields) if (text := read(row))]
                if found:
                    return values.total(found)
            elif text := read(fields):
                return convert(text, fields)
            if fallback is not None:
                return fallback(fields)
            if value.missing == "omit":
                return OMITTED
            if value.missing == "omit_all":
                raise _AllOmitted
            raise RowRefused(f"{what} is empty")

        return worked_out

    def _text(self, text: Text) -> Callable[[Fields], str]:
        """Source, values and lookup; empty text when there is nothing."""
        read = self._source(text.source)
        meanings = text.values
        table, column = (self._tables[text.lookup] if text.lookup else None), text.take

        def text_of(fields: Fields) -> str:
            found = read(fields)
            if meanings is not None and found:
                if found not in meanings:
                    raise RowRefused(f"{found[:80]!r} is not one of: {', '.join(sorted(meanings))}")
                found = meanings[found]
            if table is not None and column is not None and found:
                found = table.take(found, column)
            return found

        return text_of

    def _source(self, source: Template | Text) -> Callable[[Fields], str]:
        if isinstance(source, Text):
            return self._text(source)
        return source.reader(self._header)

    def _converter(self, value: Value) -> Callable[[str, Fields], Any]:
        formats, mark = self._formats, self._formats.decimal
        if value.id_table is not None:
            table = self._tables[value.id_table]
            return lambda text, _fields: table.id_of(text)
        match value.kind:
            case "text":
                return lambda text, _fields: text
            case "integer":
                return lambda text, _fields: values.integer(text, mark)
            case "decimal":
                return lambda text, _fields: values.decimal_text(text, mark)
            case "percent":
                return lambda text, _fields: values.basis_points(text, mark)
            case "date":
                return lambda text, _fields: values.day(text, formats)
            case "moment":
                return lambda text, _fields: values.moment(text, formats)
            case "slug":
                return lambda text, _fields: slug(text)
            case "code":
                return lambda text, _fields: slug(text, "_", values.MAX_CODE)
            case "money":
                return self._money(value)

    def _money(self, value: Value) -> Callable[[str, Fields], dict[str, Any]]:
        currency_of = self._source(value.currency or Template(("",)))
        mark = self._formats.decimal

        def money(text: str, fields: Fields) -> dict[str, Any]:
            currency = currency_of(fields)
            if not is_currency(currency):
                raise RowRefused(f"{currency[:20]!r} is not a currency: an ISO 4217 code such as EUR is wanted")
            minor = values.money_minor(text, currency, mark, negative=value.negative)
            return {"minor": minor, "currency": currency}

        return money


def _object(members: Mapping[str, Callable[[Fields], Any]], fields: Fields) -> dict[str, Any]:
    made = {}
    for name, member in members.items():
        try:
            value = member(fields)
        except RowRefused as refused:
            raise RowRefused(f"{name}: {refused}") from None
        if value is not OMITTED:
            made[name] = value
    return made


def _part(members: Callable[[Fields], dict[str, Any]], fields: Fields) -> Any:
    """A part of an event's data, left out when there is nothing in it."""
    try:
        return members(fields) or OMITTED
    except _AllOmitted:
        return OMITTED


def _listed(items: Iterable[Any]) -> Any:
    return [made for made in items if made is not OMITTED] or OMITTED


def _rows_of(fields: Fields) -> Sequence[Fields]:
    assert isinstance(fields, Group), "the mapping file is checked: only groups have rows"
    return fields.rows


def _asked(part: Callable[[Fields], Any], fields: Fields, type_name: str, name: str) -> Any:
    try:
        return part(fields)
    except RowRefused as refused:
        where = type_name if name == "data" else f"{type_name} {name}"
        raise RowRefused(f"{where}: {refused}") from None


def values_in(node: Node | None, *, rowwise: bool = True) -> Iterator[Value]:
    """Every value that is worked out somewhere in a node, itself included; those for each row of a group if asked."""
    match node:
        case Value():
            if rowwise or not node.total:
                yield node
            yield from values_in(node.fallback, rowwise=rowwise)
        case dict():
            for member in node.values():
                yield from values_in(member, rowwise=rowwise)
        case list():
            for item in node:
                yield from values_in(item, rowwise=rowwise)
        case Each() if rowwise:
            yield from values_in(node.item)
        case Each() | Constant() | None:
            pass


def values_of(rule: FileRule) -> list[Value]:
    """Every value of a file's rule."""
    return [value for _, node in _nodes_of(rule) for value in values_in(node)]


def _nodes_of(rule: FileRule) -> Iterator[tuple[str, Node | None]]:
    """Every node of a file's rule, with what it is for."""
    yield "unique", rule.unique
    yield "group", rule.group
    for event in rule.events:
        for node in event.id, event.effective_at, event.recorded_at:
            yield event.type, node
        for name, node in event.data.items():
            yield f"{event.type} {name}", node


def columns_taken(files: Iterable[FileRule], table: str) -> list[str]:
    """The columns that any rule takes from a table, its key not counted."""
    found: dict[str, None] = {}
    for value in (value for rule in files for value in values_of(rule)):
        text: Text | Template = value.text
        while isinstance(text, Text):
            if text.lookup == table and text.take is not None:
                found[text.take] = None
            text = text.source
    return list(found)


def columns_read(rule: FileRule) -> dict[str, str]:
    """Every column that a file must have for its rule, in the order in which the rule names them, and what for."""
    found: dict[str, str] = {}
    for purpose, node in _nodes_of(rule):
        for value in values_in(node):
            for column in _columns_of(value):
                found.setdefault(column, purpose)
    for event in rule.events:
        for column in (*event.when, *event.unless):
            found.setdefault(column, f"{event.type} when or unless")
    for column in rule.aliases:
        found.setdefault(column, "alias")
    return found


def columns_shared(rule: FileRule) -> list[str]:
    """The columns in which the rows of a group must agree: those read for the whole group, and once."""
    found: dict[str, None] = {}
    for _, node in _nodes_of(rule):
        for value in values_in(node, rowwise=False):
            found.update(dict.fromkeys(_columns_of(value)))
    for event in rule.events:
        found.update(dict.fromkeys([*event.when, *event.unless]))
    return list(found)


def _columns_of(value: Value) -> tuple[str, ...]:
    return (*value.text.columns, *(value.currency.columns if value.currency is not None else ()))
