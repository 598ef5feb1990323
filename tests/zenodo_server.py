"""A stand-in for Zenodo on loopback: its record API, its files, and every way they can fail.

In a test::

    with ZenodoServer() as zenodo:
        zenodo.publish(7935237, "benelux.zip", content)
        zenodo.fail("file", cut(1000), times=3)
        ...  # ask zenodo.url
        assert [request.start for request in zenodo.asked("file")] == [0, 1000, 1000, 1000]

As a process, ``python tests/zenodo_server.py FOLDER`` publishes each ``FOLDER/RECORD/NAME.zip``
(and each ``FOLDER/NAME.zip`` under a number of its own), prints the records and its own address,
and serves until it is stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO, Literal, Self
from urllib.parse import quote, unquote, urlsplit

CHUNK = 2**18
_API = re.compile(r"/api/records/(?P<record>\d+)")
_CONTENT = re.compile(r"/api/records/(?P<record>\d+)/files/(?P<name>[^/]+)/content")
_FILE = re.compile(r"/records/(?P<record>\d+)/files/(?P<name>[^/]+)")
_PLAIN = re.compile(r"/(?P<name>[^/]+)")

Target = Literal["api", "file"]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer; made by the functions below."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content: bytes | None = None
    cut_at: int | None = None
    reset: bool = False
    stall_at: int | None = None
    ignore_range: bool = False


def refusal(status: int, retry_after: str | None = None) -> Fault:
    """An error status, with or without ``Retry-After``."""
    return Fault(status, {"Retry-After": retry_after} if retry_after else {}, b"not now")


def web_page() -> Fault:
    """An error page that says it is a success."""
    page = b"<!doctype html><title>Maintenance</title>"
    return Fault(200, {"Content-Type": "text/html; charset=utf-8"}, page)


def answer(body: bytes) -> Fault:
    """Some other JSON, or what only claims to be JSON."""
    return Fault(200, {"Content-Type": "application/json"}, body)


def content(other: bytes) -> Fault:
    """Other bytes in place of the file, perhaps more or fewer."""
    return Fault(content=other)


def cut(offset: int, *, reset: bool = False) -> Fault:
    """The connection ends, or is reset, where the file has ``offset`` bytes."""
    return Fault(cut_at=offset, reset=reset)


def stall(offset: int) -> Fault:
    """Nothing more comes after ``offset`` bytes of the file, and the connection stays open."""
    return Fault(stall_at=offset)


def ignoring_range() -> Fault:
    """The whole file with status 200, whatever was asked for."""
    return Fault(ignore_range=True)


@dataclass
class Request:
    """What was asked, and what it got."""

    path: str
    target: Target
    headers: Mapping[str, str]
    status: int = 0
    start: int = 0
    sent: int = 0


@dataclass(frozen=True)
class Published:
    """A file of a record."""

    size: int
    md5: str
    source: bytes | Path

    def open(self) -> BinaryIO:
        """Open it for reading."""
        return self.source.open("rb") if isinstance(self.source, Path) else io.BytesIO(self.source)


class ZenodoServer:
    """A real HTTP server with records that are published, asked for and made to fail.

    Parameters
    ----------
    shape : {"new", "old"}
        Of the API's answers.
    mirror : bool
        Serve every file as ``/NAME`` too.
    pause : float
        Seconds before each chunk of a file, for tests that must hit a download while it runs.
    chunk : int
        Bytes of a chunk.
    port : int
        0 for any free one.
    """

    def __init__(
        self,
        shape: Literal["new", "old"] = "new",
        *,
        mirror: bool = False,
        pause: float = 0.0,
        chunk: int = CHUNK,
        port: int = 0,
    ) -> None:
        self.shape, self.mirror, self.pause, self.chunk = shape, mirror, pause, chunk
        self.records: dict[int, dict[str, Published]] = {}
        self.log: list[Request] = []
        self.closing = threading.Event()
        self._faults: dict[Target, deque[Fault]] = {"api": deque(), "file": deque()}
        self._always: dict[Target, Fault] = {}
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", port), type("Bound", (_Handler,), {"zenodo": self}))
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    def publish(self, record: int, name: str, source: bytes | Path) -> Published:
        """Add a file to a record."""
        if isinstance(source, Path):
            with source.open("rb") as file:
                md5 = hashlib.file_digest(file, "md5").hexdigest()
            size = source.stat().st_size
        else:
            md5, size = hashlib.md5(source).hexdigest(), len(source)
        published = Published(size, md5, source)
        self.records.setdefault(record, {})[name] = published
        return published

    def rename(self, record: int, old: str, new: str) -> None:
        """Give a published file another name."""
        self.records[record][new] = self.records[record].pop(old)

    def fail(self, target: Target, fault: Fault, times: int | None = 1) -> None:
        """Answer the next requests with a fault, or every request where ``times`` is None."""
        if times is None:
            self._always[target] = fault
        else:
            self._faults[target].extend([fault] * times)

    def asked(self, target: Target) -> list[Request]:
        """The requests so far for the API or for files."""
        return [request for request in self.log if request.target == target]

    def begin(self, request: Request) -> Fault:
        """Note a request and say what is to go wrong with it."""
        with self._lock:
            self.log.append(request)
            waiting = self._faults[request.target]
            return waiting.popleft() if waiting else self._always.get(request.target, Fault())

    def describe(self, record: int) -> dict[str, object]:
        """The API's answer."""
        files = [self._describe_file(record, *item) for item in self.records[record].items()]
        return {"id": record, "doi": f"10.5281/zenodo.{record}", "metadata": {}, "files": files}

    def _describe_file(self, record: int, name: str, file: Published) -> dict[str, object]:
        link = f"{self.url}/api/records/{record}/files/{quote(name)}/content"
        if self.shape == "new":
            named = {"key": name, "checksum": f"md5:{file.md5}"}
        else:
            named = {"filename": name, "checksum": file.md5}
        return {**named, "size": file.size, "links": {"self": link}}

    def find(self, path: str) -> Published | None:
        """The published file at an address's path."""
        for form in (_FILE, _CONTENT):
            if found := form.fullmatch(path):
                return self.records.get(int(found["record"]), {}).get(unquote(found["name"]))
        if self.mirror and (found := _PLAIN.fullmatch(path)):
            everything = {
                name: file for files in self.records.values() for name, file in files.items()
            }
            return everything.get(unquote(found["name"]))
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of askers that hang up or are killed, which is what some tests are about."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    zenodo: ZenodoServer

    def log_message(self, *_: object) -> None:
        """Say nothing: the requests are kept in the server's log."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        api = _API.fullmatch(path)
        self.request_seen = Request(self.path, "api" if api else "file", dict(self.headers))
        fault = self.zenodo.begin(self.request_seen)
        if fault.status is not None:
            self._whole(fault.status, fault.body, fault.headers)
        elif api:
            self._record(int(api["record"]))
        elif file := self.zenodo.find(path):
            if fault.content is not None:
                file = Published(
                    len(fault.content), hashlib.md5(fault.content).hexdigest(), fault.content
                )
            self._file(file, fault, ranged=not path.startswith("/api/"))
        else:
            self._whole(404, b"no such file")

    def _record(self, record: int) -> None:
        if record not in self.zenodo.records:
            self._whole(404, b'{"status": 404, "message": "PID does not exist."}')
        else:
            body = json.dumps(self.zenodo.describe(record)).encode()
            self._whole(200, body, {"Content-Type": "application/json"})

    def _whole(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self._head(status, {"Content-Length": str(len(body)), **(headers or {})})
        self.wfile.write(body)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.request_seen.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _file(self, file: Published, fault: Fault, *, ranged: bool) -> None:
        start = self._start(file) if ranged and not fault.ignore_range else 0
        self.request_seen.start = start
        headers = {"Content-Type": "application/octet-stream", "ETag": f'"{file.md5}"'}
        if start >= file.size:
            self._whole(416, b"", {"Content-Range": f"bytes */{file.size}"})
            return
        headers["Content-Length"] = str(file.size - start)
        if start:
            headers["Content-Range"] = f"bytes {start}-{file.size - 1}/{file.size}"
        self._head(206 if start else 200, headers)
        ends = [offset for offset in (fault.cut_at, fault.stall_at) if offset is not None]
        self._send(file, start, min([file.size, *ends]))
        if fault.stall_at is not None:
            self.zenodo.closing.wait(self.timeout)
        if ends:
            self._hang_up(reset=fault.reset)

    def _start(self, file: Published) -> int:
        """The first byte asked for; 0 if the file is no longer the one the asker means."""
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range", f'"{file.md5}"') == f'"{file.md5}"'
        return int(wanted[1]) if wanted and same else 0

    def _send(self, file: Published, start: int, stop: int) -> None:
        with file.open() as source:
            source.seek(start)
            while start < stop and not self.zenodo.closing.wait(self.zenodo.pause):
                chunk = source.read(min(self.zenodo.chunk, stop - start))
                self.request_seen.sent += len(chunk)  # first, since the asker may look at once
                self.wfile.write(chunk)
                start += len(chunk)

    def _hang_up(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()


def main() -> None:
    """Publish the zips of a folder and serve them until stopped."""
    parser = argparse.ArgumentParser(description="A stand-in for Zenodo on loopback.")
    parser.add_argument("folder", type=Path, help="holds RECORD/NAME.zip or NAME.zip")
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--shape", choices=["new", "old"], default="new", help="of the API")
    options = parser.parse_args()
    with ZenodoServer(options.shape, port=options.port, mirror=True) as zenodo:
        for number, path in enumerate(sorted(options.folder.rglob("*.zip")), start=1):
            record = int(path.parent.name) if path.parent.name.isdecimal() else number
            zenodo.publish(record, path.name, path)
            sys.stdout.write(f"{zenodo.url}/records/{record} {path.name}\n")
        sys.stdout.write(f"{zenodo.url}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
