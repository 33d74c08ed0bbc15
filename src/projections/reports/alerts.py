"""What needs someone now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, and_, case, func, literal, or_, select
from sqlalchemy import Text as SqlText

from ledger.times import DAY_US, day_end, local_date
from projections import intervals
from projections.intervals import open_deals, open_values
from projections.reports import objective_lines
from projections.reports.cells import Cells, total
from projections.reports.conversion import CONVERSION
from projections.reports.definition import Item, Report, Text, told
from projections.reports.dimensions import among
from projections.reports.objectives import REACHED
from projections.reports.objectives_in_force import OBJECTIVE, teams_at
from projections.reports.periods import Period, add_months
from projections.reports.settings import Steering, book_at, steering
from projections.reports.win_rate import WIN_RATE
from projections.tables import ISSUED_QUOTE, PLANNED_TASK, UNSETTLED, interactions, quote_versions, task_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Select

    from projections.intervals import Rows
    from projections.reports.objectives_in_force import Teams
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

EXPIRING_DAYS = 7
COMPLAINT_DAYS = 7
RATES_MONTHS = 3
RATES_BELOW = {"win_rate": (WIN_RATE, "win_rate"), "conversion": (CONVERSION, "conversion")}
"""Indicators that are bad below their threshold: a column of a report over the last three months."""

COUNTS_ABOVE = {
    "overdue_tasks": "task_overdue",
    "stalled_deals": "deal_stalled",
    "late_deals": "deal_past_close",
    "expiring_quotes": "quote_expiring",
    "open_complaints": "complaint_open",
    "behind_objectives": "objective_behind",
}
"""Indicators that are bad above their threshold: how many alerts there are of a kind."""

SEVERITY = {
    "task_overdue": "high",
    "task_due": "low",
    "quote_expiring": "medium",
    "deal_past_close": "medium",
    "deal_stalled": "medium",
    "objective_behind": "high",
    "complaint_open": "high",
    "threshold": "high",
}


Whose = frozenset[str | None] | None
"""Those whose alerts alone are asked for, if it is so."""


class Alert(NamedTuple):
    """What it is about, whose it is, and the local date it counts from; `row` has its stream and position."""

    what: str
    row: Any
    who: str | None
    since: str


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each alert: a task, a quote, a deal, an objective, a complaint, or an indicator past its threshold."""
    teams, settled = teams_at(question, view), steering(question, view)
    whose = _whose(question, teams)
    found = [
        *_tasks(question, view, whose),
        *_quotes(question, view, whose),
        *_deals(question, view, settled, whose),
        *_complaints(question, view, settled, whose),
    ]
    found += _objectives(question, view, rates, whose)
    if whose is None:
        found += _thresholds(question, view, settled, found)
    for some in _told_together(question, found):
        alert = some[0]
        yield Item(
            stream=alert.row.stream,
            position=alert.row.position,
            at=question.pair.happened.as_of,
            dimensions={
                "severity": SEVERITY[alert.what.partition(":")[0]],
                "what": alert.what,
                "who": alert.who,
                "since": alert.since,
                "stream": alert.row.stream,
                "team": teams.of(alert.who),
            },
            figures={"alerts": len(some)},
            state=alert.what,
            late=sum([each.row.appended_at > question.pair.known_at for each in some]),
            lines=len(some),
        )


def _told_together(question: Question, found: Iterable[Alert]) -> Iterable[Sequence[Alert]]:
    """Each alert alone, or where nobody asks which, those of a kind for somebody."""
    if not question.dimensions.isdisjoint({"since", "stream"}):
        return ([alert] for alert in found)
    alike: dict[tuple[str, str | None], list[Alert]] = {}
    for alert in found:
        alike.setdefault((alert.what, alert.who), []).append(alert)
    return alike.values()


def _whose(question: Question, teams: Teams) -> Whose:
    """Whose alerts alone are asked for; None where those of nobody are too, which rest on everybody's."""
    who, of_teams = question.where.get("who"), question.where.get("team")
    if of_teams is not None and None not in of_teams:
        members = teams.members(of_teams)
        who = members if who is None else who & members
    return None if who is None or None in who else who


