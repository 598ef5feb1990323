"""Work that tests share out; workers import it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any


def square(number: int) -> int:
    return number * number


def slow_first(number: int) -> int:
    """The first takes longer than all others."""
    time.sleep(0.5 * (number == 0))
    return number


def fail_at_three(number: int) -> int:
    if number == 3:
        raise KeyError("three")
    return number


def ending_once(folder: Path, number: int) -> tuple[int, int]:
    """End the process at the first try of every third item."""
    begun = folder / f"{number}.begun"
    if number % 3 == 0 and not begun.exists():
        begun.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number, os.getpid()


def held(numbers: Any, place: int) -> float:
    """Look up a number of a large array that the work holds."""
    return float(numbers[place])


def process(_number: int) -> int:
    """Who did it."""
    return os.getpid()


def slow(number: int) -> int:
    """Take long enough to be killed in the middle."""
    time.sleep(0.2)
    return number
