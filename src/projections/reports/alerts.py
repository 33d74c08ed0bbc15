"""What needs someone now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, case, cast, func, literal, select
from sqlalchemy import Text as SqlText

from ledger.times import DAY_US, day_end, local_date, local_days
from projections import intervals
from projections.intervals import Rows, open_deals, open_values
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

    from sqlalchemy import ColumnElement, FromClause, Select

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
    """What it is about, whose it is, and the local date it counts from, and its stream and position.

    Or several about the same for somebody, where nobody asks which, and how many of them are `late`.
    """

    what: str
    who: str | None
    since: str
    stream: str
    position: int
    late: int
    alerts: int = 1


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each alert: a task, a quote, a deal, an objective, a complaint, or an indicator past its threshold."""
    teams, settled = teams_at(question, view), steering(question, view)
    whose = _whose(question, teams)
    queries = [
        *_tasks(question, view, whose),
        _quotes(question, view, whose),
        *_deals(question, view, settled, whose),
        _complaints(question, view, settled, whose),
    ]
    found = [alert for each in queries for alert in _told(each, question, view)]
    found += _objectives(question, view, rates, whose)
    if whose is None:
        found += _thresholds(question, view, settled, found)
    for alert in found:
        yield Item(
            stream=alert.stream,
            position=alert.position,
            at=question.pair.happened.as_of,
            dimensions={
                "severity": SEVERITY[alert.what.partition(":")[0]],
                "what": alert.what,
                "who": alert.who,
                "since": alert.since,
                "stream": alert.stream,
                "team": teams.of(alert.who),
            },
            figures={"alerts": alert.alerts},
            state=alert.what,
            late=alert.late,
            lines=alert.alerts,
        )


class _Sought(NamedTuple):
    """What alerts are about, and a query for them: a row each of `who, since, stream, position, appended_at`.

    `since` is a local date, or an instant.
    """

    what: str
    rows: Select[Any]
    values: dict[str, int] | None = None


def _told(sought: _Sought, question: Question, view: View) -> Iterator[Alert]:
    """Each alert by itself, or where nobody asks which, those of somebody together."""
    its = sought.rows.subquery("alerts").c
    late = case((its.appended_at > literal(question.pair.known_at, BigInteger), 1), else_=0)
    if question.dimensions.isdisjoint({"since", "stream"}):
        counts = select(its.who, cast(func.sum(late), BigInteger), func.count()).group_by(its.who)
        for who, how_many_late, alerts in view.tuples(counts, sought.values):
            yield Alert(sought.what, who, "", "", 0, how_many_late, alerts)
        return
    rows = view.tuples(select(its.since, its.who, its.stream, its.position, late), sought.values)
    since: Iterable[Any] = [row[0] for row in rows]
    if its.since.type.python_type is int:
        since = local_days(since, question.book.time_zone)
    for day, (_, who, *its_own) in zip(since, rows, strict=True):
        yield Alert(sought.what, who, day, *its_own)


def _whose(question: Question, teams: Teams) -> Whose:
    """Whose alerts alone are asked for; None where those of nobody are too, which rest on everybody's."""
    who, of_teams = question.where.get("who"), question.where.get("team")
    if of_teams is not None and None not in of_teams:
        members = teams.members(of_teams)
        who = members if who is None else who & members
    return None if who is None or None in who else who


def _of(owner: ColumnElement[Any], whose: Whose) -> tuple[ColumnElement[bool], ...]:
    return () if whose is None else (among(owner, whose),)


def _rows(rows: FromClause | Rows, since: ColumnElement[Any]) -> Select[Any]:
    """What is told of rows that have an `owner`; `since` is one of their columns, or made of them."""
    c = rows.c
    told = (c.owner.label("who"), since.label("since"), c.stream, c.position, c.appended_at)
    return select(*told).select_from(rows.frm if isinstance(rows, Rows) else rows)


