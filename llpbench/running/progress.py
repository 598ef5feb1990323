"""What a terminal shows of runs: a bar while one is trained, a line when it is done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from llpbench.methods.method import Progress

if TYPE_CHECKING:
    from llpbench.runs.record import RunRecord

_TRAINING = "{desc}: {percentage:3.0f}%|{bar}| {remaining} left{postfix}"
_CHIPS = "{desc}: {percentage:3.0f}%|{bar}| {remaining} left"
_RUNS = "{desc}: {n_fmt} of {total_fmt} done |{bar}| {remaining} left"


def training_bar(title: str) -> Progress:
    """What makes the bars of one training: as long as the line, and gone when they are full.

    Parameters
    ----------
    title : str
        Stands first, then what the method says of a bar.
    """
    from tqdm import tqdm

    look: dict[str, Any] = {"bar_format": _TRAINING, "leave": False, "dynamic_ncols": True}

    def make(*items: Any, desc: str = "", **options: Any) -> Any:
        said = f"{title}, {desc}" if desc else title
        return tqdm(*items, **{**options, **look, "desc": said})

    return make


def summarise(record: RunRecord, epochs: int = 0) -> str:
    """Write the line that stays of a training.

    It says how long that was, with its epochs where they are known, and how good it is on the val
    split.
    """
    fold = f", fold {record.fold}" if record.fold else ""
    facts = [f"{epochs} epoch" + "s" * (epochs != 1)] if epochs else []
    if record.validation is not None:
        facts.append(f"val MAE {record.validation['mae']:.4f}")
    facts.append(f"{record.fit_seconds:.0f} s")
    return f"{record.method} on {record.trained_on}, seed {record.seed}{fold}: {', '.join(facts)}"


def chips_bar(title: str, total: int, *, shown: bool) -> Any:
    """Show how many of so many chips are predicted: what has ``update`` for each."""
    from tqdm import tqdm

    look: dict[str, Any] = {"bar_format": _CHIPS, "leave": False, "dynamic_ncols": True}
    return tqdm(desc=title, total=total, disable=not shown, **look)


def runs_bar(
    runs: Iterable[Any], title: str, *, shown: bool, total: int | None = None
) -> Iterable[Any]:
    """Show how many of some runs are done while they are iterated over, and the time left.

    Their number is to be given where they do not know it themselves.
    """
    from tqdm import tqdm

    return tqdm(
        runs,
        desc=title,
        total=total,
        bar_format=_RUNS,
        leave=False,
        dynamic_ncols=True,
        disable=not shown,
    )
