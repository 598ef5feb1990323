"""Where datasets live on this machine, and how archives and made regions get there."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import replace
from pathlib import Path

import platformdirs

from llpbench import catalog
from llpbench.crew import gather
from llpbench.data.location import check_address, is_address
from llpbench.data.store import WriteReport, write_store
from llpbench.data.store.layout import INFO, NAME
from llpbench.errors import StoreError, UnknownNameError, unknown

log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Folder of all datasets: ``$LLPBENCH_CACHE``, or the platform's for a user's caches."""
    named = os.environ.get("LLPBENCH_CACHE")
    try:
        return Path(named).expanduser() if named else platformdirs.user_cache_path("llpbench")
    except RuntimeError as error:  # ~somebody who is not known here
        raise StoreError(f"LLPBENCH_CACHE is {named!r}: {error}") from error


def stored_names() -> list[str]:
    """Names of the datasets that are in the cache, whole; sorted."""
    return sorted(info.parent.name for info in cache_folder().glob(f"[!.]*/{INFO}"))


def find_store(name: str | os.PathLike[str]) -> Path | str:
    """Find a dataset by its name or path, or check its address."""
    text = os.fspath(name)
    return check_address(text) if is_address(text) else find_folder(name)


def find_folder(name: str | os.PathLike[str]) -> Path:
    """Find a dataset on disk by its name or path; an embedded one is made at its first use."""
    path, text = Path(name), os.fspath(name)
    datasets, stored = catalog.load().datasets, stored_names()
    if path.is_dir():
        if not (isinstance(name, str) and text in {*datasets, *stored}):
            return path
        if path.resolve() != (cache_folder() / text).resolve():
            log.warning("%s is taken for the dataset; for the folder here, write ./%s", text, text)
    if text in stored:
        return cache_folder() / text
    if text not in datasets:
        raise UnknownNameError(
            unknown("dataset", text, {*datasets, *stored})
            + " (an imported dataset's name, and a store's path or address, are accepted as well)"
        )
    recipe = datasets[text].synthetic
    if recipe is None:
        raise StoreError(
            f"the dataset {text!r} is not on this machine; fetch it with "
            f"`llpbench download {text}` or open_dataset({text!r}, download=True)"
        )
    labels = datasets[text].label_set.name
    progress = log.isEnabledFor(logging.WARNING)
    try:
        synthesize(text, labels, chips=recipe.chips, seed=recipe.seed, progress=progress)
    except StoreError:
        if text not in stored_names():  # else another process has made it in the meantime
            raise
    return cache_folder() / text


def import_archive(
    archive: str | os.PathLike[str],
    name: str,
    *,
    chips: int | None = None,
    md5: str | None = None,
    out: str | os.PathLike[str] | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    progress: bool = False,
) -> WriteReport:
    """Make a dataset from a published zip.

    Parameters
    ----------
    archive : path
        The zip, or the folder it was unzipped to.
    name : str
        What the dataset will be called; a catalog name takes title and DOI from the catalog.
        Licence and attribution are those of the catalog's dataset of that name, or the one that
        the folder in the zip is named after; else they are not known.
    chips : int, optional
        Only about that many chips: whole divisions of every split.
    md5 : str, optional
        Of the zip, where it is known.
    out : str or path, optional
        Path or address where it is written, by default the cache.
    workers, scheduler
        Who does the work, see :func:`~llpbench.crew.gather`.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    ArchiveError
        If the zip is damaged, hostile or something else.
    StoreError
        If there is a dataset of that name, or it cannot be written.

    Examples
    --------
    >>> import_archive("benelux.zip", "mine", chips=2000).chips  # doctest: +SKIP
    2011
    """
    from llpbench.data.archive.reader import read_archive
    from llpbench.data.subset import take_chips

    path = place_new(name, out)
    region, remarks = read_archive(Path(archive))
    if chips is not None:
        region = take_chips(region, chips)
    entry = catalog.load().datasets.get(name)
    origin = entry or region.origin
    with gather(workers, scheduler) as crew:
        report = write_store(
            region,
            path,
            name=name,
            title=entry.title if entry else name,
            licence=origin.licence if origin else "",
            attribution=origin.attribution if origin else "",
            synthetic=bool(origin and origin.synthetic),
            doi=entry.doi if entry else None,
            source=Path(archive).name,
            source_md5=md5,
            crew=crew,
            progress=progress,
        )
    return replace(report, remarks=(*remarks, *report.remarks))


def synthesize(
    name: str,
    label_set: str,
    *,
    chips: int,
    seed: int,
    bands: int = 3,
    embedding: int = 0,
    season: str = "year",
    out: str | os.PathLike[str] | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    progress: bool = False,
) -> WriteReport:
    """Make a synthetic dataset.

    Parameters
    ----------
    name : str
        What it will be called.
    label_set : str
        ``"esaworldcover"`` or ``"humanpop"``.
    chips, seed : int
        How many chips, and the seed of every random field.
    bands, embedding : int
        Bands of their images, 3 for red, green and blue, 4 to 13 for those of Sentinel-2; and
        features of an embedding. 0 for none of them.
    season : str
        ``"year"`` or ``"autumn"``: another light on the same land.
    out : str or path, optional
        Path or address where it is written, by default the cache.
    workers, scheduler
        Who does the work, see :func:`~llpbench.crew.gather`.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    StoreError
        If there is a dataset of that name, or it cannot be written.
    LLPBenchError
        If no region can have that many chips, bands or features.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     synthesize("made", "esaworldcover", chips=64, seed=0, out=Path(folder) / "store").chips
    64
    """
    from llpbench.data.synthetic import synthesize as make_region

    path = place_new(name, out)
    region = make_region(label_set, chips, seed, bands, embedding, season)
    entry = catalog.load().datasets.get(name)
    seen = "" if season == "year" else f", in {season}"
    with gather(workers, scheduler) as crew:
        return write_store(
            region,
            path,
            name=name,
            title=entry.title if entry else f"{chips} chips made with seed {seed}{seen}",
            licence=catalog.SYNTHETIC_LICENCE,
            attribution=catalog.load().attributions["synthetic"],
            synthetic=True,
            crew=crew,
            progress=progress,
        )


def place_new(name: str, out: str | os.PathLike[str] | None = None) -> Path | str:
    """Where a new dataset will stand, if its name is one: in the cache, unless ``out`` says it."""
    if not re.fullmatch(NAME, name):
        raise StoreError(
            f"{name!r} cannot name a dataset: use letters, digits, dots, hyphens and underscores"
        )
    if out is None:
        return new_store_path(name)
    return check_address(text) if is_address(text := os.fspath(out)) else Path(out)


def new_store_path(name: str) -> Path:
    """Where a new dataset will stand in the cache, if its name is not taken."""
    path = cache_folder() / name
    if path.exists():
        raise StoreError(f"there is a dataset {name!r} in {path.parent}; choose another name")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the cache {path.parent} cannot be made ({error.strerror})") from error
    return path
