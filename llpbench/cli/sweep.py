"""Many runs in one command."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from llpbench.cli import options
from llpbench.cli.output import print_json, shows_progress


@click.command()
@click.option("--preset", help="Experiments that ship here: paper or results.")
@click.option("--method", "methods", metavar="METHOD", multiple=True, help="Several.")
@options.datasets_option(required=False)
@options.seeds_option
@options.settings_option("NAME=[VALUE,...]", "Values of a setting; several.")
@options.out_option(
    "Folder of the runs and tables, runs/sweep or runs/sweep-PRESET by default; a sweep begun "
    "there goes on.",
    kind=options.FOLDER,
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes that runs are shared out to.",
)
@options.json_option
def sweep(
    preset: str | None,
    methods: tuple[str, ...],
    datasets: tuple[str, ...],
    seeds: tuple[int, ...],
    settings: tuple[str, ...],
    out: Path | None,
    workers: int,
    as_json: bool,
) -> None:
    """Run every combination of methods, datasets, seeds and values of settings.

    Either --preset, on its own datasets or on those given; or --method and --dataset. The same
    command again goes on where it stopped.
    """
    from llpbench.cli.results import print_runs
    from llpbench.running.sweep import ROWS, TABLE, run_row, run_sweep
    from llpbench.running.sweep_plan import Grid, read_preset

    if preset is None:
        if not methods or not datasets:
            raise click.UsageError("give --preset, or --method and --dataset")
        values = dict(map(options.parse_setting, settings))
        lists = {name: v if isinstance(v, list) else [v] for name, v in values.items()}
        grids = [Grid(methods, datasets, seeds or (0,), lists)]
    elif methods or seeds or settings:
        raise click.UsageError("a preset says itself which methods, seeds and values it runs")
    else:
        grids = read_preset(preset, datasets)
    out = out or Path("runs") / (f"sweep-{preset}" if preset else "sweep")
    result = run_sweep(grids, out, workers=workers, progress=shows_progress())
    if as_json:
        print_json([run_row(job, run) for job, run in result.done])
    else:
        print_runs([run for _job, run in result.done])
        click.echo(f"written to {out}: {ROWS}, {TABLE} and the folders of the runs")
    for job, reason in result.failed:
        click.echo(f"llpbench: {job.title} failed: {reason}", err=True)
    if result.interrupted:
        click.echo("llpbench: interrupted; go on with the same command", err=True)
        sys.exit(130)
    sys.exit(1 if result.failed else 0)
