"""``ds.llp``: splits, class groups, the label firewall, divisions and truth of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from llpbench.catalog import LabelSet
from llpbench.data.divisions import Divisions
from llpbench.data.geometry import mix
from llpbench.data.grouping import group_labels, group_shares
from llpbench.data.info import DatasetInfo
from llpbench.data.overlaps import overlap_areas, present_overlaps
from llpbench.errors import LLPBenchError, UnknownNameError, unknown
from llpbench.protocol import SCORE_WINDOW, SPLITS, training_inputs

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.figure import Figure
    from scipy.sparse import csr_array

    from llpbench.data.batches import Batches
    from llpbench.data.hardness import Hardness

_SHARES = ("chip_proportions", "target", "division_proportions")


@xr.register_dataset_accessor("llp")  # type: ignore[no-untyped-call]
class LabelProportions:
    """What learning from label proportions needs of a dataset.

    Parameters
    ----------
    dataset : Dataset
        From :func:`llpbench.open_dataset`, or a selection of it.
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        self._ds = dataset

    @property
    def info(self) -> DatasetInfo:
        """What the dataset is: name, classes, grid, provenance, digest."""
        return DatasetInfo.of_attributes(self._ds.attrs)

    @property
    def label_set(self) -> LabelSet:
        """Label classes and class groups, whether the dataset is grouped or not."""
        return self.info.label_set

    @property
    def is_grouped(self) -> bool:
        """Whether categories are class groups rather than label classes."""
        return bool(self._ds.attrs.get("grouped", False))

    def split(
        self, name: str, *, border: Literal["renormalise", "drop"] = "renormalise"
    ) -> xr.Dataset:
        """Chips of one split and the divisions they belong to.

        Parameters
        ----------
        name : str
            ``"train"``, ``"val"`` or ``"test"``.
        border : {"renormalise", "drop"}
            What becomes of a chip that also overlaps divisions of other splits: its target is
            mixed anew from the divisions that remain, or it is left out.

        Returns
        -------
        Dataset
            No proportions of another split's divisions are in it, also not mixed into targets;
            a target is NaN where no division remains.

        Raises
        ------
        UnknownNameError
            If there is no such split.
        """
        if name not in SPLITS:
            raise UnknownNameError(unknown("split", name, SPLITS))
        chips = (self._ds["split"] == name).to_numpy()
        owned = np.unique(self._ds["own_division"].to_numpy()[chips])
        divisions = np.isin(self._ds["division"].to_numpy(), owned)
        if border == "drop":
            outside = self._ds.isel(division=~divisions).llp.bags()
            chips = chips & (np.asarray(outside.sum(axis=0)) == 0)
        elif border != "renormalise":
            raise UnknownNameError(unknown("border rule", border, ["renormalise", "drop"]))
        ds = self._ds.isel(chip=chips, division=divisions)
        ds = ds.isel(overlap=present_overlaps(ds))
        target = mix(overlap_areas(ds), ds["division_proportions"].to_numpy())
        return ds.assign(target=ds["target"].copy(data=target.astype(np.float32)))

    def group(self) -> xr.Dataset:
        """Label classes made into the task's categories.

        Returns
        -------
        Dataset
            Over the same dimension ``category``, now with the names of the class groups; labels
            hold group numbers. A grouped dataset is returned as it is.
        """
        if self.is_grouped:
            return self._ds
        groups = self.label_set.groups
        present = [name for name in _SHARES if name in self._ds]
        ds = self._ds.drop_dims("category").assign_coords(
            category=np.arange(len(groups), dtype=np.int32),
            category_name=("category", [group.name for group in groups]),
        )
        shares = {
            name: (
                self._ds[name].dims,
                group_shares(self._ds[name], groups).astype(np.float32),
                self._ds[name].attrs,
            )
            for name in present
        }
        if "label" in ds:
            shares["label"] = self._grouped_label()
        return ds.assign(shares).assign_attrs(grouped=1)

    def _grouped_label(self) -> Any:
        label = self._ds["label"]
        groups = self.label_set.groups
        grouped = xr.apply_ufunc(
            group_labels,
            label,
            kwargs={"groups": groups},
            dask="parallelized",
            output_dtypes=[np.uint8],
        )
        names = " ".join(group.name.replace(" ", "_") for group in groups)
        return grouped.assign_attrs(
            flag_values=[*range(len(groups)), 255], flag_meanings=f"{names} no_label"
        )

    def restrict(self, supervision: str) -> xr.Dataset:
        """The label firewall: only what a level of supervision may see.

        Parameters
        ----------
        supervision : {"division", "chip", "pixel"}
            ``division`` leaves images, targets, division proportions and overlaps; ``chip`` also
            ``chip_proportions``; ``pixel`` also ``label``. Places and the dataset's name and folder
            are taken away, see :data:`llpbench.protocol.SUPERVISION`.

        Raises
        ------
        UnknownNameError
            If there is no such level.
        """
        return training_inputs(self._ds, supervision)

    def overlaps(self) -> pd.DataFrame:
        """Which chips of this dataset overlap which of its divisions, and by how much.

        Returns
        -------
        DataFrame
            A row a pair, in the order of the chips: ``chip``, ``division`` (ids) and
            ``area_km2``. Selecting, shuffling or splitting chips keeps every pair right.
        """
        areas = overlap_areas(self._ds).tocoo()
        return pd.DataFrame(
            {
                "chip": self._ds["chip"].to_numpy()[areas.row],
                "division": self._ds["division"].to_numpy()[areas.col],
                "area_km2": areas.data,
            }
        )

    def bags(self) -> csr_array:
        """Weights that turn chips into division means.

        Returns
        -------
        csr_array, shape (division, chip)
            Row d holds the overlap areas of division d's chips, divided by their sum (a row of
            zeros where no chip is left), so that ``bags() @ features`` are the means of a chip
            feature over the divisions.
        """
        return Divisions.of(self._ds).weights

    def batches(self, batch_size: int = 32, **options: Any) -> Batches:
        """Shuffled batches to train on, see :class:`~llpbench.data.batches.Batches`.

        Parameters
        ----------
        batch_size : int
            Chips or divisions in a batch.
        **options
            ``by``, ``bag_size``, ``augment``, ``seed`` and ``memory``.

        Returns
        -------
        Batches
            Of numpy arrays; :mod:`llpbench.data.batches.frameworks` makes them into those of
            TensorFlow and PyTorch.
        """
        from llpbench.data.batches import Batches

        return Batches.of(self._ds, batch_size, **options)

    def rebag(
        self,
        *,
        coarser: float = 1.0,
        divisions: int | None = None,
        how: Literal["merge", "random"] = "merge",
        points: int | None = None,
        splits: Sequence[str] = ("train", "val"),
        seed: int = 0,
    ) -> xr.Dataset:
        """Replace divisions by coarser, random or noisy ones: the same chips, other supervision.

        Parameters
        ----------
        coarser : float
            By how much fewer divisions there shall be in each split.
        divisions : int, optional
            How many there shall be in the first of the splits instead; others in proportion.
        how : {"merge", "random"}
            Neighbours become one division, with the mean of their proportions by area; or chips
            are dealt out at random to bags that know the mean of their own shares.
        points : int, optional
            Proportions are then what a survey of so many random points of each division finds.
        splits : sequence of str
            Those that are changed; ``test`` stays as it is, unless it is named.
        seed : int
            Of random bags and points.

        Returns
        -------
        Dataset
            With ``own_division``, ``target``, ``division_proportions`` and overlaps to match;
            divisions have no outlines.

        Raises
        ------
        UnknownNameError
            If there is no such split or way.
        LLPBenchError
            If a number is out of its range, or random bags are wanted of chips without shares.
        """
        from llpbench.data.rebagging import rebag

        return rebag(
            self._ds,
            coarser=coarser,
            divisions=divisions,
            how=how,
            points=points,
            splits=splits,
            seed=seed,
        )

    def divisions(self) -> gpd.GeoDataFrame:
        """Divisions with their outlines, names, splits and proportions.

        Returns
        -------
        GeoDataFrame
            Indexed by division id, in the order of the dataset, in EPSG:4326: ``name``,
            ``area_km2``, ``split`` (empty where it owns no chip here), ``chips`` (number it
            owns), a column of shares for each category, ``geometry``.

        Raises
        ------
        LLPBenchError
            If divisions were made by :meth:`rebag`.
        """
        import geopandas as gpd

        from llpbench.data.store.layout import DIVISIONS

        ids = self._ds["division"].to_numpy()
        store = self.info.store
        if store is None:
            raise LLPBenchError("outlines are in a dataset's folder: ask the one that was opened")
        table = gpd.read_parquet(store / DIVISIONS).set_index("id")
        if not set(ids) <= set(table.index):
            raise LLPBenchError("divisions made by rebag have no outlines: ask the dataset it had")
        table = table.loc[ids]
        own = pd.DataFrame({"own": self._ds["own_division"], "split": self._ds["split"]})
        by_division = own.groupby("own")["split"].agg(["first", "size"]).reindex(ids)
        shares = pd.DataFrame(
            self._ds["division_proportions"].to_numpy(),
            index=table.index,
            columns=self._ds["category_name"].to_numpy(),
        )
        table = table.assign(
            split=by_division["first"].fillna("").to_numpy(),
            chips=by_division["size"].fillna(0).astype(int).to_numpy(),
            **shares,
        )
        return table.rename_axis("division")[[*table.columns.drop("geometry"), "geometry"]]

    def truth(self) -> xr.DataArray:
        """Class shares counted in the score window of each chip's label.

        Returns
        -------
        DataArray, shape (chip, category)
            float64, from 0 to 1; NaN where a chip has no labelled pixel in the window. A truth
            table (:mod:`llpbench.board.truth`) has it without labels.

        Raises
        ------
        LLPBenchError
            If the labels were taken away by :meth:`restrict`.
        """
        from llpbench.metrics import proportions_from_segmentation

        if "truth" in self._ds:
            return self._ds["truth"]
        if "label" not in self._ds:
            raise LLPBenchError("this dataset has no labels: truth is not for methods to see")
        label = self._ds["label"].isel(y=SCORE_WINDOW, x=SCORE_WINDOW)
        count = self._ds.sizes["category"]
        shares = xr.apply_ufunc(
            lambda block: proportions_from_segmentation(block, count),
            label.chunk(y=-1, x=-1) if label.chunks else label,
            input_core_dims=[["y", "x"]],
            output_core_dims=[["category"]],
            dask="parallelized",
            output_dtypes=[np.float64],
            dask_gufunc_kwargs={"output_sizes": {"category": count}},
        )
        coords = {name: self._ds[name] for name in ("category", "category_name")}
        return shares.compute().assign_coords(coords).drop_attrs().rename("truth")

    def plot_chip(self, chip: str) -> Figure:
        """Draw a chip: image, labels where they are present, its target and its own shares.

        Parameters
        ----------
        chip : str
            Its id.

        Returns
        -------
        Figure

        Raises
        ------
        UnknownNameError
            If there is no such chip here.
        """
        from llpbench.data.chip_picture import draw_chip

        if chip not in self._ds.indexes["chip"]:
            raise UnknownNameError(unknown("chip", chip, map(str, self._ds["chip"].to_numpy())))
        return draw_chip(self._ds.sel(chip=chip))

    def hardness(self) -> Hardness:
        """How hard the dataset is, whatever the method: its hardness card.

        Returns
        -------
        Hardness
            Sizes and borders of divisions, intraclass correlation, scores of null models. Only
            labels of the test split are read.

        Raises
        ------
        LLPBenchError
            If there are no labels.
        """
        from llpbench.data.hardness import hardness

        return hardness(self._ds)
