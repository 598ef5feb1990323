"""Files that teams send: bounded while they arrive, on the disk before they are acknowledged."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from llpbench.challenge.server.refusals import RefusalError
from llpbench.writing import discard, replacing

ENDINGS = {b"PAR1": ".parquet"}
"""Of files, by their first bytes; those of text are tables of values."""

LEAST_FREE = 2**29
"""Bytes of the disk that are kept free."""

_BEGINNING = 512
_HOUR = 3600


@dataclass(frozen=True)
class Upload:
    """A file that has arrived whole."""

    id: str
    ending: str
    bytes: int
    sha256: str


class Inbox:
    """The folder of the files that teams sent, by the ids of their submissions.

    No name of a submitter's becomes one here.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, identity: str, ending: str) -> Path:
        """Where the file of a submission is."""
        return self.folder / f"{identity}{ending}"

    def check_space(self, largest: int) -> None:
        """Refuse a file while the disk is nearly full."""
        if shutil.disk_usage(self.folder).free < largest + LEAST_FREE:
            raise RefusalError(503, "the disk of the server is full; tell the organisers")

    def sweep(self, known: set[str]) -> None:
        """Remove what is no submission's and older than an hour: its sender got no answer."""
        for path in self.folder.iterdir():
            identity = path.name.strip(".").partition(".")[0]
            if identity not in known and path.stat().st_mtime < time.time() - _HOUR:
                discard(path)


class Arrival:
    """A file while it arrives; what does not arrive whole leaves nothing.

    Parameters
    ----------
    inbox : Inbox
        Where it shall be.
    largest : int
        Bytes that it may have.
    """

    def __init__(self, inbox: Inbox, largest: int) -> None:
        self._inbox, self._largest = inbox, largest
        self._id = secrets.token_hex(8)
        self._part = inbox.folder / f".{self._id}.part"
        self._digest, self._size, self._beginning = hashlib.sha256(), 0, b""

    def __enter__(self) -> Self:
        self._file = os.fdopen(
            os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
        )
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        discard(self._part)

    def write(self, content: bytes) -> None:
        """Take the next bytes.

        Raises
        ------
        RefusalError
            If these are too many, or no file of predictions begins so.
        """
        self._size += len(content)
        if self._size > self._largest:
            raise RefusalError(413, f"the file has more than {self._largest} bytes; send less")
        if len(self._beginning) < _BEGINNING:
            self._beginning += content[: _BEGINNING - len(self._beginning)]
            if len(self._beginning) >= 4:
                self._ending()
        self._digest.update(content)
        self._file.write(content)

    def keep(self) -> Upload:
        """Give the whole file its name, on the disk."""
        if not self._size:
            raise RefusalError(422, "the file is empty; send a table of predictions")
        ending = self._ending()
        self._file.close()
        with replacing(self._inbox.path(self._id, ending)) as part:
            self._part.rename(part)
        return Upload(self._id, ending, self._size, self._digest.hexdigest())

    def _ending(self) -> str:
        for start, ending in ENDINGS.items():
            if self._beginning.startswith(start):
                return ending
        if b"\0" in self._beginning and not self._beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise RefusalError(
                415, "expected a table of predictions as .csv or .parquet, found another file"
            )
        return ".csv"
