"""``ds.llp``: splits, class groups, the label firewall, divisions and truth of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import xarray as xr

from llpbench.catalog import LabelSet
from llpbench.data.divisions import Divisions
from llpbench.data.grouping import group_classes
from llpbench.data.imagery import decode_array, require_bands
from llpbench.data.info import DatasetInfo
from llpbench.data.labels import true_shares
from llpbench.data.outlines import division_table
from llpbench.data.overlaps import overlap_table, require_one_table
from llpbench.data.splits import take_split
from llpbench.protocol import training_inputs

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from matplotlib.figure import Figure
    from scipy.sparse import csr_array

    from llpbench.data.batches import Batches
    from llpbench.data.hardness import Hardness


@xr.register_dataset_accessor("llp")  # type: ignore[no-untyped-call]
class LabelProportions:
    """What learning from label proportions needs of a dataset.

    Parameters
    ----------
    dataset : Dataset
        From :func:`llpbench.open_dataset`, or a selection of it.
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        require_one_table(dataset)
        require_bands(dataset)
        self._ds = dataset

    def __repr__(self) -> str:
        from llpbench.data.dataset_card import dataset_line

        return dataset_line(self._ds)

    def _repr_html_(self) -> str:
        from llpbench.data.dataset_card import dataset_card

        return dataset_card(self._ds)

    @property
    def info(self) -> DatasetInfo:
        """What the dataset is: name, classes, grid, provenance, digest, bands that it has."""
        return DatasetInfo.of_dataset(self._ds)

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
        return take_split(self._ds, name, border)

    def group(self) -> xr.Dataset:
        """Label classes made into the task's categories.

        Returns
        -------
        Dataset
            Class groups over ``category``, their numbers in labels; a grouped one as it is.
        """
        return self._ds if self.is_grouped else group_classes(self._ds, self.label_set.groups)

    def restrict(self, supervision: str) -> xr.Dataset:
        """The label firewall: only what a level of supervision may see.

        Parameters
        ----------
        supervision : {"division", "chip", "pixel"}
            ``division`` leaves images, targets, division proportions and overlaps; ``chip`` also
            ``chip_proportions``; ``pixel`` also ``label``: :data:`llpbench.protocol.SUPERVISION`.

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
        return overlap_table(self._ds)

    def values(self, array: str = "image") -> xr.DataArray:
        """Values of an image or embedding: reflectances, decibels, features.

        Parameters
        ----------
        array : {"image", "embedding"}
            Which of those that the dataset has.

        Returns
        -------
        DataArray of float32
            As large as the array, read when it is needed; NaN where values are missing. An array
            that the dataset lacks is refused.
        """
        return decode_array(self._ds, array)

    def bags(self) -> csr_array:
        """Weights that turn chips into division means, ``bags() @ features``.

        Returns
        -------
        csr_array, shape (division, chip)
            Row d holds the overlap areas of division d's chips, divided by their sum; zeros where
            no chip is left.
        """
        return Divisions.of(self._ds).weights

    def batches(self, batch_size: int = 32, **options: Any) -> Batches:
        """Shuffled batches to train on, see :class:`~llpbench.data.batches.Batches`.

        They are of numpy arrays; :mod:`llpbench.data.batches.frameworks` makes others of them.

        Parameters
        ----------
        batch_size : int
            Chips or divisions in a batch.
        **options
            ``by``, ``bag_size``, ``augment``, ``seed`` and ``memory``.
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
        LLPBenchError
            If there is no such split or way, a number is out of its range, or random bags are
            wanted of chips without shares.
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
        return division_table(self._ds, self.info.store)

    def truth(self) -> xr.DataArray:
        """Class shares counted in the score window of each chip's label.

        Returns
        -------
        DataArray, shape (chip, category)
            From 0 to 1, float64; NaN where a chip has no labelled pixel in the window. A truth
            table (:mod:`llpbench.board.truth`) has it without labels.

        Raises
        ------
        LLPBenchError
            If the labels were taken away by :meth:`restrict`.
        """
        return true_shares(self._ds)

    def plot_chip(self, chip: str, rgb: Sequence[str] | None = None) -> Figure:
        """Draw a chip: image, labels where they are present, its target and its own shares.

        Parameters
        ----------
        chip : str
            Its id.
        rgb : sequence of str, optional
            Three bands, by name or role, that are shown as red, green and blue, or one in grey; by
            default those that :meth:`~llpbench.data.picture.View.of` finds.

        Raises
        ------
        UnknownNameError
            If there is no such chip or band here.
        """
        from llpbench.data.chip_picture import draw_chip, take_chip

        return draw_chip(take_chip(self._ds, chip), rgb)

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
