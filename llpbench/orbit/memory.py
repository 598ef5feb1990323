"""How much memory this process takes above what it began with."""

from __future__ import annotations

import ctypes
import gc
import re
from pathlib import Path

from llpbench.errors import MethodError

_PROCESS = Path("/proc/self")


_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
"""Parameters of glibc's mallopt, see malloc.h."""


class MemoryMeter:
    """Measures the largest resident memory above a level, part by part.

    The level is the memory of the process when the meter is made, after frameworks are imported
    and warm.

    Raises
    ------
    MethodError
        If the system does not tell (only Linux does).
    """

    def __init__(self) -> None:
        self._level = 0
        self.begin()
        self._level = _read("VmRSS")

    def begin(self) -> None:
        """Begin a part: what is no longer held is given back, and the peak forgotten."""
        gc.collect()
        _library("malloc_trim", 0)
        try:
            (_PROCESS / "clear_refs").write_text("5", encoding="ascii")
        except OSError as error:
            raise MethodError(
                "the memory of training can be measured on Linux alone, where /proc/self/clear_refs"
                f" can be written; here it cannot ({error.strerror})"
            ) from error

    def peak(self) -> int:
        """Bytes above the level, at most since the part began."""
        return max(0, _read("VmHWM") - self._level)

    @property
    def level(self) -> int:
        """Bytes that the process took when the meter was made."""
        return self._level


def give_back_at_once() -> None:
    """Have the C library return large arrays to the system when they are freed, if it is glibc's.

    It else keeps more and more of them for later ones, in a heap for each thread. For a process of
    its own.
    """
    _library("mallopt", _MMAP_THRESHOLD, 2**20)
    _library("mallopt", _ARENA_MAX, 2)


def _library(name: str, *values: int) -> None:
    """Call a function of the C library, if it has that."""
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*values)


def _read(name: str) -> int:
    """A value of /proc/self/status, in bytes."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", (_PROCESS / "status").read_text("ascii"), re.M)
    assert found is not None
    return 1024 * int(found[1])
