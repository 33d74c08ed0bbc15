"""Pages from a told pack, by Typst: its compiler is in the wheel, nothing is fetched, no font of the machine is used."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import msgspec
import typst

from api.pack.telling import FONTS


def typeset(told: dict[str, Any], instant: int) -> bytes:
    """The pages as PDF/A-2b, dated with an instant in microseconds. The data is data to Typst, never markup."""
    pages: bytes = typst.compile(  # type: ignore[misc]
        files(__package__).joinpath("pack.typ").read_bytes(),
        sys_inputs={"pack": msgspec.json.encode(told).decode()},
        font_paths=[FONTS],
        ignore_system_fonts=True,
        timestamp=max(0, instant // 1_000_000),
        pdf_standards=["a-2b"],
    )
    return pages
