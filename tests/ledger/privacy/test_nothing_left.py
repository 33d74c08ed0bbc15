"""Byte for byte: what was personal is in no file once it is erased, nor in a database restored from before."""

from __future__ import annotations

import os
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow.parquet as pq
import pypdf
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api import create_app
from ledger.application import open_ledger
from ledger.cli import main
from ledger.cli.report import FORMATS
from ledger.log import database
from ledger.privacy.erasing import covered
from ledger.privacy.sealing import SALT_BYTES, commitment_of, new_ref
from ledger.settings import Settings
from projections.store import ReadStore
from tests.support import postgres
from tests.support.lines import corrected, opened, pipeline, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ledger.privacy.vault import Vault

SECRETS = [
    "Zacharias Quimby",
    "quimby@example.org",
    "Zwieback ovens for Mr Quimby",
    "Quimby has the flu",
    "+44 7700 900123",
]
VALUE = {"currency": "EUR", "minor": 125_000}
LINES = [
    pipeline(),
    say("person-ana", "person.joined", name="Ana Ruiz", team="north", role="rep"),
    say("customer-q", "customer.registered", name=SECRETS[0], kind="lead", person=True),
    say("customer-q", "contact.added", contact="k", name=SECRETS[0], email=SECRETS[1], phone=SECRETS[4]),
    opened("d1", title=SECRETS[2], customer="q", value=VALUE),
    corrected("deal-d1", 1, opened("d1", title=SECRETS[2] + "!", customer="q", value=VALUE)["data"]),
    say("deal-d1", "deal.won"),
    say("interaction-1", "interaction.logged", kind="call", direction="in", customer="q", notes=SECRETS[3]),
]


def forms(secret: str) -> list[bytes]:
    """A text as it stands in files: plain, in hexadecimal, in UTF-16."""
    return [secret.encode(), secret.encode().hex().encode(), secret.encode("utf-16-le")]


def found_in(content: bytes) -> list[str]:
    return [secret for secret in SECRETS if any(form in content for form in forms(secret))]


