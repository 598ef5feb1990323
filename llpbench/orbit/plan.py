"""What is to be simulated: a method, the region that passes below, and the memory on board."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from llpbench.data.dataset import open_grouped
from llpbench.errors import MethodError
from llpbench.methods.registry import make_method
from llpbench.orbit.seasons import check_seasons
from llpbench.running.task import Task

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class OrbitPlan:
    """A method, the region that passes below, and the memory on board; picklable.

    Parameters
    ----------
    method : str
        By name, without post-processors.
    dataset : str
        Name or path.
    memory : int
        Bytes for training, above those of the frameworks.
    passes : int
        In which the train split is seen, each chip once.
    seed : int
        The method's ``random_state``, and that of the sample.
    settings : dict
        Further ones of the method.
    then : str, optional
        Another dataset, name or path: a further season, seen in as many passes.
    """

    method: str
    dataset: str
    memory: int
    passes: int
    seed: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    then: str | None = None

    def task(self) -> Task:
        """Open the dataset and make the method.

        Raises
        ------
        LLPBenchError
            If there are none, or the method needs other labels than label proportions.
        """
        method = make_method(self.method, **{**self.settings, "random_state": self.seed})
        if method.supervision != "division" or method.track != "inductive":
            raise MethodError(
                "label proportions of training divisions alone are sent up, but "
                f"{self.method} needs more (supervision {method.supervision!r}, track "
                f"{method.track!r}): take a method of supervision 'division' and track 'inductive'"
            )
        region = open_grouped(self.dataset)
        task = Task(self.method, method, region, region, self.seed, "train")
        task.check("test")
        return task

    def later(self, task: Task) -> xr.Dataset | None:
        """Open the season that comes after that of a task, grouped, if there is one.

        Raises
        ------
        LLPBenchError
            If there is no such dataset, or it holds other things than the first.
        """
        if self.then is None:
            return None
        region = open_grouped(self.then)
        check_seasons(task.region, region)
        replace(task, other=region).check("test")
        return region
