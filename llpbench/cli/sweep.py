"""Many runs in one command."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from llpbench.cli.methods import parse_setting, run_row
from llpbench.cli.output import json_option, print_json, print_table


@click.command()
@click.option("--preset", help="Experiments that ship here: paper.")
@click.option("--method", "methods", multiple=True, help="Several.")
@click.option("--dataset", "datasets", multiple=True, help="Name or path; several.")
@click.option("--seed", "seeds", type=click.IntRange(min=0), multiple=True, help="0; several.")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=[VALUE,...]", help="Values of a parameter."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("sweep"),
    show_default=True,
    help="Folder of the runs and tables; a sweep begun there goes on.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes that runs are shared out to.",
)
@json_option
def sweep(
    preset: str | None,
    methods: tuple[str, ...],
    datasets: tuple[str, ...],
    seeds: tuple[int, ...],
    settings: tuple[str, ...],
    out: Path,
    workers: int,
    as_json: bool,
) -> None:
    """Run every combination of methods, datasets, seeds and parameter values.

    Either --preset, on its own datasets or on those given; or --method and --dataset. The same
    command again goes on where it stopped.
    """
    from llpbench.running.sweep import ROWS, TABLE, run_sweep
    from llpbench.running.sweep import run_row as numbers
    from llpbench.running.sweep_plan import Grid, read_preset

    if preset is None:
        if not methods or not datasets:
            raise click.UsageError("give --preset, or --method and --dataset")
        values = dict(parse_setting(text) for text in settings)
        lists = {name: v if isinstance(v, list) else [v] for name, v in values.items()}
        grids = [Grid(methods, datasets, seeds or (0,), lists)]
    elif methods or seeds or settings:
        raise click.UsageError("a preset says itself which methods, seeds and values it runs")
    else:
        grids = read_preset(preset, datasets)
    found = run_sweep(grids, out, workers=workers, progress=sys.stderr.isatty())
    if as_json:
        print_json([numbers(*one) for one in found.done])
    else:
        print_table([{**run_row(run), "seed": job.seed} for job, run in found.done])
        click.echo(f"\nwritten to {out}: {ROWS}, {TABLE} and the folders of the runs")
    for job, reason in found.failed:
        click.echo(f"llpbench: {job.title} failed: {reason}", err=True)
    if found.interrupted:
        click.echo("llpbench: interrupted; go on with the same command", err=True)
        sys.exit(130)
    sys.exit(1 if found.failed else 0)
