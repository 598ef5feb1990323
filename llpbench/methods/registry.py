"""Methods and post-processors by name, found by entry point; the one place that reads names."""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llpbench.brief import Brief
from llpbench.errors import MethodError, UnknownNameError, unknown
from llpbench.methods.method import Method
from llpbench.methods.pipeline import METHOD, Pipeline
from llpbench.methods.postprocessing import PostProcessor

METHODS = "llpbench.baselines"
"""The entry-point group in which any package can offer methods."""

POST_PROCESSORS = "llpbench.post"
"""The entry-point group in which any package can offer post-processors."""


@dataclass(frozen=True, repr=False)
class MethodInfo(Brief):
    """What is known of a method without building it.

    Fields are as in :class:`~llpbench.methods.method.Method`; name, track, design (a sentence
    each) and designed_on are with those of post-processors, weights without.
    """

    name: str
    summary: str
    supervision: str
    track: str
    is_reference: bool
    parameters: int | None
    non_trainable: int
    source: str
    paper: Mapping[str, str]
    design: tuple[str, ...]
    designed_on: tuple[str, ...]


def split_name(name: str) -> tuple[str, tuple[str, ...]]:
    """Read the name of a method with post-processors, each of which may be named once.

    Examples
    --------
    >>> split_name("downconv+emq+calibrate")
    ('downconv', ('emq', 'calibrate'))
    """
    method, *post = name.split("+")
    if len(set(post)) < len(post):
        raise MethodError(f"each post-processor can be used once, found {'+'.join(post)}")
    return method, tuple(post)


def method_names() -> list[str]:
    """Names of all installed methods, sorted."""
    return _names(METHODS)


def method_class(name: str) -> type[Method]:
    """Find the class of a method by its name, without post-processors."""
    kind: type[Method] = _load(METHODS, "method", name)
    return kind


def post_class(name: str) -> type[PostProcessor]:
    """Find the class of a post-processor by its name, such as ``"emq"``."""
    kind: type[PostProcessor] = _load(POST_PROCESSORS, "post-processor", name)
    return kind


def describe_method(name: str) -> MethodInfo:
    """Say what is known of a method without building it.

    Parameters
    ----------
    name : str
        Also with post-processors.
    """
    method, post = split_name(name)
    kind, processors = method_class(method), [post_class(step) for step in post]
    tracks = {kind.track, *(processor.track for processor in processors)}
    return MethodInfo(
        name=name,
        summary=str(inspect.getdoc(kind)).partition("\n")[0],
        supervision=kind.supervision,
        track="disaggregation" if "disaggregation" in tracks else "inductive",
        is_reference=kind.is_reference,
        parameters=kind.parameters,
        non_trainable=kind.non_trainable,
        source=kind.source,
        paper=kind.paper,
        design=tuple(filter(None, [kind.design, *(processor.design for processor in processors)])),
        designed_on=tuple(
            sorted({*kind.designed_on, *(name for step in processors for name in step.designed_on)})
        ),
    )


def make_method(name: str, **settings: Any) -> Method:
    """Build a method by its name.

    Parameters
    ----------
    name : str
        Such as ``"downconv"``, or ``"downconv+emq"``: a
        :class:`~llpbench.methods.pipeline.Pipeline`.
    **settings
        Of the method, see :meth:`~llpbench.methods.saved_estimator.SavedEstimator.from_settings`.

    Raises
    ------
    UnknownNameError
        If there is no such method, post-processor or setting.
    MethodError
        If a post-processor is named twice, or settings do not go together.
    """
    first, post = split_name(name)
    kind = method_class(first)
    try:
        method = kind.from_settings(settings)
    except (MethodError, UnknownNameError) as error:
        # Users know a method by the name it is registered under, which its class does not.
        raise type(error)(f"{first}: {error}") from error
    return _with_post(method, post) if post else method


def load_method(name: str, folder: Path) -> Method:
    """Read a fitted method from a folder that its ``save`` wrote.

    Parameters
    ----------
    name : str
        As for :func:`make_method`.
    folder : Path
        Such as ``weights/`` of a run.

    Raises
    ------
    LLPBenchError
        If there is no such method, or the folder holds none or another.
    """
    first, post = split_name(name)
    kind = method_class(first)
    if not post:
        return kind.load(folder)
    return _with_post(kind.load(folder / METHOD), post).load_post(folder)


def _with_post(method: Method, post: tuple[str, ...]) -> Pipeline:
    return Pipeline(method=method, post=[(name, post_class(name)()) for name in post])


def _names(group: str) -> list[str]:
    return sorted(point.name for point in importlib.metadata.entry_points(group=group))


def _load(group: str, what: str, name: str) -> Any:
    points = importlib.metadata.entry_points(group=group, name=name)
    if not points:
        raise UnknownNameError(unknown(what, name, _names(group)))
    return next(iter(points)).load()
