"""What an item of a catalogue says of its assets: the bands of their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from llpbench.data.building.band_names import family_of, is_same_name, role_of
from llpbench.data.building.items import Item, as_object, is_number
from llpbench.data.building.raster_band import Band
from llpbench.errors import BuildError, examples, printable

_TIFF = ("image/tiff", "image/vnd.stac.geotiff")
_TIFF_ENDINGS = (".tif", ".tiff")
_SHOWN = {"thumbnail", "overview", "visual"}
"""Roles of assets that are pictures of the bands; ``visual`` is also their usual name."""

_LONGEST_NAME = 100


@dataclass(frozen=True)
class AssetBand:
    """A band of an asset.

    Parameters
    ----------
    asset : str
        Name of the asset.
    number : int
        In its file, from 1.
    name, role : str
        What the item calls it, and what it shows, such as ``red``; empty where that is not said.
    count : int
        Bands that the asset is said to have.
    nodata, scale, offset, wavelength : float or None
        As of :class:`~llpbench.data.building.raster_band.Band`; None where nothing is said.
    """

    asset: str
    number: int
    name: str
    role: str
    count: int
    nodata: float | None = None
    scale: float | None = None
    offset: float | None = None
    wavelength: float | None = None

    def name_band(self, band: Band) -> Band:
        """A band of a file as the item calls it, with its nodata where the file has none."""
        named = replace(
            band,
            name=self.name or band.name or self.asset,
            role=self.role or band.role,
            wavelength=self.wavelength or band.wavelength,
        )
        if self.nodata is None or band.nodata is not None or band.is_masked:
            return named
        return replace(named, nodata=self.nodata, all_valid=False)


def find_asset(item: Item, wanted: str) -> AssetBand:
    """Find the band of an item that is called so, or shows it.

    The name of an asset counts before the name of a band, and this before what bands show. Of
    several that show it, one with a file of its own is taken.

    Parameters
    ----------
    wanted : str
        Such as ``red``, ``B04`` or the name of an asset.

    Raises
    ------
    BuildError
        If none or several are.
    """
    bands = [band for key in item.assets for band in _bands(item, key)]
    role = role_of(wanted)
    ways = (
        lambda band: is_same_name(band.asset, wanted),
        lambda band: is_same_name(band.name, wanted),
        lambda band: bool(role) and band.role == role,
        lambda band: bool(role) and family_of(band.role) == role,
    )
    for fits in ways:
        found = [band for band in bands if fits(band)]
        alone = [band for band in found if band.count == 1]
        if len(alone or found) == 1:
            return (alone or found)[0]
        if found:
            raise BuildError(
                f"{wanted!r:.60} may be the assets {examples(sorted({b.asset for b in found}))} of "
                f"item {item.id!r}; name one asset of one band with --bands"
            )
    named = sorted({band.asset for band in bands})
    raise BuildError(
        f"item {item.id!r} has no GeoTIFF of {wanted!r:.60}: its assets are "
        f"{examples(named, 12) or 'of other kinds'}; name those wanted with --bands"
    )


def _bands(item: Item, key: str) -> Sequence[AssetBand]:
    """The bands of an asset that may be read; none of what is no GeoTIFF, or a picture."""
    asset = item.assets[key]
    roles = asset.get("roles")
    if not _is_tiff(asset) or key in _SHOWN:
        return []
    if isinstance(roles, list) and _SHOWN & {str(role) for role in roles}:
        return []
    bands = asset.get("eo:bands") or asset.get("bands")
    bands = bands if isinstance(bands, list) and bands else [{}]
    rasters = asset.get("raster:bands")
    rasters = rasters if isinstance(rasters, list) else []
    rasters += [{}] * (len(bands) - len(rasters))
    return [
        _band(key, number, len(bands), {**asset, **as_object(raster), **as_object(band)})
        for number, (band, raster) in enumerate(zip(bands, rasters, strict=False), 1)
    ]


def _band(key: str, number: int, count: int, said: Mapping[str, Any]) -> AssetBand:
    common = said.get("eo:common_name", said.get("common_name"))
    name = said.get("name")
    name = printable(name)[:_LONGEST_NAME] if isinstance(name, str) else ""
    names = [text for text in (common, name, key if count == 1 else "") if isinstance(text, str)]
    middle = _number(said, "eo:center_wavelength", "center_wavelength")
    return AssetBand(
        asset=key,
        number=number,
        name=name,
        role=next(filter(None, map(role_of, names)), ""),
        count=count,
        nodata=_nodata(said.get("nodata")),
        scale=_number(said, "raster:scale", "scale"),
        offset=_number(said, "raster:offset", "offset"),
        wavelength=None if middle is None else round(1000 * middle, 6),
    )


def _number(said: Mapping[str, Any], *keys: str) -> float | None:
    found = [said[key] for key in keys if is_number(said.get(key))]
    return float(found[0]) if found else None


def _nodata(said: Any) -> float | None:
    if isinstance(said, str) and said in ("nan", "inf", "-inf"):
        return float(np.float64(said))
    return float(said) if is_number(said) else None


def _is_tiff(asset: Mapping[str, Any]) -> bool:
    kind, href = asset.get("type"), str(asset.get("href"))
    if isinstance(kind, str):
        return kind.startswith(_TIFF)
    return href.partition("?")[0].lower().endswith(_TIFF_ENDINGS)
