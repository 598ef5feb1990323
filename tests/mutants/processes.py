"""Work in forked processes, a few at a time, each within limits of time and memory."""

from __future__ import annotations

import os
import resource
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from time import monotonic
from typing import Generic, TypeVar

FORK = get_context("fork")
_MEMORY = 8 * 2**30
"""Bytes that a process may take."""

Name = TypeVar("Name")


@dataclass(frozen=True)
class Work(Generic[Name]):
    """What a process does.

    Attributes
    ----------
    name
        By which its result is given back.
    call : callable
        Returns the result, a text or None.
    seconds : int
        Of computing, after which the process is ended; ten times as many of waiting.
    """

    name: Name
    call: Callable[[], str | None]
    seconds: int


def results(work: Iterable[Work[Name]], processes: int) -> Iterator[tuple[Name, str | None]]:
    """Results as they come; how a process ended where it gave none.

    The next piece of work is asked for when there is a process for it.
    """
    running: list[_Process[Name]] = []
    for piece in work:
        running.append(_Process(piece))
        if len(running) == processes:
            yield _first(running)
    while running:
        yield _first(running)


def _first(running: list[_Process[Name]]) -> tuple[Name, str | None]:
    ended: list[_Process[Name]] = []
    while not ended:
        wait([child.process.sentinel for child in running], timeout=1)
        ended = [child for child in running if child.has_ended()]
    running.remove(ended[0])
    return ended[0].name, ended[0].result()


class _Process(Generic[Name]):
    def __init__(self, work: Work[Name]) -> None:
        self.name = work.name
        self._folder = tempfile.TemporaryDirectory(prefix="mutant-", ignore_cleanup_errors=True)
        self._until = monotonic() + 10 * work.seconds
        self.process = FORK.Process(target=_do, args=(work, Path(self._folder.name)))
        self.process.start()

    def has_ended(self) -> bool:
        """Also a process that is late, which is ended now."""
        if self.process.is_alive() and monotonic() > self._until:
            assert self.process.pid is not None
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.join()
        return not self.process.is_alive()

    def result(self) -> str | None:
        file = Path(self._folder.name, "result.txt")
        result = file.read_text(encoding="utf-8") if file.is_file() else None
        self._folder.cleanup()
        code = self.process.exitcode
        return result or (f"ended with code {code}" if code else None)


def _do(work: Work[Name], folder: Path) -> None:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (work.seconds, work.seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)  # temporary folders of tests
    result = work.call()
    if result is not None:
        (folder / "result.txt").write_text(result, encoding="utf-8")
    os._exit(0)  # whatever has been registered for the end of a process
