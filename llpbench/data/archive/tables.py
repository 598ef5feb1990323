"""The tables of a published archive: splits, chip outlines, communes and their shares."""

from __future__ import annotations

import contextlib
import io
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.catalog import LabelSet, label_set
from llpbench.data.archive.chip import share_vector
from llpbench.data.geometry import GEOGRAPHIC
from llpbench.errors import ArchiveError, UnknownNameError, examples
from llpbench.protocol import SPLITS

if TYPE_CHECKING:
    import geopandas as gpd

SHARE_SUM_TOLERANCE = 1e-3
_SHARES_SUFFIX = "_proportions"


def read_splits(content: bytes, chips: list[str]) -> pd.DataFrame:
    """Read the CSV of splits: ``split`` (by commune) and ``split_chip``, indexed like ``chips``.

    The file calls them ``split_communes`` and ``split``, and the chips ``identifier``.
    """
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=str, na_filter=False)
    except (ValueError, OverflowError) as error:
        raise ArchiveError(f"its CSV of splits cannot be read ({error!r:.200})") from error
    missing = {"identifier", "split", "split_communes"} - set(table.columns)
    if missing:
        raise ArchiveError(
            f"its CSV of splits lacks column {examples(sorted(missing))}; "
            f"it has {examples(map(str, table.columns), most=6)}"
        )
    table = table[["identifier", "split", "split_communes"]].drop_duplicates()
    table = table.set_index("identifier")
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()].unique()
        raise ArchiveError(f"its CSV of splits has chips in two splits, such as {examples(twice)}")
    absent = [chip for chip in chips if chip not in table.index]
    if absent:
        raise ArchiveError(f"{len(absent)} chips are in no split, such as {examples(absent)}")
    table = table.loc[chips]
    splits = pd.DataFrame({"split": table["split_communes"], "split_chip": table["split"]})
    wrong = splits[~splits.isin(SPLITS).all(axis=1)]
    if len(wrong):
        names = pd.unique(wrong.to_numpy().ravel())
        raise ArchiveError(
            f"{len(wrong)} chips are in no split, such as {examples(wrong.index)}: "
            f"expected train, val or test, found {examples(set(names) - set(SPLITS))}"
        )
    return splits.rename_axis("chip")


def read_outlines(content: bytes, what: str) -> gpd.GeoDataFrame:
    """Read a GeoJSON table, indexed by the ``identifier`` of its features, in EPSG:4326.

    Parameters
    ----------
    what : str
        What its rows are, for messages.
    """
    import geopandas as gpd

    try:
        table = gpd.GeoDataFrame.from_features(json.loads(content)["features"], crs=GEOGRAPHIC)
        table = table.set_index(table["identifier"].astype(str)).drop(columns="identifier")
    except Exception as error:  # whatever damaged JSON makes geopandas and shapely raise
        raise ArchiveError(f"its GeoJSON of {what} cannot be read ({error!r:.200})") from error
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()].unique()
        raise ArchiveError(f"its GeoJSON of {what} names {examples(twice)} twice")
    if not table.geom_type.isin(["Polygon", "MultiPolygon"]).all():
        raise ArchiveError(f"its GeoJSON of {what} holds other shapes than polygons")
    bounds = table.bounds.to_numpy()
    if not (np.abs(bounds) <= [180, 90, 180, 90]).all():  # also where they are NaN
        raise ArchiveError(f"its GeoJSON of {what} has outlines that are not in degrees on Earth")
    return table


def find_label_set(divisions: gpd.GeoDataFrame) -> tuple[LabelSet, pd.Series[Any]]:
    """Tell the label set from the column of shares in the table of communes; give both.

    The column is called like ``esa-world-cover_proportions``, with or without a hash.
    """
    columns = [str(column) for column in divisions if str(column).endswith(_SHARES_SUFFIX)]
    for column in columns:
        name = re.sub(r"_[0-9a-f]{8,}$", "", column.removesuffix(_SHARES_SUFFIX))
        with contextlib.suppress(UnknownNameError):
            return label_set(name), divisions[column]
    raise ArchiveError(
        "its GeoJSON of communes needs a column '<labels>_proportions' of a label set in the "
        f"catalog; found {examples(columns) or 'none'}"
    )


def read_division_proportions(
    stated: pd.Series[Any], number_of_classes: int
) -> tuple[NDArray[np.float64], list[str]]:
    """Class shares of the communes.

    They are stated as objects or as their JSON text, and NaN where a commune states none; what was
    mended is said.
    """
    shares = np.array([_division_row(*item, number_of_classes) for item in stated.items()])
    total = shares.sum(axis=1, keepdims=True)
    ids = stated.index.to_numpy()
    remarks = []
    empty = total[:, 0] <= 0
    if empty.any():
        remarks.append(f"{empty.sum()} communes state no shares, such as {examples(ids[empty])}")
    odd = ~empty & (np.abs(total[:, 0] - 1) > SHARE_SUM_TOLERANCE)
    if odd.any():
        remarks.append(
            f"the shares of {odd.sum()} communes did not sum to 1 and were scaled, "
            f"such as {examples(ids[odd])}"
        )
    return shares / np.where(empty[:, np.newaxis], np.nan, total), remarks


def _division_row(division: object, value: Any, number_of_classes: int) -> NDArray[np.float64]:
    try:
        shares = json.loads(value) if isinstance(value, str) else value
        if not isinstance(shares, dict):
            raise ArchiveError(f"a {type(shares).__name__} stands in place of shares by class")
        return share_vector(shares, number_of_classes)
    except (ArchiveError, ValueError, RecursionError) as error:
        raise ArchiveError(
            f"the shares of commune {examples([division])} cannot be read: {error!s:.200}"
        ) from error
