"""What numbers of Sentinel-2 and Landsat mean, whose files do not say it.

Sentinel-2 has 10,000 times the reflectance, since 2022 with 1000 on top. With processing baseline
04.00, on 25 January 2022, ESA began to add 1000 to the numbers, so that dark pixels stay positive:
reflectance is (number + BOA_ADD_OFFSET) / BOA_QUANTIFICATION_VALUE, with an offset of -1000 (of L1C
RADIO_ADD_OFFSET and QUANTIFICATION_VALUE); 0 stays for no data. Both stand in the product's
MTD_MSIL2A.xml. Others took the 1000 off when they made GeoTIFFs, and say so in a STAC item, of
which ``earthsearch:boa_offset_applied: false`` is known to be wrong at times.

Landsat of Collection 2, Level 2, has .0000275 n - .2 for reflectance and .00341802 n + 149 for
temperature in kelvin, and 0 for no data: USGS, Landsat 8-9 (LSDS-1619) and 4-7 (LSDS-1618)
Collection 2 Level 2 Science Product Guide. Its names say which it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from llpbench.data.building.raster_band import Band
from llpbench.data.building.raster_file import RasterFile
from llpbench.data.building.scenes import parse_name
from llpbench.data.sensors import SENTINEL2
from llpbench.errors import BuildError
from llpbench.reading import read_json, read_xml

AUTO, NONE, ADDED = "auto", "none", "-1000"
BOA_OFFSETS = (AUTO, NONE, ADDED)
"""What may be said of the offset: that it is read, that none is to be added, or this one."""

QUANTIFICATION = 10_000.0
"""What numbers of Sentinel-2 are divided by."""

_OFFSET = -1000.0
SINCE = "20220125"
"""The day from which 1000 is added."""

_BASELINE = re.compile(r"(?:^|_)N(\d\d)(\d\d)_")
FIRST_BASELINE = 4.0
"""The processing baseline that added it first."""

_LARGEST = 2**24

_LANDSAT = re.compile(r"L[COET]0[45789]_L2S[PR]_.+_02_(?:T1|T2|RT)_(SR|ST)_B\d{1,2}", re.I)

Sheets = tuple[tuple[RasterFile, ...], ...]


@dataclass(frozen=True)
class Meaning:
    """How numbers become values, number * scale + offset, and in words."""

    scale: float
    offset: float
    said: str

    @classmethod
    def of_sentinel2(
        cls, offset: float, said_by: str, quantification: float = QUANTIFICATION
    ) -> Self:
        """What (number + offset) / quantification is."""
        what = "nothing is" if offset == 0 else f"{-offset:g} is"
        said = f"{what} taken off the numbers ({said_by})"
        return cls(1 / quantification, offset / quantification, said)


_LANDSAT_MEANINGS = {
    "SR": Meaning(2.75e-5, -0.2, "reflectance is 0.0000275 n - 0.2 (Landsat Collection 2)"),
    "ST": Meaning(0.00341802, 149.0, "kelvins are 0.00341802 n + 149 (Landsat Collection 2)"),
}


def read_reflectance(sheets: Sheets, wanted: str) -> tuple[Sheets, list[str]]:
    """Give files of Sentinel-2 and Landsat scale and offset, by which numbers become values.

    What a file's own tags say counts, unless something is wanted, which is done to any file but
    those of Landsat.

    Parameters
    ----------
    wanted : {"auto", "none", "-1000"}
        What to add to numbers; ``auto`` for what metadata beside the files say.

    Raises
    ------
    BuildError
        If 1000 may have been added and nothing tells.
    """
    if wanted not in BOA_OFFSETS:
        raise BuildError(f"--boa-offset must be auto, none or -1000, found {wanted!r:.40}")
    said: dict[str, list[str]] = {}
    found = tuple(tuple(_tell(file, wanted, said) for file in sheet) for sheet in sheets)
    return found, [
        f"{names[0]}{f' and {len(names) - 1:,} other files' if len(names) > 1 else ''}: {what}"
        for what, names in said.items()
    ]


def _tell(file: RasterFile, wanted: str, said: dict[str, list[str]]) -> RasterFile:
    if np.dtype(file.dtype).kind not in "iu" or np.dtype(file.dtype).itemsize == 1:
        return file
    meaning = _find(file, wanted)
    if meaning is None:
        return file
    said.setdefault(meaning.said, []).append(file.path.name)
    return replace(file, bands=tuple(_mean(band, meaning) for band in file.bands))


def _mean(band: Band, meaning: Meaning) -> Band:
    """A band with scale and offset, and 0 for missing where it does not say another number."""
    return replace(
        band,
        scale=meaning.scale,
        offset=meaning.offset,
        nodata=0.0 if band.nodata is None and not band.is_masked else band.nodata,
        all_valid=False,
    )


def _find(file: RasterFile, wanted: str) -> Meaning | None:
    """Find what a file's numbers mean, None where it is not known to be of these satellites."""
    if found := _LANDSAT.fullmatch(file.path.stem):
        return None if file.has_tags else _LANDSAT_MEANINGS[found[1].upper()]
    name = parse_name(file.path)
    is_band = name is not None and name.sensor == "Sentinel-2" and file.count <= 2
    baseline = _baseline(file.path)
    if wanted != AUTO:
        return Meaning.of_sentinel2(_OFFSET if wanted == ADDED else 0.0, "--boa-offset")
    if file.has_tags or not (is_band or baseline is not None):
        return None
    meaning = _by_product(file.path, name.band if name else "") or _by_item(file.path)
    if meaning is not None:
        return meaning
    date = name.date if name is not None and is_band else ""
    if baseline is not None and baseline < FIRST_BASELINE:
        return Meaning.of_sentinel2(0.0, f"baseline {baseline:05.2f}") if is_band else None
    if baseline is not None or date >= SINCE:
        why = "its baseline is 04.00 or later" if baseline else f"it is of {date}"
        raise BuildError(
            f"{file.path.name} may hold numbers of Sentinel-2 to which 1000 was added ({why}), and "
            "neither MTD_MSIL2A.xml nor a STAC item beside it tells: say --boa-offset -1000 if it "
            "was, as in ESA's own files, or --boa-offset none if it was taken off again"
        )
    return Meaning.of_sentinel2(0.0, f"of {date}, before 1000 was added") if date else None


