"""What the tests of fetching share: a payload, its archive, and retries that do not really wait."""

from __future__ import annotations

import hashlib
import random
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from llpbench.catalog import RecordFile
from llpbench.data.fetch import Archive
from llpbench.data.fetch.retrying import Retries
from llpbench.writing import part_path

RECORD = 7935237
NAME = "benelux.zip"
PAYLOAD = random.Random(0).randbytes(1_000_003)
MD5 = hashlib.md5(PAYLOAD).hexdigest()
SIZE = len(PAYLOAD)


def eager(
    waits: list[float] | None = None, attempts: int = 8, timeout: float = 30
) -> AbstractContextManager[Any]:
    """While it holds, waits are noted in a list instead of waited."""
    noted = [] if waits is None else waits
    return patch.multiple(
        Retries, pause=staticmethod(noted.append), ATTEMPTS=attempts, TIMEOUT=(10, timeout)
    )


def lookup(cache: Path, waits: list[float] | None = None, attempts: int = 8) -> RecordFile:
    """Find out the test record's archive without waiting."""
    with eager(waits, attempts):
        return Archive(RECORD, cache).lookup()


def part_of(cache: Path, name: str = NAME) -> Path:
    """Where the test record's bytes are kept; its folder is made."""
    folder = cache / "archives" / str(RECORD)
    folder.mkdir(parents=True, exist_ok=True)
    return part_path(folder / name)
