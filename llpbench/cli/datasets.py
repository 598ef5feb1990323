"""What datasets there are, and what one holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from llpbench.cli.output import json_option, print_json, print_table, readable
from llpbench.data.info import mark_synthetic

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from numpy.typing import NDArray


@click.command()
@json_option
def datasets(as_json: bool) -> None:
    """List the datasets of the catalog and those imported here."""
    from llpbench.data.cache import cache_folder
    from llpbench.data.dataset import list_datasets

    rows = [_dataset_row(name) for name in list_datasets()]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        row["bytes"] = None if row["bytes"] is None else readable(row["bytes"])
    print_table(rows)
    click.echo(f"\nDatasets are kept in {cache_folder()}")


def _dataset_row(name: str) -> dict[str, Any]:
    """One dataset: what it is, and how much of it is here."""
    from llpbench import catalog
    from llpbench.data import fetch
    from llpbench.data.cache import cache_folder, stored_names
    from llpbench.data.holdings import folder_size
    from llpbench.data.store import read_info

    cache = cache_folder()
    entry = catalog.load().datasets.get(name)
    info = read_info(cache / name) if name in stored_names() else None
    state, size = "absent", None
    if info is not None:
        state, size = "ready", folder_size(cache / name)
    elif entry is not None and entry.synthetic:
        state = "made at first use"
    elif entry is not None and entry.record is not None:
        archive = fetch.Archive(entry.record, cache).state
        state, size = archive.state, archive.present or None
        if state == "partial":
            state = f"partial, {archive.percent:.0f} %"
    title = info.title if info else entry.title if entry else ""
    is_synthetic = info.synthetic if info else bool(entry and entry.synthetic)
    return {
        "name": name,
        "title": mark_synthetic(title, is_synthetic),
        "chips": info.chips if info else entry.chips if entry else None,
        "state": state,
        "bytes": size,
        "doi": entry.doi if entry else info.doi if info else None,
    }


@click.command()
@click.argument("name")
@json_option
def info(name: str, as_json: bool) -> None:
    """Show source, splits, classes and hardness of dataset NAME (or the path of one)."""
    from dataclasses import asdict

    from llpbench.data.dataset import open_dataset

    ds = open_dataset(name)
    facts, card = _facts(ds), ds.llp.hardness()
    facts["hardness"] = asdict(card)
    if as_json:
        print_json(facts)
        return
    click.echo(f"{facts['name']}: {facts['title']}")
    click.echo(f"{facts['chips']} chips, {facts['divisions']} divisions")
    click.echo(f"source: {facts['doi'] or 'no DOI'}; licence: {facts['licence'] or 'not known'}")
    for line in filter(None, (facts["attribution"], facts["digest"])):
        click.echo(line)
    click.echo()
    print_table(facts["splits"])
    click.echo()
    print_table(facts["classes"])
    click.echo(f"\n{card}")


def _mean(shares: NDArray[np.floating]) -> float | None:
    """Mean of the known shares, None where there are none."""
    known = shares[shares == shares]
    return float(known.mean()) if len(known) else None


def _facts(ds: xr.Dataset) -> dict[str, Any]:
    import numpy as np

    from llpbench.protocol import SPLITS

    groups = ds.llp.label_set.groups
    grouped = ds.llp.group()
    splits, parts = [], {}
    for name in SPLITS:
        parts[name] = part = grouped.llp.split(name)
        outside = ds["overlap_chip"].isin(part["chip_number"]) & ~ds["overlap_division"].isin(
            part["division_number"]
        )
        splits.append(
            {
                "split": name,
                "chips": part.sizes["chip"],
                "divisions": part.sizes["division"],
                "chips across splits": len(np.unique(ds["overlap_chip"][outside])),
                "chips without target": int(np.isnan(part["target"]).any("category").sum()),
                "chips without label": int(
                    np.isnan(part["chip_proportions"]).any("category").sum()
                ),
            }
        )
    classes = [
        {"class group": group.name}
        | {
            name: _mean(part["chip_proportions"][:, number].to_numpy())
            for name, part in parts.items()
        }
        for number, group in enumerate(groups)
    ]
    info = ds.llp.info
    return {
        "name": info.name,
        "title": info.title,
        "doi": info.doi or "",
        "licence": info.licence,
        "attribution": info.attribution,
        "digest": info.digest,
        "synthetic": info.synthetic,
        "chips": ds.sizes["chip"],
        "divisions": ds.sizes["division"],
        "label_classes": [label_class.name for label_class in info.label_set.classes],
        "splits": splits,
        "classes": classes,
        "store": str(info.store),
    }


@click.command()
@click.argument("name")
@click.option("--archive", is_flag=True, help="Check the downloaded archive instead.")
def verify(name: str, archive: bool) -> None:
    """Read dataset NAME (or the path of one) whole and check it against its digest."""
    from llpbench.data.cache import find_store
    from llpbench.data.downloading import published_archive
    from llpbench.data.store import verify_store

    if archive:
        click.echo(f"the archive of {name} is whole: {published_archive(name).verify(force=True)}")
        return
    found = verify_store(find_store(name), progress=True)
    click.echo(f"{found.shown_name} is whole: {found.digest}")


@click.command()
@click.argument("name")
def cite(name: str) -> None:
    """Print the references and attributions that use of dataset NAME asks for."""
    from llpbench import catalog

    entry = catalog.dataset(name)
    for line in filter(None, (catalog.load().paper, entry.doi and f"doi:{entry.doi}")):
        click.echo(line)
    click.echo(f"{entry.attribution}\nLicence of the labels: {entry.licence}")
