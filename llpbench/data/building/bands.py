"""Which bands of an image are read, and which band of a label raster holds the classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from llpbench.data import imagery
from llpbench.data.building.band_names import CLASSES, COLOURS, family_of, is_same_name, role_of
from llpbench.data.building.raster_band import Band
from llpbench.data.building.raster_file import RasterFile
from llpbench.data.building.stack import BandStack
from llpbench.data.recipe import MOST_SHOWN
from llpbench.errors import BuildError, examples

ALL = "all"
"""In place of bands: all but transparency and classes."""

_VAGUE = ("other", "index")


def choose_bands(
    stack: BandStack, wanted: Sequence[int | str] | None
) -> tuple[BandStack, list[str]]:
    """Choose the bands of an image, in each file by what that file says.

    Three bands that files call red, green and blue, or mark as such, or that have no names, are
    taken for these; the remarks say what was chosen.

    Parameters
    ----------
    wanted : sequence of int or str, or None
        Bands by number, by name or by what they show; None, or ``all``, for all but transparency
        and classes.
    """
    wanted = None if wanted is None or list(wanted) == [ALL] else wanted
    if len(stack.sheets) > 1:
        places = _find(stack.bands, stack.name, wanted, None)
        chosen = replace(stack, sheets=tuple(stack.sheets[place - 1] for place in places))
        taken = [(stack.name, tuple(stack.bands[place - 1] for place in places))]
    else:
        files = _select(stack.files, wanted)
        if wanted is None:
            _check_places(files)
        chosen = replace(stack, sheets=(tuple(files),))
        taken = [(file.path.name, file.bands) for file in files]
    if len(chosen.bands) > imagery.MOST_BANDS:
        raise BuildError(
            f"a dataset has at most {imagery.MOST_BANDS:,} bands, but {stack.name} has "
            f"{len(chosen.bands):,}: choose some with --bands"
        )
    chosen = replace(chosen, is_rgb=_are_colours(stack.bands, chosen.bands, wanted))
    points = [file.path.name for file in chosen.files if file.place.by_points]
    remarks = _say_choice(taken, is_rgb=chosen.is_rgb)
    if points:
        remarks.append(f"placed by ground control points, which agree: {examples(points)}")
    return chosen, remarks


def _say_choice(taken: Sequence[tuple[str, Sequence[Band]]], *, is_rgb: bool) -> list[str]:
    said: dict[str, list[str]] = {}
    for name, bands in taken:
        said.setdefault(_say(bands, with_roles=not is_rgb), []).append(name)
    what = "red, green, blue are bands" if is_rgb else "bands are"
    return [
        f"{what} {bands} of {names[0]}"
        + (f" and {len(names) - 1:,} other files" if len(names) > 1 else "")
        for bands, names in said.items()
    ]


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


def find_band(bands: Sequence[Band], item: int | str) -> list[int]:
    """Find the numbers of the bands that a number, a name or what a band shows may mean.

    What it shows may be said in general: ``nir`` is that of Landsat, ``nir08``, where there is no
    other.
    """
    text = str(item).strip()
    if text.isdecimal():
        return [band.number for band in bands if band.number == int(text)]
    role = role_of(text)
    ways = (
        lambda band: is_same_name(band.name, text),
        lambda band: bool(role) and band.role == role,
        lambda band: bool(role) and family_of(band.role) == role,
        lambda band: bool(role) and band.colour == role,
    )
    for fits in ways:
        if found := [band.number for band in bands if fits(band)]:
            return found
    return []


def _select(files: Sequence[RasterFile], wanted: Sequence[int | str] | None) -> list[RasterFile]:
    """Take the bands wanted of each file, else all of the first, and those of others like them."""
    chosen: list[RasterFile] = []
    for file in files:
        if wanted is None and chosen:
            numbers = _alike(file, chosen[0])
        else:
            numbers = _find(file.bands, file.path.name, wanted, file.alpha)
        selected = file.select(numbers)
        if _are_counted(file.bands):
            bare = (replace(band, role="", wavelength=None) for band in selected.bands)
            selected = replace(selected, bands=tuple(bare))
        chosen.append(selected)
    return chosen


def _check_places(files: Sequence[RasterFile]) -> None:
    """Refuse files of one band each and of one place, of which only the first would be seen."""
    seen: dict[object, RasterFile] = {}
    for file in files:
        other = seen.setdefault((file.place, file.width, file.height), file)
        if other is not file and len(file.bands) == 1:
            raise BuildError(
                f"{other.path.name} and {file.path.name} have one band each of the same place: if "
                "they are bands of one image, put them together with `gdalbuildvrt -separate`, or "
                "call them as Sentinel-2 does (B02.tif, B03.tif); if the first is to hide the "
                "second, say --bands 1"
            )


def _find(
    bands: Sequence[Band], name: str, wanted: Sequence[int | str] | None, alpha: int | None
) -> list[int]:
    if wanted is not None:
        return _named(bands, name, wanted)
    kept = [band for band in bands if band.number != alpha and band.role != CLASSES]
    if [band.colour for band in kept] == ["palette"]:
        raise BuildError(
            f"an image must have bands of values, but {name} has 1 of colour numbers; make three "
            f"of it with `gdal_translate -expand rgb {name} rgb.tif`"
        )
    if not kept:
        raise BuildError(f"{name} has no bands but of transparency and classes; give an image")
    return _colours_first(kept) or [band.number for band in kept]


def _colours_first(bands: Sequence[Band]) -> list[int]:
    """Red, green and blue in this order, where these are all bands that there are."""
    roles = [band.role for band in bands]
    if not any(roles) or _are_counted(bands):
        roles = [band.colour for band in bands]
    if sorted(roles) != sorted(COLOURS):
        return []
    return [bands[roles.index(colour)].number for colour in COLOURS]


def _named(bands: Sequence[Band], name: str, wanted: Sequence[int | str]) -> list[int]:
    found = []
    for item in wanted:
        numbers = find_band(bands, item)
        if len(numbers) != 1:
            several = f"may be {' and '.join(map(str, numbers))}" if numbers else "is none"
            raise BuildError(
                f"--bands names {examples([str(item)])}, which {several} of the bands of {name}: "
                f"{_list(bands)}; name each by its number, name or colour"
            )
        found += numbers
    twice = [number for number, count in Counter(found).items() if count > 1]
    if twice:
        raise BuildError(
            f"--bands {','.join(map(str, wanted))} names band {twice[0]} of {name} twice; name "
            "each once"
        )
    return found


def _alike(file: RasterFile, first: RasterFile) -> list[int]:
    """Bands of a file that are those of another by their names, else by their places."""
    own = [band for band in file.bands if band.number != file.alpha and band.role != CLASSES]
    if all(band.shown_name for band in [*own, *first.bands]):
        found = [find_band(own, band.shown_name) for band in first.bands]
        if all(len(numbers) == 1 for numbers in found):
            return [numbers[0] for numbers in found]
    elif len(own) == len(first.bands):
        return _colours_first(own) or [band.number for band in own]
    raise BuildError(
        f"tiles of one image must have the same bands, but {first.path.name} has "
        f"{_list(first.bands)} and {file.path.name} {_list(own)}; say with --bands which are to be "
        "taken of each"
    )


def _are_counted(bands: Sequence[Band]) -> bool:
    """Whether names are mere numbers, which programs give to bands without a name.

    Of more than four bands b1, b2, ... may be those of a satellite.
    """
    most = {"b": 4, "band": len(bands), "": len(bands)}
    names = [re.fullmatch(r"(b|band|)[ _]?(\d+)", band.name.lower()) for band in bands]
    return all(
        name is not None and int(name[2]) == number and len(bands) <= most[name[1]]
        for number, name in enumerate(names, 1)
    )


def _are_colours(
    there: Sequence[Band], chosen: Sequence[Band], wanted: Sequence[int | str] | None
) -> bool:
    """Whether bands are, or are taken for, red, green and blue."""
    if len(chosen) != len(COLOURS):
        return False
    if not any(band.name or band.role for band in there) or _are_counted(there):
        return True
    roles = [band.role for band in chosen]
    if wanted is None and not any(roles):
        roles = [band.colour for band in chosen]
    return roles == list(COLOURS)


def _list(bands: Sequence[Band]) -> str:
    """Bands with their names for an error message."""
    if any(band.name for band in bands):
        return _say(bands)
    return f"{len(bands)} bands without names"


def _say(bands: Sequence[Band], *, with_roles: bool = False) -> str:
    """Numbers, names and what bands show."""
    shown = []
    for band in bands[:MOST_SHOWN]:
        name = f" ({band.name})" if band.name else ""
        role = band.shown_role if with_roles and band.shown_role != band.name.lower() else ""
        shown.append(f"{band.number}{name}{' ' if role else ''}{role}")
    left = len(bands) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")


def describe_bands(bands: Sequence[Band]) -> tuple[imagery.Band, ...]:
    """Bands as a dataset has them, each with a name of its own.

    Those of the files where all differ, else what bands show, else ``band1`` and so on.
    """
    roles = ["" if band.shown_role in _VAGUE else band.shown_role for band in bands]
    counted = [f"band{band.number}" for band in bands]
    ways = [band.name for band in bands], roles, counted
    names = next(way for way in ways if all(way) and len(set(way)) == len(way))
    return tuple(
        imagery.Band(name, role, band.wavelength)
        for band, name, role in zip(bands, names, roles, strict=True)
    )
