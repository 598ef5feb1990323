"""Class areas as files: a table, or polygons with their areas, and a picture beside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llpbench.errors import BuildError
from llpbench.estimation.areas import ClassAreas
from llpbench.markdown import plain_cell
from llpbench.plots.class_areas import draw_class_areas
from llpbench.plots.writing import write_figure
from llpbench.writing import replacing

ENDINGS = (".csv", ".parquet")


def check_ending(path: Path) -> None:
    """Refuse a file of class areas of another kind."""
    if path.suffix.lower() not in ENDINGS:
        raise BuildError(
            f"class areas are written as csv, or as GeoParquet with outlines: {path.name!r} must "
            "end in .csv or .parquet"
        )


def write_areas(areas: ClassAreas, path: Path, colours: Sequence[str]) -> list[Path]:
    """Write class areas, in the place of files that are there.

    Parameters
    ----------
    areas : ClassAreas
        What was estimated.
    path : Path
        A ``.csv`` has a row for each class of each polygon, a ``.parquet`` a row for each polygon,
        with its outline. A picture of the same name stands beside it.
    colours : sequence of str
        Of the classes, ``#rrggbb``.

    Returns
    -------
    list of Path
        Both files.
    """
    check_ending(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        if path.suffix.lower() == ".csv":
            areas.table().map(plain_cell).to_csv(part, index=False)
        else:
            areas.outlines().to_parquet(part)
    figure = draw_class_areas(areas.table(), colours, str(areas))
    return [path, write_figure(figure, path.with_suffix(".png"))]
