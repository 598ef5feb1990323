"""Which cells of a grid become chips: those with an image, in a division."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.data.building.embedding_cells import EmbeddingPixels
from llpbench.data.building.image_layer import ImageLayer
from llpbench.data.building.placing import Window
from llpbench.data.building.presence import Looking, share_clear, share_present
from llpbench.data.building.stack import StackLayer
from llpbench.data.geometry import overlap_areas, to_degrees
from llpbench.data.grid import ChipGrid
from llpbench.errors import BuildError
from llpbench.protocol import CHIP_SIZE

if TYPE_CHECKING:
    import geopandas as gpd

MOST_MISSING = 0.01
"""Part of a chip's pixels that may be missing."""

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Chips:
    """Cells of a grid, by their rows and columns, and the shares of their pixels that are there."""

    grid: ChipGrid
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    present: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: Any) -> Chips:
        return Chips(self.grid, self.rows[chosen], self.columns[chosen], self.present[chosen])

    @property
    def are_whole(self) -> bool:
        """Whether no pixel is missing."""
        return bool((self.present >= 1 - _ROUNDING).all())

    @property
    def boxes(self) -> NDArray[Any]:
        """Outlines in the plane."""
        return self.grid.boxes(self.rows, self.columns)

    @property
    def side_km(self) -> float:
        """Of a chip."""
        from pyproj import CRS

        return float(self.grid.width * CRS(self.grid.crs).axis_info[0].unit_conversion_factor / 1e3)

    @property
    def centres(self) -> NDArray[np.float64]:
        """Middles in units of cells, shape (chip, 2): to the east and to the north."""
        return np.stack([self.columns + 0.5, -self.rows - 0.5], axis=1)

    @property
    def ids(self) -> list[str]:
        """Names from the projection and the place, in chips to the east and to the north."""
        code = self.grid.crs.rpartition(":")[2] if self.grid.crs.startswith("EPSG:") else "grid"
        east = np.floor(self.grid.west / self.grid.width + 1e-6).astype(int) + self.columns
        north = np.floor(self.grid.north / self.grid.height + 1e-6).astype(int) - self.rows - 1
        return [f"{code}_{x}_{y}" for x, y in zip(east, north, strict=True)]

    def outlines(self, *, across: bool) -> gpd.GeoSeries:
        """Outlines in degrees, see :func:`llpbench.data.geometry.to_degrees`."""
        import geopandas as gpd

        return to_degrees(gpd.GeoSeries(self.boxes, crs=self.grid.crs), across=across)

    def overlaps(self, divisions: gpd.GeoDataFrame) -> pd.DataFrame:
        """Find ``part``, from 0 to 1, of each ``chip`` that lies in a ``division`` (positions).

        Edges are straight in the plane of the grid, where pixels are squares; divisions lie in it.
        """
        import geopandas as gpd

        pairs = overlap_areas(gpd.GeoSeries(self.boxes, crs=divisions.crs), divisions.geometry)
        pairs["part"] = pairs.pop("area") / (self.grid.width * self.grid.height)
        return pairs


def choose_chips(
    image: ImageLayer | None,
    grid: ChipGrid,
    extent: Window,
    divisions: gpd.GeoDataFrame | None,
    max_missing: float = MOST_MISSING,
    embedding: EmbeddingPixels | None = None,
    *,
    looking: Looking,
) -> tuple[Chips, list[str]]:
    """Choose the cells with a pixel in a division, and with nearly all pixels of what there is.

    Image and embedding are on the lattice of the grid's pixels, as the divisions' projection is the
    grid's; None are chips anywhere. ``max_missing`` is a share of pixels from 0 to less than 1.
    """
    if not 0 <= max_missing < 1:
        raise BuildError(f"--max-missing must be from 0 to less than 1, found {max_missing:g}")
    rows, columns = np.divmod(np.arange(extent.height * extent.width), extent.width)
    cells = Chips(grid, rows + extent.row, columns + extent.column, np.ones(len(rows)))
    if divisions is not None:
        inside = cells.overlaps(divisions).groupby("chip")["part"].sum()
        cells = cells[inside.index[inside >= 1 / CHIP_SIZE**2].to_numpy()]
    if image is not None:
        cells = replace(cells, present=share_present(cells.rows, cells.columns, image, looking))
    present, least = cells.present, 1 - max_missing - _ROUNDING
    if embedding is not None:
        places = list(zip(cells.rows.tolist(), cells.columns.tolist(), strict=True))
        present = np.minimum(present, embedding.present(places, present >= least))
    whole = present >= least
    if not whole.any():
        given = [("image", image), ("embedding", embedding)]
        names = [name for name, layer in given if layer is not None]
        raise BuildError(
            f"none of the {len(cells)} chips of this size in the divisions lies wholly in the "
            f"{' and the '.join(names)}; give a larger {names[0]}, smaller chips with --chip-km, "
            "or allow for missing pixels with --max-missing"
        )
    partly, holed = present[~whole & (present > 0)], present[whole & (present < 1 - _ROUNDING)]
    remarks = []
    if isinstance(image, StackLayer) and image.classes is not None:
        remarks.append(_say_clouds(1 - share_clear(cells.rows, cells.columns, image, looking)))
    if len(partly):
        remarks.append(
            f"{len(partly)} chips at the edge of the image or in its gaps were left out: more than "
            f"{100 * max_missing:g}% of their pixels are missing"
        )
    if len(holed):
        remarks.append(
            f"{len(holed)} chips have missing pixels, up to {1 - holed.min():.2%} of them, which "
            "are black where images are of bytes"
        )
    return cells[whole], remarks


def _say_clouds(hidden: NDArray[np.float64]) -> str:
    return (
        f"{hidden.sum() * CHIP_SIZE**2:,.0f} pixels ({hidden.mean():.1%}) of the chips looked at "
        "are missing, as the scene classification calls them clouds, shadows of clouds, saturated "
        "or without data"
    )
