"""The order in which a satellite on a polar orbit sees the chips of a region."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.divisions import chip_places
from llpbench.errors import MethodError

INCLINATION = 98.0
"""Of a sun-synchronous orbit, in degrees."""


def ground_track(latitude: float) -> NDArray[np.float64]:
    r"""Direction in which a satellite moves over ground where it is day, shape (2,): east, north.

    On its way south the track of a circular orbit of inclination i crosses the latitude
    :math:`\varphi` at the angle :math:`\arcsin(\cos i / \cos \varphi)` from the meridian
    (spherical trigonometry, see Vallado, Fundamentals of Astrodynamics and Applications, 2013);
    the turn of the Earth below, some 4 degrees more, is left out.

    Parameters
    ----------
    latitude : float
        In degrees.

    Examples
    --------
    Over the equator 8 degrees west of south:

    >>> ground_track(0.0).round(3)
    array([-0.139, -0.99 ])
    """
    sine = np.cos(np.radians(INCLINATION)) / np.cos(np.radians(latitude))
    angle = np.arcsin(np.clip(sine, -1, 1))
    return np.array([np.sin(angle), -np.cos(angle)])


def cut_passes(train: xr.Dataset, count: int) -> list[NDArray[np.intp]]:
    """Cut chips in swaths along the ground track, of about equal numbers of chips.

    Each pass sees the swath west of the last, from north to south.

    Parameters
    ----------
    train : Dataset
        With ``lon`` and ``lat`` of chips.
    count : int
        Passes.

    Returns
    -------
    list of ndarray of int
        Positions of the chips of each pass, in the order in which they are seen; every chip once.

    Raises
    ------
    MethodError
        If there are fewer chips than passes.
    """
    chips = train.sizes["chip"]
    if count > chips:
        raise MethodError(f"{chips} chips cannot come in {count} passes: take fewer passes")
    places = chip_places(train)
    along = ground_track(float(train["lat"].mean()))
    westward = np.array([along[1], -along[0]])
    swaths = np.array_split(np.argsort(places @ westward, kind="stable"), count)
    return [swath[np.argsort(places[swath] @ along, kind="stable")] for swath in swaths]
