"""Cells learned from hard labels that have the counts of their divisions."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.cell_training import CellTraining
from llpbench_baselines.counted_labels import label_by_counts
from llpbench_baselines.llpnet import LLPNet
from llpbench_baselines.spatial_smoothing import smooth


class CountedTraining(CellTraining):
    """Each round trains on hard labels, as many of each class as the divisions hold."""

    def expect(self, probabilities: NDArray[np.floating]) -> NDArray[np.float16]:
        """Take the labels of least cost under probabilities that were made to agree nearby."""
        if self.settings["coupling"]:
            probabilities = smooth(self.rake(probabilities), coupling=self.settings["coupling"])
        return self.label(probabilities)

    def label(self, probabilities: NDArray[np.floating]) -> NDArray[np.float16]:
        """One class a cell, by division; a chip counts for the one that most of it lies in."""
        divisions = self.train.divisions
        owner = divisions.owners
        labels = np.zeros(probabilities.shape, dtype=np.float16)
        for number in np.unique(owner[owner >= 0]):
            chips = np.flatnonzero(owner == number)
            cells = probabilities[chips].reshape(-1, probabilities.shape[-1])
            classes = label_by_counts(cells, divisions.proportions[number])
            hard = np.eye(cells.shape[1], dtype=np.float16)[classes]
            labels[chips] = hard.reshape(len(chips), *probabilities.shape[1:])
        return labels


class LLPDC(LLPNet):
    r"""Match divisions by mean probabilities, then by hard labels with exactly their counts.

    After LLP-DC, whose constraints are two: the mean prediction of a bag is its proportions,
    :math:`-\sum_k p_{dk} \log \bar f_{dk}`, and its instances have pseudo-labels with exactly
    these counts, those of the least total :math:`-\log s_{uk}`, found as a minimum-cost flow
    (:func:`~llpbench_baselines.counted_labels.label_by_counts`). Here an instance is a cell of
    40 m in the network of :class:`~llpbench_baselines.llpnet.LLPNet`, and a bag is all cells of a
    division. The paper minimises both losses together, on augmented images; here the first trains
    the local layers and the second each round after it. Probabilities are made to agree nearby
    before cells are labelled, so that hard labels are all that sets this apart from ``llpnet``.
    A chip between divisions counts for the one that most of it lies in.

    Parameters
    ----------
    **settings
        Those of :class:`~llpbench_baselines.llpnet.LLPNet`.

    References
    ----------
    After Ma, Li, Li and Guan, Learning from label proportions with dual-proportion constraints,
    arXiv 2603.21153, 2026.
    """

    source = "after LLP-DC: Ma et al., arXiv 2603.21153"
    curriculum: ClassVar[type[CellTraining]] = CountedTraining
