"""A report's answer: the contract's JSON, and the notes that say how far it can be relied upon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.collecting import collected_seldom
from ledger.errors import BadRequest, NotFound
from ledger.times import day_start, format_instant
from projections.reports.definition import Text
from projections.reports.listed import rows_of
from projections.reports.question import ask
from projections.reports.table import tabulate

if TYPE_CHECKING:
    from datetime import date

    from ledger.application import Ledger
    from projections.reports.cells import Cells
    from projections.reports.definition import Base, Report
    from projections.reports.question import Question
    from projections.store import ReadStore, View

LANGUAGES = ("en", "fr")
AMOUNTS: dict[Base, tuple[Text, Text]] = {
    "value_said": (Text("montant connu", "amount"), Text("montants", "amounts")),
    "margin_said": (Text("marge connue", "margin"), Text("marges", "margins")),
    "quantity_said": (
        Text("quantité ou durée connue", "quantity or duration"),
        Text("quantités et de durées", "quantities and durations"),
    ),
}
"""What a note calls the amounts that some lines do not say."""


class AnswerColumn(msgspec.Struct, frozen=True):
    """`type` is id, text, date, month, count, money, quantity or ratio; money's unit is its currency."""

    name: str
    type: str
    unit: str | None
    label: str


class Answer(msgspec.Struct, frozen=True, dict=True):
    """A report as DESIGN 8 has it in JSON. Instants are ISO 8601, money integer minor units, ratios decimals.

    `values` are those of the rows, by column; the rows themselves are made when they are asked for.
    """

    report: str
    title: str
    as_of: str
    known_at: str
    position: int
    generation: int
    parameters: dict[str, str]
    columns: list[AnswerColumn]
    values: Mapping[str, Sequence[Any]] = msgspec.field(name="rows")
    totals: dict[str, Any]
    notes: list[str]

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        return rows_of(self.values)

    def json(self) -> bytes:
        rows = list(map(_row(*self.values), *self.values.values()))
        return msgspec.json.encode(msgspec.structs.replace(self, values=rows))


@lru_cache(maxsize=256)
def _row(*columns: str) -> type[msgspec.Struct]:
    """What holds a row with these columns, and is written sooner than a dict."""
    return msgspec.defstruct("Row", columns, gc=False)


@collected_seldom()
def answer_to(
    report: Report,
    store: ReadStore,
    params: Mapping[str, str],
    *,
    today: date,
    lang: str = "en",
    ledger: Ledger | None = None,
    head: int | None = None,
    now: int | None = None,
) -> Answer:
    """Answer a report from the read store, all in one snapshot.

    `today` is the local date and `now` the instant (its midnight when not given) beyond which nothing can be asked.
    With `ledger` the names of persons are shown. `head` is the log's last position as it was when the question came
    (`Freshness.head`). Raises `BadRequest`, and `MissingRate` naming the rate.
    """
    check_language(lang)
    with store.view() as view:
        question = ask(view, report, params, clock=clock(view, today, now))
        table = tabulate(question, view, ledger, lang)
        notes = [note for each in table.cells for note in each.notes] + _notes(table.cells, view, head)
    return Answer(
        report=report.name,
        title=report.title.in_(lang),
        as_of=format_instant(question.pair.as_of),
        known_at=format_instant(question.pair.known_at),
        position=view.position,
        generation=view.generation,
        parameters=resolved(question),
        columns=[
            AnswerColumn(name, kind, question.currency if kind == "money" else None, label.in_(lang))
            for name, kind, label in table.columns
        ],
        values=table.values,
        totals=table.totals,
        notes=[note.in_(lang) for note in notes],
    )


def check_language(lang: str) -> None:
    if lang not in LANGUAGES:
        raise BadRequest(f"unknown language {lang[:20]!r}; write {' or '.join(LANGUAGES)}")


def clock(view: View, today: date, now: int | None) -> int:
    return day_start(today, view.time_zone) if now is None else now


def resolved(question: Question) -> dict[str, str]:
    """The parameters as they were understood: words and defaults replaced by what they meant."""
    said = dict(question.given)
    said |= {"as_of": format_instant(question.pair.as_of), "known_at": format_instant(question.pair.known_at)}
    if question.period:
        said["period"] = f"{question.period.first}..{question.period.last}"
    if question.since is not None:
        said["from"] = format_instant(question.since)
    if "currency" in question.report.parameters:
        said["currency"] = question.currency
    if "horizon" in question.report.parameters and not question.period:
        said["horizon"] = str(question.horizon_months)
    for name, allowed in question.report.choices.items():
        said.setdefault(name, allowed[0])
    return said


def _notes(cells: Sequence[Cells], view: View, head: int | None) -> list[Text]:
    notes = []
    lines, late = sum(each.lines for each in cells), sum(each.late for each in cells)
    if late:
        notes.append(
            Text(
                "{late} ligne(s) sur {lines} reposent sur des événements ajoutés au registre après la date de "
                "connaissance (historique importé)",
                "{late} of {lines} lines rest on events appended after known_at (imported history)",
            ).counting(late=late, lines=lines)
        )
    for base, (one, several) in AMOUNTS.items():
        asked, said = (sum(each.known.get(base, (0, 0))[index] for each in cells) for index in range(2))
        if 0 < said < asked:
            notes.append(
                Text(
                    f"{one.fr} pour {{said}} ligne(s) sur {{asked}} : les sommes de {several.fr} ne comptent que "
                    "celles-là",
                    f"the {one.en} of {{said}} of {{asked}} lines is known: sums of {several.en} count these alone",
                ).counting(said=said, asked=asked)
            )
    if aside := view.quarantined:
        notes.append(
            Text(
                "{aside} flux en quarantaine ne sont pas à jour ici : voir sales-ledger doctor",
                "{aside} quarantined stream(s) are not up to date here: see sales-ledger doctor",
            ).counting(aside=aside)
        )
    if head is not None and view.position < head:
        notes.append(
            Text(
                "le magasin de lecture en est à la position {position} sur {head}",
                "the read store is at position {position} of {head}",
            ).counting(position=view.position, head=head)
        )
    return notes


def find(reports: Sequence[Report], name: str) -> Report:
    """The report of that name. Raises `NotFound` with those there are."""
    for report in reports:
        if report.name == name:
            return report
    raise NotFound(f"no report {name[:40]!r}; there are {', '.join(report.name for report in reports)}")
