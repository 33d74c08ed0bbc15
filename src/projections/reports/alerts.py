"""What needs someone now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, bindparam, case, cast, func, literal, null, select, union_all
from sqlalchemy import Text as SqlText

from ledger.times import DAY_US, day_end, local_date, local_days
from projections import intervals
from projections.intervals import AS_OF, KNOWN_BY, Rows, open_deals
from projections.reports import objective_lines
from projections.reports.cells import total
from projections.reports.conversion import CONVERSION
from projections.reports.definition import Item, Report, Text, told
from projections.reports.objectives import REACHED, standing
from projections.reports.objectives_in_force import teams_at
from projections.reports.periods import Period, add_months
from projections.reports.settings import Steering, book_at, steering
from projections.reports.sources import word
from projections.reports.win_rate import WIN_RATE
from projections.tables import ISSUED_QUOTE, PLANNED_TASK, UNSETTLED, interactions, quote_versions, task_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import CTE, ColumnElement, FromClause, Select

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

    Or several about the same for somebody, where nobody asks which, and how many of them are `late`. What is nobody's
    may be a `team`'s.
    """

    what: str
    who: str | None
    since: str | None
    stream: str
    position: int
    late: int
    alerts: int = 1
    team: str | None = None


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each alert: a task, a quote, a deal, an objective, a complaint, or an indicator past its threshold."""
    teams, settled = teams_at(question, view), steering(question, view)
    whose = _whose(question, teams)
    found = list(_told(question, view, settled, whose))
    found += _objectives(question, view, rates, everybodys=whose is None)
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
                "team": teams.of(alert.who) if alert.team is None else alert.team,
            },
            figures={"alerts": alert.alerts},
            state=alert.what,
            late=alert.late,
            lines=alert.alerts,
        )


_TODAY, _SOON = (bindparam(f"alerts_{name}", type_=SqlText) for name in ("today", "soon"))
_END_OF_DAY, _LONG_AGO, _OLD = (bindparam(f"alerts_{name}", type_=BigInteger) for name in ("end", "long_ago", "old"))
_WHOSE = bindparam("alerts_whose", type_=SqlText, expanding=True)
_OF_DEALS = ("stream", "position", "appended_at", "owner", "expected_close_on", "opened_at")


def _told(question: Question, view: View, settled: Steering, whose: Whose) -> Iterator[Alert]:
    """Each alert by itself, or where nobody asks which, those of somebody together."""
    together, few = question.dimensions.isdisjoint({"since", "stream"}), whose is not None
    deals, values = open_deals(question.pair, view, *_OF_DEALS), _values(question, settled, whose)
    for each in (None, *deals):
        rows = view.tuples(_query(each, together=together, few=few), values)
        if together:
            yield from (Alert(what, who, "", "", 0, late, alerts) for what, who, late, alerts in rows)
            continue
        days = local_days((row[1] for row in rows), question.book.time_zone)
        for local_day, (day, _, what, who, *its_own) in zip(days, rows, strict=True):
            yield Alert(what, who, day or local_day, *its_own)


def _values(question: Question, settled: Steering, whose: Whose) -> dict[str, Any]:
    """The parameters of the queries."""
    pair, zone, today = question.pair.happened, question.book.time_zone, question.today
    complaint_days = settled.thresholds.get("open_complaint_days", COMPLAINT_DAYS)
    return {
        **intervals.values(pair),
        **intervals.open_values(pair),
        _END_OF_DAY.key: day_end(local_date(pair.as_of, zone), zone),
        _TODAY.key: today.isoformat(),
        _SOON.key: (today + timedelta(days=EXPIRING_DAYS)).isoformat(),
        _LONG_AGO.key: pair.as_of - settled.stalled_after_days * DAY_US,
        _OLD.key: pair.as_of - int(complaint_days * DAY_US),
        _WHOSE.key: sorted(map(str, whose or ())),
    }


def _whose(question: Question, teams: Teams) -> Whose:
    """Whose alerts alone are asked for; None where those of nobody are too, which rest on everybody's."""
    who, of_teams = question.where.get("who"), question.where.get("team")
    if of_teams is not None and None not in of_teams:
        members = teams.members(of_teams)
        who = members if who is None else who & members
    return None if who is None or None in who else who


@lru_cache(maxsize=64)
def _query(open_deals: Rows | None, *, together: bool, few: bool) -> Select[Any]:
    """What alerts about some open deals are about, or those about anything else, of a `few` people or of everybody.

    A row each of `day, at, what, who, stream, position, late`, since that local date or else that instant; those of
    somebody `together` of `what, who, late` and how many. It is built once: what executes it must pass `_values`.
    """

    def wanted(rows: Select[Any], owner: ColumnElement[Any]) -> Select[Any]:
        return rows.where(owner.in_(_WHOSE)) if few else rows

    if open_deals is None:
        found = [wanted(each, each.selected_columns.who) for each in (_tasks(), _quotes(), _complaints())]
    else:
        c = open_deals.c
        rows = select(*(c[name] for name in _OF_DEALS)).select_from(open_deals.frm)
        deals = wanted(rows, c.owner).cte("deals")
        found = [_past_close(deals), _stalled(deals, few=few)]
    its = union_all(*found).subquery("alerts").c
    late = case((its.appended_at > KNOWN_BY, 1), else_=0)
    if together:
        return select(its.what, its.who, cast(func.sum(late), BigInteger), func.count()).group_by(its.what, its.who)
    return select(its.day, its.at, its.what, its.who, its.stream, its.position, late)


