"""What bytes and milliseconds mean in orbit: seconds of a radio link, kilometres of a swath.

Rates and swaths are of the sources named in docs/orbit.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

LINKS = {"9.6 kbit/s": 9_600, "200 kbit/s": 200_000, "12.5 Mbit/s": 12_500_000}
"""Bits a second: OPS-SAT's UHF, the S-band uplink and the X-band downlink of a CubeSat's radio."""
CATEGORIES = 5
CHIPS = 1_000
DIVISIONS = 1_000
CHIP_BYTES = 3 * 100 * 100
LABEL_BYTES = 100 * 100
SHARE_BYTES = 2 * CATEGORIES
FILE_BYTES = 20_000
"""Of the largest exported ``llpnet`` that the project accepts in bytes."""
GRAVITY = 398_600.4
"""Geocentric gravitational constant (km³/s²), WGS 84."""
RADIUS = 6_371.0
"""Mean radius of the Earth (km)."""
ALTITUDE, SWATH = 510.0, 19.0
"""Of Φsat-2 (km)."""

SENT = {
    f"up: shares of {DIVISIONS:,} divisions, {CATEGORIES} classes": DIVISIONS * SHARE_BYTES,
    f"up: a model of {FILE_BYTES // 1000} kB": FILE_BYTES,
    f"up: pixel labels of {CHIPS:,} chips": CHIPS * LABEL_BYTES,
    f"down: predicted shares of {CHIPS:,} chips": CHIPS * SHARE_BYTES,
    f"down: {CHIPS:,} chips in red, green and blue": CHIPS * CHIP_BYTES,
}
"""Bytes of what goes over a link."""


def seconds(size: int, rate: float) -> float:
    """Compute how long ``size`` bytes take at ``rate`` bits a second, without any overhead.

    Examples
    --------
    >>> seconds(10_000, 200_000)
    0.4
    """
    return 8 * size / rate


def ground_speed(altitude: float) -> float:
    """Compute the speed of the point below a satellite (km/s), over an Earth that does not turn.

    Of a circular orbit: R / (R + h) sqrt(GM / (R + h)); Vallado, Fundamentals of Astrodynamics.

    Parameters
    ----------
    altitude : float
        Above the ground, h (km).

    Examples
    --------
    >>> round(ground_speed(510), 2)
    7.05
    """
    distance = RADIUS + altitude
    return RADIUS / distance * math.sqrt(GRAVITY / distance)


def rows() -> Iterator[list[str]]:
    """Yield rows of the table of links: what is sent, its bytes, and how long each link takes."""
    for what, size in SENT.items():
        yield [what, f"{size:,}", *(_duration(seconds(size, rate)) for rate in LINKS.values())]


def _duration(taken: float) -> str:
    """Two digits, in the unit that people would use."""
    for unit, length in (("h", 3_600), ("min", 60)):
        if taken >= 2 * length:
            return f"{float(f'{taken / length:.2g}'):g} {unit}"
    return f"{float(f'{taken:.2g}'):g} s"
