"""When to ask again and how long to wait: exponential backoff with jitter and ``Retry-After``."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from llpbench.data.fetch.faults import SourceError, TransientError

log = logging.getLogger(__name__)
_jitter = random.SystemRandom()

T = TypeVar("T")


@dataclass(frozen=True)
class RetryPolicy:
    """How patient a download is.

    Parameters
    ----------
    attempts : int
        Failures in a row, none of which brought a byte that was not there before, after which
        a server is given up. Every new byte starts the count afresh.
    first_wait, longest_wait : float
        Seconds before the second attempt, doubled from one failure to the next up to a limit;
        the actual wait is drawn from the upper half of it.
    longest_retry_after : float
        Seconds of a ``Retry-After`` that are honoured at most.
    connect_timeout, read_timeout : float
        Seconds until a connection must stand, and within which the next byte must come.
    sleep : callable
        Waits for some seconds.
    """

    attempts: int = 8
    first_wait: float = 1.0
    longest_wait: float = 60.0
    longest_retry_after: float = 600.0
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    def wait(self, failures: int, retry_after: float | None = None) -> float:
        """Seconds to wait after some failures in a row.

        Parameters
        ----------
        failures : int
            How many, at least 1.
        retry_after : float or None
            Seconds the server asked for. They are waited in full, up to the limit, and the
            backoff comes on top, so that clients turned away together do not return together.

        Returns
        -------
        float
            Seconds.

        Examples
        --------
        >>> policy = RetryPolicy(first_wait=1, longest_wait=60)
        >>> 4 <= policy.wait(failures=4) <= 8
        True
        >>> 10 <= policy.wait(failures=1, retry_after=10) <= 11
        True
        """
        backoff = min(self.first_wait * 2.0 ** min(failures - 1, 60), self.longest_wait)
        return backoff * _jitter.uniform(0.5, 1) + min(retry_after or 0.0, self.longest_retry_after)


def parse_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Read a ``Retry-After`` header (RFC 9110, section 10.2.3).

    Parameters
    ----------
    value : str or None
        Seconds, or a date in the format of HTTP.
    now : datetime or None
        The time from which a date counts; default the clock's.

    Returns
    -------
    float or None
        Seconds from now, at least 0; None where the header is absent or cannot be understood.

    Examples
    --------
    >>> parse_retry_after("120")
    120.0
    >>> now = datetime(2015, 10, 21, 7, 28, tzinfo=UTC)
    >>> parse_retry_after("Wed, 21 Oct 2015 07:28:10 GMT", now)
    10.0
    >>> parse_retry_after("soon") is None
    True
    """
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]+", text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())


def insist(
    attempt: Callable[[], T], policy: RetryPolicy, reached: Callable[[], int] = lambda: 0
) -> T:
    """Repeat an attempt until it succeeds or the policy's patience ends.

    Parameters
    ----------
    attempt : callable
        Raises :class:`~llpbench.data.fetch.faults.TransientError` for a fault that may pass.
    policy : RetryPolicy
        How often and how slowly.
    reached : callable
        How far the attempts have come, in bytes.

    Returns
    -------
    object
        What the attempt returned.

    Raises
    ------
    SourceError
        After too many failures without progress; it says what the last one was.

    Examples
    --------
    >>> insist(lambda: 42, RetryPolicy())
    42
    """
    failures, furthest = 0, reached()
    while True:
        try:
            return attempt()
        except TransientError as fault:
            failures = 1 if reached() > furthest else failures + 1
            furthest = max(furthest, reached())
            if failures >= policy.attempts:
                raise SourceError(f"{fault}, {failures} times in a row; try again later") from fault
            wait = policy.wait(failures, fault.retry_after)
            log.warning("%s; trying again in %.0f s", fault, wait)
        policy.sleep(wait)
