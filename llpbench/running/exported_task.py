"""What an exported file is to do: predict chips of a dataset that it fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llpbench.errors import MethodError, examples
from llpbench.exported.card import Card
from llpbench.protocol import ALL
from llpbench.running.exported_method import check_images
from llpbench.running.task import Task, check_split


@dataclass(frozen=True, repr=False, kw_only=True)
class ExportedTask(Task):
    """A file, by its ``card``, and what it predicts; what it was trained on need not be here.

    Its ``region`` and ``other`` are both the dataset that is predicted.
    """

    card: Card

    @property
    def is_home(self) -> bool:
        """Whether it was trained on this dataset."""
        return bool(self.card.digest == self.other.llp.info.digest)

    @property
    def trained_on(self) -> str:
        """Name of the dataset that the method was trained on."""
        return self.card.trained_on

    @property
    def track(self) -> str:
        """Of the predictions: a file sees images alone."""
        return "inductive" if self.is_home else "cross-region"

    @property
    def settings(self) -> dict[str, Any]:
        """Of the method."""
        return self.card.settings

    @property
    def title(self) -> str:
        """What the run folder is called."""
        kind = f"{self.card.file_format}-{self.card.quantize}"
        return f"{self.name}-{kind}-on-{self.other.llp.info.name}-seed{self.seed}"

    def check(self, split: str) -> None:
        """Refuse, before any chip is predicted, a dataset or a split that the file does not fit."""
        name = self.other.llp.info.name
        classes = tuple(self.other["category_name"].to_numpy().astype(str).tolist())
        if classes != self.card.classes:
            raise MethodError(
                f"the file predicts the classes {examples(self.card.classes)}, but {name!r} has "
                f"{examples(classes)}: choose a dataset with the same classes in the same order"
            )
        check_images(self.card, self.other)
        if self.is_home and self.card.fold is not None:
            raise MethodError(
                f"the file is of fold {self.card.fold} of a cross-validation of {name!r}, which "
                "saw chips of all splits: export a run of the method, or predict another dataset"
            )
        if (self.train_on == ALL) != (split == ALL):
            raise MethodError(
                f"the file was trained on all chips of {name!r}, so none of its splits can be "
                "scored: leave --split out, or predict another dataset"
            )
        check_split(self.other, split, "to predict: choose another with --split")
