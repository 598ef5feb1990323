"""What a page shows of a dataset, stored with its truth table: outlines and example chips."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.board.result import Stored
from llpbench.catalog import NO_LABEL
from llpbench.data.labels import scored_labels
from llpbench.data.picture import View
from llpbench.protocol import WINDOW_SIDE

if TYPE_CHECKING:
    import xarray as xr

EXAMPLES = 6
TOLERANCE = 0.002
"""Degrees by which a simplified outline may be off: some 200 m."""

Ring = list[tuple[float, float]]


class ExampleChip(Stored):
    """A test chip to show: in its score window the shares of the categories, and two pictures.

    Both are ``data:image/png;base64,...`` of 96 x 96 pixels, the label in the colours of the
    categories, transparent where there is none.
    """

    chip: str
    truth: list[float]
    image: str
    label: str


class Outline(Stored):
    """A division on the map: its name, and rings of its simplified outline in degrees.

    Rings are of (longitude, latitude); holes are rings as well (fill by even-odd).
    """

    name: str
    outline: list[Ring]


class Division(Outline):
    """A test division: its id, empty for chips of no division, and the scored chips it owns."""

    id: str
    chips: int


class DatasetCard(Stored):
    """What a page shows of a dataset: outlines by division id, and some chips."""

    dataset: str
    digest: str
    divisions: dict[str, Outline]
    examples: list[ExampleChip]


def make_card(ds: xr.Dataset) -> DatasetCard:
    """Draw outlines and example chips of the test split of a dataset with imagery."""
    part = ds.llp.group().llp.split("test")
    outlines = part.llp.divisions()
    outlines = outlines.assign(geometry=outlines.geometry.simplify(TOLERANCE))
    truth = part.llp.truth().to_numpy()
    colours = [group.colour for group in part.llp.label_set.groups]
    view, chosen = View.of(part), _choose(truth)
    shown = view.paint(view.values(part.isel(chip=chosen), window=True))
    images = np.rint(shown).astype(np.uint8)
    return DatasetCard(
        dataset=ds.llp.info.name,
        digest=ds.llp.info.digest,
        divisions={
            str(division): Outline(name=str(row["name"]), outline=_rings(row.geometry))
            for division, row in outlines.iterrows()
        },
        examples=[
            _draw(part.isel(chip=number), truth[number], colours, image)
            for number, image in zip(chosen, images, strict=True)
        ],
    )


def _choose(truth: NDArray[np.float64]) -> list[int]:
    """Chips from the most uniform but one class to the most mixed."""
    largest = truth.max(axis=1)
    mixed = np.flatnonzero(largest < 1)  # false for a chip without a label
    order = mixed[np.argsort(-largest[mixed], kind="stable")]
    places = np.linspace(0, len(order) - 1, min(EXAMPLES, len(order))).round().astype(int)
    return [int(number) for number in order[places]]


def _rings(geometry: Any) -> list[Ring]:
    import shapely

    polygons = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]
    rings = [ring for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]
    return [[(round(x, 4), round(y, 4)) for x, y in ring.coords] for ring in rings]


def _draw(
    chip: xr.Dataset,
    truth: NDArray[np.float64],
    colours: list[str],
    image: NDArray[np.uint8],
) -> ExampleChip:
    from matplotlib.colors import to_rgba

    palette = np.zeros((NO_LABEL + 1, 4))
    palette[: len(colours)] = [to_rgba(colour) for colour in colours]
    labels = scored_labels(chip).to_numpy()
    side = WINDOW_SIDE // len(image)  # of a cell, where cells are shown
    return ExampleChip(
        chip=str(chip["chip"].item()),
        truth=[round(float(share), 4) for share in truth],
        image=_png(image.repeat(side, axis=0).repeat(side, axis=1)),
        label=_png((255 * palette[labels]).astype(np.uint8)),
    )


def _png(pixels: NDArray[np.uint8]) -> str:
    from matplotlib.image import imsave

    buffer = io.BytesIO()
    imsave(buffer, pixels, format="png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
