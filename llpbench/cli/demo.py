"""The whole benchmark on the embedded synthetic datasets."""

from __future__ import annotations

from pathlib import Path

import click

from llpbench.cli import options
from llpbench.cli.output import LOG, print_json, shows_progress

DATASETS = ("demo-esaworldcover", "demo-humanpop")
METHODS = {"train-mean": {}, "bag-ridge": {}, "downconv": {"epochs": 30}, "llpnet": {}}


@click.command()
@options.out_option("A new folder for the runs; runs/demo by default.", kind=options.FOLDER)
@options.json_option
def demo(out: Path | None, as_json: bool) -> None:
    """Run four methods on both embedded synthetic datasets and print their results."""
    from llpbench.cli.results import print_runs
    from llpbench.running.run import run_method
    from llpbench.runs.folder import choose_folder
    from llpbench.runs.results import result_row

    folder = choose_folder(out, "demo", resume=False)
    runs = []
    for dataset in DATASETS:
        for method, settings in METHODS.items():
            LOG.info("%s on %s (synthetic) ...", method, dataset)
            place, progress = folder / f"{method}-{dataset}", shows_progress()
            runs.append(
                run_method(method, dataset, settings=settings, out=place, progress=progress)
            )
    if as_json:
        print_json([result_row([run]) for run in runs])
        return
    click.echo("\nSynthetic data: these numbers show that everything works, and nothing else.\n")
    print_runs(runs)
    click.echo(f"Predictions, scores and weights of each run: {folder}/")
    click.echo("Next: llpbench datasets | llpbench info demo-esaworldcover | llpbench run --help")
