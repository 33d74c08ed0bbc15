"""The command `append` on a file of history, clean and with bad lines of every sort strewn in.

Each runs in a process of its own, rejects written; memory and processor time are those of `large`.
"""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.large import Step, apart, measured
from benchmarks.support import chosen, parser, place, show
from ledger.cli import main as sales_ledger
from tests.support.mixed import write_mixed

SHARES = (0.0, 0.01, 0.1)


def append_file(url: str, path: Path, rejects: Path) -> Step:
    """Append a file of history as a user does, in a fresh process."""
    step: Step = apart(_append, url, path, rejects)
    return step


def _append(url: str, path: Path, rejects: Path) -> Step:
    with path.open("rb") as file:
        lines = sum(1 for _ in file)

    def work() -> int:
        with redirect_stdout(StringIO()):
            code = sales_ledger(["append", str(path), "--history", "--rejects", str(rejects), "--database", url])
        assert code in {0, 1}, code
        return lines

    return measured(work)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--lines", type=int, default=50_000)
    given = options.parse_args()
    rows = []
    with TemporaryDirectory(prefix="ledger-benchmark-") as folder:
        for share in SHARES:
            path = Path(folder) / f"mixed-{share}.jsonl"
            _, refused = write_mixed(path, given.lines, share=share)
            for database in chosen(given):
                with place(database) as where:
                    step = append_file(where.url(), path, Path(folder) / "rejects.jsonl")
                    rate, cpu_us = step.events / step.seconds, 1e6 * step.cpu_s / step.events
                    cells = [f"{step.events:,}", f"{len(refused):,}", f"{rate:,.0f}", f"{cpu_us:,.0f}"]
                    rows.append([database, *cells, f"{step.seconds:.1f}", f"{step.peak_mb:,.0f}"])
    show("A file with bad lines", ["one run each", "lines", "bad", "lines/s", "cpu µs", "seconds", "peak MB"], rows)


if __name__ == "__main__":
    main()
