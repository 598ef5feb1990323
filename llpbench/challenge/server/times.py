"""Times as people and programs read them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(seconds: float) -> str:
    """Seconds since 1970 as a time of ISO 8601 in UTC.

    Examples
    --------
    >>> iso(0.25)
    '1970-01-01T00:00:00Z'
    """
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def readable(seconds: float) -> str:
    """Seconds since 1970 as a day and a time in UTC.

    Examples
    --------
    >>> readable(0)
    '1970-01-01 00:00'
    """
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
