"""Bodies of requests, bounded in bytes and in time while they arrive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from llpbench.challenge.server.refusals import RefusalError

MOST_SECONDS = 300
"""That a body may take."""

MOST_IDLE = 20
"""Seconds that the next bytes of one may take."""

LARGEST_FORM = 4096
"""Bytes of a form without a file, and of what a form with a file holds beside it."""

_MOST_PARTS = 8


async def read_body(request: Request, largest: int) -> AsyncIterator[bytes]:
    """Yield the bytes of a body as they come.

    Raises
    ------
    RefusalError
        If these are more than ``largest``, said or found, or come too slowly.
    """
    too_large = RefusalError(413, f"expected at most {largest} bytes; send less")
    too_slow = RefusalError(408, "the file arrived too slowly; try again on a better line")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RefusalError(415, "send the file as it is, without a content encoding")
    said = request.headers.get("content-length", "0")
    if not said.isascii() or not said.isdigit() or int(said) > largest:
        raise too_large
    ends, size, stream = time.monotonic() + MOST_SECONDS, 0, aiter(request.stream())
    while True:
        left = min(MOST_IDLE, ends - time.monotonic())
        try:
            chunk = await asyncio.wait_for(anext(stream), max(left, 0.001))
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise too_slow from None
        size += len(chunk)
        if size > largest:
            raise too_large
        yield chunk


async def read_form(request: Request) -> dict[str, str]:
    """Read a small form without a file."""
    content = b"".join([chunk async for chunk in read_body(request, LARGEST_FORM)])
    try:
        return dict(parse_qsl(content.decode("ascii"), max_num_fields=_MOST_PARTS, errors="strict"))
    except ValueError as error:
        raise RefusalError(400, "expected a form of this site; load the page again") from error


async def read_parts(request: Request, largest: int) -> AsyncIterator[tuple[str, bytes]]:
    """Yield the fields of a form with a file: each name, with the next bytes of its value.

    Raises
    ------
    RefusalError
        If it is no such form, has too many fields, or as :func:`read_body`.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    no_form = RefusalError(400, "expected the form of this site with one file; load the page again")
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise no_form
    try:
        parts = _Parts(options[b"boundary"])
        async for chunk in read_body(request, largest + LARGEST_FORM):
            for part in parts.feed(chunk):
                yield part
        parts.end()
    except (FormParserError, UnicodeError) as error:
        raise no_form from error


class _Parts:
    """What the parser finds, in the order in which it finds it."""

    def __init__(self, boundary: bytes) -> None:
        self._found: list[tuple[str, bytes]] = []
        self._count, self._is_whole = 0, False
        self._header = self._value = self._name = b""
        calls = {
            "on_part_begin": self._begin,
            "on_header_field": self._add_header,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._found_part,
            "on_part_data": self._add_data,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, calls)  # type: ignore[arg-type]

    def feed(self, chunk: bytes) -> list[tuple[str, bytes]]:
        self._found = []
        self._parser.write(chunk)
        return self._found

    def end(self) -> None:
        if not self._is_whole:
            raise FormParserError("it ends early")

    def _begin(self) -> None:
        self._count += 1
        self._name = b""
        if self._count > _MOST_PARTS:
            raise FormParserError("too many parts")

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            _kind, options = parse_options_header(self._value)
            self._name = options.get(b"name", b"")
        self._header = self._value = b""

    def _found_part(self) -> None:
        self._found.append((self._name.decode("ascii"), b""))

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._found.append((self._name.decode("ascii"), data[start:end]))

    def _end(self) -> None:
        self._is_whole = True
