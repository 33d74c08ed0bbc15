"""The catalogue of reports in words, made from their registration."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from ledger.cli.table import table

if TYPE_CHECKING:
    from projections.reports import Report

WIDTH = 100
_WORDS = {
    "fr": ("Formule", "Source", "Colonnes", "Paramètres", "Axes", "par exemple"),
    "en": ("Formula", "Source", "Columns", "Parameters", "Dimensions", "for example"),
}


def catalogue(lang: str) -> str:
    """One line for each report."""
    from projections.reports import REPORTS

    rows = [
        [report.name, report.title.in_(lang), report.description.in_(lang).partition(". ")[0].removesuffix(".")]
        for report in REPORTS
    ]
    return table(["report", *(("titre", "ce qu'il dit") if lang == "fr" else ("title", "what it says"))], rows)


def definition(name: str, lang: str) -> str:
    """One report's definition in full: formula, source, columns, parameters. Raises `NotFound`."""
    from projections.reports import find

    report = find(name)
    formula, source, columns, _, dimensions, _ = _WORDS[lang]
    parts = [
        f"{report.title.in_(lang)} ({report.name})",
        _paragraph(report.description.in_(lang)),
        f"{formula}\n{_paragraph(report.formula.in_(lang))}",
        f"{source}\n{_paragraph(report.source.in_(lang))}",
        f"{columns}\n" + _rows([[each.name, each.type, each.label.in_(lang)] for each in report.columns]),
        _parameters(report, lang),
        f"{dimensions}\n{_paragraph(', '.join((*report.fixed, *report.dimensions)))}",
    ]
    return "\n\n".join(parts)


def _parameters(report: Report, lang: str) -> str:
    from projections.reports import PARAMETERS, choices

    title, example = _WORDS[lang][3], _WORDS[lang][5]
    parts = [title]
    for name in report.parameters:
        parameter = PARAMETERS[name]
        allowed = () if name in {"by", "where"} else choices(report, name)
        said = "|".join(allowed) if allowed else f"({example} {parameter.example})"
        parts += [f"  --{name.replace('_', '-')} {said}", _paragraph(parameter.text.in_(lang), indent=6)]
    return "\n".join(parts)


def _rows(rows: list[list[str]]) -> str:
    widths = [max(len(row[index]) for row in rows) for index in range(2)]
    return "\n".join(f"  {first:<{widths[0]}}  {second:<{widths[1]}}  {third}" for first, second, third in rows)


def _paragraph(text: str, indent: int = 2) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent)
