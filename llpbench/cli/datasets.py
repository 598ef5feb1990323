"""What datasets there are, and what one holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from llpbench.cli import options
from llpbench.cli.output import echo, print_json, print_table, readable, shows_progress

if TYPE_CHECKING:
    from llpbench.data.imagery import Imagery


@click.command()
@options.wide_option
@options.json_option
def datasets(as_json: bool) -> None:
    """List the datasets of the catalog and those imported here."""
    from llpbench.data.cache import cache_folder
    from llpbench.data.dataset import list_datasets
    from llpbench.data.info import mark_synthetic

    rows = [_dataset_row(name) for name in list_datasets()]
    if as_json:
        print_json(rows)
        return
    print_table(
        [
            {
                "dataset": mark_synthetic(row["name"], row["synthetic"]),
                "chips": row["chips"],
                "bands": row["bands"],
                "features": row["features"],
                "state": row["state"],
                "size": None if row["bytes"] is None else readable(row["bytes"]),
            }
            for row in rows
        ],
        order=("dataset", "state", "size", "chips"),
    )
    echo(f"\nDatasets are kept in {cache_folder()}")


def _dataset_row(name: str) -> dict[str, Any]:
    """One dataset: what it is, and how much of it is here."""
    from llpbench import catalog
    from llpbench.data.cache import cache_folder, stored_names
    from llpbench.data.downloading import published_archive
    from llpbench.data.holdings import folder_size
    from llpbench.data.imagery import RGB_ONLY
    from llpbench.data.info import mark_synthetic
    from llpbench.data.store import read_info
    from llpbench.errors import StoreError

    cache = cache_folder()
    is_stored = name in stored_names()
    state, size = "absent", None
    try:
        source: Any = read_info(cache / name) if is_stored else catalog.dataset(name)
    except StoreError:
        return _damaged_row(name, folder_size(cache / name))
    if is_stored:
        state, size = "ready", folder_size(cache / name)
    elif source.synthetic:
        state = "made at first use"
    elif source.record is not None:
        archive = published_archive(name).state
        state, size = archive.state, archive.present or None
        if state == "partial":
            state = f"partial, {archive.percent:.0f} %"
    return {
        "name": name,
        "title": mark_synthetic(source.title, bool(source.synthetic)),
        "synthetic": bool(source.synthetic),
        "chips": source.chips,
        **_count_bands(source.imagery if is_stored else RGB_ONLY),
        "state": state,
        "bytes": size,
        "doi": catalog.load().datasets.get(name, source).doi,
    }


def _count_bands(images: Mapping[str, Imagery]) -> dict[str, int | None]:
    """How many bands its images and features its embeddings have."""
    names = {"bands": "image", "features": "embedding"}
    return {
        what: len(images[array].bands) if array in images else None for what, array in names.items()
    }


def _damaged_row(name: str, size: int) -> dict[str, Any]:
    """One that is here and cannot be opened: its own commands say why."""
    nothing = {"title": None, "synthetic": False, "chips": None, "doi": None}
    nothing |= {"bands": None, "features": None}
    return {"name": name, **nothing, "state": "damaged", "bytes": size}


@click.command()
@options.dataset_argument
@options.wide_option
@options.json_option
def info(dataset: str, as_json: bool) -> None:
    """Show source, splits, classes and hardness of DATASET."""
    from dataclasses import asdict

    from llpbench.data.dataset import open_dataset
    from llpbench.reporting.arrays import array_lines, band_rows
    from llpbench.reporting.facts import describe_facts

    ds = open_dataset(dataset)
    facts, card, images = describe_facts(ds), ds.llp.hardness(), ds.llp.info.images
    facts["hardness"] = asdict(card)
    if as_json:
        print_json(facts)
        return
    echo(f"{facts['name']}: {facts['title']}")
    echo(f"{facts['chips']} chips, {facts['divisions']} divisions")
    echo(f"source: {facts['doi'] or 'no DOI'}; licence: {facts['licence'] or 'not known'}")
    said = ("attribution", "images", "digest")
    echo("".join(f"{facts[name]}\n" for name in said if facts[name]))
    echo("\n".join(array_lines(images)) + "\n")
    if bands := band_rows(images):
        print_table(bands, prose=("description",))
        echo()
    short = [
        {name.removeprefix("chips ").replace("without", "no"): row[name] for name in row}
        for row in facts["splits"]
    ]
    print_table(short)
    echo()
    print_table(facts["classes"])
    echo(f"\n{card}")


@click.command()
@options.dataset_argument
@click.option("--archive", is_flag=True, help="Check the downloaded archive instead.")
def verify(dataset: str, archive: bool) -> None:
    """Read DATASET whole and check it against its digest."""
    from llpbench.data.cache import find_store
    from llpbench.data.downloading import published_archive
    from llpbench.data.store import verify_store

    if archive:
        whole = published_archive(dataset).verify(force=True)
        echo(f"the archive of {dataset} is whole: {whole}")
        return
    info = verify_store(find_store(dataset), progress=shows_progress())
    echo(f"{info.shown_name} is whole: {info.digest}")


@click.command()
@click.argument("subject", metavar="SUBJECT")
def cite(subject: str) -> None:
    """Print what use of SUBJECT asks for, then BibTeX.

    SUBJECT is a dataset, a method, or llpbench itself.
    """
    from llpbench.reporting.citing import cite as describe

    echo(str(describe(subject)))
