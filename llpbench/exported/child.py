"""The process in which a file is run: chips come in by one pipe, and predictions leave by another.

A program of its own, for the file may be anybody's, and so that what it costs is measured without
what reads chips and scores. :class:`~llpbench.exported.process.FileProcess` starts it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import LLPBenchError
from llpbench.exported.runtimes import MODULES, RUNTIMES, Arrays, Runtime

OPENED, PREDICTED, COST, FAILED = b"o", b"p", b"c", b"f"
"""What an answer is: the file is open, a chip is predicted, what that cost, or what went wrong."""

MOST_MEMORY = 8 * 2**30
"""Bytes of addresses that the process may use."""

MOST_SECONDS = 60
"""That a file may take to be opened, and for a chip."""


def serve(asked: dict[str, Any], source: BinaryIO, sink: BinaryIO) -> None:
    """Open a file, then answer until nothing more is asked."""
    images, dtype = (1, *asked["shape"]), np.dtype(asked["dtype"])
    gives: Arrays = {name: (tuple(shape), kind) for name, (shape, kind) in asked["gives"].items()}
    size = int(np.prod(images)) * dtype.itemsize
    importlib.import_module(MODULES[asked["file_format"]])
    os.chdir(asked["folder"])  # an empty one, in which nothing is found that a file names
    before = _forget_peak()
    with _in_time():
        kind = RUNTIMES[asked["file_format"]]
        runtime = kind(Path(asked["path"]), {"images": (images, dtype.name)}, gives)
    answer(sink, OPENED)
    while question := source.read(1):
        if question == COST:
            answer(sink, COST, struct.pack("<q", -1 if before is None else _peak() - before))
            continue
        chip = np.frombuffer(source.read(size), dtype).reshape(images)
        with _in_time():
            answer(sink, PREDICTED, _predict(runtime, chip, gives))


def answer(sink: BinaryIO, kind: bytes, content: bytes = b"") -> None:
    """Write an answer: its kind, its length and its content."""
    sink.write(kind + struct.pack("<I", len(content)) + content)
    sink.flush()


def _predict(runtime: Runtime, chip: NDArray[Any], gives: Arrays) -> bytes:
    """Seconds, shares and classes of a chip as bytes."""
    start = time.perf_counter()
    found = runtime.run(chip)
    seconds = time.perf_counter() - start
    parts = [np.ascontiguousarray(found[name]) for name in gives]
    for (name, (shape, dtype)), part in zip(gives.items(), parts, strict=True):
        if part.shape != shape or part.dtype.name != dtype:
            found_as = f"{part.shape} of {part.dtype}"
            raise LLPBenchError(f"it gives {name} {found_as}, where it said {shape} of {dtype}")
    return struct.pack("<d", seconds) + b"".join(part.tobytes() for part in parts)


def _forget_peak() -> int | None:
    """Memory held now, from which on the most is kept in mind; None where that cannot be."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return None
    return _peak()


def _peak() -> int:
    """Most bytes of memory held."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    """End this process where the runtime does not come back."""
    if not hasattr(signal, "alarm"):  # Windows
        yield
        return
    signal.alarm(MOST_SECONDS)
    yield
    signal.alarm(0)


def _keep_small() -> None:
    """One core, bounded memory; Ctrl-C is for the process that asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with contextlib.suppress(ImportError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def main() -> None:
    """Answer what is asked on stdin; what a runtime prints goes nowhere."""
    _keep_small()
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        serve(json.loads(sys.argv[1]), sys.stdin.buffer, sink)
    except BrokenPipeError:
        os._exit(1)
    except Exception as error:  # whatever a runtime makes of a file
        reason = str(error) or type(error).__name__
        answer(sink, FAILED, " ".join(reason.split())[:300].encode(errors="replace"))
    os._exit(0)  # runtimes may crash where they are taken down


if __name__ == "__main__":
    main()
