"""Which runs a sweep is made of: every combination of a grid."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from llpbench.brief import Brief
from llpbench.data.dataset import open_dataset
from llpbench.errors import UnknownNameError, unknown
from llpbench.runs.command import RunCommand


@dataclass(frozen=True, repr=False)
class Grid(Brief):
    """Methods, datasets, seeds and values of settings to combine.

    Datasets of another label set than the one given are left out.
    """

    methods: Sequence[str]
    datasets: Sequence[str]
    seeds: Sequence[int] = (0,)
    settings: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    label_set: str | None = None

    def jobs(self) -> list[Job]:
        """List all combinations, the seeds of one setting after one another.

        Examples
        --------
        >>> grid = Grid(["qkm"], ["demo-humanpop"], [0, 1], {"epochs": [4, 8]})
        >>> [job.title for job in grid.jobs()][1:3]
        ['qkm-demo-humanpop-epochs=4-seed1', 'qkm-demo-humanpop-epochs=8-seed0']
        """
        settings = [
            dict(zip(self.settings, values, strict=True))
            for values in itertools.product(*self.settings.values())
        ]
        combined = itertools.product(self.methods, self._datasets(), settings, self.seeds)
        return [Job(*values) for values in combined]

    def _datasets(self) -> list[str]:
        if self.label_set is None:
            return list(self.datasets)
        return [
            name
            for name in self.datasets
            if open_dataset(name).llp.label_set.name == self.label_set
        ]


@dataclass(frozen=True, repr=False)
class Job(Brief):
    """One run of a sweep: what :func:`llpbench.run_method` takes."""

    method: str
    dataset: str
    settings: dict[str, Any]
    seed: int
    split: str = "test"

    @property
    def title(self) -> str:
        """What its folder is called."""
        values = [f"{name}={value}" for name, value in self.settings.items()]
        parts = [self.method, Path(self.dataset).name, *values, f"seed{self.seed}"]
        parts += [] if self.split == "test" else [self.split]
        return re.sub(r"[^\w.=-]", "_", "-".join(parts))

    @property
    def setting(self) -> str:
        """What seeds of one setting, on one split, have in common."""
        return replace(self, seed=0).title

    def command(self, seeds: Sequence[int]) -> str:
        """Write the command that makes these runs without a sweep."""
        command = str(RunCommand(self.method, self.dataset, tuple(seeds), self.settings))
        return command if self.split == "test" else f"{command} --split {self.split}"


def read_preset(name: str, datasets: Sequence[str] = ()) -> list[Grid]:
    """Read the grids of a preset of ``sweeps.toml``, on the given datasets or else its own."""
    presets = tomllib.loads(files("llpbench.running").joinpath("sweeps.toml").read_text("utf-8"))
    if name not in presets:
        raise UnknownNameError(unknown("preset", name, presets))
    own = {"datasets": tuple(datasets)} if datasets else {}
    return [Grid(**{**grid, **own}) for grid in presets[name]]
