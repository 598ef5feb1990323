"""How much memory a process took at most; for processes that tests start."""

from __future__ import annotations

import re
from pathlib import Path


def peak_kb() -> int:
    """Kilobytes of this process; those of getrusage would hold what started it, too."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text("ascii"))
    assert found is not None
    return int(found[1])
