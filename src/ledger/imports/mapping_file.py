"""Reading a mapping file, with every check that needs no data, so that a wrong mapping is one clear error."""

from __future__ import annotations

import codecs
import difflib
import tomllib
from typing import TYPE_CHECKING, Any, cast, get_args

import msgspec

from ledger.errors import Refused
from ledger.events import EVENTS, Part
from ledger.imports import toml_checks as check
from ledger.imports.field_types import (
    check_constant,
    check_keys,
    check_kind,
    fields_of,
    item_of,
    kind_for,
    member_of,
    part_of,
    takes_money,
)
from ledger.imports.mapping import (
    Constant,
    Each,
    EventRule,
    FileRule,
    Kind,
    Mapping,
    Node,
    TableRule,
    Template,
    Text,
    Value,
)
from ledger.imports.rows import CannotImport
from ledger.imports.values import Formats
from ledger.kinds import kind_of_event
from ledger.lines import MAX_SOURCE
from ledger.lines import read as read_line
from ledger.money import is_currency
from ledger.times import zone

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT_KEYS = {"encoding", "delimiter", "decimal", "dates", "time_zone"}
_TEXT_KEYS = {"from", "values", "lookup", "take"}
_VALUE_KEYS = _TEXT_KEYS | {"id", "as", "currency", "negative", "missing", "else", "total"}


