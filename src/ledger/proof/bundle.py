"""The audit bundle: a folder that holds the log, what was signed of it, and all that it takes to check both alone."""

from __future__ import annotations

import shutil
from base64 import b64encode
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.errors import BadRequest, NotProven
from ledger.proof.log_tree import stored
from ledger.proof.merkle import Frontier
from ledger.proof.notes import Checkpoint, opened

if TYPE_CHECKING:
    from ledger.log.recorder import LogRecorder
    from ledger.proof.log_tree import LogTree
    from ledger.proof.signing import SigningDesk

PAGE = 5_000
_HERE = Path(__file__).parent


def write_bundle(
    directory: Path,
    recorder: LogRecorder,
    log: LogTree,
    desk: SigningDesk,
    progress: Callable[[int, int], None] | None = None,
) -> Checkpoint:
    """Sign the log as it is and write it all to an empty or new folder; the checkpoint that it ends with.

    Personal values and free texts are not in it, only their commitments. Raises `BadRequest`, `NotProven`.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise BadRequest(f"{directory} is not an empty folder; name a new one")
    note = desk.sign(recorder, log)
    checkpoint = opened(note, desk.verifier)
    (directory / "checkpoints").mkdir(parents=True)
    written = Frontier()
    with (directory / "entries.jsonl").open("wb") as file:
        for after in range(0, checkpoint.size, PAGE):
            upto = min(after + PAGE, checkpoint.size)
            statement = "SELECT entry FROM events WHERE book = ? AND position > ? AND position <= ? ORDER BY position"
            for row in recorder.all(statement, [recorder.book, after, upto]):
                written.append(stored(row[0]))
                file.write(row[0] + b"\n")
            if progress is not None:
                progress(upto, checkpoint.size)
    if written.root() != checkpoint.root:
        raise NotProven("the entries are not those that were hashed; run sales-ledger verify")
    (directory / "checkpoint").write_text(note, encoding="utf-8")
    (directory / "verifier.key").write_text(f"{desk.verifier}\n", encoding="utf-8")
    signed: dict[int, str] = {}
    for each in desk.notes():
        size = opened(each, desk.verifier).size
        if size <= checkpoint.size:
            signed[size] = each
    for size, each in signed.items():
        (directory / "checkpoints" / f"{size:016}.note").write_text(each, encoding="utf-8")
    sizes = sorted(size for size in signed if size)
    (directory / "consistency").write_text(
        "\n".join(_proof(first, second, log.consistency(first, second)) for first, second in pairwise(sizes)),
        encoding="utf-8",
    )
    shutil.copyfile(_HERE / "standalone.py", directory / "verify.py")
    shutil.copyfile(_HERE / "FORMAT.md", directory / "FORMAT.md")
    return checkpoint


def _proof(first: int, second: int, hashes: list[bytes]) -> str:
    return f"{first} {second}\n" + "".join(f"{b64encode(each).decode()}\n" for each in hashes)
