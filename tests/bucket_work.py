"""A region whose workers are killed while they write it into a bucket; workers import it."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from peak_memory import peak_kb
from regions import GridPixels, make_region

from llpbench.crew import gather
from llpbench.data.region import ChipBlock, Region
from llpbench.data.store import WriteReport, write_store


@dataclass(frozen=True)
class Dying(GridPixels):
    """So many times, the process that reads a block is killed a moment later, whatever it does.

    ``folder`` keeps count, and the memory that each process had, in kB.
    """

    kills: int = 0
    folder: Path = Path()

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        if self._is_next():
            moment = random.uniform(0, 0.5)
            threading.Timer(moment, os.kill, (os.getpid(), signal.SIGKILL)).start()
        block = super().__call__(chips)
        (self.folder / f"memory-{os.getpid()}").write_text(str(peak_kb()))
        return block

    def _is_next(self) -> bool:
        for number in range(self.kills):
            try:
                (self.folder / f"kill-{number}").touch(exist_ok=False)
            except FileExistsError:
                continue
            return True
        return False


def dying_region(columns: int, rows: int, kills: int, folder: Path) -> Region:
    """A region of so many chips."""
    region = make_region(columns, rows, 5, 3)
    return replace(region, read=Dying(12, kills=kills, folder=folder))


def write(region: Region, where: Path | str, workers: int) -> WriteReport:
    """Write it with two workers, or by this process alone."""
    said = {"title": "grid", "licence": "CC0-1.0", "attribution": "made for a test"}
    with gather(workers) as crew:
        return write_store(region, where, name="grid", **said, crew=crew)
