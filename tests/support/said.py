"""What the source says no with: the template of every message that is given to an error where it is raised."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parents[2] / "src"
_OTHERS = {"RowRefused", "HTTPException", "Wrong"}


class Site(NamedTuple):
    """Where an error is made: its template, None where the message is made elsewhere; and the expression."""

    file: str
    template: str | None
    expression: str


@cache
def _trees() -> dict[str, ast.Module]:
    return {str(path.relative_to(SOURCE)): ast.parse(path.read_text("utf-8")) for path in sorted(SOURCE.rglob("*.py"))}


def sites() -> list[Site]:
    """Every place in the source that gives a message to a `LedgerError`, or to one of the other errors that speak."""
    kinds = _error_classes() | _OTHERS
    return [
        Site(file, template_of(node.args[-1]), ast.unparse(node.args[-1]))
        for file, tree in _trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds and node.args
    ]


def template_of(node: ast.expr) -> str | None:
    """A text with `{}` for each of its values; values side by side are one. None where there is no text to see."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    pieces = [piece.value if isinstance(piece, ast.Constant) else "{}" for piece in node.values]
    template = "".join(str(piece) for piece in pieces)
    while "{}{}" in template:
        template = template.replace("{}{}", "{}")
    return template


def texts() -> set[str]:
    """The template of every text in the source."""
    found = (template_of(node) for tree in _trees().values() for node in ast.walk(tree) if isinstance(node, ast.expr))
    return {template for template in found if template is not None}


def _error_classes() -> set[str]:
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for tree in _trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    kinds = {"LedgerError"}
    while more := {name for name, of in bases.items() if of & kinds} - kinds:
        kinds |= more
    return kinds
