"""What made an embedding: the model, its version and the year, as files and their names say it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ALPHAEARTH, TESSERA = "AlphaEarth", "TESSERA"

_MODELS = {
    ALPHAEARTH: re.compile(r"alpha.?earth|satellite_embedding|2507\.22291|(?<![a-z])aef(?![a-z])"),
    TESSERA: re.compile(r"tessera"),
}
_VERSION = re.compile(r"(?:embedding|aef|alpha.?earth|tessera|model)[_/-]v?(\d+(?:\.\d+)*)(?!\d)")
_PUBLISHED = re.compile(r"/v(\d+)/annual/(20\d\d)/\d{1,2}[ns]/[^/]*$")
"""Where AlphaEarth's files lie, whose names say nothing."""

_OF_TESSERA = "geotessera.org/model/"
_YEAR = re.compile(r"(?<!\d)20[1-4]\d(?!\d)")
_LONGEST = 100


@dataclass(frozen=True)
class Origin:
    """The model, its version and the year of what it saw; empty or None where that is not said."""

    model: str = ""
    version: str = ""
    year: int | None = None

    def __str__(self) -> str:
        """As it is recorded.

        Examples
        --------
        >>> print(Origin("TESSERA", "1.1", 2024))
        TESSERA 1.1, 2024
        """
        model = " ".join(filter(None, (self.model, self.version)))
        return ", ".join(filter(None, (model, str(self.year or ""))))

    def or_else(self, other: Origin) -> Origin:
        """The same, with what another says where this says nothing."""
        return Origin(
            self.model or other.model, self.version or other.version, self.year or other.year
        )


def find_model(text: str) -> str:
    """Which model a text names; empty where it names none that is known here.

    Examples
    --------
    >>> find_model("GOOGLE_SATELLITE_EMBEDDING_V1_ANNUAL_2024"), find_model("city")
    ('AlphaEarth', '')
    """
    found = [model for model, names in _MODELS.items() if names.search(text.lower())]
    return found[0] if len(found) == 1 else ""


def of_text(text: str) -> Origin:
    """What a name or an address says.

    Examples
    --------
    >>> print(of_text("GOOGLE_SATELLITE_EMBEDDING_V1_ANNUAL_2024"))
    AlphaEarth 1, 2024
    >>> print(of_text("https://geotessera.org/model/1.0"))
    TESSERA 1
    """
    model = find_model(text)
    version = _VERSION.search(text.lower()) if model else None
    years = set(_YEAR.findall(text))
    year = int(years.pop()) if len(years) == 1 else None
    return Origin(model, plain_version(version[1]) if version else "", year)


def of_path(path: Path) -> Origin:
    """What a file's name says, or where it lies among those that are published."""
    published = _PUBLISHED.search(path.as_posix().lower())
    if published:
        return Origin(ALPHAEARTH, plain_version(published[1]), int(published[2]))
    return of_text(path.stem)


def of_tags(tags: Mapping[str, Any]) -> Origin:
    """What tags of a GeoTIFF, or attributes of a Zarr group, say.

    Those of geotessera, and of the geo-embeddings Zarr convention, whose model is an address.
    """
    said = {str(key).lower(): str(value)[:_LONGEST] for key, value in tags.items()}
    address = said.get("geoemb:model", "")
    origin = of_text(address)
    if address and not origin.model:
        origin = Origin(address)
    elif _OF_TESSERA in address:  # such as 2-2B-L: another model by the same number
        origin = replace(origin, version=plain_version(address.partition(_OF_TESSERA)[2]))
    version = said.get("tessera_dataset_version", "")
    if version:
        words = (plain_version(version), said.get("tessera_dataset_variant", ""))
        origin = Origin(TESSERA, " ".join(filter(None, words)))
    year = said.get("tessera_year", said.get("year", ""))
    return origin.or_else(Origin(year=int(year) if _YEAR.fullmatch(year) else None))


def plain_version(text: str) -> str:
    """A version without the letter before it and zeros at its end.

    Examples
    --------
    >>> plain_version("v1"), plain_version("1.0"), plain_version("1.10")
    ('1', '1', '1.10')
    """
    return re.sub(r"(\.0)+$", "", text.strip().removeprefix("v"))
