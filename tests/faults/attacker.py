"""Somebody who may write the database: what they can do to a log, and how well they cover their tracks.

`rows`: they change rows and nothing else. `fit`: they make everything fit again, versions, stamps, copied columns, head,
kept nodes and the vault, of which they have the keys. `re-signed`: they hold the signing key too, and sign every
checkpoint kept here anew.
"""

from __future__ import annotations

import json
from operator import itemgetter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, delete, insert, select, text

from ledger.application import open_ledger
from ledger.log.tables import events, heads, tree_nodes, vault
from ledger.privacy.sealing import NONCE_BYTES, SALT_BYTES, Sealer
from ledger.proof.audit import audit
from ledger.proof.log_tree import LogTree, fold
from ledger.proof.merkle import Frontier, leaf_hash
from ledger.proof.notes import Checkpoint, Signer, opened
from ledger.proof.signing import SigningDesk
from ledger.times import parse_instant
from projections.check import check
from projections.runner import run_batch
from projections.store import ReadStore
from projections.tables import TABLES
from tests.support.lines import eur, pipeline, say
from tests.support.lines import opened as deal_opened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Line = dict[str, Any]
Rows = list[dict[str, Any]]
Entries = list[bytes]

SIGNED = (100, 200, 280, 320)
OUTSIDE = 280
"""The size of the checkpoint that somebody else holds."""

STORED = (events, heads, tree_nodes, vault)


def history(deals: int) -> list[Line]:
    """Deals that are opened, revalued and closed, each with a sealed title."""
    lines = [pipeline()]
    for number in range(deals):
        deal = f"d{number}"
        lines += [
            deal_opened(deal, title=f"Pumps for hall {number}", value=eur(1_000 + number)),
            say(f"deal-{deal}", "deal.revalued", value=eur(2_000 + number)),
            say(f"deal-{deal}", "deal.stage_changed", stage="offer"),
            say(f"deal-{deal}", "deal.won" if number % 3 else "deal.lost", reason=None if number % 3 else "price"),
        ]
    return lines


