"""What programs that make pages are called with: files, or those of the documentation."""

from __future__ import annotations

import sys
from pathlib import Path


def page_arguments(usage: str | None, *defaults: Path) -> list[Path]:
    """Read as many paths as are given, and take the defaults of the others; show the usage."""
    given = sys.argv[1:]
    if len(given) > len(defaults) or {"-h", "--help"} & set(given):
        sys.exit(usage)
    return [*map(Path, given), *defaults[len(given) :]]
