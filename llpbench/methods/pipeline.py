"""A method and what is done to its predictions, together a method.

``downconv+emq+calibrate`` is a method like any other: ``downconv``, then ``emq``, then
``calibrate``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import MethodError
from llpbench.methods.method import IterativeMethod, Method, Progress
from llpbench.methods.postprocessing import Estimate, PostProcessor, Transform, post_class
from llpbench.predictions.table import make_predictions
from llpbench.protocol import prediction_inputs

if TYPE_CHECKING:
    import xarray as xr

SIDE = 24
"""Pixels along a chip, at most, that post-processors are fitted to: all chips fit in memory."""

SAMPLE = 1000
"""Training chips, at most, whose predictions post-processors are shown."""

_METHOD, _WEIGHTS = "method", "post.npz"


class PostProcessed(Method):
    """A method whose predictions pass through post-processors; its parameters are the method's.

    Attributes
    ----------
    method_class : type of Method
    post : dict of str to type of PostProcessor
        By name, in their order.
    """

    method_class: ClassVar[type[Method]]
    post: ClassVar[Mapping[str, type[PostProcessor]]]

    def __init__(self, **parameters: Any) -> None:
        self.method = self.method_class(**parameters)

    @classmethod
    def _get_param_names(cls) -> list[str]:
        names: list[str] = cls.method_class._get_param_names()
        return names

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters of the method."""
        parameters: dict[str, Any] = self.method.get_params(deep)
        return parameters

    def set_params(self, **parameters: Any) -> Self:
        """Set parameters of the method."""
        self.method.set_params(**parameters)
        return self

    def fit(
        self,
        train: xr.Dataset,
        val: xr.Dataset,
        *,
        progress: Progress | None = None,
        **journal: Any,
    ) -> Self:
        """Train the method, then fit each post-processor to what comes out of the one before."""
        self.method.fit(train, val, progress=progress, **journal)
        every = -(-train.sizes["chip"] // SAMPLE)
        some = train.isel(chip=slice(None, None, every))
        seen, unseen = self._estimate(some), self._estimate(val)
        self.post_: dict[str, PostProcessor] = {}
        for name, kind in self.post.items():
            if kind.needs_pixels and not unseen.are_means:
                raise MethodError(
                    f"{name} works on class probabilities of pixels: put it first, after a method "
                    "that has them"
                )
            processor = self.post_[name] = kind().fit(seen, unseen, val)
            if len(self.post_) < len(self.post):
                seen = processor.prepare(seen, some)(seen, slice(None))
                unseen = processor.prepare(unseen, val)(unseen, slice(None))
        return self

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        """Predict with the method, and change its shares."""
        transform = self._prepare(ds)
        predictions = self.method.predict(prediction_inputs(ds, self.method.track))
        estimate = transform(_of_shares(predictions), slice(None))
        shares = estimate.shares.astype(np.float32)
        return predictions.assign(proportions=predictions["proportions"].copy(data=shares))

    def footprint(self) -> dict[str, int | None]:
        """How small the method is together with its post-processors."""
        found = self.method.footprint()
        numbers = sum(array.size for array in self._post_weights().values())
        added = {"parameters": 1, "bytes_float32": 4, "bytes_float16": 2, "bytes_int8": 1}
        return {**found, **{name: (found[name] or 0) + numbers * by for name, by in added.items()}}

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Weights of the method and of the post-processors."""
        return {**self.method.get_weights(), **self._post_weights()}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Take the weights of all of them over."""
        self.method.set_weights(weights)
        self._set_post_weights(weights)
        return self

    def save(self, folder: Path) -> None:
        """Write the method into a folder below, and what the post-processors chose beside it."""
        self.method.save(folder / _METHOD)
        np.savez(folder / _WEIGHTS, allow_pickle=False, **self._post_weights())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a fitted method from a folder that :meth:`save` wrote."""
        method = cls.method_class.load(folder / _METHOD)
        loaded = cls(**method.get_params())
        loaded.method = method
        try:
            with np.load(folder / _WEIGHTS, allow_pickle=False) as file:
                loaded._set_post_weights(dict(file))
        except (OSError, ValueError) as error:
            raise MethodError(f"{folder} holds no post-processors ({error})") from error
        return loaded

    def _prepare(self, ds: xr.Dataset) -> Transform:
        """Make one transform of all; those that look at divisions see all chips first."""
        looks = any(kind.track == "disaggregation" for kind in self.post.values())
        estimate = self._estimate(ds) if looks else _NOTHING
        transforms = []
        for processor in self.post_.values():
            transforms.append(processor.prepare(estimate, ds))
            estimate = transforms[-1](estimate, slice(None)) if looks else _NOTHING

        def transform(some: Estimate, rows: slice) -> Estimate:
            for one in transforms:
                some = one(some, rows)
            return some

        return transform

    def _estimate(self, ds: xr.Dataset) -> Estimate:
        """Predict all chips, with few pixels."""
        return _of_shares(self.method.predict(prediction_inputs(ds, self.method.track)))

    def _post_weights(self) -> dict[str, NDArray[Any]]:
        return {
            f"post {name}/{key}": array
            for name, processor in self.post_.items()
            for key, array in processor.get_weights().items()
        }

    def _set_post_weights(self, weights: Mapping[str, NDArray[Any]]) -> None:
        self.post_ = {}
        for name, kind in self.post.items():
            start = f"post {name}/"
            own = {
                key.removeprefix(start): array
                for key, array in weights.items()
                if key.startswith(start)
            }
            self.post_[name] = kind().set_weights(own)


class PixelPostProcessed(PostProcessed):
    """The same for a method that has class probabilities of pixels."""

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        """Read shares and classes from the changed probabilities."""
        shares, classes = [], []
        for _chips, estimate, side in self._changed(ds):
            assert estimate.pixels is not None
            shares.append(estimate.shares)
            numbers = estimate.pixels.argmax(axis=-1).astype(np.uint8)
            classes.append(numbers.reshape(-1, side, side))
        return make_predictions(
            ds["chip"].to_numpy(),
            self.method.categories_,
            np.concatenate(shares),
            np.concatenate(classes),
        )

    def predict_proba(
        self, ds: xr.Dataset
    ) -> Iterator[tuple[NDArray[np.str_], NDArray[np.float32]]]:
        """Class probabilities after all post-processors that change them."""
        for chips, estimate, side in self._changed(ds):
            assert estimate.pixels is not None
            yield chips, estimate.pixels.reshape(len(chips), side, side, -1)

    def _changed(self, ds: xr.Dataset) -> Iterator[tuple[NDArray[np.str_], Estimate, int]]:
        transform, start = self._prepare(ds), 0
        inputs = prediction_inputs(ds, self.method.track)
        for chips, probabilities in self.method.predict_proba(inputs):
            rows, side = slice(start, start + len(chips)), probabilities.shape[1]
            yield chips, transform(Estimate.of_pixels(_flat(probabilities)), rows), side
            start = rows.stop

    def _estimate(self, ds: xr.Dataset) -> Estimate:
        shares, pixels = [], []
        for _chips, all_of_them in self.method.predict_proba(
            prediction_inputs(ds, self.method.track)
        ):
            every = -(-all_of_them.shape[1] // SIDE)
            shares.append(all_of_them.mean(axis=(1, 2), dtype=np.float64))
            pixels.append(_flat(all_of_them[:, ::every, ::every]))
        return Estimate(np.concatenate(shares), np.concatenate(pixels), True)


_NOTHING = Estimate(np.zeros((0, 0)))


def _of_shares(predictions: xr.Dataset) -> Estimate:
    return Estimate(predictions["proportions"].to_numpy().astype(np.float64))


def _flat(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    return probabilities.reshape(len(probabilities), -1, probabilities.shape[-1])


def compose(method: type[Method], name: str, post: Sequence[str]) -> type[Method]:
    """Make the class of a method whose predictions pass through post-processors.

    Parameters
    ----------
    method : type of Method
    name : str
        Its name.
    post : sequence of str
        Names of post-processors, in their order.

    Returns
    -------
    type of Method
        In the disaggregation track if one of them is.

    Raises
    ------
    UnknownNameError
        If there is no such post-processor.
    MethodError
        If one is named twice.
    """
    if len(set(post)) < len(post):
        raise MethodError(f"each post-processor can be used once, found {'+'.join(post)}")
    kinds = {one: post_class(one) for one in post}
    has_pixels = method.predict_proba is not Method.predict_proba
    bases: list[type[Method]] = [PixelPostProcessed if has_pixels else PostProcessed]
    if issubclass(method, IterativeMethod):
        bases.append(IterativeMethod)
    tracks = {method.track, *(kind.track for kind in kinds.values())}
    copied = ("supervision", "is_reference", "parameters", "non_trainable", "source")
    return type(
        "+".join([name, *post]),
        tuple(bases),
        {
            "__doc__": method.__doc__,
            "__module__": __name__,
            "method_class": method,
            "post": kinds,
            "track": "disaggregation" if "disaggregation" in tracks else "inductive",
            **{attribute: getattr(method, attribute) for attribute in copied},
        },
    )