class Attacked:
    """A log of 320 entries, its read store, its signed checkpoints, and a clean copy of all to go back to."""

    def __init__(self, url: str, folder: Path) -> None:
        self.ledger = open_ledger(url)
        self.recorder = self.ledger.recorder
        self.desk = SigningDesk(folder / "trust", "ledger.example", "main")
        lines = history(80)
        done = 0
        for size in SIGNED:
            while (head := self.ledger.head().position) < size:
                self.ledger.append(lines[done : done + size - head], actor="tests")
                done += size - head
            self.desk.sign(self.recorder, LogTree(self.recorder))
        self.notes = self.desk.notes()
        self.outside = next(each for each in self.checkpoints() if each.size == OUTSIDE)
        key = folder / "trust" / "main" / "signing.key"
        self.signer = Signer.parse(key.read_text())
        self.rows = sorted(self._all(events), key=itemgetter("position"))
        self._clean = {table.name: self._all(table) for table in STORED}
        self.store = ReadStore.open(self.ledger)
        while run_batch(self.ledger, self.store):
            pass
        with self.store.engine.connect() as connection:
            self.read_rows = {
                name: [dict(row._mapping) for row in connection.execute(select(table))]
                for name, table in TABLES.items()
            }

    def close(self) -> None:
        self.store.engine.dispose()
        self.ledger.close()

    # Evidence -----------------------------------------------------------------------------------------------------

    def checkpoints(self) -> list[Checkpoint]:
        return [opened(note, self.desk.verifier) for note in self.notes]

    def found(self, evidence: str) -> list[str]:
        """What `verify` says, holding no checkpoint, those that the signer keeps, or one from outside."""
        held = {"none": [], "signer": self.checkpoints(), "outside": [self.outside]}[evidence]
        return audit(self.recorder, held).findings

    def drift(self) -> int:
        """How many differences `replay --check` finds in the read store."""
        return len(check(self.ledger, self.store))

    # Doing and undoing --------------------------------------------------------------------------------------------

    def restore(self) -> None:
        self.notes = self.desk.notes()
        for table in STORED:
            self._replace(table, self._clean[table.name])

    def _all(self, table: Table) -> Rows:
        with self.ledger.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(select(table))]

    def _replace(self, table: Table, rows: Rows) -> None:
        with self.ledger.engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")  # else every row is a transaction, and waits for the disk
            connection.execute(delete(table))
            if rows:
                connection.execute(insert(table), rows)

    def run(self, statement: str, **values: Any) -> int:
        with self.ledger.engine.begin() as connection:
            return connection.execute(text(statement), values).rowcount

    def write_rows(self, rows: Rows) -> None:
        self._replace(events, rows)

    def write_fitting(self, entries: Entries) -> None:
        """Make the database that of a log with these entries."""
        rows, frontier = [], Frontier()
        for position, entry in enumerate(entries, 1):
            said = json.loads(entry)
            times = {name: parse_instant(said[name]) for name in ("effective_at", "recorded_at", "appended_at")}
            copied = {name: said[name] for name in ("book", "stream", "version", "type")}
            rows.append({"position": position, "entry": entry} | copied | times)
            frontier.append(entry)
        self._replace(events, rows)
        stamp = rows[-1]["appended_at"] if rows else 0
        self._replace(
            heads,
            [
                row | {"position": len(rows), "stamp": stamp, "frontier": frontier.to_bytes()}
                for row in self._clean["heads"]
            ],
        )
        leaves = [leaf_hash(entry) for entry in entries]
        whole = [fold(leaves[at : at + 256], 256) for at in range(0, len(leaves) - 255, 256)]
        nodes = [{"book": "main", "level": 8, "number": number, "hash": each} for number, each in enumerate(whole)]
        self._replace(tree_nodes, nodes)
        self._replace(vault, self._sealed_anew(entries))

    def _sealed_anew(self, entries: Entries) -> Rows:
        """The vault's values where these entries first say them."""
        clean = {row["commitment"]: row for row in self._clean["vault"]}
        made: dict[str, dict[str, Any]] = {}
        for entry in entries:
            said = json.loads(entry)
            for field, value in said["data"].items():
                if not (isinstance(value, dict) and "$sealed" in value) or value["$sealed"]["c"] in made:
                    continue
                row = clean[value["$sealed"]["c"]]
                there = {name: said[name] for name in ("stream", "version")} | {"field": field}
                if there != {name: row[name] for name in there}:
                    row = row | there | {"sealed": self._moved(row, there)}
                made[row["commitment"]] = row
        return list(made.values())

    def _moved(self, row: dict[str, Any], there: dict[str, Any]) -> bytes:
        keys, ref = self.recorder.keys, row["subject_ref"]
        sealer, sealed = Sealer(keys.origin, ref, keys.key(ref) or b""), row["sealed"]
        here = sealer._about(row["stream"], row["version"], row["field"])
        opened = sealer._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], here)
        return sealer.seal(**there, salt=opened[:SALT_BYTES], value=opened[SALT_BYTES:]).sealed

    def sign_anew(self, entries: Entries) -> None:
        """Every checkpoint that is kept here, of these entries, by the key itself."""
        frontier, notes = Frontier(), []
        for size, entry in enumerate(entries, 1):
            frontier.append(entry)
            if size in SIGNED or size == len(entries):
                notes.append(self.signer.sign(Checkpoint(self.signer.name, size, frontier.root())))
        self.notes = notes


