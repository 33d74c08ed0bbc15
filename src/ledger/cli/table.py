"""Columns of text for a terminal or a pipe: aligned, never cut off, numbers to the right."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> str:
    """Lines of a table whose columns numbered in `right` are flush right.

    >>> print(table(["stage", "deals"], [["offer", "12"], ["signature", "3"]], right=[1]))
    stage      deals
    offer         12
    signature      3
    """
    body = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
    flush_right = set(right)

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if index in flush_right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join(padded).rstrip()

    head = line(header)
    if sys.stdout.isatty():
        head = f"{BOLD}{head}{PLAIN}"
    return "\n".join([head, *map(line, body)])
