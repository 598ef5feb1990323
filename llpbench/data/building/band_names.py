"""What a band shows, by what a file calls it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from llpbench.data.sensors import SENTINEL2, Spectral

COLOURS = ("red", "green", "blue")

_CODES = {name.removeprefix("B").lower(): band for name, band in SENTINEL2.items()}
"""Of Sentinel-2; 2, 3 and 4 are those of Landsat 8 and 9 as well."""

_OTHER_CODES = {"sr", "sur"}
"""How names begin whose codes are of several Landsats or of MODIS (``sur_refl_b01``, red)."""

_LETTERS = {"r": "red", "g": "green", "b": "blue", "n": "nir"}

CLASSES = "classes"
"""The role of bands that hold class numbers or flags, such as SCL and QA60."""

POLARISATIONS = ("vv", "vh", "hh", "hv")

_OTHER = {
    **{"rededge": "rededge", "edge": "rededge", "nir": "nir", "nir08": "nir08", "nir09": "nir09"},
    **{"infrared": "nir", "swir": "swir", "swir16": "swir16", "swir22": "swir22"},
    **{"swir1": "swir16", "swir2": "swir22", "shortwave": "swir", "lwir": "lwir"},
    **{f"rededge{end}": f"rededge{end}" for end in ("071", "075", "078")},
    **{"lwir11": "lwir11", "lwir12": "lwir12", "thermal": "lwir", "coastal": "coastal"},
    **{"aerosol": "coastal", "cirrus": "cirrus", "pan": "pan", "panchromatic": "pan"},
    **{"yellow": "yellow", "elevation": "elevation", "dem": "elevation", "ndvi": "index"},
    **{"ndwi": "index", "alpha": "alpha", "mask": "alpha", "scl": CLASSES, "fmask": CLASSES},
    **dict.fromkeys(("qa", "qa10", "qa20", "qa60", "cldprb", "snwprb", "msk"), CLASSES),
    **{name: name for name in POLARISATIONS},
}
"""Words that say what a band shows; stronger than a colour beside them, as in red edge."""

_MIDDLES = {"red": (620, 690), "green": (520, 600), "blue": (450, 520), "nir": (760, 900)}
"""Nanometres between which the middle of a band lies."""


def find_role(description: str, tags: Mapping[str, str]) -> tuple[str, str]:
    """Name a band, and say what it shows, such as ``red`` or ``nir``; both empty if not known.

    A STAC common name counts before the description, this before other names and wavelengths.

    Examples
    --------
    >>> find_role("B04", {}), find_role("Red Edge 1", {}), find_role("", {"eo:common_name": "nir"})
    (('B04', 'red'), ('Red Edge 1', 'rededge'), ('nir', 'nir'))
    >>> find_role("Band 4", {}), find_role("", {"wavelength": "0.665", "units": "um"})
    (('Band 4', ''), ('', 'red'))
    """
    plain = dict(_tag(*tag) for tag in tags.items())
    names = [plain.get("common_name", ""), description]
    names += [plain.get(key, "") for key in ("bandname", "band_name", "name", "long_name")]
    given = [name for name in names if name]
    roles = [role for name in given if (role := role_of(name))]
    name = description or (given[0] if given else "")
    return name, roles[0] if roles else _by_wavelength(plain)


def _tag(key: str, value: str) -> tuple[str, str]:
    """A tag without the namespace ``eo:``; rasterio takes that for the key of what follows it."""
    if key.lower() == "eo":
        key, _, value = value.partition("=")
    return re.sub(r"\W", "_", key).lower().removeprefix("eo_"), value


def role_of(name: str) -> str:
    """What a band of a name shows, empty if the name does not tell.

    Examples
    --------
    >>> [role_of(name) for name in ("Red", "B4", "B04_10m", "surface_reflectance_blue", "B8A")]
    ['red', 'red', 'red', 'blue', 'nir08']
    """
    words = _words(name)
    for known in (_OTHER, {colour: colour for colour in COLOURS}):
        found = {known[word] for word in words if word in known}
        if found:
            return found.pop() if len(found) == 1 else ""
    if len(words) == 1 and words[0] in _LETTERS:
        return _LETTERS[words[0]]
    band = _coded(words)
    return band.role if band else ""


def _coded(words: Sequence[str]) -> Spectral | None:
    """The band of Sentinel-2 whose code stands among the words of a name."""
    codes = [match[1] for word in words if (match := re.fullmatch(r"b0?(\d{1,2}a?)", word))]
    if len(codes) != 1 or words[0] in _OTHER_CODES:
        return None
    return _CODES.get(codes[0])


def family_of(role: str) -> str:
    """What roles have in common that differ in the part of the spectrum alone.

    Examples
    --------
    >>> family_of("rededge071"), family_of("nir08"), family_of("red")
    ('rededge', 'nir', 'red')
    """
    return role.rstrip("0123456789")


def find_wavelength(name: str, tags: Mapping[str, str]) -> float | None:
    """Find the middle of a band in nanometres, by a tag, or by the code of a band of Sentinel-2.

    Examples
    --------
    >>> find_wavelength("", {"wavelength": "0.665"}), find_wavelength("B8A", {})
    (665.0, 865)
    """
    band = _coded(_words(name))
    return _middle(dict(_tag(*tag) for tag in tags.items())) or (band.centre if band else None)


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", name.lower()) if word]


def is_same_name(first: str, second: str) -> bool:
    """Whether two names of bands differ in case and leading zeros only."""
    return _plain(first) == _plain(second)


def _plain(name: str) -> str:
    return re.sub(r"(?<=[a-z])0+(?=\d)", "", name.strip().lower())


def _by_wavelength(tags: Mapping[str, str]) -> str:
    middle = _middle(tags)
    if middle is None:
        return ""
    near = [role for role, (low, high) in _MIDDLES.items() if low <= middle <= high]
    return near[0] if near else "other"


def _middle(tags: Mapping[str, str]) -> float | None:
    """The middle of a band in nanometres; numbers below 100 are micrometres."""
    for key in ("center_wavelength", "central_wavelength_um", "wavelength", "wavelengths"):
        number = re.match(r"\s*(\d+(\.\d+)?)", tags.get(key, ""))
        if number and float(number[1]) > 0:
            middle = float(number[1]) * (1000 if float(number[1]) < 100 else 1)
            return round(middle, 6)
    return None
