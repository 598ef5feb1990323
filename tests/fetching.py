"""What the tests of fetching share: a payload, and policies that do not really wait."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from llpbench.data.fetch import RetryPolicy

RECORD = 7935237
NAME = "benelux.zip"
PAYLOAD = random.Random(0).randbytes(1_000_003)
MD5 = hashlib.md5(PAYLOAD).hexdigest()
SIZE = len(PAYLOAD)


def eager(waits: list[float] | None = None, **settings: float) -> RetryPolicy:
    """A policy that notes its waits in a list instead of waiting."""
    noted = [] if waits is None else waits
    return RetryPolicy(sleep=noted.append, **settings)  # type: ignore[arg-type]


def part_of(cache: Path, name: str = NAME) -> Path:
    """Where the test record's bytes are kept; its folder is made."""
    folder = cache / "archives" / str(RECORD)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.part"
