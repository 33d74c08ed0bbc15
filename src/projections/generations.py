"""Which generation of the read store is current: the log's table `read_stores`, where a switch is one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import column, func, insert, select, table, update

if TYPE_CHECKING:
    from sqlalchemy import Engine

BUILDING, CURRENT, OLD = "building", "current", "old"

_stores = table("read_stores", column("book"), column("generation"), column("state"), column("created_at"))


def current(engine: Engine, book: str) -> int | None:
    """The number of the current generation, if there is one."""
    query = select(func.max(_stores.c.generation)).where(_stores.c.book == book, _stores.c.state == CURRENT)
    with engine.connect() as connection:
        number: int | None = connection.execute(query).scalar_one()
    return number


def begin(engine: Engine, book: str, now: int) -> int:
    """Reserve the next number for a generation that is being built."""
    latest = select(func.coalesce(func.max(_stores.c.generation), 0)).where(_stores.c.book == book)
    with engine.begin() as connection:
        number = int(connection.execute(latest).scalar_one()) + 1
        row = {"book": book, "generation": number, "state": BUILDING, "created_at": now}
        connection.execute(insert(_stores).values(row))
    return number


def switch(engine: Engine, book: str, number: int) -> None:
    """Make a generation the current one; the one before is old from the same commit on."""
    mine = _stores.c.book == book
    with engine.begin() as connection:
        connection.execute(update(_stores).where(mine, _stores.c.state == CURRENT).values(state=OLD))
        connection.execute(update(_stores).where(mine, _stores.c.generation == number).values(state=CURRENT))


def superseded(engine: Engine, book: str, number: int) -> list[int]:
    """Generations older than the one before `number`, and builds that never ended: what a rebuild may drop."""
    query = select(_stores.c.generation, _stores.c.state).where(_stores.c.book == book, _stores.c.generation < number)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(_stores.c.generation.desc())).all()
    kept = next((row.generation for row in rows if row.state == OLD), None)
    return [row.generation for row in rows if row.generation != kept and row.state != CURRENT]


def forget(engine: Engine, book: str, number: int) -> None:
    """Strike a dropped generation off the list."""
    with engine.begin() as connection:
        connection.execute(_stores.delete().where(_stores.c.book == book, _stores.c.generation == number))
