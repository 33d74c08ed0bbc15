"""The manual's pages about reports, made from their registration and from a small company's history.

A report has its page as soon as it is registered: nothing here names one. The example is asked as of a fixed day of a
history that never changes, so the same program always writes the same pages.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.application import Ledger
    from projections.reports import Answer, Report
    from projections.store import ReadStore

COMMAND = "sales-ledger reports --pages docs/reports"
INDEX = "README.md"

NOW = "2026-10-31T18:00:00Z"
DEALS, YEARS, SEED = 150, 2, 7
AS_OF, PERIOD = "2026-09-30", "2026"
BY = ("month", "team", "owner", "channel", "segment", "country")
"""What an example is asked by, the first that a report knows, where its rows have no heads of their own."""
SHOWN_ROWS = 2

_TYPES = {
    "id": "id",
    "text": "text",
    "date": "date",
    "month": "month",
    "count": "whole number",
    "money": "integer, minor units",
    "quantity": "number",
    "ratio": "decimal",
}
_HEAD = f"""# Reports

Each answers for any pair of dates: `as_of`, the business date in question, and `known_at`, what the company knew by then.
These pages are made from the code by `{COMMAND}`; change them there. The examples are asked of
`sales-ledger demo --deals {DEALS} --years {YEARS} --seed {SEED}`, as it was on {NOW[:10]}.

| report | title | titre |
|---|---|---|
"""


class Example(NamedTuple):
    """A question to the example company, its answer, and what the answer's columns are called in French."""

    question: dict[str, str]
    answer: Answer
    french: dict[str, str]


def write(folder: Path) -> list[Path]:
    """Write the page and picture of every report, and their index; pages of reports that are gone are removed."""
    found = pages()
    folder.mkdir(parents=True, exist_ok=True)
    for stale in (each for each in folder.iterdir() if each.suffix in {".md", ".svg"} and each.name not in found):
        stale.unlink()
    for name, text in found.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in found]


def pages() -> dict[str, str]:
    """Every file of the manual's folder by its name."""
    from projections.check import memory_store
    from projections.exports import pictures
    from projections.reports import REPORTS

    found = {INDEX: _index()}
    with tempfile.TemporaryDirectory() as folder:
        ledger = _company(f"sqlite:///{folder}/manual.db")
        try:
            store = memory_store(ledger)
            for report in REPORTS:
                example = _example(report, store, ledger)
                found[f"{report.name}.md"] = _page(report, example)
                spec = pictures.definition(example.answer, "en", _zone(ledger))
                found[f"{report.name}.svg"] = pictures.svg(spec, "en") + "\n"
        finally:
            ledger.close()
    return found


def _company(url: str) -> Ledger:
    from ledger.application import open_ledger
    from ledger.codec import encode
    from ledger.demo import history
    from ledger.times import parse_instant

    now = parse_instant(NOW)
    ledger = open_ledger(url, clock=lambda: now)
    story = history(deals=DEALS, years=YEARS, seed=SEED, until=now)
    for outcome in ledger.append_each(enumerate(map(encode, story), start=1), actor="demo", history=True):
        assert outcome.error is None, "the example's history is legal"
    return ledger


def _zone(ledger: Ledger) -> str:
    from ledger.cli.common import time_zone_of

    return time_zone_of(ledger)


def _example(report: Report, store: ReadStore, ledger: Ledger) -> Example:
    from ledger.times import local_date
    from projections.reports import answer

    question = {"as_of": AS_OF}
    if "period" in report.parameters and not report.snapshot and "horizon" not in report.parameters:
        question["period"] = PERIOD
    if not report.fixed and "by" in report.parameters:
        by = next((each for each in BY if each in report.dimensions), None)
        question |= {"by": by} if by else {}
    now = ledger.now()
    today = local_date(now, _zone(ledger))
    found, in_french = (
        answer(store, report.name, question, today=today, now=now, ledger=ledger, lang=lang) for lang in ("en", "fr")
    )
    return Example(question, found, {each.name: each.label for each in in_french.columns})


def _index() -> str:
    from projections.reports import REPORTS

    lines = [f"| [{each.name}]({each.name}.md) | {each.title.en} | {each.title.fr} |" for each in REPORTS]
    return _HEAD + "\n".join(lines) + "\n"


def _page(report: Report, example: Example) -> str:
    parts = [
        f"# {report.title.en}\n",
        f"*{report.title.fr}.* `sales-ledger report {report.name}`, `GET /v1/reports/{report.name}`.\n",
        f"{report.description.en}\n",
        f"![{report.title.en}]({report.name}.svg)\n",
        f"## Formula\n\n{report.formula.en}\n",
        f"## Source\n\n{report.source.en}\n",
        "## Columns\n",
        *_columns(report, example),
        "\n## Parameters\n",
        *_parameters(report),
        "\n## Example\n",
        f"```\n{_command(report, example.question)}\n```\n",
        f"```json\n{_json(example.answer)}\n```\n",
        f"## En français\n\n{report.description.fr}\n",
        f"**Formule.** {report.formula.fr}\n",
        f"**Source.** {report.source.fr}\n",
        f"[All reports]({INDEX})\n",
    ]
    return "\n".join(parts)


def _columns(report: Report, example: Example) -> Iterator[str]:
    """The heads of the example's rows, then the report's own figures, which no parameter changes."""
    yield "| column | type | what it is | en français |\n|---|---|---|---|"
    for column in example.answer.columns:
        kind = _TYPES.get(column.type, column.type)
        yield f"| `{column.name}` | {kind} | {column.label} | {example.french[column.name]} |"
    if report.dimensions:
        yield f"\nDimensions for `by` and `where`: {', '.join(f'`{each}`' for each in report.dimensions)}."


def _parameters(report: Report) -> Iterator[str]:
    from projections.reports import PARAMETERS, choices

    yield "| parameter | what it says | for example |\n|---|---|---|"
    for name in report.parameters:
        parameter = PARAMETERS[name]
        allowed = () if name in {"by", "where"} else choices(report, name)
        said = ", ".join(f"`{each}`" for each in allowed) or f"`{parameter.example}`"
        yield f"| `{name}` | {parameter.text.en} | {said} |"


def _command(report: Report, question: dict[str, str]) -> str:
    options = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in question.items())
    return f"sales-ledger report {report.name} {options} --format json"


def _json(answer: Answer) -> str:
    """The answer with a line for each part and row, without the columns that the page has told."""
    said = json.loads(answer.json())
    rows = said["rows"]
    shown = [f"    {_one_line(row)}" for row in rows[:SHOWN_ROWS]]
    if len(rows) > SHOWN_ROWS:
        shown.append(f'    "… {len(rows) - SHOWN_ROWS} more"')
    parts = {name: _one_line(value) for name, value in said.items() if name != "generation"}
    parts |= {"columns": '["…"]', "rows": "[\n" + ",\n".join(shown) + "\n  ]" if shown else "[]"}
    return "{\n" + ",\n".join(f'  "{name}": {value}' for name, value in parts.items()) + "\n}"


def _one_line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