def load(path: Path) -> Mapping:
    """Read and check a mapping file. Raises `CannotImport`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CannotImport(f"cannot read the mapping {path}: {error.strerror}") from None
    except UnicodeError:
        raise CannotImport(f"the mapping {path} is not UTF-8; save it as UTF-8") from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CannotImport(f"the mapping {path.name} is not TOML: {error}") from None
    try:
        return _Reader(document).mapping(path)
    except CannotImport as error:
        raise CannotImport(f"{path.name}: {error}") from None


class _Reader:
    """Walks the document, naming the place of whatever is wrong."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._aliases: dict[str, dict[str, str]] = {}
        self._tables: dict[str, TableRule] = {}
        self._currency: str | None = None
        self._grouped = False

    def mapping(self, path: Path) -> Mapping:
        top = self._document
        check.known(top, {"source", "currency", "before", "files", "tables", "aliases", *_FORMAT_KEYS}, "the mapping")
        self._currency = check.text(top, "currency", "the mapping")
        for name, pairs in check.table(top, "aliases", "the mapping").items():
            where = f"aliases.{name}"
            if not isinstance(pairs, dict) or not all(isinstance(text, str) for text in pairs.values()):
                raise CannotImport(f'{where} must be pairs of text: "as written" = "as meant"')
            self._aliases[name] = pairs
        for name in check.table(top, "tables", "the mapping"):
            self._tables[name] = self._table_rule(name, check.table(top["tables"], name, "tables"))
        before = tuple(
            _before(line, f"before[{number}]") for number, line in check.numbered(top, "before", "the mapping")
        )
        files = tuple(
            self._file(rule, f"files[{number}]") for number, rule in check.numbered(top, "files", "the mapping")
        )
        if not files:
            raise CannotImport("nothing to import: add a [[files]] with its name and events")
        source = check.text(top, "source", "the mapping")
        if source is not None and not (1 <= len(source) <= MAX_SOURCE and source.isprintable()):
            raise CannotImport(f"source is a short name: 1 to {MAX_SOURCE} printable characters")
        return Mapping(path, source, before, files, self._tables)

    def _table_rule(self, name: str, rule: dict[str, Any]) -> TableRule:
        where = f"tables.{name}"
        check.known(rule, {"file", "key", "ids", "prefix"}, where)
        ids = rule.get("ids", "number")
        if ids not in {"number", "slug"}:
            raise CannotImport(f'{where}: ids is "number" or "slug", not {ids!r}')
        prefix = check.text(rule, "prefix", where) or ""
        key = Template.of(check.needed(rule, "key", where))
        if not key.columns:
            key = Template(("", key.parts[0], ""))
        return TableRule(name, check.needed(rule, "file", where), key, ids, prefix)

    def _file(self, rule: dict[str, Any], where: str) -> FileRule:
        check.known(rule, {"name", "alias", "unique", "group", "events", *_FORMAT_KEYS}, where)
        name = check.needed(rule, "name", where)
        where = f"{where} ({name})"
        settings = {**self._document, **rule}
        encoding = check.text(settings, "encoding", where)
        try:
            codecs.lookup(encoding or "utf-8")
        except LookupError:
            raise CannotImport(f'{where}: unknown encoding {encoding!r}; for example "utf-8" or "cp1252"') from None
        delimiter = check.text(settings, "delimiter", where)
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
            raise CannotImport(f'{where}: delimiter must be one character, such as ";"')
        if "unique" in rule and "group" in rule:
            raise CannotImport(f"{where}: a group is unique already; leave out unique or group")
        self._grouped = "group" in rule
        events = tuple(
            self._event(event, f"{where} events[{number}]") for number, event in check.numbered(rule, "events", where)
        )
        if not events:
            raise CannotImport(f"{where} makes no event: add a [[files.events]] with its type, id and data")
        alias = check.table(rule, "alias", where)
        aliases = {column: self._named(alias, column, self._aliases, f"{where} alias") for column in alias}
        self._grouped = False
        unique = self._node(rule["unique"], f"{where} unique", str) if "unique" in rule else None
        group = self._node(rule["group"], f"{where} group", str) if "group" in rule else None
        return FileRule(name, encoding, delimiter, _formats(settings, where), aliases, unique, group, events)

    def _event(self, rule: dict[str, Any], where: str) -> EventRule:
        check.known(rule, {"type", "id", "effective_at", "recorded_at", "data", "when", "unless", "once"}, where)
        type_name = _event_type(check.needed(rule, "type", where), where)
        where = f"{where} ({type_name})"
        kind = kind_of_event(type_name)
        if kind is None:
            raise CannotImport(f"{where}: rows make what happened, not corrections; append those as event lines")
        if ("id" in rule) == (kind == "book"):
            advice = "the book has no id; leave it out" if kind == "book" else f"say which {kind}: add id"
            raise CannotImport(f"{where}: {advice}")
        if "effective_at" not in rule:
            raise CannotImport(f"{where}: say when it happened: add effective_at (a column or a date)")
        data = check.table(rule, "data", where)
        if not isinstance(rule.get("once", False), bool):
            raise CannotImport(f"{where}: once is true or false")
        return EventRule(
            type=type_name,
            stream_kind=kind,
            id=self._node(rule["id"], f"{where} id", str) if "id" in rule else None,
            effective_at=self._node(rule["effective_at"], f"{where} effective_at", str, "moment"),
            recorded_at=self._node(rule["recorded_at"], f"{where} recorded_at", str, "moment")
            if "recorded_at" in rule
            else None,
            data=self._object(data, f"{where} data", EVENTS[type_name], f"every {type_name}"),
            when=_conditions(rule, "when", where),
            unless=_conditions(rule, "unless", where),
            once=rule.get("once", False),
        )

    def _node(self, raw: Any, where: str, hint: Any, kind: Kind | None = None) -> Node:
        """A value of the mapping for a field that takes `hint`; `kind` is how text is read where the field is silent."""
        if isinstance(raw, str) and (template := Template.of(raw)).columns:
            return self._column(template, hint, where, kind)
        part = part_of(hint)
        if isinstance(raw, dict) and "from" in raw and not (part and "from" in fields_of(part)):
            return self._value(raw, where, hint, kind)
        if isinstance(raw, dict) and raw.keys() == {"each"} and item_of(hint) is not None:
            return self._each(raw["each"], where, hint)
        if isinstance(raw, dict) and part is not None:
            return self._object(raw, where, part, "it")
        if isinstance(raw, dict) and (member := member_of(hint)) is not None:
            check_keys(raw, hint, where)
            return {key: self._node(value, f"{where}.{key}", member) for key, value in raw.items()}
        if isinstance(raw, list) and (item := item_of(hint)) is not None:
            return [self._node(value, f"{where}[{number}]", item) for number, value in enumerate(raw, 1)]
        constant = check.plain(raw, where)
        check_constant(constant, hint, where)
        return Constant(constant)

    def _column(self, template: Template, hint: Any, where: str, kind: Kind | None) -> Value:
        """Columns' text as it is, read as the field wants it."""
        chosen = kind or kind_for(hint)
        currency = self._money_currency({}, where) if chosen == "money" else None
        return self._checked(Value(Text(template), kind=chosen, currency=currency), hint, where)

    def _object(self, raw: dict[str, Any], where: str, part: type[Part], whose: str) -> dict[str, Node]:
        """The fields of an event's data or of a part of it, each known and none that must be there missing."""
        fields = fields_of(part)
        check.known(raw, set(fields), where)
        absent = [name for name, field in fields.items() if field.required and name not in raw]
        if absent:
            raise CannotImport(f"{where} lacks {check.listed(absent)}, which {whose} has")
        return {key: self._node(value, f"{where}.{key}", fields[key].hint) for key, value in raw.items()}

    def _each(self, raw: Any, where: str, hint: Any) -> Each:
        if not self._grouped:
            raise CannotImport(f"{where}: each makes an item of each row of a group; say group for the file")
        self._grouped = False
        item = self._node(raw, f"{where} each", item_of(hint))
        self._grouped = True
        return Each(item)

    def _checked(self, value: Value, hint: Any, where: str) -> Value:
        """The value, if what it makes can stand in the field."""
        check_kind("text" if value.id_table else value.kind, hint, where)
        meanings = value.text.values
        if meanings and value.kind == "text" and not value.text.lookup and not value.id_table:
            for written, meant in meanings.items():
                check_constant(meant, hint, f"{where}: what the aliases make of {written!r}")
        return value

    def _value(self, raw: dict[str, Any], where: str, hint: Any, kind: Kind | None) -> Value:
        check.known(raw, _VALUE_KEYS, where)
        for key in ("negative", "total"):
            if not isinstance(raw.get(key, False), bool):
                raise CannotImport(f"{where}: {key} is true or false")
        if "id" in raw and "as" in raw:
            raise CannotImport(f"{where}: an id is an id already; leave out id or as")
        id_table = self._named(raw, "id", self._tables, where)
        silent = kind or ("money" if "currency" in raw and takes_money(hint) else kind_for(hint))
        written = raw.get("as", "text" if id_table else silent)
        if written not in get_args(Kind):
            raise CannotImport(f"{where}: as is one of {', '.join(get_args(Kind))}, not {written!r}")
        for key in ("currency", "negative"):
            if key in raw and written != "money":
                raise CannotImport(f'{where}: {key} belongs to money; add as = "money" or leave it out')
        if raw.get("missing", "reject") not in {"reject", "omit", "omit_all"}:
            raise CannotImport(f'{where}: missing is "reject", "omit" or "omit_all"; for another value use else')
        if raw.get("total", False) and not (self._grouped and written in {"money", "decimal", "integer"}):
            raise CannotImport(f"{where}: total adds up the numbers of a group's rows; say group for the file")
        value = Value(
            text=self._looked_up(raw, where),
            id_table=id_table.name if id_table else None,
            kind=written,
            currency=self._money_currency(raw, where) if written == "money" else None,
            negative=raw.get("negative", False),
            missing=raw.get("missing", "reject"),
            fallback=self._node(raw["else"], f"{where} else", hint, written) if "else" in raw else None,
            total=raw.get("total", False),
        )
        return self._checked(value, hint, where)

    def _looked_up(self, raw: dict[str, Any], where: str) -> Text:
        """What `from`, `values`, `lookup` and `take` say; `from` may itself be such a table."""
        source = raw["from"]
        if isinstance(source, dict) and "from" in source:
            check.known(source, _TEXT_KEYS, f"{where} from")
        elif not isinstance(source, str):
            raise CannotImport(f'{where}: from must be text with columns in braces, such as "{{amount}}"')
        if ("take" in raw) != ("lookup" in raw):
            raise CannotImport(f"{where}: lookup (a table) and take (one of its columns) go together")
        lookup = self._named(raw, "lookup", self._tables, where)
        return Text(
            source=Template.of(source) if isinstance(source, str) else self._looked_up(source, f"{where} from"),
            values=self._named(raw, "values", self._aliases, where),
            lookup=lookup.name if lookup else None,
            take=check.text(raw, "take", where),
        )

    def _money_currency(self, raw: dict[str, Any], where: str) -> Template:
        currency = check.text(raw, "currency", where) or self._currency
        if currency is None:
            raise CannotImport(f'{where}: say which currency: currency = "USD" here or at the top')
        template = Template.of(currency)
        if not template.columns and not is_currency(currency):
            raise CannotImport(f"{where}: {currency!r} is not a currency; write its ISO 4217 code, such as EUR")
        return template

    def _named(self, raw: dict[str, Any], key: str, among: dict[str, Any], where: str) -> Any:
        name = check.text(raw, key, where)
        if name is not None and name not in among:
            raise CannotImport(f"{where}: {key} names {name!r}, but the mapping has only: {check.listed(among)}")
        return among[name] if name is not None else None


