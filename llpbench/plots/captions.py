"""How pictures of scores are coloured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llpbench import catalog
from llpbench.style import MUTED, category_colours

if TYPE_CHECKING:
    from llpbench.scoring.division_scores import DivisionScores
    from llpbench.scoring.scores import Scores


def score_colours(scores: Scores | DivisionScores) -> list[str]:
    """Colours of the categories of scores, ``#rrggbb`` in their order, read from JSON or not.

    Grey where they are in no label set that is known without the dataset.
    """
    if scores.opened is not None:
        return category_colours(scores.opened)
    for label_set in catalog.load().label_sets.values():
        if [group.name for group in label_set.groups] == scores.categories:
            return [group.colour for group in label_set.groups]
    return [MUTED] * len(scores.categories)
