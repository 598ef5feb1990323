"""Fetching datasets, and what the cache holds."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path
from typing import Any

import click

from llpbench.cli.output import json_option, print_json, print_table, readable


@click.command()
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--all", "everything", is_flag=True, help="All published datasets.")
@click.option("--mirror", "mirrors", multiple=True, metavar="URL", help="Tried before Zenodo.")
@click.option(
    "--keep-archive/--remove-archive",
    default=False,
    show_default=True,
    help="What becomes of the archive once the dataset is verified.",
)
@click.option("--chips", type=click.IntRange(min=1), help="Only about that many, for a first look.")
@click.option("--dry-run", is_flag=True, help="Say what would be fetched, and fetch nothing.")
@click.option("--cache-dir", type=click.Path(path_type=Path), help="Instead of $LLPBENCH_CACHE.")
@click.option("--quiet", is_flag=True, help="No progress bars and no remarks.")
@json_option
def download(
    names: tuple[str, ...],
    everything: bool,
    mirrors: tuple[str, ...],
    keep_archive: bool,
    chips: int | None,
    dry_run: bool,
    cache_dir: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Fetch published datasets and make them ready; interrupted downloads continue."""
    from llpbench import catalog
    from llpbench.data.downloading import download as fetch_and_make
    from llpbench.errors import LLPBenchError

    if bool(names) == everything:
        raise click.UsageError("give the names of datasets, or --all")
    if cache_dir is not None:
        os.environ["LLPBENCH_CACHE"] = str(cache_dir)
    if quiet:
        logging.getLogger("llpbench").setLevel(logging.ERROR)
    entries = catalog.load().datasets
    wanted = names or tuple(name for name, entry in entries.items() if entry.record)
    for name in wanted:
        catalog.dataset(name)
    if dry_run:
        _print_plans(wanted, chips, as_json)
        return
    failures = []
    rows: list[dict[str, Any]] = []
    for name in wanted:
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", UserWarning)
                path = fetch_and_make(
                    name,
                    mirrors=mirrors,
                    keep_archive=keep_archive,
                    chips=chips,
                    progress=not quiet,
                )
            remarks = [str(warning.message) for warning in caught]
            rows.append({"name": path.name, "path": str(path), "remarks": remarks})
        except LLPBenchError as error:
            failures.append(f"{name}: {error}")
    _print_results(rows, as_json=as_json, quiet=quiet)
    if failures:
        raise LLPBenchError("; ".join(failures))


def _print_plans(names: tuple[str, ...], chips: int | None, as_json: bool) -> None:
    from llpbench.data.downloading import plan

    plans = [plan(name, chips=chips) for name in names]
    rows = [{**vars(each), "needed_bytes": each.needed_bytes} for each in plans]
    if as_json:
        print_json(rows)
        return
    print_table(
        [
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
    )


def _print_results(rows: list[dict[str, Any]], *, as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['name']} is ready in {row['path']}")
        for remark in [] if quiet else row["remarks"]:
            click.echo(f"note: {remark}", err=True)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--archives", is_flag=True, help="Remove downloaded archives.")
@click.option("--partial", is_flag=True, help="Remove what interrupted runs left.")
@click.option("--all", "everything", is_flag=True, help="Remove all of it.")
@json_option
def clean(
    names: tuple[str, ...], archives: bool, partial: bool, everything: bool, as_json: bool
) -> None:
    """Show what the cache holds; remove datasets by NAME, or kinds of files by option."""
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
            "path": str(item.path),
        }
        for item in held
    ]
    if as_json:
        print_json(rows)
        return
    print_table(rows)
    if held and not doomed:
        click.echo("\nNothing was removed: give names, --archives, --partial or --all.")
    if not held:
        click.echo("The cache is empty.")
