"""The machine that a run is made on: its times and costs are those of this machine."""

from __future__ import annotations

import os
import platform


def describe_hardware() -> str:
    """Name processor, cores and system of this machine, as far as the system tells them.

    Examples
    --------
    >>> describe_hardware().count(", ")
    2
    """
    return f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}"
