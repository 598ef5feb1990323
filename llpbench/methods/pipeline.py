"""A method and post-processors of its predictions, together a method."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from llpbench.crew import Crew
from llpbench.errors import LLPBenchError, MethodError
from llpbench.methods import gate
from llpbench.methods.crossfitting import chips_in_folds, predict_held_out
from llpbench.methods.estimate import Estimate, collect
from llpbench.methods.method import Method, Progress
from llpbench.methods.postprocessing import PostProcessor, Transform
from llpbench.methods.spooling import few, spool
from llpbench.reading import read_arrays

if TYPE_CHECKING:
    import xarray as xr

    from llpbench.exported.card import Card
    from llpbench.methods.journal import Journal

SAMPLE = 1000
"""Training chips, at most, whose predictions post-processors are shown."""

IN_MEMORY = 2**28
"""Bytes of pixel probabilities that are kept in memory; more go to a temporary file."""

POST_WEIGHTS = "post.npz"
"""What post-processors chose, in the folder of a saved pipeline."""

METHOD = "method"
"""The folder of the method in that of a saved pipeline."""

_NOTHING = Estimate(np.zeros((0, 0)))


class Pipeline(Method):
    """A method whose predictions pass through post-processors, one after another.

    Its settings are those of the method. Each post-processor is fitted to what comes out of the
    one before, on proportions of validation divisions alone. Where one changes pixels, shares are
    read anew from those it leaves: the means of the method's own probabilities.

    Parameters
    ----------
    method : Method
        The first step.
    post : sequence of (str, PostProcessor)
        The others with their names, in their order.
    """

    def __init__(self, *, method: Method, post: Sequence[tuple[str, PostProcessor]]) -> None:
        if any(processor.makes_intervals for _name, processor in post[:-1]):
            chain = "+".join(name for name, _processor in post)
            raise MethodError(
                "a post-processor that makes intervals stands last, because any other changes "
                f"shares; found {chain}"
            )
        self.method = method
        self.post = post
        tracks = {method.track, *(processor.track for _name, processor in post)}
        self.track = "disaggregation" if "disaggregation" in tracks else "inductive"
        self.supervision = method.supervision
        self.array = method.array
        self.inputs = method.inputs
        self.has_pixels = method.has_pixels
        self.is_iterative = method.is_iterative
        self.is_one_pass = method.is_one_pass
        self.is_deterministic = method.is_deterministic
        self.is_reference = method.is_reference
        self.learns_intervals = any(processor.makes_intervals for _name, processor in post)
        if self.learns_intervals and self.track == "disaggregation":
            raise MethodError(
                "intervals are learned from divisions whose shares were not seen, but "
                f"{'+'.join(name for name, _processor in post)} is told the shares of those it "
                "predicts; leave that step or the intervals out"
            )

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle the method and the post-processors, which hold what they chose."""
        fitted = {"categories_": self.categories_} if hasattr(self, "categories_") else {}
        return _made_again, (self.method, self.post), fitted

    @property
    def settings(self) -> dict[str, Any]:
        """Those of the method."""
        return self.method.settings

    def fit(
        self,
        train: xr.Dataset,
        val: xr.Dataset,
        *,
        progress: Progress | None = None,
        journal: Journal | None = None,
        crew: Crew | None = None,
    ) -> Self:
        """Train the method, then fit each post-processor to what comes out of the one before."""
        self._check(train, val)
        gate.fit(self.method, train, val, progress=progress, journal=journal, crew=crew)
        self.categories_ = self.method.categories_
        some = train.isel(chip=slice(None, None, -(-train.sizes["chip"] // SAMPLE)))
        seen, unseen = (
            few(gate.predict_batches(self.method, ds)) if ds.sizes["chip"] else _NOTHING
            for ds in (some, val)
        )
        for number, (name, processor) in enumerate(self.post, start=1):
            if processor.needs_pixels and not unseen.follow:
                raise MethodError(
                    f"{name} works on class probabilities of pixels: put it first, after a method "
                    "that has them"
                )
            if processor.makes_intervals:
                held_out = predict_held_out(
                    self._untrained, train, val, progress=progress, journal=journal, crew=crew
                )
                if held_out is not None:
                    gate.fit_post(processor, seen, *held_out)
                continue
            gate.fit_post(processor, seen, unseen, val)
            if number < len(self.post):
                seen = gate.prepare_post(processor, seen, some)(seen, slice(None))
                unseen = gate.prepare_post(processor, unseen, val)(unseen, slice(None))
        return self

    def _check(self, train: xr.Dataset, val: xr.Dataset) -> None:
        """Refuse, before anything is trained, what a step could not be fitted to."""
        for name, processor in self.post:
            if processor.makes_intervals:
                chips_in_folds(train)
            elif processor.chooses and not val.sizes["chip"]:
                raise MethodError(
                    f"{name} chooses by the divisions of the val split, which has no chips; build "
                    f"the dataset with one, or leave {name} out"
                )

    def _untrained(self) -> Method:
        """All steps but the last, which makes intervals, as they were before any training."""
        method = type(self.method).from_settings(self.method.settings, strict=False)
        earlier = [(name, type(processor)()) for name, processor in self.post[:-1]]
        return Pipeline(method=method, post=earlier) if earlier else method

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        """Predict with the method, and change its shares and, where there are any, pixels."""
        return collect(self.predict_batches(ds), ds["chip"].to_numpy(), self.categories_)

    def predict_proba(
        self, ds: xr.Dataset
    ) -> Iterator[tuple[NDArray[np.str_], NDArray[np.float32]]]:
        """Class probabilities after all post-processors that change them."""
        start, chips = 0, ds["chip"].to_numpy()
        for batch in self.predict_batches(ds):
            if batch.grid is None:
                raise MethodError("this method has no class probabilities of pixels")
            yield chips[start : start + len(batch.shares)], batch.grid
            start += len(batch.shares)

    def predict_batches(self, ds: xr.Dataset) -> Iterator[Estimate]:
        """Predict with the method once, also where all chips are looked at before any changes."""
        batches = gate.predict_batches(self.method, ds)
        if not self._looks:
            yield from _change(batches, self._prepare(_NOTHING, ds))
            return
        with SpooledTemporaryFile(IN_MEMORY) as file:
            seen, again = spool(batches, file)
            yield from _change(again, self._prepare(seen, ds))

    def chip_predictor(self, ds: xr.Dataset) -> Callable[[int], Estimate]:
        """Predict single chips by what was found of all: on board, no division is raked anew."""
        first = gate.chip_predictor(self.method, ds)
        numbers = range(ds.sizes["chip"] if self._looks else 0)
        seen = few(map(first, numbers)) if numbers else _NOTHING
        transform = self._prepare(seen, ds)
        return lambda number: transform(first(number), slice(number, number + 1))

    def footprint(self) -> dict[str, int | None]:
        """How small the method is together with its post-processors."""
        costs = self.method.footprint()
        numbers = sum(array.size for array in self._post_weights().values())
        return {**costs, "parameters": (costs["parameters"] or 0) + numbers}

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Weights of the method and of the post-processors."""
        return {**self.method.get_weights(), **self._post_weights()}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Take the weights of all of them over."""
        self.method.set_weights(weights)
        return self._set_post_weights(weights)

    def save(self, folder: Path) -> None:
        """Write the method into a folder below, and what the post-processors chose next to it."""
        self.method.save(folder / METHOD)
        np.savez(folder / POST_WEIGHTS, allow_pickle=False, **self._post_weights())

    def load_post(self, folder: Path) -> Self:
        """Take over what post-processors chose, from a folder that :meth:`save` wrote."""
        try:
            return self._set_post_weights(read_arrays(folder / POST_WEIGHTS))
        except (LLPBenchError, ValueError, TypeError, KeyError, IndexError) as error:
            where = str(folder)
            raise MethodError(f"{where!r} holds no post-processors ({error!s:.200})") from error

    def export(self, path: Path, card: Card, calibration: NDArray[Any] | None) -> None:
        """Write the method, together with those post-processors that can be in a file."""
        method = self.method
        for name, processor in self.post:
            following = processor.exported(method)
            if following is None:
                raise MethodError(
                    f"{name} is not written as a graph, so that no file can hold it: export a run "
                    "of the method without it"
                )
            method = following
        method.export(path, card, calibration)

    @property
    def _looks(self) -> bool:
        """Whether a post-processor looks at all chips before it changes any."""
        return any(processor.track == "disaggregation" for _name, processor in self.post)

    def _prepare(self, estimate: Estimate, ds: xr.Dataset) -> Transform:
        """Make one transform of all; each is prepared for what comes out of the one before."""
        transforms: list[Transform] = []
        for _name, processor in self.post:
            transforms.append(gate.prepare_post(processor, estimate, ds))
            if self._looks:
                estimate = transforms[-1](estimate, slice(None))

        def transform(batch: Estimate, rows: slice) -> Estimate:
            for step in transforms:
                batch = step(batch, rows)
            return batch

        return transform

    def _post_weights(self) -> dict[str, NDArray[Any]]:
        return {
            f"{weights_of(name)}{key}": array
            for name, processor in self.post
            for key, array in processor.get_weights().items()
        }

    def _set_post_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        self.categories_ = self.method.categories_
        for name, processor in self.post:
            start = weights_of(name)
            own = {
                key.removeprefix(start): weights[key] for key in weights if key.startswith(start)
            }
            processor.set_weights(own)
        return self


def _made_again(method: Method, post: Sequence[tuple[str, PostProcessor]]) -> Pipeline:
    return Pipeline(method=method, post=post)


def weights_of(processor: str) -> str:
    """How names of the weights of a post-processor begin, among those of all of a pipeline."""
    return f"post {processor}/"


def _change(batches: Iterable[Estimate], transform: Transform) -> Iterator[Estimate]:
    start = 0
    for batch in batches:
        rows = slice(start, start + len(batch.shares))
        yield transform(batch, rows)
        start = rows.stop
