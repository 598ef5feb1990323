"""Sheets of xlsx, ods and xls files, read by a process of its own with bounded memory.

A small file may name a cell a million rows down, for which its reader takes all memory there is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from llpbench.errors import BuildError, examples, unknown

MOST_CELLS = 5_000_000
_MOST_MEMORY = 2**31
_MOST_SECONDS = 120


def read_sheet(path: Path, sheet: str | None) -> list[list[Any]]:
    """Read the cells of a sheet: numbers as float, all else as text, empty ones as ``""``.

    The sheet is named by its name or number (from 1); None is the only one that is not empty.
    """
    command = [sys.executable, "-P", __file__, str(path.resolve()), sheet or ""]
    try:
        done = subprocess.run(  # noqa: S603 - this file, by this Python
            command, capture_output=True, timeout=_MOST_SECONDS, check=False
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise BuildError(
            f"{path.name} cannot be read as a spreadsheet, or is too large for a table of shares; "
            "save its sheet as csv"
        ) from error
    if "damage" in found:
        raise BuildError(
            f"{path.name} cannot be read as a spreadsheet ({found['damage']:.200}); save its "
            "sheet as csv"
        )
    if "cells" in found:
        raise BuildError(
            f"{path.name} is too large for a table of shares: a sheet has {found['cells']:,} "
            f"cells, at most {MOST_CELLS:,} are read"
        )
    if "rows" not in found:
        raise BuildError(_ask(path, sheet, found["sheets"]))
    return list(found["rows"])


def _ask(path: Path, sheet: str | None, sheets: list[str]) -> str:
    if sheet is not None:
        return f"{path.name}: {unknown('sheet', sheet, sheets)}"
    if not sheets:
        return f"{path.name} has no sheet with cells; check the file"
    return f"{path.name} has {len(sheets)} sheets, {examples(sheets)}: name one with --sheet"


def _find(path: str, sheet: str) -> dict[str, Any]:
    """Rows of the sheet asked for, or the sheets there are to choose from."""
    import python_calamine

    workbook = python_calamine.load_workbook(path)
    names = workbook.sheet_names
    if sheet.isdecimal() and sheet not in names and 0 < int(sheet) <= len(names):
        sheet = names[int(sheet) - 1]
    wanted = names if not sheet else [name for name in names if name == sheet]
    opened = [workbook.get_sheet_by_name(name) for name in wanted]
    filled = [one for one in opened if sheet or one.height]
    if len(filled) != 1:
        return {"sheets": [one.name for one in filled] if not sheet else names}
    cells = filled[0].height * filled[0].width
    return {"cells": cells} if cells > MOST_CELLS else {"rows": filled[0].to_python()}


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))


if __name__ == "__main__":
    _bound_memory()
    try:
        answer = _find(*sys.argv[1:])
    except Exception as error:  # whatever a damaged file makes the reader raise
        answer = {"damage": str(error) or type(error).__name__}
    json.dump(answer, sys.stdout, default=str)
