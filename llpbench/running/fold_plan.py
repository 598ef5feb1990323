"""What is cross-validated: a method, and folds of a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llpbench.brief import Brief
from llpbench.data.dataset import open_grouped
from llpbench.data.folds import take_fold
from llpbench.data.splits import take_splits
from llpbench.errors import MethodError, UnknownNameError, unknown
from llpbench.methods.registry import make_method
from llpbench.protocol import ALL
from llpbench.running.sweep_plan import Job
from llpbench.running.task import Task
from llpbench.scoring.division_scores import SEES_SHARES

if TYPE_CHECKING:
    import xarray as xr

SPLITS = (ALL, "train+val")
"""What may be cut in folds: all chips, or all but those of the test split."""


@dataclass(frozen=True, repr=False)
class FoldPlan(Brief):
    """A method with its settings, dataset and seed, the number of folds and the splits cut.

    ``opened`` is the dataset where it is open, with variables that were added to it.
    """

    job: Job
    folds: int
    splits: str
    opened: xr.Dataset | None = None

    @property
    def title(self) -> str:
        """What its folder is called."""
        part = "" if self.splits == ALL else f"-{self.splits}"
        return f"crossvalidate-{self.job.title}-{self.folds}folds{part}"

    def region(self) -> xr.Dataset:
        """Open the grouped chips that are cut in folds, without divisions of other splits."""
        ds = open_grouped(self.job.dataset if self.opened is None else self.opened)
        return ds if self.splits == ALL else take_splits(ds, self.splits.split("+"), "renormalise")

    def task(self, number: int) -> Task:
        """Predict a fold, from 0, by a method that sees none of its shares.

        It is trained on all others but one, by which it chooses.
        """
        method = make_method(self.job.method, **self.job.settings, random_state=self.job.seed)
        fold = take_fold(self.region(), number, self.folds)
        name = f"{number + 1} of {self.folds} over {self.splits}"
        return Task(self.job.method, method, fold, fold, self.job.seed, "train", name)

    def check(self) -> None:
        """Refuse, before anything is trained, what would fail or say nothing."""
        if self.splits not in SPLITS:
            raise UnknownNameError(unknown("choice of splits", self.splits, SPLITS))
        task = self.task(0)
        if task.track == "disaggregation":
            raise MethodError(
                f"{task.name} cannot be cross-validated: {SEES_SHARES}; leave out the step that "
                "sees them, such as rake"
            )
        task.check("test")
