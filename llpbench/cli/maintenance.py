"""What maintainers need before a release."""

from __future__ import annotations

from pathlib import Path

import click

from llpbench.cli.output import json_option, print_json, print_table


@click.command("pin-records")
@click.option(
    "--out",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=Path("llpbench/catalog/catalog.toml"),
    show_default=True,
    help="The catalog.",
)
@json_option
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
    if as_json:
        print_json(rows)
    else:
        print_table(rows)
        click.echo(f"\nwritten to {out}")
