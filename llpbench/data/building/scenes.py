"""Files of one band each, put together by their names: Sentinel-1 and -2, Landsat."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llpbench.data.building.band_names import CLASSES, role_of
from llpbench.data.sensors import LANDSAT, SENTINEL2
from llpbench.errors import BuildError, examples

_SEPARATOR = r"(?:^|(?<=[._-]))"
_SENTINEL2 = re.compile(
    rf"(?P<head>.*?){_SEPARATOR}(?P<band>B(?:0[1-9]|1[0-2]|8A)|SCL)(?:_(?P<metres>[126]0)m)?", re.I
)
_LANDSAT = re.compile(
    r"(?P<head>L[COET]0(?P<number>[45789])_.+?)_(?:SR_|ST_)?(?P<band>B\d{1,2})", re.I
)
_LANDSAT_HLS = re.compile(r"(?P<head>HLS\.L30\..+)\.(?P<band>B\d\d)", re.I)
_SENTINEL1 = re.compile(
    rf"(?P<head>.*?){_SEPARATOR}(?P<band>VV|VH|HH|HV)(?P<tail>[-_]2\d{{7}}.*?)?(?:-00\d)?", re.I
)
_LEFT_OUT = re.compile(
    r"(?:.*[._-])?(?:AOT|WVP|TCI|PVI|CLD|SNW|CLDPRB|SNWPRB|SR_QA\w*|QA_\w+|ST_[A-Z]+|FMASK|[SV][ZA]A|"
    r"thumbnail|thumb_\w+|refl|preview)"
    r"(?:_\d\dm)?",
    re.I,
)
"""Products beside the bands: atmosphere, true colour, probabilities, quality, angles."""

_TILE = re.compile(r"(?:^|[_.])T?(\d{2}[C-X][A-Z]{2})(?=[_.]|$)|_(\d{6})(?=_\d{8})")
_DATE = re.compile(r"(?<!\d)(20\d{6})(?!\d)|(?<!\d)(20\d{5})T")


@dataclass(frozen=True)
class BandFile:
    """What the name of a file of one band says.

    Parameters
    ----------
    scene : str
        What files of other bands of the same image share.
    sensor, tile, date : str
        Satellite; tile of Sentinel-2, or path and row of Landsat; day. Empty if not known.
    band, role : str
        Name, such as ``B02``, and what it shows.
    metres : int
        Side of its pixels, 0 if not said.
    """

    path: Path
    scene: str
    sensor: str
    tile: str
    date: str
    band: str
    role: str
    metres: int

    @property
    def order(self) -> tuple[int, str]:
        """Place among the bands of its sensor."""
        codes = list(SENTINEL2)
        code = self.band.replace("B0", "B")
        return codes.index(code) if code in codes else len(codes), self.band


@dataclass(frozen=True)
class Scenes:
    """Files of one band each, that together are an image.

    Parameters
    ----------
    sensor : str
        Satellite.
    bands : mapping of str to sequence of BandFile
        By name and in the order of the sensor: the file of each scene.
    classification : sequence of BandFile
        Classes of each scene's pixels, such as clouds.
    """

    sensor: str
    bands: Mapping[str, Sequence[BandFile]]
    classification: Sequence[BandFile]


def parse_name(path: Path) -> BandFile | None:
    """Read the name of a file of one band, None if it is not called like one.

    Examples
    --------
    >>> band = parse_name(Path("T31UFS_20230601T104619_B02_10m.jp2"))
    >>> band.sensor, band.tile, band.date, band.band, band.role, band.metres
    ('Sentinel-2', '31UFS', '20230601', 'B02', 'blue', 10)
    """
    stem = path.stem
    if found := _LANDSAT.fullmatch(stem) or _LANDSAT_HLS.fullmatch(stem):
        number = found.groupdict().get("number", "8")
        band = re.sub("B0", "B", found["band"].upper())
        return _describe(path, found, f"Landsat {number}", LANDSAT[number].get(band, ""))
    if found := _SENTINEL2.fullmatch(stem):
        return _describe(path, found, "Sentinel-2", role_of(found["band"]))
    if found := _SENTINEL1.fullmatch(stem):
        return _describe(path, found, "Sentinel-1", found["band"].lower())
    return None


def _describe(path: Path, found: re.Match[str], sensor: str, role: str) -> BandFile:
    groups = found.groupdict()
    head = groups["head"].rstrip("._-") + (groups.get("tail") or "")
    folder = path.absolute().parent
    finer = re.fullmatch(r"R(\d\d)m", folder.name)
    folder = folder.parent if finer else folder
    said = head or folder.name
    tile, date = _TILE.search(said), _DATE.search(said)
    return BandFile(
        path=path,
        scene=head or str(folder),
        sensor=sensor,
        tile=next(filter(None, tile.groups()), "") if tile else "",
        date=next(filter(None, date.groups()), "") if date else "",
        band=groups["band"].upper(),
        role=role,
        metres=int(groups.get("metres") or (finer[1] if finer else 0)),
    )


def find_scenes(paths: Sequence[Path]) -> tuple[Scenes | None, list[str]]:
    """Put files of one band each together by their names; None where none is called like one.

    Of each band the finest file of a scene is taken. The remark says what was left out.
    """
    named = {path: parse_name(path) for path in paths}
    found = [name for name in named.values() if name is not None]
    if not any(name.role != CLASSES for name in found):
        return None, []
    beside = [path for path, name in named.items() if name is None]
    odd = [path.name for path in beside if not _LEFT_OUT.fullmatch(path.stem)]
    if odd:
        raise BuildError(
            f"{found[0].path.name} is by its name a band of an image, but {examples(odd)} not: "
            "give the files of one image's bands alone, or files that hold all bands"
        )
    _check_one_sensor(found)
    chosen = _finest(found)
    bands: dict[str, list[BandFile]] = {}
    for name in sorted(chosen, key=lambda name: name.order):
        bands.setdefault(name.band, []).append(name)
    classes = [name for files in bands.values() for name in files if name.role == CLASSES]
    bands = {band: files for band, files in bands.items() if files[0].role != CLASSES}
    _check_whole(bands)
    names = sorted(path.name for path in beside)
    remarks = [f"left out, as it is no band: {examples(names)}"] if names else []
    return Scenes(found[0].sensor, bands, classes), remarks


def _check_one_sensor(found: Sequence[BandFile]) -> None:
    first = found[0]
    for name in found:
        if name.sensor != first.sensor:
            raise BuildError(
                f"bands of one image must be of one satellite, but {first.path.name} is of "
                f"{first.sensor} and {name.path.name} of {name.sensor}; build a dataset of each, "
                "or put them together with `gdalbuildvrt -separate`"
            )
    by_tile: dict[str, BandFile] = {}
    for name in found:
        other = by_tile.setdefault(name.tile, name) if name.tile else name
        if other.scene != name.scene:
            raise BuildError(
                f"{other.path.name} and {name.path.name} are two images of one place (tile "
                f"{name.tile}); give one of them"
            )


def _finest(found: Sequence[BandFile]) -> list[BandFile]:
    """Of each scene's bands the file with the smallest pixels."""
    chosen: dict[tuple[str, str], BandFile] = {}
    for name in found:
        other = chosen.setdefault((name.scene, name.band), name)
        if other is not name and other.metres == name.metres:
            raise BuildError(
                f"{str(other.path)!r} and {str(name.path)!r} are both band {name.band} of one "
                "image; give one of them"
            )
        if name.metres < other.metres:
            chosen[name.scene, name.band] = name
    return list(chosen.values())


def _check_whole(bands: Mapping[str, Sequence[BandFile]]) -> None:
    """Refuse scenes that lack a band that others have."""
    scenes = {name.scene: name for files in bands.values() for name in files}
    for band, files in bands.items():
        missing = scenes.keys() - {name.scene for name in files}
        if missing:
            raise BuildError(
                f"band {band} is there as {files[0].path.name}, but not beside "
                f"{scenes[min(missing)].path.name}: give the same bands of each tile"
            )
