"""The ``Content-Range`` header: which bytes of a file an answer holds."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"bytes +(?:([0-9]{1,18})-([0-9]{1,18})|\*)/([0-9]{1,18}|\*)", re.IGNORECASE)


@dataclass(frozen=True)
class ContentRange:
    """Bytes ``start`` to ``stop``, the last not included, of a file of ``total`` bytes.

    Parameters
    ----------
    start, stop : int or None
        None where the server has none of the bytes that were asked for (status 416).
    total : int or None
        None where the server does not say.
    """

    start: int | None
    stop: int | None
    total: int | None


def parse_content_range(value: str | None) -> ContentRange | None:
    """Read a ``Content-Range`` header (RFC 9110, section 14.4).

    Parameters
    ----------
    value : str or None
        The header.

    Returns
    -------
    ContentRange or None
        None where it is absent, contradicts itself or cannot be understood.

    Examples
    --------
    >>> parse_content_range("bytes 10-19/100")
    ContentRange(start=10, stop=20, total=100)
    >>> parse_content_range("bytes */100")
    ContentRange(start=None, stop=None, total=100)
    >>> parse_content_range("bytes 19-10/100") is None
    True
    """
    form = _FORM.fullmatch((value or "").strip())
    if form is None:
        return None
    total = None if form[3] == "*" else int(form[3])
    if form[1] is None:
        return ContentRange(None, None, total)
    start, stop = int(form[1]), int(form[2]) + 1
    if start >= stop or (total is not None and stop > total):
        return None
    return ContentRange(start, stop, total)
