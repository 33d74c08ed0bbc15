"""The signer: signs only what goes on from what it signed last, and keeps that outside the database.

A database restored from a backup would otherwise be signed as if nothing had happened, and fork the log silently.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.errors import DatabaseUnusable, NotFound, NotProven
from ledger.log.database import address_of
from ledger.proof import tree
from ledger.proof.log_tree import LogTree
from ledger.proof.notes import Checkpoint, Signer, Verifier, is_name, opened

if TYPE_CHECKING:
    from ledger.log.recorder import LogRecorder
    from ledger.settings import Settings

SEED_BYTES = 32
SECRET_MODE = 0o600
DIRECTORY_MODE = 0o700


def trust_directory(url: str, chosen: str | None) -> Path:
    """Where the signer of a database keeps its state: as chosen, else beside an SQLite file, else here."""
    if chosen is not None:
        return Path(chosen)
    address = address_of(url)
    if address.get_backend_name() == "sqlite" and address.database:
        return Path(f"{address.database}.trust")
    return Path("sales-ledger.trust")


def desk_of(settings: Settings, book: str) -> SigningDesk:
    """The signer of one book, where the settings say that it keeps its state."""
    return SigningDesk(trust_directory(settings.database_url, settings.trust_dir), settings.origin, book)


class SigningDesk:
    """One book's key and every checkpoint that it has signed, as files."""

    def __init__(self, directory: Path, origin: str, book: str) -> None:
        self._directory = directory / book
        self._name = f"{origin}/{book}"

    @property
    def verifier(self) -> Verifier:
        """The public key. Raises `NotFound` before anything was signed."""
        return self._signer().verifier

    def notes(self) -> list[str]:
        """Every note signed so far, by size."""
        paths = (self._directory / "checkpoints").glob("*.note")
        return [path.read_text(encoding="utf-8") for path in sorted(paths)]

    def sign(self, recorder: LogRecorder, log: LogTree) -> str:
        """Sign the log as it is now; the same note again where it has not grown.

        Raises `NotProven` if the log does not go on from what was signed last, or its head is not what its entries
        add up to: then nothing is signed.
        """
        with self._alone():
            signed = self.notes()
            signer = self._signer(create=True)
            head = recorder.head()
            checkpoint = Checkpoint(self._name, head.position, head.frontier.root())
            if log.root(head.position) != checkpoint.root:
                raise NotProven(
                    f"the first {head.position} entries do not add up to the root that the log's head states; nothing is"
                    " signed: run sales-ledger verify"
                )
            if signed:
                last = opened(signed[-1], signer.verifier)
                self._check_goes_on(last, checkpoint, log)
                if last == checkpoint:
                    return signed[-1]
            note = signer.sign(checkpoint)
            self._keep(Path("checkpoints") / f"{checkpoint.size:016}.note", note)
        return note

    @staticmethod
    def _check_goes_on(last: Checkpoint, now: Checkpoint, log: LogTree) -> None:
        if last.size > now.size:
            raise NotProven(
                f"{last.size} entries were signed and the log has {now.size}: it was cut or restored from a backup;"
                " nothing is signed"
            )
        if last.size == 0:
            return
        try:
            proof = log.consistency(last.size, now.size)
            tree.check_consistency(last.size, last.root, now.size, now.root, proof)
        except NotProven as fork:
            raise NotProven(f"the log is not the one that was signed last ({fork}); nothing is signed") from None

    def _signer(self, *, create: bool = False) -> Signer:
        path = self._directory / "signing.key"
        if not path.exists():
            if self.notes():
                raise NotProven(f"checkpoints were signed and their key {path} is gone; put it back from its copy")
            if not create:
                raise NotFound("nothing has been signed yet; run sales-ledger checkpoint")
            if not is_name(self._name):
                raise NotProven(
                    f"nothing can be signed as {self._name[:80]!r}: a name has 1 to 200 characters, no space and no +; "
                    "see LEDGER_ORIGIN"
                )
            self._keep(Path(path.name), Signer(self._name, secrets.token_bytes(SEED_BYTES)).line() + "\n")
        try:
            signer = Signer.parse(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            raise NotProven(f"{path} is no text, and so no signing key; put it back from its copy") from None
        except NotProven as unreadable:
            raise NotProven(f"{path}: {unreadable}; put it back from its copy") from None
        if signer.name != self._name:
            raise NotProven(f"the key in {path} is that of {signer.name}, not of {self._name}; see LEDGER_ORIGIN")
        return signer

    def _keep(self, name: Path, text: str) -> None:
        """Write a file whole or not at all, and wait for the disk."""
        path = self._directory / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=DIRECTORY_MODE)
        written = path.with_suffix(".new")
        written.unlink(missing_ok=True)
        descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        written.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One signer at a time, over all processes of this machine."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=DIRECTORY_MODE)
            with (self._directory / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise DatabaseUnusable(
                f"{self._directory} cannot be written ({error.strerror}); name another folder with LEDGER_TRUST_DIR"
            ) from None
