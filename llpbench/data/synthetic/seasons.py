"""Seasons: the same land cover in another light and with drier plants."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from llpbench.data.synthetic import landcover
from llpbench.data.synthetic.imagery import VARIANTS, Surface
from llpbench.data.synthetic.landcover import LandCover
from llpbench.errors import UnknownNameError, unknown


@dataclass(frozen=True)
class _Season:
    """How a season differs from the median of a year.

    Parameters
    ----------
    drier : int
        Colours, of :data:`VARIANTS`, by which plants are nearer to their driest.
    light : float
        Factor of brightness: how high the sun stands.
    haze : float
        Added light of the air, in steps of the green byte.
    """

    drier: int
    light: float
    haze: float


SEASONS: Final = {"year": _Season(0, 1.0, 0.0), "autumn": _Season(6, 0.8125, 8.0)}
"""By name."""

_PLANTS: Final = (
    landcover.TREE,
    landcover.SHRUB,
    landcover.GRASS,
    landcover.CROP,
    landcover.WETLAND,
)


def in_season(surface: Surface, cover: LandCover, name: str) -> Surface:
    """How land cover looks in a season, if ``surface`` is how it looks in a year's median.

    Raises
    ------
    UnknownNameError
        If there is no such season.
    """
    if name not in SEASONS:
        raise UnknownNameError(unknown("season", name, SEASONS))
    season = SEASONS[name]
    drier = surface.variant + np.where(np.isin(cover.label, _PLANTS), season.drier, 0)
    return replace(
        surface,
        variant=np.minimum(drier, VARIANTS - 1).astype(np.uint8),
        light=surface.light * np.float32(season.light),
        haze=surface.haze + np.float32(season.haze),
    )
