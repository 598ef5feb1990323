"""How often something may be done in a span of time, counted in this process."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager

from llpbench.challenge.server.refusals import RefusalError

_MOST_KEYS = 10_000


class Rate:
    """At most so many in so many seconds, for each key.

    Parameters
    ----------
    most : int
        From which on all more are refused.
    seconds : float
        The span.

    Examples
    --------
    >>> rate = Rate(1, 60)
    >>> rate.count("tartu")
    >>> rate.count("tartu")
    Traceback (most recent call last):
        ...
    llpbench.challenge.server.refusals.RefusalError: too many requests; wait 60 seconds
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, key: str) -> None:
        """Refuse or count one more; the keys that were used longest ago are forgotten."""
        times = self._times.setdefault(key, deque())
        self._times.move_to_end(key)
        if len(self._times) > _MOST_KEYS:
            self._times.popitem(last=False)
        while times and times[0] <= time.monotonic() - self._seconds:
            times.popleft()
        if len(times) >= self._most:
            wait = times[0] + self._seconds - time.monotonic()
            raise RefusalError(429, f"too many requests; wait {wait:.0f} seconds", wait)
        times.append(time.monotonic())


class Slots:
    """How many may be at something at the same time, in all and for each key.

    Parameters
    ----------
    most : int
        In all.
    most_each : int
        Of a key.
    """

    def __init__(self, most: int, most_each: int) -> None:
        self._most, self._most_each = most, most_each
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, key: str) -> Iterator[None]:
        """Be one of them, or be refused."""
        if self._taken[key] >= self._most_each:
            raise RefusalError(429, f"send at most {self._most_each} files at the same time", 1)
        if self._taken.total() >= self._most:
            raise RefusalError(503, "many files arrive at the moment; try again in a minute", 60)
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            self._taken += Counter()  # keys of which none is left are forgotten
