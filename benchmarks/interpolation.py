"""Error and calibration slope between the loss of bags (0) and broadcasting (1).

Usage: python benchmarks/interpolation.py DATASET [--values 0 0.01 0.03 0.1 0.3 1] [--seed 0]
       [--out FOLDER]

Trains the first stage of `llpnet`, which sees cells of 40 m alone, on bags of 16 chips towards
the objective `interpolated` for each value of λ, and scores the test split. Writes
interpolation.csv and interpolation.png; the dashed line is what theory says of a network that
could tell the shares of chips perfectly, see `shrunk_slope`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from ablation_variants import LocalCells, LocalTraining, Training, Variant
from matplotlib.figure import Figure
from numpy.typing import NDArray
from small_png import write_small

import llpbench
from llpbench.protocol import prediction_inputs
from llpbench.style import DISTINCT, INK, MUTED, new_figure, strip
from llpbench_baselines.backend import tf
from llpbench_baselines.cell_arrays import apply
from llpbench_baselines.split_data import SplitData
from llpbench_baselines.training import Arrays, Lesson

VALUES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
DIVISIONS, CHIPS, CELLS = 32, 16, 96
"""Bags in a step, chips in a bag, cells of a chip."""
METRICS = ("mae", "mae_hard", "calibration_slope", "within_division_r2")


class InterpolatedTraining(LocalTraining):
    """Bags are 16 chips of a division; the shares of a chip are estimated by 96 of its cells."""

    interpolation = 0.0
    """λ, from 0 to 1."""

    def learn_locally(self) -> Lesson:
        """Train cells alone towards `interpolated`."""
        alone, layers = self.alone, self.network.local_layers
        flat, cells_of_chip = alone.reshape(-1, alone.shape[-1]), alone.shape[1] * alone.shape[2]
        divisions = self.train.divisions
        proportions = divisions.proportions.astype(np.float32)
        visits, shape = divisions.visits(CHIPS), (DIVISIONS, CHIPS, CELLS, proportions.shape[1])

        def draw(generator: np.random.Generator) -> Arrays:
            chosen = generator.choice(visits, DIVISIONS)
            chips = divisions.draw(chosen, CHIPS, generator).ravel()[:, np.newaxis]
            cells = generator.integers(0, cells_of_chip, (len(chips), CELLS))
            numbers = (chips * cells_of_chip + cells).ravel()
            return flat[numbers].astype(np.float32), proportions[chosen]

        def loss(features: Any, proportions: Any) -> Any:
            probabilities = tf.nn.softmax(apply(layers, features))
            chips = tf.reduce_mean(tf.reshape(probabilities, shape), axis=2)
            mean, variance = tf.nn.moments(chips, axes=1)
            terms = (mean - proportions) ** 2 + self.interpolation * variance
            return tf.reduce_mean(tf.reduce_sum(terms, axis=1))

        return self.lesson(layers, loss, draw, self.settings["local_steps"], 3e-3)


def main() -> None:
    """Train, score, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset")
    parser.add_argument("--values", type=float, nargs="*", default=VALUES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("interpolation"))
    chosen = parser.parse_args()
    region = llpbench.open_dataset(chosen.dataset).llp.group()
    rows = []
    for value in chosen.values:
        rows.append(train(region, value, chosen.seed))
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    chosen.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(chosen.out / "interpolation.csv", index=False, float_format="%.4f")
    figure = draw(table, region.attrs["title"])
    write_small(figure, chosen.out / "interpolation.png", dpi=130)


def train(region: xr.Dataset, value: float, seed: int) -> dict[str, float]:
    """Train with one λ and score the test split.

    The row holds metrics with their 95 % intervals, and the slope that theory says.
    """
    curriculum = type("Chosen", (InterpolatedTraining,), {"interpolation": value})
    kind = type("InterpolatedCells", (LocalCells,), {"curriculum": curriculum})
    training = Training(kind, {"rounds": 0})
    validation = SplitData.for_validation(region.llp.split("val").llp.restrict("division"))
    method = Variant("", training, sharpness=1.0).method(training.fit(region, seed), validation)
    test = prediction_inputs(region.llp.split("test"), method.track)
    scores = llpbench.evaluate(method.predict(test), region)
    row = {"interpolation": value}
    for metric in METRICS:
        interval = scores.interval(metric)
        row |= {metric: scores.value(metric)}
        row |= {f"{metric}_low": interval.low, f"{metric}_high": interval.high}
    labelled = region.llp.split("train")
    shares, division = labelled["chip_proportions"].to_numpy(), labelled["own_division"].to_numpy()
    known = np.isfinite(shares).all(axis=1)
    return {**row, "expected_slope": shrunk_slope(shares[known], division[known], value)}


def shrunk_slope(shares: NDArray[np.floating], division: NDArray[np.str_], value: float) -> float:
    r"""Calibration slope of a network that sees perfectly and is trained with λ.

    It may predict :math:`\bar y + a (y - \bar y)` for a chip of shares y. With the variance B of
    the means of divisions and W within divisions its loss is :math:`(1 - a)^2 B + \lambda a^2 W`,
    least at :math:`a = B / (B + \lambda W)`; truth on prediction has the slope
    :math:`1 / a = 1 + \lambda W / B`.

    Parameters
    ----------
    shares : ndarray, shape (chip, category)
        True ones.
    value : float
        The weight λ, from 0 to 1.

    Returns
    -------
    float
        1 or more.
    """
    table = pd.DataFrame(np.asarray(shares, dtype=np.float64))
    means = table.groupby(division).transform("mean")
    within = np.square(table - means).to_numpy().sum()
    between = np.square(means - table.mean()).to_numpy().sum()
    return float(1 + value * within / between)


def draw(table: pd.DataFrame, title: str) -> Figure:
    """Slope and errors against λ, from rows of :func:`train`."""
    figure = new_figure(width=8.5, height=3.6)
    slope, error = figure.subplots(1, 2)
    lines = {
        slope: {"calibration_slope": "trained network"},
        error: {"mae": "mean probabilities", "mae_hard": "counted cells"},
    }
    for axis, drawn in lines.items():
        for number, (metric, label) in enumerate(drawn.items()):
            _draw_line(axis, table, metric, label, DISTINCT[number])
        axis.set_xscale("symlog", linthresh=0.01, linscale=0.6)
        axis.set_xticks(table["interpolation"], [f"{x:g}" for x in table["interpolation"]])
        axis.minorticks_off()
        axis.set_xlabel("λ: 0 bags, 1 broadcasting")
        strip(axis)
    expected = table["expected_slope"]
    slope.plot(table["interpolation"], expected, "--", color=INK, lw=1, label="1 + λ W / B")
    slope.axhline(1, color=MUTED, linewidth=0.8)
    slope.set_ylabel("calibration slope (1: not shrunk)")
    error.set_ylabel("MAE on the test split")
    error.set_ylim(0)
    for axis in lines:
        axis.legend(frameon=False, fontsize=8)
    figure.suptitle(title, fontsize=11)
    return figure


def _draw_line(axis: Any, table: pd.DataFrame, metric: str, label: str, colour: str) -> None:
    low, high = table[f"{metric}_low"], table[f"{metric}_high"]
    axis.fill_between(table["interpolation"], low, high, color=colour, alpha=0.15, lw=0)
    axis.plot(table["interpolation"], table[metric], "o-", markersize=4, color=colour, label=label)


if __name__ == "__main__":
    main()
