"""Parameters of a report as options of a command: whatever the report knows, none listed twice."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.cli.failures import WrongUse

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Context settings of a command that takes a report's parameters; the report refuses those it does not know."""

EPILOG = (
    "Parameters of the report are options too: --as-of, --known-at, --period, --by, --where, --measure, --currency, "
    "--compare, --every and more. `sales-ledger reports NAME` lists those of a report."
)


def parameters(arguments: Sequence[str]) -> dict[str, str]:
    """`--as-of 2026-03-31 --by=owner` as `{"as_of": "2026-03-31", "by": "owner"}`. Raises `WrongUse`.

    >>> parameters(["--as-of", "2026-03-31", "--by=owner"])
    {'as_of': '2026-03-31', 'by': 'owner'}
    """
    found: dict[str, str] = {}
    left = list(arguments)
    while left:
        word = left.pop(0)
        option, equals, value = word.partition("=")
        if not option.startswith("--") or option == "--":
            raise WrongUse(f"unexpected {word[:60]!r}; parameters are written --name value, after the report's name")
        if not equals:
            if not left:
                raise WrongUse(f"{option[:60]} needs a value")
            value = left.pop(0)
        name = option[2:].replace("-", "_")
        if name in found:
            raise WrongUse(f"{option[:60]} is given twice; several values go into one, separated by commas")
        found[name] = value
    return found
