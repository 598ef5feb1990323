"""Faults that may pass, and how patiently a request is repeated."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from urllib3 import Retry
from urllib3.exceptions import InvalidHeader

from llpbench.errors import DownloadError

log = logging.getLogger(__name__)
_jitter = random.SystemRandom()

T = TypeVar("T")


class TransientError(Exception):
    """A fault that may pass: the same request is worth repeating after a wait.

    ``retry_after`` is the server's ``Retry-After``, where it sent one.
    """

    def __init__(self, message: str, retry_after: str | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnreachableError(TransientError):
    """There is no way to the server: seldom a fault that passes while somebody waits."""


class SourceError(DownloadError):
    """One server cannot give the file; another may."""


class MissingError(SourceError):
    """The server knows no such address."""


class Retries(Retry):
    """urllib3's count of retries, with other waits between them.

    urllib3 waits either the backoff or what the server asks for, and not at all before the first
    retry. Here the backoff always comes on top, with jitter over its upper half, so that clients
    that were turned away together do not return together.
    """

    ATTEMPTS = 8
    """Failures in a row, none of which brought a new byte, after which a server is given up."""
    UNREACHABLE_ATTEMPTS = 3
    """The same where there is no way to the server, and nothing has come from it before."""
    LONGEST_RETRY_AFTER = 600.0
    """Seconds of a ``Retry-After`` that are honoured at most."""
    TIMEOUT = (10.0, 30.0)
    """Seconds until a connection must stand, and within which the next byte must come."""

    pause = staticmethod(time.sleep)

    def get_backoff_time(self) -> float:
        """Seconds: up to 1, 2, 4, ... 60 after the first, second, third, ... failure in a row."""
        doubled = 2.0 ** min(len(self.history) - 1, 60)
        return min(doubled, 60.0) * _jitter.uniform(0.5, 1)

    def wait(self, retry_after: str | None) -> float:
        """Seconds before the next attempt, for a ``Retry-After`` header (RFC 9110, 10.2.3).

        Examples
        --------
        >>> 10 <= Retries(7).increment().wait("10") <= 11
        True
        """
        try:
            asked = self.parse_retry_after(retry_after) if retry_after else 0.0
        except (InvalidHeader, ValueError, OverflowError):  # also thousands of digits
            asked = 0.0
        return self.get_backoff_time() + min(asked, self.LONGEST_RETRY_AFTER)


def insist(attempt: Callable[[], T], progress: Callable[[], int] = lambda: 0) -> T:
    """Repeat an attempt until it succeeds or too many failed in a row.

    An adapter of requests repeats requests only; this repeats reading their bodies, too.

    An attempt raises :class:`TransientError` for a fault that may pass. Whenever ``progress``, in
    bytes, is farther than ever before, failures are counted afresh.
    """
    left = fresh = Retries(Retries.ATTEMPTS - 1)
    start = furthest = progress()
    while True:
        try:
            return attempt()
        except TransientError as fault:
            if (now := progress()) > furthest:
                left, furthest = fresh, now
            failures = len(left.history) + 1
            hopeless = isinstance(fault, UnreachableError) and furthest == start
            if not left.total or (hopeless and failures >= Retries.UNREACHABLE_ATTEMPTS):
                message = f"{fault}, {failures} times in a row; try again later"
                raise SourceError(message) from fault
            left = left.increment(error=fault)
            wait = left.wait(fault.retry_after)
            log.warning("%s; trying again in %.0f s", fault, wait)
        Retries.pause(wait)
