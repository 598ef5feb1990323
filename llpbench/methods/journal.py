"""The history of a training, and a checkpoint to resume it from."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import LLPBenchError, MethodError
from llpbench.reading import read_arrays
from llpbench.writing import replacing

CHECKPOINT = "checkpoint.npz"
HISTORY = "history.csv"

_IDENTITY = "identity"


class Journal:
    """The journal of one training, in a folder.

    Both files are replaced in one step after every epoch, so they are always whole.

    Parameters
    ----------
    folder : Path
        Holds the checkpoint and ``history.csv``.
    identity : mapping
        What must not have changed when training goes on: names and values that JSON can hold.
    stop : threading.Event, optional
        Set when training shall stop early.
    on_epoch : callable, optional
        Called with the row of every epoch that ends.

    Attributes
    ----------
    interrupted : bool
        Whether training was told to stop early.
    epochs : int
        How many have ended, in this training and before it was resumed.
    """

    def __init__(
        self,
        folder: Path,
        identity: Mapping[str, Any],
        *,
        stop: Event | None = None,
        on_epoch: Callable[[Mapping[str, float]], None] | None = None,
    ) -> None:
        self.folder = folder
        self.interrupted = False
        self.epochs = 0
        self._identity = json.loads(json.dumps(identity))
        self._stop = stop or Event()
        self._on_epoch = on_epoch

    def damaged(self, error: Exception) -> MethodError:
        """What to say of a checkpoint from which nothing can go on."""
        where = str(self.folder / CHECKPOINT)
        return MethodError(f"the checkpoint {where!r} is damaged ({error!s:.300}): start anew")

    def must_stop(self) -> bool:
        """Whether training shall stop; if so, it has been interrupted from now on."""
        self.interrupted = self.interrupted or self._stop.is_set()
        return self.interrupted

    def keep(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Write a checkpoint: all that the next epoch depends on."""
        identity = np.array(json.dumps(self._identity))
        with replacing(self.folder / CHECKPOINT) as part, part.open("wb") as file:
            np.savez(file, allow_pickle=False, **{_IDENTITY: identity}, **state)

    def note(self, history: Sequence[Mapping[str, float]]) -> None:
        """Write the history when an epoch has ended: a row for each so far, with the same keys."""
        with (
            replacing(self.folder / HISTORY) as part,
            part.open("w", newline="", encoding="utf-8") as text,
        ):
            writer = csv.DictWriter(text, list(history[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(history)
        self.epochs = len(history)
        if self._on_epoch is not None:
            self._on_epoch(history[-1])

    def resume(self) -> dict[str, NDArray[Any]] | None:
        """Read the last checkpoint, None where there is none; another training's is refused."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            return None
        try:
            state = read_arrays(path)
            identity = dict(json.loads(str(state.pop(_IDENTITY))))
        except (LLPBenchError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise self.damaged(error) from error
        for name in identity.keys() | self._identity.keys():
            there, here = identity.get(name), self._identity.get(name)
            if there != here:
                raise MethodError(
                    f"the interrupted run cannot go on: its {name} was {there!r}, now it is "
                    f"{here!r}; give it the same or start anew"
                )
        return state
