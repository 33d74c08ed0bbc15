"""`sales-ledger explain`: the lines behind a figure, and the events behind each line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.common import Book, Database, ledger_of, now_and_today, settings_with, time_zone_of
from ledger.cli.failures import WrongUse
from ledger.cli.parameters import parameters
from ledger.cli.reading import fresh_store
from ledger.cli.report import Lang
from ledger.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projections.reports import Explained, Explanation

FORMATS = ("table", "json")
SHOWN_LINES = 100


def explain(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which report.")],
    cell: Annotated[
        str, typer.Option("--cell", metavar="KEY=VALUE,…", help="Which cell, as month=2026-09,team=north.")
    ] = "",
    form: Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="How to write it.")] = "table",
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, show_default=False, help="At most so many lines [100; json: all]")
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option(
            "--proof", metavar="FILE", show_default=False, help="Write lines, events and proofs there; see verify."
        ),
    ] = None,
    lang: Lang = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """List what is behind a figure. Each line comes with the positions of its events."""
    from projections import reports

    if form not in FORMATS:
        raise WrongUse(f"there is no format {form[:40]!r}; explanations are written as {', '.join(FORMATS)}")
    asked, told_by = parameters(context.args), _cell(cell)
    settings = settings_with(database_url=database, book=book, lang=lang)
    with ledger_of(settings) as ledger:
        now, today = now_and_today(ledger)
        explanation = reports.explain(
            fresh_store(ledger),
            ledger,
            name,
            asked,
            told_by,
            today=today,
            now=now,
            lang=settings.lang,
            limit=None if proof else limit or (SHOWN_LINES if form == "table" else None),
        )
        if told_by and not explanation.lines:
            nothing = f"no line stands behind that; sales-ledger report {name} shows the cells there are"
            if proof is not None:
                raise NotFound(f"there is nothing to prove: {nothing}")
            typer.echo(nothing, err=True)
        if proof is not None:
            from ledger.cli.proofs import prove_explanation

            prove_explanation(settings, ledger, explanation, proof)
            return
        zone = time_zone_of(ledger)
    typer.echo(explanation.json().decode() if form == "json" else _as_table(explanation, settings.lang, zone))
    if explanation.more:
        typer.echo(f"{explanation.more:,} more lines; show them with --limit", err=True)


def _cell(text: str) -> dict[str, str | None]:
    """`month=2026-09,team=` as a mapping; nothing after the sign stands for none."""
    found: dict[str, str | None] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if not equals:
            raise WrongUse(f"--cell takes KEY=VALUE, separated by commas, not {part[:40]!r}")
        found[name.strip()] = value.strip() or None
    return found


def _as_table(explanation: Explanation, lang: str, zone: str) -> str:
    from ledger.cli.table import table
    from ledger.formats import moment_text
    from ledger.times import parse_instant

    figures = list(dict.fromkeys(name for line in explanation.lines for name in line.figures))
    rows = [
        [
            line.stream,
            line.title or "",
            line.state or "",
            moment_text(parse_instant(line.effective_at), zone),
            *(_figure(line, name, explanation.parameters, lang) for name in figures),
            "; ".join(f"{stream} {_ranges(positions)}" for stream, positions in line.events.items()),
        ]
        for line in explanation.lines
    ]
    headings = _headings(explanation, figures, lang)
    header = ["stream", "title", "state", f"since ({zone})", *headings, "events at positions"]
    return table(header, rows, right=range(4, 4 + len(figures)))


def _headings(explanation: Explanation, figures: Sequence[str], lang: str) -> list[str]:
    """What the report calls these figures, or their own names where it shows none of that name."""
    from projections.reports import find, variant

    report, currency = variant(find(explanation.report), explanation.parameters), explanation.parameters.get("currency")
    labels = {column.name: column.label.in_(lang) for column in report.columns}
    headings = []
    for name in figures:
        label = labels.get(name, name.removesuffix("_minor").replace("_", " "))
        headings.append(f"{label} ({currency})" if currency and name.endswith("_minor") else label)
    return headings


def _figure(line: Explained, name: str, parameters: Mapping[str, str], lang: str) -> str:
    from ledger.formats import amount_text, number_text

    value = line.figures.get(name)
    if value is None:
        return ""
    if isinstance(value, str | list):
        return value if isinstance(value, str) else ", ".join(map(str, value))
    if name.endswith("_minor"):
        return amount_text(value, parameters.get("currency") or line.currency or "", lang)
    return number_text(value, lang)


def _ranges(positions: Sequence[int]) -> str:
    """`3-5,9` for 3, 4, 5, 9."""
    spans: list[list[int]] = []
    for position in positions:
        if spans and position == spans[-1][1] + 1:
            spans[-1][1] = position
        else:
            spans.append([position, position])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
