"""Fetching datasets, what the cache holds, and what maintainers pin of the archives."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import click

from llpbench.cli import options
from llpbench.cli.output import echo, log_remarks, print_json, print_rows, readable, shows_progress


@click.command()
@click.argument("names", nargs=-1, metavar="DATASET...")
@click.option("--all", "everything", is_flag=True, help="Fetch all published datasets.")
@click.option(
    "--mirror", "mirrors", multiple=True, metavar="URL", help="Address that is tried before Zenodo."
)
@click.option(
    "--keep-archive/--remove-archive",
    default=False,
    help="Keep or remove the archive once the dataset is verified.",
)
@click.option(
    "--chips", type=options.COUNT, help="Make only about so many chips, for a first look."
)
@click.option("--dry-run", is_flag=True, help="Say what would be fetched, and fetch nothing.")
@options.wide_option
@options.json_option
def download(
    names: tuple[str, ...], everything: bool, dry_run: bool, as_json: bool, **fetching: Any
) -> None:
    """Fetch published datasets and make them ready; interrupted downloads continue."""
    from llpbench import catalog
    from llpbench.data.downloading import download as fetch_and_make
    from llpbench.errors import LLPBenchError

    if bool(names) == everything:
        raise click.UsageError("give the names of datasets, or --all")
    entries = catalog.load().datasets
    wanted = names or tuple(name for name, entry in entries.items() if entry.record)
    for name in wanted:
        catalog.dataset(name)
    if dry_run:
        _print_plans(wanted, fetching["chips"], as_json)
        return
    failures = []
    rows: list[dict[str, Any]] = []
    for name in wanted:
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", UserWarning)
                path = fetch_and_make(name, progress=shows_progress(), **fetching)
            remarks = [str(warning.message) for warning in caught]
            rows.append({"name": path.name, "path": path, "remarks": remarks})
        except LLPBenchError as error:
            failures.append(f"{name}: {error}")
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            echo(f"{row['name']} is ready in {row['path']}")
            log_remarks(row["remarks"])
    if failures:
        raise LLPBenchError("; ".join(failures))


def _print_plans(names: tuple[str, ...], chips: int | None, as_json: bool) -> None:
    from llpbench.data.downloading import plan

    plans = [plan(name, chips=chips) for name in names]
    rows = [{**vars(each), "needed_bytes": each.needed_bytes} for each in plans]
    if not as_json:
        rows = [
            {
                "dataset": each.name,
                "to fetch": readable(each.archive_bytes - each.present_bytes),
                "archive": readable(each.archive_bytes),
                "store, about": readable(each.store_bytes),
                "needed": readable(each.needed_bytes),
                "free": readable(each.free_bytes),
            }
            for each in plans
        ]
    print_rows(rows, as_json, order=("dataset", "to fetch", "needed", "free"))


@click.command()
@click.argument("names", nargs=-1, metavar="[DATASET]...")
@click.option("--archives", is_flag=True, help="Remove downloaded archives.")
@click.option("--partial", is_flag=True, help="Remove what interrupted runs left.")
@click.option("--all", "everything", is_flag=True, help="Remove all that the cache holds.")
@options.wide_option
@options.json_option
def clean(
    names: tuple[str, ...], archives: bool, partial: bool, everything: bool, as_json: bool
) -> None:
    """Show what the cache holds; remove DATASETs, or kinds of files by option."""
    from llpbench.data.holdings import holdings, remove

    held = holdings()
    unwanted = {"archive": archives, "partial": partial, "dataset": False}
    doomed = [item for item in held if everything or unwanted[item.kind] or item.name in names]
    unknown = set(names) - {item.name for item in held}
    if unknown:
        raise click.BadParameter(f"the cache holds no {', '.join(sorted(unknown))}")
    for item in doomed:
        remove(item)
    rows = [
        {
            "name": item.name,
            "kind": item.kind,
            "bytes": item.size if as_json else readable(item.size),
            "removed": item in doomed,
            "path": item.path,
        }
        for item in held
    ]
    print_rows(rows, as_json)
    if not as_json and not held:
        echo("The cache is empty.")
    elif not as_json and not doomed:
        echo("\nNothing was removed: give names, --archives, --partial or --all.")


@click.command("pin-records")
@options.out_option(
    "The catalog that is written to.",
    kind=options.UsersPath(exists=True, dir_okay=False),
    default=Path("llpbench/catalog/catalog.toml"),
)
@options.wide_option
@options.json_option
def pin_records(out: Path, as_json: bool) -> None:
    """Ask Zenodo for the archives of all records and pin their names, sizes and checksums.

    With these in the catalog, no download asks the API any more, and an archive with another
    checksum is refused.
    """
    from llpbench.data import fetch

    rows = [
        {"record": record, "name": file.name, "bytes": file.size, "md5": file.md5}
        for record, file in fetch.pin_records(out).items()
    ]
    print_rows(rows, as_json)
    if not as_json:
        echo(f"\nwritten to {out}")
