"""What maintainers need before a release."""

from __future__ import annotations

from pathlib import Path

import click

from llpbench.cli.output import json_option, print_json, print_table


@click.command("pin-records")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("llpbench/data/registry.json"),
    show_default=True,
    help="The registry; records in it that are not in the catalog stay.",
)
@json_option
def pin_records(out: Path, as_json: bool) -> None:
    """Ask Zenodo for the archives of all records and pin their names, sizes and checksums.

    With the registry in the package, no download asks the API any more, and an archive with
    another checksum is refused.
    """
    from llpbench import catalog
    from llpbench.data import fetch

    records = [entry.record for entry in catalog.load().datasets.values() if entry.record]
    pinned = fetch.pin_records(records, path=out)
    rows = [
        {"record": record, "name": file.name, "bytes": file.size, "md5": file.md5}
        for record, file in pinned.items()
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(rows)
        click.echo(f"\nwritten to {out}")
