"""What a command costs before it does anything."""

from __future__ import annotations

import subprocess
import sys


class Commands:
    """Wall seconds of whole processes."""

    params = ("--version", "--help", "baselines", "datasets")
    param_names = ("command",)

    def time_start(self, command: str) -> None:
        """Start, print, end."""
        run = [sys.executable, "-m", "llpbench", command]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
