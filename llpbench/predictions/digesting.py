"""The digest of predictions, whole or of some chips after others: the same number."""

from __future__ import annotations

import hashlib
import json
import tempfile
import weakref
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.store.digest import Part, combine, describe, plain_bytes

if TYPE_CHECKING:
    import xarray as xr

DIGESTED = ("chip", "category", "proportions", "segmentation", "level", "low", "high")
"""What the digest of predictions is over, as far as it is there."""


def digest_predictions(predictions: xr.Dataset) -> str:
    """SHA-256 over what is predicted, whatever the file it came from."""
    present = (name for name in DIGESTED if name in predictions)
    return combine({name: describe(predictions[name].to_numpy()) for name in present})


class RunningDigest:
    """:func:`digest_predictions` of predictions of which some chips come after others."""

    def __init__(self) -> None:
        self._running: dict[str, _Running] = {}
        self._fixed: dict[str, Part] = {}

    def add(self, predictions: xr.Dataset) -> None:
        """Take the next chips; everything else is the same each time."""
        for name in DIGESTED:
            if name not in predictions:
                continue
            values = predictions[name].to_numpy()
            if "chip" not in predictions[name].dims:
                self._fixed[name] = describe(values)
                continue
            by_level = predictions[name].dims[0] != "chip"
            self._running.setdefault(name, _Running(by_level)).add(values)

    def digest(self) -> str:
        """Give the digest of all."""
        return combine(self._fixed | {name: one.part() for name, one in self._running.items()})


class _Running:
    """Type, shape and content hash of an array over chips, or over levels, then chips.

    Its bytes are hashed level by level, so that all but the first wait in a file.
    """

    def __init__(self, by_level: bool) -> None:
        self._by_level, self._chips, self._hashing = by_level, 0, hashlib.sha256()
        self._later: list[IO[bytes]] = []
        self._last: NDArray[Any] = np.empty(0)

    def add(self, values: NDArray[Any]) -> None:
        levels = values if self._by_level else values[np.newaxis]
        while len(self._later) < len(levels) - 1:
            self._later.append(tempfile.TemporaryFile())  # noqa: SIM115  (the next line)
            weakref.finalize(self, self._later[-1].close)
        self._hashing.update(self._bytes(levels[0]))
        for file, level in zip(self._later, levels[1:], strict=True):
            file.write(self._bytes(level))
        self._chips, self._last = self._chips + levels.shape[1], levels

    def part(self) -> Part:
        for file in self._later:
            file.seek(0)
            while content := file.read(2**20):
                self._hashing.update(content)
        if self._is_text:
            self._hashing.update(b"]")
        kind, shape, _hash = describe(self._last[:, :0])
        whole = (shape[0], self._chips, *shape[2:])
        return kind, whole if self._by_level else whole[1:], self._hashing.hexdigest()

    @property
    def _is_text(self) -> bool:
        return self._last.dtype.kind in "OTU"

    def _bytes(self, values: NDArray[Any]) -> bytes | memoryview:
        """As :func:`~llpbench.data.store.digest.hash_array` has them; text is a list in JSON."""
        if values.dtype.kind not in "OTU":
            return plain_bytes(values)
        listed = json.dumps([str(item) for item in values.ravel()])[1:-1]
        return ((", " if self._chips else "[") + listed).encode()
