"""Files of a layer that are kept open while it is read, a few at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from typing import Generic, TypeVar

_MOST = 8
"""Files of a layer that a thread keeps open: systems allow some hundreds, and threads are many."""

_File = TypeVar("_File")


class OpenFiles(Generic[_File]):
    """Files by number, opened when they are asked for; the longest unasked makes room for another.

    Parameters
    ----------
    open_file : callable
        Opens the file of a number, and has the stack close it.
    """

    def __init__(self, open_file: Callable[[int, ExitStack], _File]) -> None:
        self._open_file = open_file
        self._opened: OrderedDict[int, tuple[_File, ExitStack]] = OrderedDict()

    def __getitem__(self, number: int) -> _File:
        if number not in self._opened:
            while len(self._opened) >= _MOST:
                self._close_oldest()
            with ExitStack() as stack:
                file = self._open_file(number, stack)
                self._opened[number] = file, stack.pop_all()
        self._opened.move_to_end(number)
        return self._opened[number][0]

    def close(self) -> None:
        """Close all that are open."""
        while self._opened:
            self._close_oldest()

    def _close_oldest(self) -> None:
        _number, (_file, stack) = self._opened.popitem(last=False)
        stack.close()
