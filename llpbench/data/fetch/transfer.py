"""One address into one part file, continued wherever an earlier attempt or run left it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import NoReturn

import pooch
import requests
from tqdm import tqdm

from llpbench.catalog import RecordFile
from llpbench.data.fetch.disk import require_space
from llpbench.data.fetch.http import get
from llpbench.data.fetch.retrying import SourceError, TransientError, insist
from llpbench.writing import flush

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
    """A downloader for pooch that continues a part file where the last attempt or run stopped.

    Parameters
    ----------
    file : RecordFile
        Name and size of what is fetched.
    part : Path
        Where its bytes are kept; it is never removed here but to start again.
    progress : bool
        Show a progress bar where standard error is a terminal.
    """

    file: RecordFile
    part: Path
    progress: bool = True
    _url = _etag = ""

    def __call__(self, url: str, output_file: str, _: pooch.Pooch | None = None) -> None:
        """Ask an address for the missing bytes until none is missing, and give pooch the whole.

        Raises
        ------
        SourceError
            If this address cannot give the file; what arrived stays in the part.
        DownloadError
            If the disk has no room for it.
        """
        require_space(self.part.parent, self.file.size - size_of(self.part), self.file.name)
        self._url, self._etag = url, ""
        with tqdm(
            desc=self.file.name,
            total=self.file.size,
            initial=size_of(self.part),
            unit="B",
            unit_scale=True,
            disable=None if self.progress else True,
        ) as bar:
            insist(lambda: self._continue(bar), progress=lambda: size_of(self.part))
        self._hand_over(Path(output_file))

    def _hand_over(self, output: Path) -> None:
        """Give the part a second name, so that being killed while pooch checks it costs nothing."""
        flush(self.part)
        output.unlink()
        try:
            output.hardlink_to(self.part)
        except OSError:  # a file system without links; a disk that refuses also refuses this
            self.part.replace(output)

    def _continue(self, bar: tqdm[NoReturn]) -> None:
        start = size_of(self.part)
        if start == self.file.size:
            return
        with get(self._url, self._headers(start)) as response:
            bar.n = offset = self._offset(response, start)
            etag = response.headers.get("ETag", "")
            self._etag = etag if etag.startswith('"') else ""  # a weak one is no validator
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
            raise TransientError(f"{self._url} would not continue at byte {start}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise SourceError(f"{self._url} sent the file re-encoded, which was not asked for")
        if response.status_code == HTTPStatus.OK:
            self._check_size(response.headers.get("Content-Length"))
            return 0
        if response.status_code != HTTPStatus.PARTIAL_CONTENT or first != str(start):
            raise SourceError(f"{self._url} sent other bytes than those from {start} on")
        self._check_size(total)
        return start

    def _check_size(self, size: str | None) -> None:
        if size and size.isdecimal() and size != str(self.file.size):
            raise SourceError(
                f"{self._url} offers {size} bytes where the record says {self.file.size} bytes"
            )

    def _receive(self, response: requests.Response, offset: int, bar: tqdm[NoReturn]) -> None:
        missing = self.file.size - offset
        with self.part.open("ab" if offset else "wb") as file:
            while missing and (chunk := response.raw.read1(min(CHUNK, missing))):
                file.write(chunk)
                missing -= len(chunk)
                bar.update(len(chunk))
        if missing:
            raise TransientError(f"{self._url} stopped with {missing} bytes to come")
