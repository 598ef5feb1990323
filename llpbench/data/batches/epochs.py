"""Numbers of epochs that several processes go through together."""

from __future__ import annotations

import multiprocessing
from typing import Final

_REMEMBERED: Final = 64


class SharedEpochs:
    """Which epoch is next, known to a process and to those that are forked or spawned from it.

    A loader tells a dataset nothing when an epoch begins, but its workers: the first of them to
    come begins the next epoch, the others join it.

    Examples
    --------
    >>> epochs = SharedEpochs()
    >>> epochs.begin()
    1
    >>> [epochs.join(key) for key in (7, 8, 7)]
    [2, 3, 2]
    """

    def __init__(self) -> None:
        # A lock for forked processes cannot be sent to spawned ones; one for these serves both.
        self._numbers = multiprocessing.get_context("spawn").Array("q", 1 + _REMEMBERED)

    def begin(self, key: int = 0) -> int:
        """Give the number of the next epoch, from 1 on; others can join it by the key."""
        with self._numbers.get_lock():
            self._numbers[0] += 1
            number = self._numbers[0]
            self._numbers[1 + number % _REMEMBERED] = key
            return number

    def join(self, key: int) -> int:
        """Give the number of the last epoch that was begun with the key, else of the next."""
        with self._numbers.get_lock():
            last = self._numbers[0]
            for number in range(last, max(0, last - _REMEMBERED), -1):
                if self._numbers[1 + number % _REMEMBERED] == key:
                    return number
            return self.begin(key)
