"""What a run is to do: a method, what it is trained on, and what it predicts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from llpbench.brief import Brief
from llpbench.data.splits import take_part
from llpbench.data.store.digest import hash_array
from llpbench.errors import MethodError, UnknownNameError, examples, unknown
from llpbench.methods.method import Method
from llpbench.protocol import ALL

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, repr=False)
class Task(Brief):
    """A method, what it is trained on, and what it predicts.

    A ``fold`` names the part of a cross-validation that the task is: the splits of its region are
    then made of folds, see :mod:`llpbench.data.folds`.
    """

    name: str
    method: Method
    region: xr.Dataset
    other: xr.Dataset
    seed: int
    train_on: str
    fold: str | None = None

    @property
    def trained_on(self) -> str:
        """Name of the dataset that the method was trained on."""
        return str(self.region.llp.info.name)

    @property
    def track(self) -> str:
        """Of the predictions."""
        return self.method.track if self.other is self.region else "cross-region"

    @property
    def settings(self) -> dict[str, Any]:
        """Of the method, without the seed."""
        return {key: value for key, value in self.method.settings.items() if key != "random_state"}

    @property
    def title(self) -> str:
        """What the run folder is called."""
        onto = "" if self.other is self.region else f"-on-{self.other.llp.info.name}"
        part = "" if self.train_on == "train" else f"-{self.train_on}"
        return f"{self.name}-{self.region.llp.info.name}{part}{onto}-seed{self.seed}"

    @cached_property
    def inputs(self) -> dict[str, str] | None:
        """SHA-256 of each input of the method, which the digest of a dataset leaves out."""
        found = (name for name in self.method.inputs if name in self.region)
        return {name: hash_array(self.region[name].to_numpy()) for name in found} or None

    @property
    def identity(self) -> dict[str, Any]:
        """What must be the same when it is resumed."""
        digest = self.region.llp.info.digest
        part = {} if self.train_on == "train" else {"trained on": self.train_on}
        fold = {} if self.fold is None else {"fold": self.fold}
        method = {"method": self.name, **self.method.settings}
        inputs = {} if self.inputs is None else {"inputs": self.inputs}
        return {**method, "dataset digest": digest, **part, **fold, **inputs}

    def check(self, split: str) -> None:
        """Refuse, before anything is trained, what would fail or be against the rules."""
        here, there = (
            list(ds["category_name"].to_numpy().astype(str)) for ds in (self.region, self.other)
        )
        if len(here) < 2:
            raise MethodError(
                f"{self.region.llp.info.name!r} has the class group {examples(here)} alone: at "
                "least two are needed"
            )
        if here != there:
            raise MethodError(
                f"a method trained on the categories {here} cannot predict {there}: "
                "apply it to a dataset with the same label set"
            )
        if self.track == "cross-region" and self.method.track != "inductive":
            raise MethodError(
                f"{self.name} is of the track {self.method.track!r}; only inductive methods can "
                "be applied to another dataset"
            )
        if self.train_on not in ("train", ALL):
            raise UnknownNameError(unknown("part to train on", self.train_on, ("train", ALL)))
        if (self.train_on == ALL) != (split == ALL):
            raise MethodError(
                "what is trained on all chips predicts all chips, for a map, and nothing else does:"
                f" found {self.train_on!r} to train on and {split!r} to predict"
            )
        check_split(self.region, self.train_on, "to train on")
        if self.method.is_iterative:
            check_split(self.region, "val", f"for {self.name} to choose its best epoch by")
        check_split(self.other, split, "to predict: choose another with --split")


def check_split(ds: xr.Dataset, split: str, purpose: str) -> None:
    """Refuse a split without chips."""
    if not take_part(ds, split).sizes["chip"]:
        raise MethodError(f"the {split} split of {ds.llp.info.name} has no chips {purpose}")
