"""Error against the coarseness of supervision: the same test chips, ever fewer divisions."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llpbench.crew import gather
from llpbench.data.dataset import open_grouped
from llpbench.errors import MethodError
from llpbench.methods import gate
from llpbench.methods.registry import make_method
from llpbench.running.progress import runs_bar
from llpbench.scoring import evaluate
from llpbench.scoring.scores import Scores

if TYPE_CHECKING:
    import xarray as xr

FACTORS = (1.0, 2.0, 4.0, 8.0, 16.0)


def coarseness(
    dataset: str | os.PathLike[str] | xr.Dataset,
    methods: Sequence[str],
    *,
    factors: Sequence[float] = FACTORS,
    ways: Sequence[str] = ("merge",),
    points: int | None = None,
    seeds: Sequence[int] = (0,),
    workers: int = 1,
    scheduler: str | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Train methods on ever fewer divisions, and score each on the test split as it is.

    Parameters
    ----------
    dataset : str, path or Dataset
        What :func:`llpbench.open_dataset` opens, or has opened.
    methods : sequence of str
        Names; their settings are the default ones.
    factors, ways
        By how much fewer divisions train and val have, and how, see ``ds.llp.rebag``.
    points : int, optional
        Proportions are surveys of so many points in each division.
    seeds : sequence of int
        Of methods, random bags and surveys together.
    workers : int
        Processes that methods, ways and factors are shared out to.
    scheduler : str, optional
        Address of a dask scheduler whose workers are used instead, see
        :func:`llpbench.crew.gather`.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    DataFrame
        A row a method, way and factor: ``method``, ``way``, ``coarser``, ``divisions`` (of the
        train split), ``chips`` (that one of them owns, on average), ``mae`` with its 95 %
        interval ``low`` to ``high``, and ``mae_hard`` and ``f1_micro`` where there is a
        segmentation.
    """
    if not (methods and factors and ways and seeds):
        raise MethodError("give at least one method, factor, way and seed")
    work = partial(_row, open_grouped(dataset), points, seeds)
    settings = list(itertools.product(methods, ways, factors))
    with gather(workers, scheduler) as crew:
        rows = crew.share_out(work, settings)
        return pd.DataFrame(runs_bar(rows, "runs", total=len(settings), shown=progress))


def _row(
    ds: xr.Dataset, points: int | None, seeds: Sequence[int], setting: tuple[str, str, float]
) -> dict[str, Any]:
    """Make a row of the table, of a method, a way and a factor."""
    method, way, factor = setting
    ds = open_grouped(ds)
    rebagged = [ds.llp.rebag(coarser=factor, how=way, points=points, seed=seed) for seed in seeds]
    train = rebagged[0].llp.split("train")
    scores = _scores(rebagged, method, seeds)
    interval = scores.interval("mae")
    hard = {
        name: scores.value(name) if name in scores.metrics else np.nan
        for name in ("mae_hard", "f1_micro")
    }
    return {
        "method": method,
        "way": way,
        "coarser": factor,
        "divisions": train.sizes["division"],
        "chips": train.sizes["chip"] / train.sizes["division"],
        "mae": scores.value("mae"),
        "low": interval.low,
        "high": interval.high,
        **hard,
    }


def _scores(datasets: Sequence[xr.Dataset], name: str, seeds: Sequence[int]) -> Scores:
    """Fit to each of the datasets with its seed, and score all on the test split."""
    predictions = []
    for ds, seed in zip(datasets, seeds, strict=True):
        method = make_method(name, random_state=seed)
        gate.fit(method, ds.llp.split("train"), ds.llp.split("val"))
        predictions.append(
            gate.predict(method, ds, "test", name=name, seed=seed, trained_on=ds.llp.info.name)
        )
    return evaluate(predictions, datasets[0])
