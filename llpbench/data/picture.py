"""What is shown of chips: three bands as red, green and blue, whatever bands they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.band_names import COLOURS, role_of
from llpbench.data.imagery import DIMS, EMBEDDING, IMAGE, SIDES, Coding, decode_array
from llpbench.errors import LLPBenchError, UnknownNameError, examples, unknown
from llpbench.protocol import SCORE_WINDOW
from llpbench.style import BRIGHTENING, short

if TYPE_CHECKING:
    import xarray as xr

PERCENTILES = (2, 98)
"""What is darkest and lightest in a picture."""
LIGHTEST = 255 / BRIGHTENING
"""The level of the lightest, as in images of red, green and blue, which figures brighten."""


@dataclass(frozen=True)
class Stretch:
    """How values become colours: those between ``low`` and ``high`` from 0 to ``top``.

    Parameters
    ----------
    low, high : ndarray, shape (3,) or (1,)
        Of red, green and blue, or of grey.
    top : float
        The level of ``high``.
    axes : ndarray, shape (4, feature), optional
        What is stretched instead of values: the centre of features, and their principal components.
    """

    low: NDArray[np.floating[Any]]
    high: NDArray[np.floating[Any]]
    top: float
    axes: NDArray[np.floating[Any]] | None = None

    def paint(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Levels from 0 to 255, (..., 3), of values (..., band); grey where one is missing."""
        missing = ~np.isfinite(values).all(axis=-1)
        shown = np.where(missing[..., np.newaxis], 0, values).astype(np.float64)
        if self.axes is not None:
            shown = (shown - self.axes[0]) @ self.axes[1:].T
        shown = np.broadcast_to(shown, (*shown.shape[:-1], 3))
        levels = np.clip((shown - self.low) / (self.high - self.low), 0, 1) * self.top
        levels[missing] = LIGHTEST / 2
        return levels


@dataclass(frozen=True)
class View:
    """What of a dataset is shown.

    Parameters
    ----------
    array : {"image", "embedding"}
        Where it lies.
    bands : tuple of str
        Three bands, or one in grey; none for the principal components of all features.
    limits : {"own", "common", "bytes"}
        What is darkest and lightest: of each band, of red, green and blue together, or 0 and 255 as
        stored.
    """

    array: str
    bands: tuple[str, ...]
    limits: Literal["own", "common", "bytes"] = "own"

    @classmethod
    def of(cls, ds: xr.Dataset, rgb: Sequence[str] | None = None) -> View:
        """Choose what is shown of a dataset.

        Red, green and blue by their roles, else the first three bands, else the first one in grey;
        of an embedding alone its first three principal components.

        Parameters
        ----------
        rgb : sequence of str, optional
            Three bands for red, green and blue, or one for grey, by name or role.

        Raises
        ------
        LLPBenchError
            If there are no such bands, or two, or more than three are named.
        """
        present = [name for name in SIDES if name in ds]
        if not present:
            raise LLPBenchError("this dataset has neither images nor embeddings to show")
        if rgb is not None:
            return _wanted(ds, present, rgb)
        if present[0] == EMBEDDING:
            return cls(EMBEDDING, ())
        roles = _roles(ds, IMAGE)
        found = tuple(_with_role(roles, colour) for colour in COLOURS)
        if all(found):
            return _true_colours(ds, tuple(map(str, found)))
        names = tuple(roles)
        return cls(IMAGE, names[:3] if len(names) >= 3 else names[:1])

    @property
    def title(self) -> str:
        """What is shown, as people read it.

        Examples
        --------
        >>> View("image", ("red", "green", "blue")).title, View("image", ("VV",)).title
        ('image', 'image (VV)')
        """
        if not self.bands:
            return f"{self.array} (principal components 1 to 3)"
        if self.bands == COLOURS:
            return self.array
        return f"{self.array} ({', '.join(short(name) for name in self.bands)})"

    def values(self, ds: xr.Dataset, *, window: bool = False) -> xr.DataArray:
        """What is shown of a dataset, unread: (chip, y, x, band), NaN where it is missing.

        With ``window``, pixels are those of the score window; cells always are.
        """
        names = dict(zip(DIMS[self.array], DIMS[IMAGE], strict=True))
        last = DIMS[self.array][-1]
        part = ds[[name for name in DIMS if name in ds]]
        if self.bands:
            part = part.isel({last: [list(_roles(ds, self.array)).index(b) for b in self.bands]})
        if self.limits == "bytes":
            stored = part[self.array]
            missing = Coding.of_attributes(stored.attrs).missing
            shown = stored if missing is None else stored.where(stored != missing)
        else:
            shown = decode_array(part, self.array)
        shown = shown.rename({old: new for old, new in names.items() if old in shown.dims})
        if window and self.array == IMAGE:
            shown = shown.isel(y=SCORE_WINDOW, x=SCORE_WINDOW)
        return shown

    def stretch(self, values: NDArray[Any]) -> Stretch:
        """Learn from values that are shown together, (..., band), how they become colours."""
        if self.limits == "bytes":
            return Stretch(np.zeros(3), np.full(3, 255.0), 255)
        flat = values.reshape(-1, values.shape[-1]).astype(np.float64)
        flat = flat[np.isfinite(flat).all(axis=1)]
        if not len(flat):
            flat = np.zeros((1, values.shape[-1]))
        axes = None
        if not self.bands:
            axes = _principal(flat)
            flat = (flat - axes[0]) @ axes[1:].T
        low, high = np.percentile(flat, PERCENTILES, axis=None if self.limits == "common" else 0)
        high = np.where(high > low, high, low + np.maximum(1, np.spacing(np.abs(low))))
        return Stretch(np.atleast_1d(low), np.atleast_1d(high), LIGHTEST, axes)

    def paint(self, values: xr.DataArray) -> NDArray[Any]:
        """Colours of values that are shown together, levels from 0 to 255, (..., 3)."""
        numbers = values.to_numpy()
        if numbers.dtype == np.uint8 and self.limits == "bytes":
            return numbers
        return self.stretch(numbers).paint(numbers)