def contents(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Every file's bytes; what is packed in them too."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                yield str(path), path.read_bytes() + b"\n" + unpacked(path)


def unpacked(path: Path) -> bytes:
    """What other programs read in a file that keeps its text compressed."""
    match path.suffix:
        case ".xlsx":
            with zipfile.ZipFile(path) as packed:
                return b"\n".join(map(packed.read, packed.namelist()))
        case ".parquet":
            table = pq.read_table(path)
            return f"{table.to_pydict()} {table.schema.to_string(show_schema_metadata=True)}".encode()
        case ".pdf":
            reader: Any = pypdf.PdfReader(path)
            words = " ".join(page.extract_text() for page in reader.pages).split()
            inside = [reader.get_object(number) for number in range(1, reader.trailer["/Size"])]
            streams = [each.get_data() for each in inside if isinstance(each, pypdf.generic.StreamObject)]
            return b"\n".join([" ".join(words).encode(), *streams])
        case _:
            return b""


def everything_under(*folders: Path) -> dict[str, list[str]]:
    """The files in which a secret stands, with what stands there."""
    return {name: found for name, content in contents(*folders) if (found := found_in(content))}


def holding(needles: Iterable[bytes], *folders: Path) -> set[str]:
    """The files in which one of these stands, as it is or as a server writes bytes in text."""
    forms_of = [form for each in needles for form in (each, each.hex().encode())]
    return {name for name, content in contents(*folders) if any(form in content for form in forms_of)}


class Place:
    """A database whose every byte on the disk can be read, and be put back as it was."""

    def __init__(self, url: str, files: Path, trust: Path, server: postgres.PostgresServer | None = None) -> None:
        self.url, self.files, self.trust, self.server = url, files, trust, server
        self.settings = Settings(database_url=url, trust_dir=str(trust))

    def ledger(self) -> Any:
        return open_ledger(self.url, keys=self.settings.keys)

    def flushed(self) -> Path:
        """The database's folder, all on the disk."""
        if self.server is not None:
            with self.server.connect() as connection:
                connection.execute("CHECKPOINT")
        return self.files

    def vacuum(self) -> None:
        """Have the database give up the room of what was deleted."""
        if self.server is not None:
            with self.server.connect(self.name) as connection:
                connection.execute("VACUUM FULL")
            return
        with closing(sqlite3.connect(self.files / "sales-ledger.db", isolation_level=None)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def back_up(self, to: Path) -> None:
        if self.server is None:
            shutil.copytree(self.files, to)
        else:
            self._copy(self.name, "backup")

    def restore(self, backup: Path) -> None:
        if self.server is None:
            shutil.rmtree(self.files)
            shutil.copytree(backup, self.files)
        else:
            self.server.drop_database(self.name)
            self._copy("backup", self.name)

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    def _copy(self, database: str, to: str) -> None:
        assert self.server is not None
        with self.server.connect() as connection:
            connection.execute(f"CREATE DATABASE {to} TEMPLATE {database}".encode())


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path) -> Iterator[Place]:
    (tmp_path / "files").mkdir()
    if request.param == "sqlite":
        yield Place(f"sqlite:///{tmp_path / 'files' / 'sales-ledger.db'}", tmp_path / "files", tmp_path / "trust")
        return
    with postgres.running(fsync=False) as server:
        yield Place(server.url(server.create_database()), Path(server.directory), tmp_path / "trust", server)


def said_over_http(settings: Settings) -> bytes:
    """Every answer that could hold what was said."""
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        paths = ["/v1/events?limit=100", "/v1/reports/sales?by=customer&lang=fr", "/v1/reports/sales/explain"]
        paths += [f"/v1/streams/{stream}?lang=fr" for stream in ("customer-q", "deal-d1", "interaction-1")]
        answers = [client.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == [200] * len(paths)
    return b"\n".join(answer.content for answer in answers)


def exported(to: Path) -> None:
    """A report with the customer's name, in every format there is, and the board pack."""
    to.mkdir()
    for form in FORMATS:
        asked = ["report", "sales", "--by", "customer", "--format", form]
        assert main([*asked, "--output", str(to / f"sales.{form}")]) == 0
    assert main(["pack", "--output", str(to / "pack.pdf")]) == 0


def proofs_of(place: Place, to: Path) -> list[list[str]]:
    """What was signed and proved of the log as it is; the commands that verify it."""
    to.mkdir()
    note, proof, figure, key = (str(to / name) for name in ("kept.note", "event.tlog-proof", "figure.json", "key.txt"))
    assert main(["checkpoint", "--output", note]) == 0
    assert main(["prove", "4", "--output", proof]) == 0
    assert main(["explain", "sales", "--proof", figure]) == 0
    assert main(["bundle", str(to / "bundle")]) == 0
    shutil.copy(to / "bundle" / "verifier.key", key)
    checks = [[proof], [figure], [str(to / "bundle")], ["--checkpoint", note]]
    return [["verify", *check, "--key", key] for check in checks]


def test_it_is_there_and_then_nowhere(place, tmp_path, capsys, caplog, monkeypatch):
    monkeypatch.setenv("LEDGER_DATABASE_URL", place.url)
    monkeypatch.setenv("LEDGER_TRUST_DIR", str(place.trust))
    with closing(place.ledger()) as ledger:
        ledger.append(LINES[:-1], actor="ana", key="k1")
        ledger.append([LINES[-1]], actor="ana", key="k2")
        ReadStore.open(ledger).wait(ledger, timeout=10)
        refs = list(covered(ledger, "customer-q").values())
        sealed = [row.sealed for page in ledger.vault.pages() for row in page if row.subject_ref in refs]
        key_file = ledger.recorder.keys.store.path
    with closing(sqlite3.connect(key_file)) as keys:
        secrets = [secret for ref, secret in keys.execute("SELECT ref, secret FROM keys") if ref in refs]
    assert (len(sealed), len(secrets)) == (7, 4)
    assert holding(secrets, place.trust) == {str(key_file)}
    assert set(found_in(said_over_http(place.settings))) == set(SECRETS)
    written = tmp_path.with_name(f"{tmp_path.name}-written")
    exported(written)
    readable = {str(written / f"sales.{form}"): SECRETS[:1] for form in FORMATS if form != "png"}
    assert everything_under(written) == readable, "so the search sees it in every format but a picture's dots"
    checks = proofs_of(place, tmp_path / "before")
    assert everything_under(place.flushed(), tmp_path) == {}, "encrypted from the first byte on"

    assert main(["erase", "customer-q"]) == 0
    assert main(["events", "--format", "jsonl"]) == 0
    assert [main(check) for check in checks] == [0] * len(checks), "all old proofs hold"
    proofs_of(place, tmp_path / "after")
    exported(tmp_path / "exports")
    said = capsys.readouterr()
    assert found_in((said.out + said.err + caplog.text).encode()) == []
    assert "$erased" in said.out
    answers = said_over_http(place.settings)
    assert found_in(answers) == []
    assert "(effacé)".encode() in answers
    assert everything_under(place.flushed(), tmp_path) == {}
    assert everything_under(written) == readable, "a file that was written before is out of reach"
    assert holding(secrets, place.files, tmp_path) == set()
    place.vacuum()
    assert all("/pg_wal/" in name for name in holding(sealed, place.flushed(), tmp_path)), "without a key besides"


def test_a_database_restored_from_before_serves_nothing_of_it(place, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LEDGER_DATABASE_URL", place.url)
    monkeypatch.setenv("LEDGER_TRUST_DIR", str(place.trust))
    with closing(place.ledger()) as ledger:
        ledger.append(LINES, actor="ana")
    place.flushed()
    place.back_up(tmp_path / "backup")
    assert main(["erase", "customer-q"]) == 0
    place.restore(tmp_path / "backup")
    with closing(place.ledger()) as ledger:
        assert ledger.head().position == len(LINES) + 1, "as before the erasure"
        assert ledger.recorder.one("SELECT count(*) FROM vault", [])[0] > len(SECRETS)
        refs = list(covered(ledger, "customer-q").values())
        assert ledger.recorder.with_values(refs)
        assert ledger.recorder.keys.store.keys(refs) == {}, "and nothing opens them"
    capsys.readouterr()
    assert main(["doctor"]) == 1
    assert "is not finished: run sales-ledger erase subject-" in capsys.readouterr().out
    assert main(["events", "--format", "jsonl"]) == 0
    assert found_in(capsys.readouterr().out.encode()) == []
    assert found_in(said_over_http(place.settings)) == []
    with closing(place.ledger()) as ledger:
        assert ledger.recorder.one("SELECT count(*) FROM vault", [])[0] == 1, "serving finished the erasure"
    assert main(["doctor"]) == 0


# What lay in clear before ---------------------------------------------------------------------------------------------


def with_values_in_clear(place: Place, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A ledger as version 0002 left it: salts and values in clear; the commitments."""
    with monkeypatch.context() as patched:
        patched.setattr(database, "SCHEMA_REVISION", "0002")
        patched.setattr("ledger.application._check_types", lambda _: None)
        ledger = place.ledger()
    ref, salt = new_ref(), os.urandom(SALT_BYTES)
    values = [msgspec.json.encode(secret) for secret in SECRETS]
    commitments = [commitment_of(salt, value) for value in values]
    with ledger.engine.begin() as connection:
        for book in ("main", "other"):
            if book == "other":
                connection.execute(
                    text("INSERT INTO heads SELECT 'other', position, stamp, frontier, :s FROM heads"), {"s": b"x" * 32}
                )
            connection.execute(text("INSERT INTO subjects VALUES (:b, 'customer-q', :r)"), {"b": book, "r": ref})
            for number, (commitment, value) in enumerate(zip(commitments, values, strict=True)):
                connection.execute(
                    text("INSERT INTO vault VALUES (:b, :c, :r, 'customer-q', 1, :f, :s, :v)"),
                    {"b": book, "c": commitment, "r": ref, "f": f"f{number}", "s": salt, "v": value},
                )
    ledger.engine.dispose()
    return commitments


def wrong_in(vault: Vault) -> list[str]:
    return [each for page in vault.pages() for each in vault.wrong(page)]


def test_values_that_lay_in_clear_are_sealed_where_they_lie(place, monkeypatch):
    commitments = with_values_in_clear(place, monkeypatch)
    assert everything_under(place.flushed())
    with closing(place.ledger()) as ledger:
        rows = ledger.recorder.all("SELECT commitment, subject_ref FROM vault WHERE book = ?", ["main"])
        assert sorted(row[0] for row in rows) == sorted(commitments)
        assert not wrong_in(ledger.vault)
    with closing(open_ledger(place.url, "other", keys=place.settings.keys)) as other:
        assert not wrong_in(other.vault)
        assert other.recorder.one("SELECT count(*) FROM vault WHERE book = ?", ["other"])[0] == len(SECRETS)
    left = everything_under(place.flushed(), place.trust)
    if place.server is not None:  # until the server has written over its write-ahead log
        left = {path: found for path, found in left.items() if "/pg_wal/" not in path}
    assert left == {}


def test_a_migration_that_fails_leaves_all_in_place(place, monkeypatch):
    with_values_in_clear(place, monkeypatch)

    def fail(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr("alembic.op.drop_table", fail)
        with pytest.raises(RuntimeError):
            place.ledger()
    with closing(place.ledger()) as ledger:
        assert ledger.recorder.one("SELECT count(*) FROM vault", [])[0] == 2 * len(SECRETS)
        assert not wrong_in(ledger.vault)


def test_a_backup_from_before_encryption_does_not_bring_the_erased_back(place, monkeypatch, tmp_path):
    with_values_in_clear(place, monkeypatch)
    if place.server is not None:
        pytest.skip("the same code; a file is quicker put back")
    place.back_up(tmp_path / "backup")
    with closing(place.ledger()) as ledger:
        refs = list(ledger.recorder.subject_refs(["customer-q"]).values())
        ledger.recorder.keys.store.fence(refs, 1)
        ledger.recorder.keys.store.destroy(refs)
    place.restore(tmp_path / "backup")
    with closing(place.ledger()) as ledger:
        assert ledger.recorder.one("SELECT count(*) FROM vault WHERE book = ?", ["main"])[0] == 0
        assert not ledger.recorder.keys.store.keys(refs)
    assert everything_under(place.files) == {}
