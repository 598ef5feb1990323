"""How pictures of scores are titled and coloured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llpbench import catalog
from llpbench.data.info import mark_synthetic
from llpbench.style import MUTED, category_colours

if TYPE_CHECKING:
    from llpbench.scoring.scores import Scores


def score_colours(scores: Scores) -> list[str]:
    """Colours of the categories of scores, also of scores read from JSON.

    Parameters
    ----------
    scores : Scores

    Returns
    -------
    list of str
        ``#rrggbb``, in the order of the categories; grey where they are in no label set that
        is known without the dataset.
    """
    if scores.opened is not None:
        return category_colours(scores.opened)
    for label_set in catalog.load().label_sets.values():
        if [group.name for group in label_set.groups] == scores.categories:
            return [group.colour for group in label_set.groups]
    return [MUTED] * len(scores.categories)


def describe(scores: Scores) -> str:
    """Say whose scores on what a picture shows.

    Parameters
    ----------
    scores : Scores

    Returns
    -------
    str
        Method, dataset (marked where it is synthetic) and split.
    """
    method = scores.attributes.get("method", "predictions")
    return f"{method} on {mark_synthetic(scores.dataset, scores.synthetic)}, {scores.split} split"