def _baseline(path: Path) -> float | None:
    """The processing baseline in the name of a file or of the product it is part of."""
    for name in (path.name, *(folder.name for folder in path.parents[:5])):
        if (found := _BASELINE.search(name)) and re.match("S2[A-D]_", name):
            return float(f"{found[1]}.{found[2]}")
    return None


def _by_product(path: Path, band: str) -> Meaning | None:
    """What the metadata of ESA's product say of a band."""
    folders = [path.parent]
    granule = [folder for folder in path.parents[:5] if folder.name == "GRANULE"]
    folders += [folder.parent for folder in granule]
    for folder in folders:
        for file in sorted(folder.glob("MTD_MSIL*.xml"))[:1]:
            offsets, quantification = _read_product(file)
            code = band.replace("B0", "B")
            number = str(list(SENTINEL2).index(code)) if code in SENTINEL2 else ""
            offset = offsets.get(number, max(offsets.values(), default=0.0))
            return Meaning.of_sentinel2(offset, file.name, quantification)
    return None


def _read_product(path: Path) -> tuple[dict[str, float], float]:
    """Offsets by the number of the band, and what numbers are divided by."""
    offsets, quantification = {}, QUANTIFICATION
    try:
        for element in read_xml(path, _LARGEST, BuildError).iter():
            tag = str(element.tag).rpartition("}")[2]
            if tag in ("BOA_ADD_OFFSET", "RADIO_ADD_OFFSET"):
                offsets[element.get("band_id", "")] = float(element.text or "")
            elif tag in ("BOA_QUANTIFICATION_VALUE", "QUANTIFICATION_VALUE"):
                quantification = float(element.text or "")
    except ValueError as error:
        raise BuildError(f"{path.name} has an offset or a divisor that is no number") from error
    if not (np.isfinite([*offsets.values()]).all() and 0 < quantification < np.inf):
        raise BuildError(f"{path.name} has an offset or a divisor that is no number")
    return offsets, quantification


def _by_item(path: Path) -> Meaning | None:
    """What a STAC item beside a file says of it."""
    names = {path.parent.name, "item", "stac", path.stem}
    head = re.sub(r"_(?:B\d[\dA]|SCL)$", "", path.stem)
    for file in (path.parent / f"{name}.json" for name in sorted(names | {head})):
        if file.is_file():
            item = read_json(file, _LARGEST, BuildError)
            if isinstance(item, dict) and (meaning := _read_item(item, path.name, file.name)):
                return meaning
    return None


def _read_item(item: dict[str, Any], asset: str, source: str) -> Meaning | None:
    """Read an item: what was applied counts, else the asset's offset unless that is in doubt."""
    applied = find_applied(item)
    if applied is True:
        return Meaning.of_sentinel2(0.0, f"{source} says that it was taken off")
    if applied is False:
        return None
    for entry in _object(item.get("assets")).values():
        entry = _object(entry)
        if str(entry.get("href", "")).rpartition("/")[2] != asset:
            continue
        bands = entry.get("raster:bands") or entry.get("bands") or [{}]
        said = entry | (_object(bands[0]) if isinstance(bands, list) else {})
        offset = said.get("offset", said.get("raster:offset"))
        scale = said.get("scale", said.get("raster:scale", 1 / QUANTIFICATION))
        if _is_number(offset) and _is_number(scale) and scale > 0:
            offset, quantification = (float(f"{x:.9g}") for x in (offset / scale, 1 / scale))
            return Meaning.of_sentinel2(offset, source, quantification)
    return None


def find_applied(item: Mapping[str, Any]) -> bool | None:
    """Whether 1000 was taken off by what a STAC item says.

    None where it says nothing of it, or that it was not; False where that is known to be wrong at
    times, so that nothing is known.
    """
    properties = _object(item.get("properties"))
    applied = next(
        (properties[key] for key in properties if key.endswith(":boa_offset_applied")), None
    )
    if applied is True or (applied is False and item.get("collection") == "sentinel-2-l2a"):
        return bool(applied)
    return None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
