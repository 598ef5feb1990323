"""One address into one part file, continued wherever an earlier attempt or run left it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import NoReturn

import requests
from tqdm import tqdm

from llpbench.data.fetch.http import get
from llpbench.data.fetch.retrying import SourceError, TransientError, insist

CHUNK = 2**18
"""Bytes asked of the socket at a time; whatever arrives is written at once."""

_CONTENT_RANGE = re.compile(
    r"bytes +(?:([0-9]{1,18})-[0-9]{1,18}|\*)/([0-9]{1,18}|\*)", re.IGNORECASE
)
"""RFC 9110, section 14.4: first byte of the body (none with status 416), bytes of the file."""


def size_of(file: Path) -> int:
    """Bytes of a file, 0 if there is none."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


@dataclass
class Transfer:
    """Brings a file of known size from an address.

    Parameters
    ----------
    url : str
        Where the file is.
    part : Path
        Where its bytes are kept; it is never removed here but to start again.
    size : int
        Bytes of the whole file.
    progress : bool
        Show a progress bar where standard error is a terminal.
    """

    url: str
    part: Path
    size: int
    progress: bool = True
    _etag: str | None = field(default=None, init=False, repr=False)

    def run(self) -> None:
        """Ask for the missing bytes until none is missing; of a whole part none is asked.

        Raises
        ------
        SourceError
            If this address cannot give the file; what arrived stays in the part.
        """
        with tqdm(
            desc=self.url.rpartition("/")[2].partition("?")[0],
            total=self.size,
            initial=size_of(self.part),
            unit="B",
            unit_scale=True,
            disable=None if self.progress else True,
        ) as bar:
            insist(lambda: self._continue(bar), progress=lambda: size_of(self.part))

    def _continue(self, bar: tqdm[NoReturn]) -> None:
        start = size_of(self.part)
        if start == self.size:
            return
        with get(self.url, self._headers(start)) as response:
            bar.n = offset = self._offset(response, start)
            etag = response.headers.get("ETag", "")
            self._etag = etag if etag.startswith('"') else None  # a weak one is no validator
            self._receive(response, offset, bar)

    def _headers(self, start: int) -> dict[str, str]:
        if not start:
            return {}
        headers = {"Range": f"bytes={start}-"}
        return headers | {"If-Range": self._etag} if self._etag else headers

    def _offset(self, response: requests.Response, start: int) -> int:
        """Return the place in the file at which the body begins: ``start`` or 0."""
        extent = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        first, total = extent.groups() if extent else (None, None)
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._check_size(total)
            self.part.unlink()
            raise TransientError(f"{self.url} would not continue at byte {start}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise SourceError(f"{self.url} sent the file re-encoded, which was not asked for")
        if response.status_code == HTTPStatus.OK:
            self._check_size(response.headers.get("Content-Length"))
            return 0
        if response.status_code != HTTPStatus.PARTIAL_CONTENT or first != str(start):
            raise SourceError(f"{self.url} sent other bytes than those from {start} on")
        self._check_size(total)
        return start

    def _check_size(self, size: str | None) -> None:
        if size and size.isdecimal() and size != str(self.size):
            raise SourceError(
                f"{self.url} offers {size} bytes where the record says {self.size} bytes"
            )

    def _receive(self, response: requests.Response, offset: int, bar: tqdm[NoReturn]) -> None:
        missing = self.size - offset
        with self.part.open("ab" if offset else "wb") as file:
            while missing and (chunk := response.raw.read1(min(CHUNK, missing))):
                file.write(chunk)
                missing -= len(chunk)
                bar.update(len(chunk))
        if missing:
            raise TransientError(f"{self.url} stopped with {missing} of {self.size} bytes to come")
