"""The whole benchmark on the embedded synthetic datasets."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from llpbench.cli.methods import run_row
from llpbench.cli.output import print_table

DATASETS = ("demo-esaworldcover", "demo-humanpop")
METHODS = {"train-mean": {}, "bag-ridge": {}, "downconv": {"epochs": 30}, "llpnet": {}}


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("demo-runs"),
    show_default=True,
    help="Folder of the runs; earlier demo runs in it are kept.",
)
def demo(out: Path) -> None:
    """Run four methods on both embedded synthetic datasets and print one table."""
    from llpbench.running.run import run_method

    rows = []
    folder = _unused(out)
    for dataset in DATASETS:
        for method, parameters in METHODS.items():
            click.echo(f"{method} on {dataset} (synthetic) ...", err=True)
            done = run_method(
                method,
                dataset,
                settings=parameters,
                out=folder / f"{method}-{dataset}",
                progress=sys.stderr.isatty(),
            )
            rows.append(run_row(done))
    click.echo("\nSynthetic data: these numbers show that everything works, and nothing else.\n")
    print_table(rows)
    click.echo(f"\nPredictions, scores and weights of each run: {folder}/")
    click.echo("Next: llpbench datasets | llpbench info demo-esaworldcover | llpbench run --help")


def _unused(folder: Path) -> Path:
    """The folder itself, or where earlier runs are in it, a numbered one inside."""
    if not folder.exists():
        return folder
    return folder / str(sum(path.name.isdigit() for path in folder.iterdir()) + 2)
