"""Opening a dataset as xarray."""

from __future__ import annotations

import logging
import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench import catalog
from llpbench.data.cache import find_store, stored_names
from llpbench.data.info import DatasetInfo, mark_synthetic
from llpbench.data.location import locate
from llpbench.data.store.layout import StoreInfo, read_info
from llpbench.data.store.reading import open_chips
from llpbench.errors import UnknownNameError, unknown
from llpbench.protocol import SPLITS

if TYPE_CHECKING:
    import xarray as xr

log = logging.getLogger(__name__)


def list_datasets() -> list[str]:
    """Names that :func:`open_dataset` takes: the catalog's, then those in the cache.

    Examples
    --------
    >>> list_datasets()[:2]
    ['benelux-esaworldcover', 'benelux-humanpop']
    """
    return list(dict.fromkeys([*catalog.load().datasets, *stored_names()]))


def open_dataset(
    name_or_path: str | os.PathLike[str], split: str | None = None, *, download: bool = False
) -> xr.Dataset:
    """Open a dataset, without reading its pixels yet.

    Parameters
    ----------
    name_or_path : str or path
        A name from :func:`list_datasets`, the path of a store, or its address
        (``s3://bucket/estonia``), which is read with the credentials of the environment.
    split : str, optional
        ``"train"``, ``"val"`` or ``"test"``: only that split, as ``ds.llp.split`` gives it.
    download : bool
        Whether to fetch a published dataset that is not on this machine.

    Returns
    -------
    Dataset
        Over ``chip``, ``y``, ``x``, ``band``, ``division``, ``category`` and ``overlap``:
        ``image`` (uint8, or what ``ds.llp.info.images`` says) and ``label`` (uint8, 255 = no
        label) as dask arrays, or an ``embedding`` over ``cell_y``, ``cell_x`` and ``feature``;
        ``chip_proportions``, ``target`` and ``division_proportions`` (shares from 0 to 1),
        ``overlap_chip``, ``overlap_division``, ``overlap_area`` (km²) and ``bounds`` (degrees).
        The accessor ``ds.llp`` works on it.

    Raises
    ------
    UnknownNameError
        If nothing has that name, or there is no such split.
    StoreError
        If the dataset is not here, or is no readable store.

    Examples
    --------
    >>> open_dataset("demo-humanpop", split="training")
    Traceback (most recent call last):
        ...
    llpbench.errors.UnknownNameError: there is no split 'training'; did you mean 'train'?
    """
    import llpbench.data.accessor  # noqa: F401  (registers ds.llp)

    _read_by_threads()
    if split is not None and split not in SPLITS:
        raise UnknownNameError(unknown("split", split, SPLITS))
    store = _find(name_or_path, download)
    location = locate(store)
    info = read_info(location)
    log.debug("reading the dataset %s from %s", info.shown_name, location)
    ds = open_chips(location, info).assign_attrs(describe_store(info, store).attributes())
    return ds if split is None else ds.llp.split(split)


def open_grouped(dataset: str | os.PathLike[str] | xr.Dataset) -> xr.Dataset:
    """Open all splits of a dataset in class groups; one that is open may have further variables."""
    import llpbench.data.accessor  # noqa: F401  (a worker that is sent a dataset has opened none)

    if isinstance(dataset, str | os.PathLike):
        dataset = open_dataset(dataset)
    grouped: xr.Dataset = dataset.llp.group()
    return grouped


@cache
def _read_by_threads() -> None:
    """Have dask read by threads, and without any in forked processes, as of data loaders.

    Where nothing is configured, dask imports distributed to ask for a client, which takes longer
    than many commands; a client that is made later is used. Threads do not live on in a child, and
    dask would wait for those of its parent.
    """
    import dask.local
    import dask.threaded

    if "distributed" not in sys.modules and dask.config.get("scheduler", None) is None:
        dask.config.set(scheduler=dask.threaded.get)
    if hasattr(os, "register_at_fork"):  # Windows does not fork
        os.register_at_fork(after_in_child=lambda: dask.config.set(scheduler=dask.local.get_sync))


def _find(name_or_path: str | os.PathLike[str], may_download: bool) -> Path | str:
    name = os.fspath(name_or_path)
    entry = catalog.load().datasets.get(name)
    if may_download and entry is not None and name not in stored_names():
        from llpbench.data.downloading import download

        return download(name)
    return find_store(name_or_path)


def describe_store(info: StoreInfo, store: Path | str) -> DatasetInfo:
    """What the dataset in a store is, which lies in a folder or at an address."""
    return DatasetInfo(
        name=info.name,
        title=mark_synthetic(info.title, info.synthetic),
        synthetic=info.synthetic,
        digest=info.digest,
        doi=info.doi,
        licence=info.licence,
        attribution=info.attribution,
        label_set=info.label_set,
        grid=info.grid,
        recipe=info.recipe,
        images=info.imagery,
        store=store.resolve() if isinstance(store, Path) else store,
    )
