"""`sales-ledger checkpoint`, `prove`, `verify` and `bundle`: evidence that the log was not altered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.common import Book, Database, ledger_of, settings_with
from ledger.cli.failures import NOT_SO, WrongUse
from ledger.formats import count_text

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.proof.notes import Checkpoint, Verifier
    from ledger.proof.signing import SigningDesk
    from ledger.settings import Settings
    from projections.reports import Explanation

Output = Annotated[Path | None, typer.Option("--output", help="Write it to this file.", show_default=False)]
Key = Annotated[
    str | None,
    typer.Option("--key", help="The verifier key, or a file that holds it [the one kept here]", show_default=False),
]


def checkpoint(output: Output = None, database: Database = None, book: Book = None) -> None:
    """Sign the log as it is now. Keep what it prints where nobody who can write the database can change it."""
    from ledger.cli.progress import Bar
    from ledger.proof.log_tree import LogTree

    settings = settings_with(database_url=database, book=book)
    with ledger_of(settings) as ledger:
        desk, log = _desk(settings, ledger), LogTree(ledger.recorder)
        with Bar("Reading the log") as bar:
            log.grow(ledger.head().position, bar.show)
        note = desk.sign(ledger.recorder, log)
        _write(note, output)
        typer.echo(f"The verifier key is {desk.verifier}", err=True)


def prove(
    position: Annotated[int, typer.Argument(min=1, help="Which event.")],
    output: Output = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """Prove that an event is in the log, under a checkpoint signed now: a file that anybody can verify alone."""
    from ledger.errors import NotProven
    from ledger.proof.log_tree import LogTree, stored
    from ledger.proof.notes import ProofFile, opened

    settings = settings_with(database_url=database, book=book)
    with ledger_of(settings) as ledger:
        if position > ledger.head().position:
            raise WrongUse(f"position {position}: the log has {count_text(ledger.head().position, 'event')}")
        desk, log = _desk(settings, ledger), LogTree(ledger.recorder)
        note = desk.sign(ledger.recorder, log)
        size = opened(note, desk.verifier).size
        entry = stored(ledger.feed_rows(position - 1, 1)[0][7])
        proof = ProofFile(position - 1, entry, log.inclusion(position - 1, size), note)
        try:
            proof.check(desk.verifier)
        except NotProven:
            raise NotProven(f"event {position} is not what was signed; run sales-ledger verify") from None
    _write(str(proof), output)


def verify(
    path: Annotated[
        Path | None, typer.Argument(help="A proof file or a bundle; the ledger itself if left out.", show_default=False)
    ] = None,
    checkpoints: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", help="A checkpoint kept elsewhere; may be said again.", show_default=False),
    ] = None,
    key: Key = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """Check that nothing was altered: the ledger against its checkpoints, a proof file, or a bundle. 1 if it was."""
    verifier = None if key is None else _verifier(key)
    if path is None:
        _verify_ledger(settings_with(database_url=database, book=book), checkpoints or [], verifier)
    elif path.is_dir():
        _verify_bundle(path, checkpoints or [], verifier)
    elif not path.exists():
        raise WrongUse(f"there is no file {path}; name a proof or a bundle, or none to check the ledger itself")
    elif checkpoints:
        raise WrongUse("--checkpoint is for the ledger itself or a bundle; a proof file holds its own")
    elif verifier is None:
        raise WrongUse("a proof file is checked with --key, the verifier key from somewhere you trust")
    else:
        _verify_file(_text(path), verifier)


def prove_explanation(settings: Settings, ledger: Ledger, explanation: Explanation, path: Path) -> None:
    """Write the file that proves the events behind a figure. Titles, which may be sealed, are left out of it."""
    import msgspec

    from ledger.errors import NotProven
    from ledger.proof.evidence import evidence
    from ledger.proof.log_tree import LogTree
    from ledger.proof.notes import opened

    desk, log = _desk(settings, ledger), LogTree(ledger.recorder)
    note = desk.sign(ledger.recorder, log)
    lines = [msgspec.structs.replace(line, title=None) for line in explanation.lines]
    bare = msgspec.structs.replace(explanation, lines=lines).json()
    found = evidence(bare, ledger.recorder, log, note, opened(note, desk.verifier).size)
    try:
        found.check(desk.verifier, adding_up)
    except NotProven as wrong:
        raise NotProven(f"the log does not bear this figure out ({wrong}); run sales-ledger verify") from None
    path.write_bytes(found.json() + b"\n")
    typer.echo(
        f"{count_text(len(lines), 'line')} and {count_text(len(found.events), 'event')} written to {path};"
        f" check it: sales-ledger verify {path} --key …",
        err=True,
    )


def adding_up(report: str) -> set[str]:
    """The figures of a report that are the sums of its lines. Raises `NotFound`."""
    from projections.reports import find
    from projections.reports.explain import brought

    return brought(find(report))


def bundle(
    directory: Annotated[Path, typer.Argument(help="A new folder.")], database: Database = None, book: Book = None
) -> None:
    """Write the whole log, all checkpoints, and a verifier of one file: an auditor needs nothing else."""
    from ledger.cli.progress import Bar
    from ledger.proof.bundle import write_bundle
    from ledger.proof.log_tree import LogTree

    settings = settings_with(database_url=database, book=book)
    with ledger_of(settings) as ledger, Bar("Writing entries") as bar:
        written = write_bundle(directory, ledger.recorder, LogTree(ledger.recorder), _desk(settings, ledger), bar.show)
    typer.echo(
        f"{count_text(written.size, 'entry', 'entries')} in {directory}, root {written.root.hex()}; check it: python3 verify.py"
    )


def _verifier(key: str) -> Verifier:
    """The key on the command line, or in the file that it names. Raises `WrongUse`."""
    from ledger.errors import NotProven
    from ledger.proof.notes import Verifier

    path = Path(key)
    try:
        there = path.exists()
    except OSError:  # a key may be too long for the name of a file
        there = False
    try:
        return Verifier.parse(_text(path) if there else key)
    except NotProven as wrong:
        what = f"--key {path}, a file, holds no key" if there else f"--key {key[:80]!r} is neither a file nor a key"
        raise WrongUse(f"{what} ({wrong}); sales-ledger checkpoint prints the key") from None


def _verify_file(text: str, verifier: Verifier) -> None:
    from ledger.proof.evidence import Evidence
    from ledger.proof.notes import ProofFile

    if not text.startswith("{"):
        proof = ProofFile.parse(text)
        found = proof.check(verifier)
        typer.echo(proof.entry.decode())
        typer.echo(f"is event {proof.number + 1} of the {found.size} that {found.origin} signed.", err=True)
        return
    told = Evidence.parse(text)
    checkpoint, cell = told.check(verifier, adding_up)
    sums = adding_up(cell.report)
    for name, value in cell.figures.items():
        if name in sums:
            typer.echo(f"{name} {value}")
    if others := [name for name in cell.figures if name not in sums]:
        typer.echo(f"Not checked, being no sums of lines: {', '.join(others)}.", err=True)
    typer.echo("Asked: " + ", ".join(f"{name} {value}" for name, value in cell.parameters.items()), err=True)
    where = ", ".join(f"{name}={value or ''}" for name, value in cell.cell.items()) or "all"
    typer.echo(
        f"of {cell.report} ({where}): {count_text(len(cell.lines), 'line')} on {count_text(len(told.events), 'event')}, each among the"
        f" {checkpoint.size:,} that {checkpoint.origin} signed. What was asked, that no line is left out, and that each brings what its"
        " events say, replay --bundle shows.",
        err=True,
    )


def _verify_ledger(settings: Settings, paths: list[Path], verifier: Verifier | None) -> None:
    from ledger.cli.progress import Bar
    from ledger.in_french import in_language
    from ledger.proof.audit import audit

    with ledger_of(settings) as ledger:
        desk = _desk(settings, ledger)
        held = _held(desk, paths, verifier)
        with Bar("Reading every entry") as bar:
            found = audit(ledger.recorder, held, bar.show)
    for each in found.findings:
        typer.echo(each)
    if found.unread:
        typer.echo(f"The sealed values were not checked: {in_language(found.unread, settings.lang)}", err=True)
    if found.findings:
        typer.echo(f"{len(found.findings)} thing{'s' * (len(found.findings) > 1)} wrong", err=True)
        raise typer.Exit(NOT_SO)
    typer.echo(
        f"{count_text(found.size, 'entry', 'entries')}, root {found.root.hex()}: as they were hashed, and as "
        f"{len(held)} checkpoint{'s say' if len(held) != 1 else ' says'}."
    )
    if not paths:
        typer.echo("No checkpoint from outside was given: see --checkpoint.", err=True)


def _held(desk: SigningDesk, paths: list[Path], verifier: Verifier | None) -> list[Checkpoint]:
    """The checkpoints to hold the ledger to, each once: those signed here, and those kept elsewhere."""
    from ledger.errors import NotFound
    from ledger.proof.notes import opened

    try:
        ours = desk.verifier
    except NotFound:
        if verifier is None:
            if paths:
                raise WrongUse("nothing was signed here; say with --key who signed the checkpoint") from None
            return []
        return list(dict.fromkeys(opened(_text(path), verifier) for path in paths))
    signed_here = [opened(note, ours) for note in desk.notes()]
    return list(dict.fromkeys([*signed_here, *(opened(_text(path), verifier or ours) for path in paths)]))


def _verify_bundle(directory: Path, paths: list[Path], verifier: Verifier | None) -> None:
    from ledger.errors import NotProven
    from ledger.proof.standalone import FAILURES, check_bundle

    held = [_text(path) for path in paths]
    if not (directory / "entries.jsonl").exists():
        raise WrongUse(f"there is no bundle in {directory}")
    try:
        check_bundle(directory, None if verifier is None else str(verifier), held, typer.echo)
    except FAILURES as wrong:
        raise NotProven(f"the bundle does not hold: {wrong}") from None
    if verifier is None:
        typer.echo("The key came with the bundle: give one that you hold from elsewhere with --key.", err=True)


def _desk(settings: Settings, ledger: Ledger) -> SigningDesk:
    from ledger.proof.signing import desk_of

    return desk_of(settings, ledger.book)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WrongUse(f"there is no file {path}; correct its name") from None
    except (OSError, UnicodeDecodeError):
        raise WrongUse(f"{path} cannot be read as text") from None


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
        typer.echo(f"written to {output}", err=True)