def _formats(settings: dict[str, Any], where: str) -> Formats:
    for key, allowed in ("decimal", (",", ".")), ("dates", ("dmy", "mdy")):
        if settings.get(key) not in {*allowed, None}:
            raise CannotImport(f'{where}: {key} is "{allowed[0]}" or "{allowed[1]}", not {settings[key]!r}')
    time_zone = check.text(settings, "time_zone", where)
    if time_zone is not None:
        try:
            zone(time_zone)
        except Refused as refused:
            raise CannotImport(f"{where}: {refused}") from None
    return Formats(settings.get("decimal"), settings.get("dates"), time_zone)


def _before(line: Any, where: str) -> dict[str, Any]:
    """An event line as it stands, checked as the ledger will check it."""
    check.known(line, {"stream", "type", "effective_at", "recorded_at", "data"}, where)
    type_name = _event_type(check.needed(line, "type", where), where)
    plain = cast("dict[str, Any]", check.plain(line, where))
    for key in "stream", "effective_at":
        check.needed(plain, key, where)
    try:
        read_line(msgspec.json.encode(plain), history=True)
    except Refused as refused:
        raise CannotImport(f"{where} ({type_name}): {refused}") from None
    return plain


def _event_type(name: str, where: str) -> str:
    if name not in EVENTS:
        near = difflib.get_close_matches(name, EVENTS, 1)
        hint = f"did you mean {near[0]}?" if near else f"the types are {check.listed(EVENTS)}"
        raise CannotImport(f"{where}: there is no event type {name!r}; {hint}")
    return name


def _conditions(rule: dict[str, Any], key: str, where: str) -> dict[str, frozenset[str]]:
    conditions = {}
    for column, wanted in check.table(rule, key, where).items():
        values = wanted if isinstance(wanted, list) else [wanted]
        if not all(isinstance(value, str) for value in values):
            raise CannotImport(f'{where}: {key} compares text: {column} = "Won", or ["Won", "Lost"]')
        conditions[column] = frozenset(values)
    return conditions
