"""A report's answer as a file: for spreadsheets, for other programs, as a picture. One file per format."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ledger.errors import BadRequest
from projections.reports.definition import Text

if TYPE_CHECKING:
    from projections.reports import Answer


class Format(NamedTuple):
    """How an answer may be written; `text` can be shown in a terminal, `shown` is looked at rather than kept."""

    name: str
    media_type: str
    description: Text
    text: bool = False
    shown: bool = False


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("json", "application/json", Text("le contrat", "the contract"), text=True),
        Format("csv", "text/csv", Text("les mêmes colonnes en texte", "the same columns as text"), text=True),
        Format(
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Text(
                "un classeur, avec la question sur sa seconde feuille", "a workbook, the question on its second sheet"
            ),
        ),
        Format(
            "parquet",
            "application/vnd.apache.parquet",
            Text("des colonnes typées, avec la question en métadonnées", "typed columns, the question as metadata"),
        ),
        Format("svg", "image/svg+xml", Text("un graphique", "a chart"), text=True, shown=True),
        Format("png", "image/png", Text("un graphique en points", "a chart in dots"), shown=True),
    )
}
"""Every format by name; the first is what a program gets that asks for none."""


def check_format(form: str) -> None:
    """Raise `BadRequest` for a format that does not exist."""
    if form not in FORMATS:
        raise BadRequest(f"there is no format {form[:40]!r}; reports are written as {', '.join(FORMATS)}")


def language(form: str, locale: str) -> str:
    """The language of an answer written for a locale. Raises `BadRequest` for one unknown, or that changes nothing."""
    if form != "csv":
        raise BadRequest("locale says how to write csv; the other formats follow lang")
    from projections.exports.csv import locale_of  # noqa: PLC0415 (babel is slow to import)

    found: str = locale_of(locale).language
    return found


def export(answer: Answer, form: str, *, lang: str, time_zone: str, locale: str | None = None) -> bytes:
    """The answer in a format. `lang` is the language it was asked in; the same answer gives the same bytes.

    Raises `BadRequest` for a format or a locale that does not exist.
    """
    check_format(form)
    match form:
        case "json":
            return answer.json()
        case "csv":
            from projections.exports import csv  # noqa: PLC0415 (each format brings its own package, slow to import)

            return csv.contract(answer) if locale is None else csv.localised(answer, locale)
        case "xlsx":
            from projections.exports import xlsx  # noqa: PLC0415 (as above)

            return xlsx.workbook(answer, lang)
        case "parquet":
            from projections.exports import parquet  # noqa: PLC0415 (as above)

            return parquet.table(answer)
        case _:
            from projections.exports import pictures  # noqa: PLC0415 (as above)

            return pictures.draw(answer, lang, form, time_zone)


def file_name(answer: Answer, form: str) -> str:
    """What to call a downloaded file: the report and its date."""
    return f"{answer.report}-{answer.as_of[:10]}.{form}"
