"""`sales-ledger doctor`: is everything in order, and what deserves a look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ledger.cli.common import Book, Database, ledger_of, settings_with
from ledger.cli.failures import NOT_SO

if TYPE_CHECKING:
    from ledger.application import Ledger
    from projections.findings import Finding


def doctor(database: Database = None, book: Book = None) -> None:
    """Check that all is in order. Exit code 1 when something is wrong; what may be as intended is only shown."""
    settings = settings_with(database_url=database, book=book)
    with ledger_of(settings) as ledger:
        found = [*_log_findings(ledger), *_key_findings(ledger, settings.lang), *_read_store_findings(ledger)]
    for each in found:
        typer.echo(f"{'WRONG' if each.problem else 'look'}  {each.text}")
    problems = sum(each.problem for each in found)
    if problems:
        typer.echo(f"{problems} thing{'s' * (problems > 1)} wrong", err=True)
        raise typer.Exit(NOT_SO)
    typer.echo("All in order." if not found else "Nothing is wrong.")


def _read_store_findings(ledger: Ledger) -> list[Finding]:
    from ledger.cli.reading import fresh_store
    from projections.findings import findings

    with fresh_store(ledger).view() as view:
        return findings(view)


def _key_findings(ledger: Ledger, lang: str) -> list[Finding]:
    """The key store is there, is this database's, opens with the wrapping key, and no erasure is half done."""
    from ledger.errors import KeysUnusable
    from ledger.in_french import in_language
    from ledger.privacy.erasing import unfinished
    from projections.findings import Finding

    try:
        return [
            Finding(True, f"the erasure of subject-{ref} is not finished: run sales-ledger erase subject-{ref}")
            for ref in unfinished(ledger)
        ]
    except KeysUnusable as error:
        return [Finding(True, in_language(str(error), lang))]


def _log_findings(ledger: Ledger) -> list[Finding]:
    """Positions and versions without gaps, stamps that never go back: what every append has to leave behind.

    Looks at what lies up to the head as it is now; appends may go on meanwhile.
    """
    from sqlalchemy import and_, func, select

    from ledger.log.tables import events
    from projections.findings import Finding

    head = ledger.head().position
    mine = and_(events.c.book == ledger.book, events.c.position <= head)
    total = select(func.count()).where(mine)
    versions = select(events.c.stream).where(mine).group_by(events.c.stream)
    broken = versions.having(func.max(events.c.version) != func.count()).order_by(events.c.stream).limit(10)
    before = func.lag(events.c.appended_at).over(order_by=events.c.position)
    stamped = select(events.c.position, events.c.appended_at, before.label("before")).where(mine).subquery()
    back = select(stamped.c.position).where(stamped.c.appended_at < stamped.c.before).order_by("position").limit(1)
    with ledger.engine.connect() as connection:
        count = connection.execute(total).scalar_one()
        streams = connection.execute(broken).scalars().all()
        went_back = connection.execute(back).scalar()
        last = connection.execute(select(func.max(events.c.position)).where(events.c.book == ledger.book)).scalar()
    found = []
    if count != head:
        found.append(Finding(True, f"{head - count:,} of {head:,} events are missing from the log: restore a backup"))
    if (last or 0) > ledger.head().position:
        found.append(
            Finding(True, f"position {last:,} lies beyond the log's head: it was not appended by this program")
        )
    found += [Finding(True, f"the versions of {stream} have gaps: restore a backup") for stream in streams]
    if went_back is not None:
        found.append(Finding(True, f"the stamps go back at position {went_back:,}: the log was tampered with"))
    return found
