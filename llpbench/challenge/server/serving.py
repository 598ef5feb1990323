"""The server as a process: connections with bounds, and threads that score beside it."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from llpbench.challenge.server.app import make_app
from llpbench.challenge.server.service import Service
from llpbench.challenge.server.worker import work

HEAD_SECONDS = 20
"""That the head of a request may take, from when its connection is open."""

LINGER_SECONDS = 5
"""That a sender may go on after it was answered."""

KEEP_SECONDS = 10
"""That a connection stays open without a further request."""

GRACE_SECONDS = 20
"""That requests have to end when the server is told to."""

LARGEST_HEAD = 16_384
MOST_CONNECTIONS = 500


class BoundedProtocol(H11Protocol):
    """HTTP whose requests must begin in time, and end soon after they are answered."""

    _timer: asyncio.TimerHandle | None = None
    _lingers = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait(HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Stop waiting when the head of a request is there."""
        super().data_received(data)
        if not self._lingers and self.conn.their_state is not h11.IDLE:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Wait for what is left of the request, or for the next one."""
        self._lingers = self.conn.their_state is h11.SEND_BODY
        super().on_response_complete()
        if self._lingers:
            self._wait(LINGER_SECONDS)
        elif self.conn.their_state is h11.IDLE:
            self._wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        super().connection_lost(exc)
        self._stop_waiting()

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def serve(service: Service, host: str, port: int, workers: int) -> None:
    """Answer requests and score submissions until the process is told to end.

    Parameters
    ----------
    service : Service
        The challenge.
    host, port : str, int
        Where to listen.
    workers : int
        Submissions that are scored at the same time; 0 where other processes score them.
    """
    with working(service, workers):
        make_server(service, host, port).run()
    service.database.close()


def make_server(service: Service, host: str, port: int) -> uvicorn.Server:
    """Make a server whose requests are bounded in number, in time and in what they hold."""
    options: dict[str, Any] = {"host": host, "port": port, "http": BoundedProtocol}
    config = uvicorn.Config(
        make_app(service),
        **options,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        h11_max_incomplete_event_size=LARGEST_HEAD,
        timeout_keep_alive=KEEP_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return uvicorn.Server(config)


@contextmanager
def working(service: Service, workers: int) -> Iterator[None]:
    """Score submissions in threads; what they are at when it is over is taken again later."""
    over = threading.Event()
    for _ in range(workers):
        threading.Thread(target=work, args=(service, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()


def work_until_told(service: Service) -> None:
    """Score submissions until the process is told to end."""
    over = threading.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda _signal, _frame: over.set())
    work(service, over)
    service.database.close()
