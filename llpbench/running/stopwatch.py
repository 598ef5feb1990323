"""How long something takes, in wall time and in processor time."""

from __future__ import annotations

import time
from typing import Self


class Stopwatch:
    """Adds up the time spent in it: ``with watch: ...``, any number of times.

    Attributes
    ----------
    wall, cpu : float
        Seconds; those of the processor over all threads of this process.
    """

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> Self:
        self._begun = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter() - self._begun[0]
        self.cpu += time.process_time() - self._begun[1]