def picture(array: xr.DataArray, bands: Sequence[str] | None = None) -> NDArray[np.uint8]:
    """Colours of an array of images or cells of a dataset, as they are shown.

    Parameters
    ----------
    array : DataArray, shape (..., band)
        ``ds["image"]`` or ``ds["embedding"]``, or values of it. Red, green and blue bytes stay as
        they are; others are stretched from the 2nd to the 98th percentile of the array, so chips of
        one array compare.
    bands : sequence of str, optional
        As of :meth:`View.of`.

    Returns
    -------
    ndarray of uint8, shape (..., 3)
        Half as bright as the screen allows, as satellite images are; missing pixels are grey.
    """
    name = EMBEDDING if array.dims[-1] == DIMS[EMBEDDING][-1] else IMAGE
    ds = array.to_dataset(name=name)
    view = View.of(ds, bands)
    return np.rint(view.paint(view.values(ds))).astype(np.uint8)


def _roles(ds: xr.Dataset, array: str) -> Mapping[str, str]:
    """What each band of an array shows, by the name it has there."""
    known = {}
    if "label_set" in ds.attrs and array in (images := ds.llp.info.images):
        known = {band.name: band.role for band in images[array].bands}
    names = map(str, ds[array][DIMS[array][-1]].to_numpy())
    return {name: known.get(name) or role_of(name) for name in names}


def _with_role(roles: Mapping[str, str], role: str) -> str | None:
    return next((name for name, own in roles.items() if own == role), None)


def _true_colours(ds: xr.Dataset, bands: tuple[str, ...]) -> View:
    return View(IMAGE, bands, "bytes" if ds[IMAGE].dtype == np.uint8 else "common")


def _wanted(ds: xr.Dataset, present: Sequence[str], rgb: Sequence[str]) -> View:
    """Find bands by name, else by role, in the image before the embedding."""
    if len(rgb) not in (1, 3):
        raise LLPBenchError(
            f"a picture is of three bands as red, green and blue, or of one in grey, found "
            f"{examples(rgb, 5)}: name three or one"
        )
    roles = {array: _roles(ds, array) for array in present}
    for array, own in roles.items():
        found = [name if name in own else _with_role(own, name.lower()) for name in rgb]
        bands = tuple(name for name in found if name is not None)
        if len(bands) < len(rgb):
            continue
        if array == IMAGE and tuple(own[name] for name in bands) == COLOURS:
            return _true_colours(ds, bands)
        return View(array, bands)
    names = [name for own in roles.values() for name in own]
    wrong = next(name for name in rgb if not any(name in own for own in roles.values()))
    raise UnknownNameError(unknown("band", wrong, names))


def _principal(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre and first three principal components of cells (cell, feature), largest part positive.

    Fewer features make fewer components: the others are zero.
    """
    centre = cells.mean(axis=0)
    centred = cells - centre
    _values, vectors = np.linalg.eigh(centred.T @ centred)
    axes = np.zeros((3, cells.shape[1]))
    axes[: min(3, cells.shape[1])] = vectors[:, :-4:-1].T
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, np.newaxis], axis=1)
    return np.concatenate([centre[np.newaxis], np.where(largest < 0, -axes, axes)])
