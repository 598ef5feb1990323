"""A region of one's own in the cache, under a name."""

from __future__ import annotations

from dataclasses import replace

from llpbench.data.building.region import Recipe, build_region
from llpbench.data.cache import new_store_path
from llpbench.data.store import WriteReport, write_store


def build_dataset(
    name: str,
    recipe: Recipe,
    *,
    title: str | None = None,
    licence: str | None = None,
    attribution: str | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> WriteReport:
    """Make a dataset in the cache from rasters, division outlines and tables.

    Parameters
    ----------
    name : str
        What the dataset will be called.
    recipe : Recipe
        What it is made of.
    title, licence, attribution : str, optional
        What is said of it; by default its name, and what the legend says of the labels.
    workers : int, optional
        Threads that read and write; by default one for each processor.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    LLPBenchError
        In one sentence, what is wrong with a file or an option; nothing is left then.

    Examples
    --------
    >>> from pathlib import Path
    >>> build_dataset("mine", Recipe([Path("missing.tif")]))
    Traceback (most recent call last):
        ...
    llpbench.errors.BuildError: there is no raster 'missing.tif'
    """
    path = new_store_path(name)
    region, remarks = build_region(recipe)
    labels = region.label_set
    report = write_store(
        region,
        path,
        name=name,
        title=title or name,
        licence=labels.licence if licence is None else licence,
        attribution=labels.attribution if attribution is None else attribution,
        source=", ".join(file.name for file in [*recipe.images, *recipe.labels][:10]),
        workers=workers,
        progress=progress,
    )
    return replace(report, remarks=(*remarks, *report.remarks))
