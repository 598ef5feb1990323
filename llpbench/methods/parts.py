"""Chips cut into parts, each of which is a task of :mod:`llpbench.crew`."""

from __future__ import annotations

PART = 512
"""Chips of a part."""


def cut(stop: int, start: int = 0) -> list[slice]:
    """Cut consecutive chips into parts, the last of which holds the rest.

    They are the same whoever does the work, in one process as well, so that bits are the same.

    Parameters
    ----------
    stop, start : int
        Position after the last chip, and that of the first.

    Examples
    --------
    >>> cut(1000)
    [slice(0, 512, None), slice(512, 1000, None)]
    """
    return [slice(first, min(first + PART, stop)) for first in range(start, stop, PART)]