def _rows(rows: FromClause, what: ColumnElement[Any], since: ColumnElement[Any]) -> Select[Any]:
    """What is told of rows that have an `owner`; `since` is one of their columns, or made of them."""
    c, is_instant = rows.c, since.type.python_type is int
    day = cast(null(), SqlText) if is_instant else since
    at = since if is_instant else cast(null(), BigInteger)
    told = (day.label("day"), at.label("at"), what.label("what"), c.owner.label("who"))
    return select(*told, c.stream, c.position, c.appended_at).select_from(rows)


def _tasks() -> Select[Any]:
    """Those that were due before the instant, and those due later that day."""
    due = task_versions.c.due_at
    what = case((due <= AS_OF, word("task_overdue")), else_=word("task_due"))
    return _rows(task_versions, what, due).where(PLANNED_TASK, due <= _END_OF_DAY, intervals.held(task_versions))


def _quotes() -> Select[Any]:
    until = quote_versions.c.valid_until
    rows = _rows(quote_versions, word("quote_expiring"), until)
    return rows.where(ISSUED_QUOTE, until >= _TODAY, until <= _SOON, intervals.held(quote_versions))


def _complaints() -> Select[Any]:
    i = interactions.c
    is_old_complaint = (UNSETTLED, i.kind == word("complaint"), i.logged_at <= _OLD)
    rows = _rows(interactions, word("complaint_open"), i.logged_at)
    return rows.where(*is_old_complaint, intervals.held(interactions))


def _past_close(deals: CTE) -> Select[Any]:
    """Open deals past the date they were to close."""
    due = deals.c.expected_close_on
    return _rows(deals, word("deal_past_close"), due).where(due < _TODAY)


def _stalled(deals: CTE, *, few: bool) -> Select[Any]:
    """Open deals that were opened and last talked about long ago, since the later of the two.

    What was talked about lately is looked up for each of a `few` deals, and else read at once.
    """
    talks = interactions.alias("talks")
    i, held = talks.c, intervals.held(talks)
    opened_at, deal = deals.c.opened_at, func.substr(deals.c.stream, literal(len("deal-") + 1))
    last = select(func.max(i.logged_at)).where(i.deal == deal, held).scalar_subquery()
    its_own = i.deal == deal if few else i.deal.is_not(None)
    lately = select(i.deal).where(its_own, i.logged_at > _LONG_AGO, i.logged_at <= AS_OF, held)
    since = case((last > opened_at, last), else_=opened_at)
    return _rows(deals, word("deal_stalled"), since).where(opened_at <= _LONG_AGO, deal.not_in(lately))


def _objectives(question: Question, view: View, rates: Rates, *, everybodys: bool) -> Iterator[Alert]:
    """Those in force that day that are behind their pace: everybody's, or of the persons and teams asked for."""
    asked_for = {"owner": question.where.get("who"), "team": question.where.get("team")}
    where = {} if everybodys else {name: values for name, values in asked_for.items() if values is not None}
    asked = replace(question, report=REACHED, by=(), where=where, period=None)
    found: dict[str, list[Item]] = defaultdict(list)
    for item in objective_lines.items_reached(asked, view, rates):
        found[item.stream].append(item)
    for stream, (objective, *counted) in found.items():
        if standing(asked, objective, counted).status == "behind":
            owner, team = objective.dimensions["owner"], objective.dimensions["team"]
            since = objective.figures["from"]
            yield Alert("objective_behind", owner, since, stream, objective.position, late=0, team=team)


def _thresholds(question: Question, view: View, settled: Steering, found: Sequence[Alert]) -> Iterator[Alert]:
    book = book_at(question.pair, view)
    if book is None:
        return
    for name, threshold in settled.thresholds.items():
        if name in RATES_BELOW:
            value = _rate(question, view, name)
            is_past = value is not None and value < threshold
        elif name in COUNTS_ABOVE:
            is_past = sum(alert.alerts for alert in found if alert.what == COUNTS_ABOVE[name]) > threshold
        else:
            continue
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
        "open_complaints et behind_objectives au-dessus. Un jour écoulé fait 24 heures. L'équipe est celle de la "
        "personne à as_of ; l'objectif d'une équipe est de cette équipe.",
        "since: due date of the task, end of the quote's validity (within 7 days), expected close, last interaction or "
        "opening (stalled_after_days ago, 30 by default), start of the objective, complaint (open_complaint_days ago, "
        "7 by default). thresholds: win_rate and conversion of the last three months below; overdue_tasks, "
        "stalled_deals, late_deals, expiring_quotes, open_complaints and behind_objectives above. A day ago is 24 "
        "hours ago. The team is the person's at as_of; a team's objective is that team's.",
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
