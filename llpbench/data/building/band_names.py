"""What a band shows, by what a file calls it."""

from __future__ import annotations

import re
from collections.abc import Mapping

COLOURS = ("red", "green", "blue")

_CODES = {
    **{"1": "coastal", "2": "blue", "3": "green", "4": "red", "5": "rededge", "6": "rededge"},
    **{"7": "rededge", "8": "nir", "8a": "nir", "9": "water", "10": "cirrus", "11": "swir"},
    "12": "swir",
}
"""Of Sentinel-2; 2, 3 and 4 are those of Landsat 8 and 9 as well."""

_OTHER_CODES = {"sr", "sur"}
"""How names begin whose codes are of several Landsats or of MODIS (``sur_refl_b01``, red)."""

_LETTERS = {"r": "red", "g": "green", "b": "blue", "n": "nir"}

_OTHER = {
    **{"rededge": "rededge", "edge": "rededge", "nir": "nir", "nir08": "nir", "nir09": "nir"},
    **{"infrared": "nir", "swir": "swir", "swir16": "swir", "swir22": "swir", "swir1": "swir"},
    **{"swir2": "swir", "coastal": "coastal", "aerosol": "coastal", "cirrus": "cirrus"},
    **{"pan": "pan", "panchromatic": "pan", "yellow": "yellow", "thermal": "thermal"},
    **{"lwir": "thermal", "lwir11": "thermal", "scl": "classes", "elevation": "elevation"},
    **{"dem": "elevation", "ndvi": "index", "ndwi": "index", "shortwave": "swir"},
    **{"alpha": "alpha", "mask": "alpha"},
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
    ['red', 'red', 'red', 'blue', 'nir']
    """
    words = [word for word in re.split(r"[\W_]+", name.lower()) if word]
    for known in (_OTHER, {colour: colour for colour in COLOURS}):
        found = {known[word] for word in words if word in known}
        if found:
            return found.pop() if len(found) == 1 else ""
    if len(words) == 1 and words[0] in _LETTERS:
        return _LETTERS[words[0]]
    codes = [match[1] for word in words if (match := re.fullmatch(r"b0?(\d{1,2}a?)", word))]
    return _CODES.get(codes[0], "") if len(codes) == 1 and words[0] not in _OTHER_CODES else ""


def is_same_name(first: str, second: str) -> bool:
    """Whether two names of bands differ in case and leading zeros only."""
    return _plain(first) == _plain(second)


def _plain(name: str) -> str:
    return re.sub(r"(?<=[a-z])0+(?=\d)", "", name.strip().lower())


def _by_wavelength(tags: Mapping[str, str]) -> str:
    """By the middle of a band in nanometres, or in micrometres, which are fewer than 100."""
    for key in ("center_wavelength", "central_wavelength_um", "wavelength", "wavelengths"):
        number = re.match(r"\s*(\d+(\.\d+)?)", tags.get(key, ""))
        if number:
            middle = float(number[1]) * (1000 if float(number[1]) < 100 else 1)
            near = [r for r, (low, high) in _MIDDLES.items() if low <= middle <= high]
            return near[0] if near else "other"
    return ""
