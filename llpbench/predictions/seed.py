"""Checked predictions of one seed, as a scorer takes them: those of some chips after others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from llpbench.predictions.digesting import digest_predictions

if TYPE_CHECKING:
    import xarray as xr


class Seed(Protocol):
    """Predictions of all chips of a split, in memory or not."""

    @property
    def attributes(self) -> dict[str, Any]:
        """What the predictions say of themselves."""

    def take(self, block: xr.Dataset) -> xr.Dataset:
        """Take those of the chips of a block, which follow on the last, in its order."""

    def end(self) -> str:
        """Give the digest; refuse predictions of further chips (PredictionsError)."""


class WholeSeed:
    """Predictions in memory, checked against the split and in its order."""

    def __init__(self, predictions: xr.Dataset, digest: str | None = None) -> None:
        self._predictions, self._digest, self._taken = predictions, digest, 0

    @property
    def attributes(self) -> dict[str, Any]:
        """What the predictions say of themselves."""
        return dict(self._predictions.attrs)

    def take(self, block: xr.Dataset) -> xr.Dataset:
        """Take those of the next chips."""
        start, self._taken = self._taken, self._taken + block.sizes["chip"]
        return self._predictions.isel(chip=slice(start, self._taken))

    def end(self) -> str:
        """Give the digest."""
        return self._digest or digest_predictions(self._predictions)