def _tasks(question: Question, view: View, whose: Whose) -> Iterator[_Sought]:
    """Those that were due before the instant, and those due later that day."""
    as_of, zone = question.pair.happened.as_of, question.book.time_zone
    until = day_end(local_date(as_of, zone), zone)
    t = task_versions.c
    for what, due in (("task_overdue", t.due_at <= as_of), ("task_due", t.due_at.between(as_of + 1, until))):
        rows = intervals.at_pair(task_versions, question.pair, view, PLANNED_TASK, due, *_of(t.owner, whose))
        yield _Sought(what, _rows(rows, rows.c.due_at))


def _quotes(question: Question, view: View, whose: Whose) -> _Sought:
    today = question.today
    q = quote_versions.c
    soon = (q.valid_until >= today.isoformat(), q.valid_until <= (today + timedelta(days=EXPIRING_DAYS)).isoformat())
    rows = intervals.at_pair(quote_versions, question.pair, view, ISSUED_QUOTE, *soon, *_of(q.owner, whose))
    return _Sought("quote_expiring", _rows(rows, rows.c.valid_until))


def _deals(question: Question, view: View, settled: Steering, whose: Whose) -> Iterator[_Sought]:
    """Open deals past the date they were to close, and those without interaction for too long."""
    pair, today = question.pair.happened, literal(question.today.isoformat(), SqlText)
    long_ago = pair.as_of - settled.stalled_after_days * DAY_US
    told = ("stream", "position", "appended_at", "owner", "expected_close_on", "opened_at")
    for deals in open_deals(pair, view, *told):
        due_on, its_own = deals.c.expected_close_on, _of(deals.c.owner, whose)
        yield _Sought("deal_past_close", _rows(deals, due_on).where(due_on < today, *its_own), open_values(pair))
        stalled = _stalled(deals, question, view, long_ago, few=whose is not None)
        yield _Sought("deal_stalled", stalled.where(*its_own), open_values(pair))


def _stalled(deals: Rows, question: Question, view: View, long_ago: int, *, few: bool) -> Select[Any]:
    """Open deals that were opened and last talked about long ago, since the later of the two.

    What was talked about lately is looked up for each of a `few` deals, and else read at once.
    """
    talks, as_of = interactions.alias("talks"), question.pair.happened.as_of
    i, held = talks.c, intervals.holds(talks, as_of, question.pair, view)
    opened_at, deal = deals.c.opened_at, func.substr(deals.c.stream, literal(len("deal-") + 1))
    last = select(func.max(i.logged_at)).where(i.deal == deal, held).scalar_subquery()
    its_own = i.deal == deal if few else i.deal.is_not(None)
    lately = select(i.deal).where(its_own, i.logged_at.between(long_ago + 1, as_of), held)
    since = case((last > opened_at, last), else_=opened_at)
    return _rows(deals, since).where(opened_at <= literal(long_ago, BigInteger), deal.not_in(lately))


def _complaints(question: Question, view: View, settled: Steering, whose: Whose) -> _Sought:
    days = settled.thresholds.get("open_complaint_days", COMPLAINT_DAYS)
    as_of, i = question.pair.happened.as_of, interactions.c
    old = i.logged_at <= as_of - int(days * DAY_US)
    held = intervals.holds(interactions, as_of, question.pair, view)
    is_complaint = i.kind == literal("complaint", SqlText)
    rows = _rows(interactions, i.logged_at).where(UNSETTLED, is_complaint, old, held, *_of(i.owner, whose))
    return _Sought("complaint_open", rows)


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
            yield Alert("objective_behind", of["owner"], sums["period_from"], item.stream, item.position, late=0)


def _thresholds(question: Question, view: View, settled: Steering, found: Sequence[Alert]) -> Iterator[Alert]:
    book = book_at(question.pair, view)
    if book is None:
        return
    for name, threshold in settled.thresholds.items():
        if name in RATES_BELOW:
            value = _rate(question, view, name)
            is_past = value is not None and value < threshold
        else:
            is_past = sum(alert.alerts for alert in found if alert.what == COUNTS_ABOVE.get(name)) > threshold
        if is_past:
            late = book.appended_at > question.pair.known_at
            yield Alert(f"threshold:{name}", None, question.today.isoformat(), book.stream, book.position, late)


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