def _of(owner: ColumnElement[Any], whose: Whose) -> tuple[ColumnElement[bool], ...]:
    return () if whose is None else (among(owner, whose),)


def _tasks(question: Question, view: View, whose: Whose) -> Iterator[Alert]:
    """Those that were due before the instant, and those due later that day."""
    as_of, zone = question.pair.happened.as_of, question.book.time_zone
    until = day_end(local_date(as_of, zone), zone)
    t = task_versions.c
    rows = intervals.at_pair(task_versions, question.pair, view, PLANNED_TASK, t.due_at <= until, *_of(t.owner, whose))
    for row in view.rows(select(rows)):
        what = "task_overdue" if row.due_at <= as_of else "task_due"
        yield Alert(what, row, row.owner, local_date(row.due_at, zone).isoformat())


def _quotes(question: Question, view: View, whose: Whose) -> Iterator[Alert]:
    today = question.today
    q = quote_versions.c
    soon = (q.valid_until >= today.isoformat(), q.valid_until <= (today + timedelta(days=EXPIRING_DAYS)).isoformat())
    rows = intervals.at_pair(quote_versions, question.pair, view, ISSUED_QUOTE, *soon, *_of(q.owner, whose))
    for row in view.rows(select(rows)):
        yield Alert("quote_expiring", row, row.owner, row.valid_until)


def _deals(question: Question, view: View, settled: Steering, whose: Whose) -> Iterator[Alert]:
    """Open deals past the date they were to close, and those without interaction for too long."""
    pair, zone, today = question.pair.happened, question.book.time_zone, question.today.isoformat()
    long_ago = pair.as_of - settled.stalled_after_days * DAY_US
    told = ("stream", "position", "appended_at", "owner", "expected_close_on", "opened_at")
    queries = [_last_talk(deals, question, view, long_ago, whose) for deals in open_deals(pair, view, *told)]
    for row in chain.from_iterable(view.rows(query, open_values(pair)) for query in queries):
        if row.expected_close_on is not None and row.expected_close_on < today:
            yield Alert("deal_past_close", row, row.owner, row.expected_close_on)
        since = max(row.opened_at, row.talked_at or 0)
        if since <= long_ago:
            yield Alert("deal_stalled", row, row.owner, local_date(since, zone).isoformat())


def _last_talk(deals: Rows, question: Question, view: View, long_ago: int, whose: Whose) -> Select[Any]:
    """Open deals past their date or opened long ago, each of the latter with when it was last talked about."""
    i = interactions.alias("talks")
    its_own = and_(
        i.c.deal == func.substr(deals.c.stream, literal(len("deal-") + 1)),
        intervals.holds(i, question.pair.happened.as_of, question.pair, view),
    )
    talked_at = select(func.max(i.c.logged_at)).where(its_own).scalar_subquery()
    d = deals.c
    is_old = d.opened_at <= literal(long_ago, BigInteger)
    told = (d.stream, d.position, d.appended_at, d.owner, d.expected_close_on, d.opened_at)
    query = select(*told, case((is_old, talked_at)).label("talked_at")).select_from(deals.frm)
    return query.where(or_(is_old, d.expected_close_on < question.today.isoformat()), *_of(d.owner, whose))


def _complaints(question: Question, view: View, settled: Steering, whose: Whose) -> Iterator[Alert]:
    pair, zone = question.pair.happened, question.book.time_zone
    days = settled.thresholds.get("open_complaint_days", COMPLAINT_DAYS)
    i = interactions.c
    old = i.logged_at <= pair.as_of - int(days * DAY_US)
    held = intervals.holds(interactions, pair.as_of, question.pair, view)
    still = select(interactions).where(
        UNSETTLED, i.kind == literal("complaint", SqlText), old, held, *_of(i.owner, whose)
    )
    for row in view.rows(still):
        yield Alert("complaint_open", row, row.owner, local_date(row.logged_at, zone).isoformat())


