"""The day it is, as the board writes it."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from llpbench.errors import BoardError, examples


def today() -> str:
    """Day in UTC, ``2026-11-28``; of ``SOURCE_DATE_EPOCH`` where that is set.

    Source: the variable as reproducible-builds.org specifies it, seconds since 1970.
    """
    stated = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        now = datetime.now(UTC) if stated is None else datetime.fromtimestamp(int(stated), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BoardError(
            f"SOURCE_DATE_EPOCH must be seconds since 1970, found {examples([stated])}"
        ) from error
    return now.date().isoformat()
