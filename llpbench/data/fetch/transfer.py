"""One address into one ``.part`` file, continued wherever an earlier attempt or run left it."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import NoReturn

import requests
from tqdm import tqdm

from llpbench.data.fetch.faults import SourceError, TransientError
from llpbench.data.fetch.http import get, is_web_page, open_session, refuse_failure
from llpbench.data.fetch.ranges import parse_content_range
from llpbench.data.fetch.retry import RetryPolicy, insist

CHUNK = 2**18
"""Bytes asked of the socket at a time; whatever arrives is written at once."""


def present(part: Path) -> int:
    """Bytes of a file that have arrived.

    Parameters
    ----------
    part : Path
        The file, which need not be there.

    Returns
    -------
    int
        Its size, 0 if there is none.

    Examples
    --------
    >>> present(Path("no-such-file.part"))
    0
    """
    try:
        return part.stat().st_size
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
    policy : RetryPolicy
        Timeouts and retries.
    progress : bool
        Show a progress bar where standard error is a terminal.
    """

    url: str
    part: Path
    size: int
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    progress: bool = True
    _etag: str | None = field(default=None, init=False, repr=False)

    def run(self) -> None:
        """Ask for the missing bytes until none is missing.

        A part that is already whole is left alone and no request is made.

        Raises
        ------
        SourceError
            If this address cannot give the file; what arrived stays in the part.
        """
        with (
            open_session() as session,
            tqdm(
                desc=self.part.stem,
                total=self.size,
                initial=present(self.part),
                unit="B",
                unit_scale=True,
                disable=None if self.progress else True,
            ) as bar,
        ):
            insist(
                lambda: self._continue(session, bar),
                self.policy,
                reached=lambda: present(self.part),
            )

    def _continue(self, session: requests.Session, bar: tqdm[NoReturn]) -> None:
        start = present(self.part)
        if start == self.size:
            return
        with get(session, self.url, self.policy, self._headers(start)) as answer:
            offset = self._offset(answer, start)
            etag = answer.headers.get("ETag", "")
            self._etag = etag if etag.startswith('"') else None
            bar.n = offset
            self._receive(answer, offset, bar)

    def _headers(self, start: int) -> dict[str, str]:
        if not start:
            return {}
        headers = {"Range": f"bytes={start}-"}
        return headers | {"If-Range": self._etag} if self._etag else headers

    def _offset(self, answer: requests.Response, start: int) -> int:
        """Return the place in the file at which the answer's body begins: ``start`` or 0."""
        extent = parse_content_range(answer.headers.get("Content-Range"))
        if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._check_size(extent.total if extent else None)
            self.part.unlink()
            raise TransientError(f"{self.url} would not continue at byte {start}")
        refuse_failure(answer)
        if is_web_page(answer):
            raise TransientError(f"{self.url} answered with a web page instead of the file")
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise SourceError(f"{self.url} sent the file re-encoded, which was not asked for")
        if answer.status_code == HTTPStatus.OK:
            length = answer.headers.get("Content-Length", "")
            self._check_size(int(length) if length.isdecimal() else None)
            return 0
        if answer.status_code != HTTPStatus.PARTIAL_CONTENT or not extent or extent.start != start:
            raise SourceError(f"{self.url} sent other bytes than those from {start} on")
        self._check_size(extent.total)
        return start

    def _check_size(self, size: int | None) -> None:
        if size not in (None, self.size):
            raise SourceError(
                f"{self.url} offers {size} bytes where the record says {self.size} bytes"
            )

    def _receive(self, answer: requests.Response, offset: int, bar: tqdm[NoReturn]) -> None:
        missing = self.size - offset
        with self.part.open("ab" if offset else "wb") as file:
            while missing and (chunk := answer.raw.read1(min(CHUNK, missing))):
                file.write(chunk)
                missing -= len(chunk)
                bar.update(len(chunk))
        if missing:
            raise TransientError(f"{self.url} stopped with {missing} of {self.size} bytes to come")
