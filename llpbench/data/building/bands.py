"""Which bands of a raster are read: red, green and blue of an image, the classes of a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from llpbench.data.building.band_names import COLOURS, is_same_name, role_of
from llpbench.data.building.raster_file import Band, RasterFile
from llpbench.errors import BuildError, examples


def choose_bands(
    files: Sequence[RasterFile], wanted: Sequence[int | str] | None
) -> tuple[list[RasterFile], list[str]]:
    """Choose the red, green and blue band of each file, each by what that file says.

    Parameters
    ----------
    wanted : sequence of int or str, or None
        Three bands by number, by name or by what they show; None for those that a file calls red,
        green and blue, or marks as such, or the three that it has.
    """
    chosen = [file.select(_find(file, wanted)) for file in files]
    said = Counter(_say(file.bands) for file in chosen)
    first = {_say(file.bands): file.path.name for file in reversed(chosen)}
    remarks = []
    for bands, number in said.items():
        others = f" and {number - 1:,} other files" if number > 1 else ""
        remarks.append(f"red, green, blue are bands {bands} of {first[bands]}{others}")
    points = [file.path.name for file in files if file.place.by_points]
    if points:
        remarks.append(f"placed by ground control points, which agree: {examples(points)}")
    return chosen, remarks


def choose_label_band(files: Sequence[RasterFile], number: int | None) -> list[RasterFile]:
    """Choose the band of each file that holds the classes.

    Parameters
    ----------
    number : int or None
        Of the band; None for the only one (beside one of transparency).
    """
    for file in files:
        numbers = [band.number for band in file.bands if band.number != file.alpha]
        if number is None and len(numbers) != 1:
            raise BuildError(
                f"labels must be in one band, but {file.path.name} has {_list(file.bands)}; say "
                "which holds the classes with --label-band"
            )
        if number is not None and not 1 <= number <= file.count:
            raise BuildError(
                f"--label-band must be 1 to {file.count}, the bands of {file.path.name}, found "
                f"{number}"
            )
    return [file.select([_only(file) if number is None else number]) for file in files]


def _only(file: RasterFile) -> int:
    return next(band.number for band in file.bands if band.number != file.alpha)


def _find(file: RasterFile, wanted: Sequence[int | str] | None) -> list[int]:
    if wanted is not None:
        return _named(file, wanted)
    bands = [band for band in file.bands if band.number != file.alpha]
    if any(band.role for band in bands) and not _are_counted(bands):
        found = [[b.number for b in bands if b.role == colour] for colour in COLOURS]
    else:
        found = [[b.number for b in bands if b.colour == colour] for colour in COLOURS]
        if not all(found) and len(bands) == 3:
            return [band.number for band in bands]
    if all(len(numbers) == 1 for numbers in found):
        return [numbers[0] for numbers in found]
    raise BuildError(_question(file, bands))


def _are_counted(bands: Sequence[Band]) -> bool:
    """Whether names are mere numbers, b1 to b4, which programs give to bands without a name."""
    names = [f"b{number}" for number in range(1, len(bands) + 1)]
    return len(bands) <= 4 and [band.name.lower() for band in bands] == names


def _named(file: RasterFile, wanted: Sequence[int | str]) -> list[int]:
    found = [find_band(file, item) for item in wanted]
    if len(wanted) != 3 or not all(len(numbers) == 1 for numbers in found):
        raise BuildError(
            f"--bands must name three of the {file.count} bands of {file.path.name} by number, "
            f"name or colour ({_list(file.bands)}), found {','.join(map(str, wanted))}"
        )
    return [numbers[0] for numbers in found]


def find_band(file: RasterFile, item: int | str) -> list[int]:
    """Find the numbers of the bands that a number, a name or what a band shows may mean."""
    text = str(item).strip()
    if text.isdecimal():
        return [number for number in [int(text)] if 1 <= number <= file.count]
    exact = [band.number for band in file.bands if is_same_name(band.name, text)]
    role = role_of(text)
    by_role = [band.number for band in file.bands if role and band.role == role]
    return exact or by_role or [b.number for b in file.bands if role and b.colour == role]


def _question(file: RasterFile, bands: Sequence[Band]) -> str:
    name = file.path.name
    if [band.colour for band in bands] == ["palette"]:
        return (
            f"an image must have 3 bands (red, green, blue), but {name} has 1 of colour numbers; "
            f"make three of it with `gdal_translate -expand rgb {name} rgb.tif`"
        )
    if len(bands) < 3:
        return (
            f"an image must have 3 bands (red, green, blue), but {name} has {len(bands)}; put "
            "files of one band each together with `gdalbuildvrt -separate rgb.vrt RED GREEN BLUE`"
        )
    return (
        f"which bands are red, green and blue cannot be told: {name} has {file.count}; name three "
        f"with --bands, such as --bands 4,3,2, of {_list(file.bands)}"
    )


def _list(bands: Sequence[Band]) -> str:
    """Bands with their names for an error message."""
    if any(band.name for band in bands):
        return _say(bands[:20])
    return f"{len(bands)} bands without names"


def _say(bands: Sequence[Band]) -> str:
    return ", ".join(f"{b.number} ({b.name})" if b.name else f"{b.number}" for b in bands)