def _objectives(question: Question, view: View, rates: Rates, whose: Whose) -> Iterator[Alert]:
    """Those in force that day that are behind their pace."""
    where: Mapping[str, frozenset[str | None]] = {} if whose is None else {"owner": whose}
    asked = replace(question, report=REACHED, by=(), where=where, period=None)
    cells = Cells(asked)
    found = cells.summarise(objective_lines.items_reached(asked, view, rates))
    rows = {item.stream: item for item in found if item.state == OBJECTIVE}
    for key, sums in cells.rows.items():
        if sums["status"] == "behind":
            of = dict(zip(asked.heads, key, strict=True))
            item = rows[f"objective-{of['objective']}"]
            yield Alert("objective_behind", _Row(item.stream, item.position, 0), of["owner"], sums["period_from"])


class _Row(NamedTuple):
    stream: str
    position: int
    appended_at: int


def _thresholds(question: Question, view: View, settled: Steering, found: Sequence[Alert]) -> Iterator[Alert]:
    book = book_at(question.pair, view)
    if book is None:
        return
    for name, threshold in settled.thresholds.items():
        if name in RATES_BELOW:
            value = _rate(question, view, name)
            is_past = value is not None and value < threshold
        else:
            is_past = sum(alert.what == COUNTS_ABOVE.get(name) for alert in found) > threshold
        if is_past:
            yield Alert(f"threshold:{name}", book, None, question.today.isoformat())


def _rate(question: Question, view: View, name: str) -> Any:
    report, column = RATES_BELOW[name]
    period = Period(name, add_months(question.today, -RATES_MONTHS) + timedelta(days=1), question.today)
    asked = replace(question.over(period), report=report, by=(), where={})
    return total(asked, next(each for each in report.columns if each.name == column), view)


def summary(question: Question, found: Iterable[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (as reports call it)
    return {"alerts": sum(item.figures["alerts"] for item in found)}


ALERTS = Report(
    name="alerts",
    title=Text("Alertes", "Alerts"),
    description=Text(
        "Ce qui demande quelqu'un maintenant : tâches dues (task_due) ou en retard (task_overdue), devis près "
        "d'expirer (quote_expiring), affaires dont la date prévue est passée (deal_past_close) ou sans contact "
        "(deal_stalled), objectifs en retard sur leur rythme (objective_behind), réclamations ouvertes depuis trop "
        "longtemps (complaint_open), indicateurs au-delà de leur seuil (threshold:…).",
        "What needs someone now: tasks due (task_due) or overdue (task_overdue), quotes about to expire "
        "(quote_expiring), deals past their close date (deal_past_close) or without interaction (deal_stalled), "
        "objectives behind pace (objective_behind), complaints open too long (complaint_open), indicators past their "
        "thresholds (threshold:…).",
    ),
    formula=Text(
        "Depuis (since) : échéance de la tâche, fin de validité du devis (dans les 7 jours), date de conclusion "
        "prévue, dernier contact ou ouverture (il y a stalled_after_days jours, 30 par défaut), début de l'objectif, "
        "réclamation (il y a open_complaint_days jours, 7 par défaut). Seuils (thresholds) : win_rate et conversion "
        "des trois derniers mois en dessous ; overdue_tasks, stalled_deals, late_deals, expiring_quotes, "
        "open_complaints et behind_objectives au-dessus.",
        "since: due date of the task, end of the quote's validity (within 7 days), expected close, last interaction or "
        "opening (stalled_after_days ago, 30 by default), start of the objective, complaint (open_complaint_days ago, "
        "7 by default). thresholds: win_rate and conversion of the last three months below; overdue_tasks, "
        "stalled_deals, late_deals, expiring_quotes, open_complaints and behind_objectives above.",
    ),
    source=Text(
        "Événements task.*, quote.*, deal.*, interaction.*, objective.*, book.settings_changed",
        "Events task.*, quote.*, deal.*, interaction.*, objective.*, book.settings_changed",
    ),
    columns=(told("alerts", "count", Text("Alertes", "Alerts")),),
    parameters=("as_of", "known_at", "by", "where", "currency", "fx", "period", "every"),
    dimensions=("severity", "what", "who", "since", "stream", "team"),
    fixed=("severity", "what", "who", "since", "stream"),
    items=items,
    summary=summary,
    snapshot=True,
)
