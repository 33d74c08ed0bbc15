"""Parquet: typed columns for other programs, with the question they answer as metadata.

Money is a 64-bit integer in minor units; its field says of which currency and how many decimals that has.
"""

from __future__ import annotations

import io
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.money import decimals
from ledger.times import is_date

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.reports import Answer, AnswerColumn

PREFIX = "sales_ledger."
_TYPES = {
    "id": pa.string(),
    "text": pa.string(),
    "month": pa.string(),
    "date": pa.date32(),
    "count": pa.int64(),
    "money": pa.int64(),
    "quantity": pa.float64(),
    "ratio": pa.float64(),
}
_SAID = ("report", "title", "as_of", "known_at", "position", "generation", "parameters", "totals", "notes")


def table(answer: Answer) -> bytes:
    """The answer's rows; the file's metadata has its other parts, as text or JSON, under `sales_ledger.*`."""
    fields, columns = [], []
    for column in answer.columns:
        values = answer.values[column.name]
        kind = _type(column, values)
        fields.append(pa.field(column.name, kind, metadata=_metadata(column)))
        columns.append(pa.array([_value(kind, value) for value in values], kind))
    schema = pa.schema(fields, metadata={f"{PREFIX}{name}": _said(getattr(answer, name)) for name in _SAID})
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), out, compression="zstd")
    return out.getvalue()


def _type(column: AnswerColumn, values: Sequence[Any]) -> pa.DataType:
    """The column's own type; where its values are not of it (a target in money or in pieces), theirs."""
    kind = _TYPES.get(column.type)
    there = [value for value in values if value is not None]
    if kind is not None and all(_fits(kind, value) for value in there):
        return kind
    if all(isinstance(value, bool) for value in there):
        return pa.bool_()
    if all(isinstance(value, int) for value in there):
        return pa.int64()
    return pa.float64() if all(isinstance(value, int | float) for value in there) else pa.string()


def _fits(kind: pa.DataType, value: Any) -> bool:
    if pa.types.is_date(kind):
        return isinstance(value, str) and is_date(value)
    if isinstance(value, bool):
        return False
    if pa.types.is_int64(kind):
        return isinstance(value, int)
    return isinstance(value, int | float) if pa.types.is_float64(kind) else isinstance(value, str)


def _value(kind: pa.DataType, value: Any) -> Any:
    if value is None:
        return None
    if pa.types.is_date(kind):
        return date.fromisoformat(value)
    return str(value) if pa.types.is_string(kind) else value


def _metadata(column: AnswerColumn) -> dict[str, str]:
    said = {"label": column.label, "type": column.type}
    if column.type == "money":
        said |= {"unit": "minor", "currency": column.unit or "", "decimals": str(decimals(column.unit or ""))}
    return said


def _said(value: Any) -> str | bytes:
    return value if isinstance(value, str) else msgspec.json.encode(value)
