"""Which generation of the read store is current: the log's table `read_stores`, where a switch is one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, case, column, func, insert, literal, select, table, update

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
    following = func.coalesce(func.max(_stores.c.generation), 0) + 1
    row = select(literal(book), following, literal(BUILDING), literal(now, BigInteger)).where(_stores.c.book == book)
    into = insert(_stores).from_select(["book", "generation", "state", "created_at"], row)
    with engine.begin() as connection:
        return int(connection.execute(into.returning(_stores.c.generation)).scalar_one())


def switch(engine: Engine, book: str, number: int) -> None:
    """Make a generation the current one and the one before it old, in one statement."""
    state = case((_stores.c.generation == number, CURRENT), (_stores.c.state == CURRENT, OLD), else_=_stores.c.state)
    with engine.begin() as connection:
        connection.execute(update(_stores).where(_stores.c.book == book).values(state=state))


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
