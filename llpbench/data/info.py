"""What a dataset is: one typed object, and the attributes that carry it through xarray."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from llpbench.brief import Brief
from llpbench.catalog import LabelSet, recoloured
from llpbench.data.grid import ChipGrid
from llpbench.data.imagery import EMBEDDING, IMAGE, RGB_ONLY, Imagery
from llpbench.data.location import is_address
from llpbench.data.recipe import ImageRecipe
from llpbench.errors import LLPBenchError

if TYPE_CHECKING:
    import xarray as xr

_LABEL_SET, _GRID = TypeAdapter(LabelSet), TypeAdapter(ChipGrid)
_RECIPE, _IMAGES = TypeAdapter(ImageRecipe), TypeAdapter(Mapping[str, Imagery])


@dataclass(frozen=True, repr=False)
class DatasetInfo(Brief):
    """What a dataset is, whatever has been selected of it.

    Parameters
    ----------
    title : str
        The title of a made dataset says that it is one.
    label_set : LabelSet
        Label classes and class groups, whether the dataset is grouped or not.
    synthetic : bool
        Whether it was made by a program and shows no real place.
    digest : str
        SHA-256 over the contents of its store, with the prefix ``sha256:``.
    doi : str or None
        Of the published record it comes from.
    licence, attribution : str
        What must be observed and said by whoever uses it.
    grid : ChipGrid or None
        What the chips stand on, where that is known.
    recipe : ImageRecipe or None
        How images became the chips' bytes, where that is known.
    images : mapping
        What ``image`` and ``embedding`` hold: bands, and how stored numbers become values.
    store : Path or str or None
        The folder that holds it, or its address; None for a truth table, and behind the label
        firewall.
    """

    name: str
    title: str
    label_set: LabelSet
    synthetic: bool = False
    digest: str = ""
    doi: str | None = None
    licence: str = ""
    attribution: str = ""
    grid: ChipGrid | None = None
    recipe: ImageRecipe | None = None
    images: Mapping[str, Imagery] = field(default_factory=lambda: RGB_ONLY)
    store: Path | str | None = None

    @classmethod
    def of_attributes(cls, attributes: Mapping[Any, Any]) -> DatasetInfo:
        """Read what :meth:`attributes` wrote; only the classes must be there."""
        if "label_set" not in attributes:
            raise LLPBenchError(
                "this dataset has lost its attributes, and with them its classes; "
                "keep them (xr.set_options(keep_attrs=True)) or open it again"
            )
        known = {name: str(attributes.get(name, "")) for name in _TEXTS}
        return cls(
            **known,
            doi=attributes.get("doi") or None,
            synthetic=attributes.get("synthetic") == "true",
            label_set=_parse_label_set(attributes["label_set"]),
            grid=_parse_grid(attributes["grid"]) if attributes.get("grid") else None,
            recipe=_parse_recipe(attributes["recipe"]) if attributes.get("recipe") else None,
            images=_parse_images(attributes["images"]) if attributes.get("images") else RGB_ONLY,
            store=_parse_store(attributes.get("store", "")),
        )

    @classmethod
    def of_dataset(cls, ds: xr.Dataset) -> DatasetInfo:
        """What a dataset is that is open: images are of the arrays and bands that it still has."""
        info = cls.of_attributes(ds.attrs)
        images = {name: known.select(ds[name]) for name, known in info.images.items() if name in ds}
        if not images or images == info.images:
            return info
        recipe = info.recipe
        if recipe is not None and IMAGE in images:
            recipe = recipe.select(info.images[IMAGE].names, images[IMAGE].names)
        if recipe is not None and EMBEDDING not in images:
            recipe = replace(recipe, embedding=None)
        return replace(info, images=images, recipe=recipe)

    def attributes(self) -> dict[str, str]:
        """Plain text for the attributes of an xarray dataset, so that any file can hold them."""
        return {
            **{name: getattr(self, name) for name in _TEXTS},
            "synthetic": str(self.synthetic).lower(),
            "doi": self.doi or "",
            "label_set": _LABEL_SET.dump_json(self.label_set).decode(),
            "grid": "" if self.grid is None else _GRID.dump_json(self.grid).decode(),
            "recipe": "" if self.recipe is None else _RECIPE.dump_json(self.recipe).decode(),
            "images": "" if self.images == RGB_ONLY else _IMAGES.dump_json(self.images).decode(),
            "store": "" if self.store is None else str(self.store),
        }

    @property
    def shown_name(self) -> str:
        """The name as people read it."""
        return mark_synthetic(self.name, self.synthetic)


_TEXTS = ("name", "title", "digest", "licence", "attribution")


def mark_synthetic(name: str, is_synthetic: bool) -> str:
    """Say of a dataset that it was made by a program, wherever its name is shown.

    Examples
    --------
    >>> mark_synthetic("demo-humanpop", True)
    'demo-humanpop (synthetic)'
    """
    return f"{name} (synthetic)" if is_synthetic else name


def _parse_store(text: str) -> Path | str | None:
    return text if is_address(text) else Path(text) if text else None


# A run opens, splits and groups a dataset many times; its attributes stay the same text.
@lru_cache(maxsize=64)
def _parse_label_set(text: str) -> LabelSet:
    return recoloured(_LABEL_SET.validate_json(text))


@lru_cache(maxsize=64)
def _parse_grid(text: str) -> ChipGrid:
    return _GRID.validate_json(text)


@lru_cache(maxsize=64)
def _parse_images(text: str) -> Mapping[str, Imagery]:
    return _IMAGES.validate_json(text)


@lru_cache(maxsize=64)
def _parse_recipe(text: str) -> ImageRecipe:
    return _RECIPE.validate_json(text)