def fitting(entries: Sequence[bytes]) -> Entries:
    """The same with the versions of each stream in turn and stamps that never go back, as bytes that could be stored."""
    versions: dict[str, int] = {}
    stamp, made = "", []
    for entry in entries:
        said = json.loads(entry)
        versions[said["stream"]] = said["version"] = versions.get(said["stream"], 0) + 1
        stamp = said["appended_at"] = max(said["appended_at"], stamp)
        made.append(json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
    return made


# What they do to entries: of rows as they are, or of entries that are made to fit afterwards ---------------------------


def altered(rows: Rows, random: Random, within: range) -> Rows:
    """One bit of one entry."""
    at = random.choice(within)
    entry = bytearray(rows[at]["entry"])
    bit = random.randrange(8 * len(entry))
    entry[bit // 8] ^= 1 << bit % 8
    return [*rows[:at], rows[at] | {"entry": bytes(entry)}, *rows[at + 1 :]]


def told_otherwise(rows: Rows, random: Random, within: range) -> Rows:
    """Another actor, or another amount, in one entry."""
    at = random.choice(within)
    entry = rows[at]["entry"]
    other = entry.replace(b'"minor":', b'"minor":9') if b'"minor":' in entry and random.random() < 0.7 else entry
    other = entry.replace(b'"actor":"tests"', b'"actor":"other"') if other == entry else other
    return [*rows[:at], rows[at] | {"entry": other}, *rows[at + 1 :]]


def deleted(rows: Rows, random: Random, within: range) -> Rows:
    at = random.choice(within)
    return [*rows[:at], *rows[at + 1 :]]


def reordered(rows: Rows, random: Random, within: range) -> Rows:
    one, two = random.sample(within, 2)
    made = list(rows)
    made[one], made[two] = rows[two], rows[one]
    return made


def inserted(rows: Rows, random: Random, within: range) -> Rows:
    """A copy of one entry, about a thing of its own."""
    at, source = random.choice(within), rows[random.choice(within)]
    stream = f"deal-x{random.randrange(10**6)}"
    entry = source["entry"].replace(f'"{source["stream"]}"'.encode(), f'"{stream}"'.encode())
    return [*rows[:at], source | {"stream": stream, "entry": entry}, *rows[at:]]


def truncated(rows: Rows, random: Random, within: range) -> Rows:
    return rows[: random.choice(within)]


def swapped(rows: Rows, random: Random, within: range) -> Rows:
    """What two streams say, each in the other's name: `stream` and `version` change places."""
    one = random.choice(within)
    two = random.choice([at for at in within if rows[at]["stream"] != rows[one]["stream"]])
    made = list(rows)
    for at, other in (one, two), (two, one):
        name, there = rows[at]["stream"], rows[other]
        entry = rows[at]["entry"].replace(f'"stream":"{name}"'.encode(), f'"stream":"{there["stream"]}"'.encode())
        made[at] = rows[at] | {"stream": there["stream"], "version": there["version"], "entry": entry}
    return made


def restored(rows: Rows, random: Random, within: range) -> Rows:
    """An old backup, which has since grown past every checkpoint with something else."""
    kept = rows[: random.choice(within)]
    new = [row | {"entry": row["entry"].replace(b'"tests"', b'"other"')} for row in rows]
    return [*kept, *new[len(kept) :], *(row | {"stream": row["stream"] + "b"} for row in new[:5])]


ON_ENTRIES: dict[str, Callable[[Rows, Random, range], Rows]] = {
    "alter an entry": told_otherwise,
    "delete an entry": deleted,
    "reorder two": reordered,
    "insert one": inserted,
    "cut the log": truncated,
    "swap between streams": swapped,
    "restore a backup": restored,
}


# What they do beside the entries --------------------------------------------------------------------------------------


def column(log: Attacked, random: Random) -> None:
    """A copied column says something else than its entry."""
    name = random.choice(["stream", "version", "type", "effective_at", "recorded_at", "appended_at", "book"])
    position = random.randint(1, len(log.rows))
    changed = f"{name} || 'x'" if name in {"stream", "type", "book"} else f"{name} + {random.randint(1, 10**6)}"
    log.run(f"UPDATE events SET {name} = {changed} WHERE position = {position}")


def head(log: Attacked, random: Random) -> None:
    match random.randrange(3):
        case 0:
            log.run("UPDATE heads SET stamp = stamp + :more", more=random.choice([-1, 1, 10**9]))
        case 1:
            log.run("UPDATE heads SET position = position + :more", more=random.choice([-64, -1, 1, 2, 64]))
        case _:
            frontier = bytearray(log.recorder.head().frontier.to_bytes())
            frontier[random.randrange(len(frontier))] ^= 1 << random.randrange(8)
            log.run("UPDATE heads SET frontier = :frontier", frontier=bytes(frontier))


def kept_node(log: Attacked, random: Random) -> None:
    match random.randrange(3):
        case 0:
            hashed = bytearray(log.recorder.one("SELECT hash FROM tree_nodes", [])[0])
            hashed[random.randrange(32)] ^= 1 << random.randrange(8)
            log.run("UPDATE tree_nodes SET hash = :hash", hash=bytes(hashed))
        case 1:
            log.run("UPDATE tree_nodes SET number = number + :more", more=random.randint(1, 5))
        case _:
            more = {"level": random.choice([8, 16]), "number": random.randint(1, 300), "hash": random.randbytes(32)}
            log.run(
                "INSERT INTO tree_nodes (book, level, number, hash) VALUES ('main', :level, :number, :hash)", **more
            )


def sealed(log: Attacked, random: Random) -> None:
    """A value of the vault: a bit changed, cut, given another name or place, exchanged, taken out, put in."""
    one, two = random.sample(log._clean["vault"], 2)
    where = f"WHERE commitment = '{one['commitment']}'"
    match random.randrange(7):
        case 0:
            flipped = bytearray(one["sealed"])
            flipped[random.randrange(len(flipped))] ^= 1 << random.randrange(8)
            log.run(f"UPDATE vault SET sealed = :sealed {where}", sealed=bytes(flipped))
        case 1:
            log.run(f"UPDATE vault SET sealed = :sealed {where}", sealed=one["sealed"][: random.randrange(60)])
        case 2:
            log.run(f"UPDATE vault SET subject_ref = :ref {where}", ref=two["subject_ref"])
        case 3:
            log.run(f"UPDATE vault SET sealed = :sealed {where}", sealed=two["sealed"])
        case 4:
            log.run(f"DELETE FROM vault {where}")
        case 5:
            log.run(f"UPDATE vault SET stream = :stream {where}", stream=two["stream"])
        case _:
            log.run(f"UPDATE vault SET commitment = 'x' || commitment {where}")


BESIDE: dict[str, Callable[[Attacked, Random], None]] = {
    "change a copied column": column,
    "change the head": head,
    "change a kept node": kept_node,
    "change the vault": sealed,
}


def read_store(log: Attacked, random: Random) -> Callable[[], None]:
    """A row of the read store: changed, taken out or put in; what undoes it."""
    engine = log.store.engine
    with engine.begin() as connection:
        table = random.choice([each for each in TABLES.values() if connection.execute(select(each).limit(1)).first()])
        row = dict(random.choice(connection.execute(select(table)).all())._mapping)
        key = [each == row[each.name] for each in table.primary_key]
        match random.randrange(3):
            case 0:
                name = random.choice([each.name for each in table.columns if not each.primary_key])
                other = _another(table.c[name].type.python_type, row[name])
                connection.execute(table.update().where(*key).values({name: other}))
            case 1:
                connection.execute(table.delete().where(*key))
            case _:
                connection.execute(table.delete().where(*key))
                connection.execute(table.insert().values(row | {"known_from": row["known_from"] - 1}))

    def undo() -> None:
        with engine.begin() as connection:
            connection.execute(table.delete().where(table.c.stream == row["stream"]))
            for each in clean:
                connection.execute(table.insert().values(each))

    clean = [each for each in log.read_rows[table.name] if each["stream"] == row["stream"]]
    return undo


def _another(kind: type, value: Any) -> Any:
    return (value or 0) - 1 if kind is int else f"{value or ''}x"
