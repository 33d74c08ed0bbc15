"""`sales-ledger pack`: what a director prints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.common import AsOf, Book, Database, KnownAt, ledger_of, pair_of, settings_with
from ledger.cli.reading import fresh_store
from ledger.cli.report import Lang


def pack(
    output: Annotated[Path, typer.Option("--output", metavar="FILE.pdf", help="Where to write it.")],
    role: Annotated[str, typer.Option("--role", metavar="director|manager", help="Whom it is for.")] = "director",
    team: Annotated[
        str | None, typer.Option("--team", metavar="ID", show_default=False, help="Of one team only [the whole book]")
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    lang: Lang = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """Write the board pack: forecast, what changed, objectives, rates and risks, with what proves them, as PDF."""
    from api.pack import gather
    from api.pack import pack as pages

    settings = settings_with(database_url=database, book=book, lang=lang)
    with ledger_of(settings) as ledger:
        pair = pair_of(ledger, as_of, known_at)
        gathered = gather(ledger, fresh_store(ledger), pair, role=role, lang=settings.lang, team=team)
    output.write_bytes(pages(gathered, settings.lang))
    typer.echo(f"{output}: position {gathered.position:,} of the log, Merkle root {gathered.root.hex()}")
