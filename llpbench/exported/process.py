"""A file run in a process of its own, which it cannot take this one down with."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import MethodError, printable
from llpbench.exported.card import CLASSES, SHARES
from llpbench.exported.child import (
    COST,
    FAILED,
    MOST_MEMORY,
    MOST_SECONDS,
    OPENED,
    PREDICTED,
)
from llpbench.exported.footprint import ExportFootprint
from llpbench.exported.reading import ExportedFile
from llpbench.exported.runtimes import MODULES

PACKAGES = {"litert": "ai-edge-litert", "onnx": "onnxruntime", "savedmodel": "tensorflow"}
"""What each format needs, as it is installed."""

WARM_UP, LEAST = 20, 200
"""Chips that are not timed, and least number of those that are."""

LONGEST = 20.0
"""Seconds after which fewer are timed."""

TOLERANCE = 0.01
"""By how much the sum of shares may differ from 1: numbers of a byte are in steps of 1 / 256."""

_LARGEST_SAID = 2**12


class FileProcess:
    """Opens a file in a process of its own, and predicts chips with it one by one.

    Parameters
    ----------
    file : ExportedFile
        What to open.

    Raises
    ------
    MethodError
        If its runtime is not installed, does not open it, or finds it to be other than its card.
    """

    def __init__(self, file: ExportedFile) -> None:
        self._file, card = file, file.card
        self._gives: dict[str, Any] = {SHARES: ((1, len(card.classes)), "float32")}
        if card.grid is not None:
            self._gives[CLASSES] = ((1, card.grid, card.grid), "uint8")
        self._seconds: list[float] = []
        self._last: NDArray[Any] | None = None
        self._doing = "it is opened"
        asked: dict[str, Any] = {
            "path": str(file.path.absolute()),
            "file_format": card.file_format,
            "shape": card.shape,
            "dtype": card.dtype,
            "gives": self._gives,
        }
        with ExitStack() as stack:
            asked["folder"] = stack.enter_context(tempfile.TemporaryDirectory())
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", "llpbench.exported.child", json.dumps(asked)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            )
            stack.callback(self._end)
            self._read(OPENED)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def answer(self, image: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.uint8] | None]:
        """Shares and classes of a chip.

        Parameters
        ----------
        image : ndarray, shape (row, column, band)
            As its card says.

        Returns
        -------
        shares : ndarray of float64, shape (class,)
            Divided by their sum, which is 1 but for rounding.
        classes : ndarray of uint8, shape (grid, grid), or None
            Where its card has a grid.

        Raises
        ------
        MethodError
            If the runtime fails, or what it gives are no shares or classes.
        """
        self._doing = f"chip {len(self._seconds) + 1} is predicted"
        self._last = image
        self._write(PREDICTED + image.tobytes())
        content = self._read(PREDICTED)
        arrays, start = {}, 8
        self._seconds += struct.unpack("<d", content[:start])
        for name, (shape, dtype) in self._gives.items():
            array = np.frombuffer(content, dtype, int(np.prod(shape)), start).reshape(shape[1:])
            arrays[name], start = array, start + array.nbytes
        return self._judge(arrays[SHARES], arrays.get(CLASSES))

    @property
    def seconds(self) -> float:
        """That its runtime has computed so far."""
        return sum(self._seconds)

    def footprint(self) -> ExportFootprint:
        """What it costs, after it has predicted; the last chip again where those were too few."""
        assert self._last is not None
        while len(self._seconds) < WARM_UP + LEAST and self.seconds < LONGEST:
            self.answer(self._last)
        self._write(COST)
        (memory,) = struct.unpack("<q", self._read(COST))
        timed = self._seconds[WARM_UP:] or self._seconds[-1:]
        p50, p95 = (round(1000 * float(q), 3) for q in np.percentile(timed, [50, 95]))
        return ExportFootprint(
            file_format=self._file.card.file_format,
            quantize=self._file.card.quantize,
            bytes=self._file.bytes,
            sha256=self._file.sha256,
            latency_p50_ms=p50,
            latency_p95_ms=p95,
            memory_bytes=None if memory < 0 else memory,
        )

    def _judge(
        self, shares: NDArray[Any], classes: NDArray[Any] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8] | None]:
        total = shares.sum(dtype=np.float64)
        if not (np.isfinite(shares).all() and shares.min() >= 0 and abs(total - 1) <= TOLERANCE):
            raise self._fault(
                "shares are expected from 0 to 1 that sum to 1, found "
                f"{shares[:5].round(4).tolist()} with the sum {total:.4g}"
            )
        known = len(self._file.card.classes)
        if classes is not None and classes.max() >= known:
            raise self._fault(
                f"classes are expected from 0 to {known - 1}, found {int(classes.max())}"
            )
        return shares / total, classes

    def _write(self, content: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(content)
            self._process.stdin.flush()
        except OSError:  # it has ended, which reading tells
            return

    def _read(self, expected: bytes) -> bytes:
        assert self._process.stdout is not None
        head = self._process.stdout.read(5)
        if len(head) < 5:
            raise self._fault(self._how_it_ended())
        kind, size = head[:1], struct.unpack("<I", head[1:])[0]
        most = 8 + sum(8 * int(np.prod(shape)) for shape, _dtype in self._gives.values())
        if kind not in (expected, FAILED) or size > max(most, _LARGEST_SAID):
            raise self._fault("what its process answers makes no sense")
        content = self._process.stdout.read(size)
        if len(content) < size:
            raise self._fault(self._how_it_ended())
        if kind == FAILED:
            raise self._fault(self._reason(content.decode(errors="replace")))
        return content

    def _reason(self, said: str) -> str:
        file_format = self._file.card.file_format
        package = PACKAGES[file_format]
        if said.startswith("No module named") and MODULES[file_format].partition(".")[0] in said:
            return f"its runtime is not installed; install it: pip install {package}"
        return printable(said)

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        if hasattr(signal, "SIGALRM") and code == -signal.SIGALRM:
            return f"this takes more than {MOST_SECONDS} seconds"
        return (
            f"its runtime crashed (exit code {code}): the file is damaged, or needs more than "
            f"{MOST_MEMORY // 2**30} GB"
        )

    def _fault(self, reason: str) -> MethodError:
        return MethodError(f"{str(self._file.path)!r} fails when {self._doing}: {reason}")

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()


def _environment() -> dict[str, str]:
    """One thread in every library, and nothing said."""
    few = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    return {**os.environ, **few, **quiet}
