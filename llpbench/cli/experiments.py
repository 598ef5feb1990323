"""Many runs in one command: the demo, sweeps, and ever coarser supervision."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import click

from llpbench.cli import options
from llpbench.cli.output import (
    echo,
    print_error,
    print_folder,
    print_json,
    print_table,
    say,
    shows_progress,
)

DEMO_DATASETS = ("demo-esaworldcover", "demo-humanpop")
DEMO_METHODS = {"train-mean": {}, "bag-ridge": {}, "downconv": {"epochs": 30}, "llpnet": {}}

_NEXT = ("datasets", "info demo-esaworldcover", "run --help")


@click.command()
@options.out_option("A new folder for the runs; runs/demo by default.", kind=options.FOLDER)
@options.wide_option
@options.json_option
def demo(out: Path | None, as_json: bool) -> None:
    """Run four methods on both embedded synthetic datasets and print their results."""
    from llpbench.cli.results import print_runs
    from llpbench.running.progress import runs_bar
    from llpbench.running.run import run_method
    from llpbench.runs.folder import claimed_folder
    from llpbench.runs.results import result_row

    runs, progress = [], shows_progress()
    tasks = list(itertools.product(DEMO_DATASETS, DEMO_METHODS.items()))
    with claimed_folder(out, "demo", resume=False) as folder:
        for dataset, (method, settings) in runs_bar(tasks, "demo", shown=progress):
            place = folder / f"{method}-{dataset}"
            options: dict[str, Any] = {"settings": settings, "plots": True, "progress": progress}
            run = run_method(method, dataset, out=place, **options)
            runs.append(run)
    if as_json:
        print_json([result_row([run]) for run in runs])
        return
    echo()
    say("Synthetic data: these numbers show that everything works, and nothing else.")
    echo()
    print_runs(runs)
    last_method = runs[len(DEMO_METHODS) - 1]
    if (picture := last_method.folder / "plots" / "chips.png").is_file():
        echo(f"Look at {picture}")
        say("for chips predicted best and worst: image, labels, prediction and shares.")
        echo()
    echo(f"Predictions, scores, pictures and weights of each run are in {folder}/")
    echo("\nNext:")
    for command in _NEXT:
        echo(f"  llpbench {command}")


@click.command()
@click.option("--preset", help="Name of experiments that ship here: paper or results or field.")
@click.option(
    "--method",
    "methods",
    metavar="METHOD",
    multiple=True,
    help="Name of a method; may be given several times.",
)
@options.datasets_option(required=False)
@options.seeds_option
@options.settings_option(
    "NAME=[VALUE,...]", "Values of a setting of the methods; give it once for each setting."
)
@options.out_option(
    "Folder of the runs and tables, runs/sweep or runs/sweep-PRESET by default; a sweep begun "
    "there goes on.",
    kind=options.FOLDER,
)
@click.option(
    "--select",
    is_flag=True,
    help="Choose by the divisions of the val split; only the best setting is run on test.",
)
@options.crew_options
@options.wide_option
@options.json_option
def sweep(
    preset: str | None,
    methods: tuple[str, ...],
    datasets: tuple[str, ...],
    seeds: tuple[int, ...],
    settings: dict[str, Any],
    out: Path | None,
    select: bool,
    as_json: bool,
    **crew: Any,
) -> None:
    """Run every combination of methods, datasets, seeds and values of settings.

    Either --preset, on its own datasets or on those given; or --method and --dataset. The same
    command again goes on where it stopped.
    """
    from llpbench.cli.results import print_ranking, print_runs
    from llpbench.running.selection import rank_candidates
    from llpbench.running.sweep import ROWS, TABLE, run_row, run_sweep
    from llpbench.running.sweep_plan import Grid, read_preset

    if preset is None:
        if not methods or not datasets:
            raise click.UsageError("give --preset, or --method and --dataset")
        lists = {name: v if isinstance(v, list) else [v] for name, v in settings.items()}
        grids = [Grid(methods, datasets, seeds or (0,), lists)]
    elif methods or seeds or settings:
        raise click.UsageError("a preset says itself which methods, seeds and values it runs")
    else:
        grids = read_preset(preset, datasets)
    out = out or Path("runs") / (f"sweep-{preset}" if preset else "sweep")
    result = run_sweep(grids, out, select=select, progress=shows_progress(), **crew)
    if as_json:
        print_json([run_row(job, run) for job, run in result.done])
    else:
        if select:
            print_ranking(rank_candidates(result.done, [job for job, _reason in result.failed]))
        print_runs([run for job, run in result.done if job.split == "test"])
        echo(f"written to {out}: {ROWS}, {TABLE} and the folders of the runs")
    for job, reason in result.failed:
        print_error(f"{job.title} failed: {reason}")
    if result.interrupted:
        print_error("interrupted; go on with the same command")
        sys.exit(130)
    sys.exit(1 if result.failed else 0)


@click.command()
@click.argument("method", metavar="METHOD")
@options.dataset_option
@click.option(
    "--folds",
    type=click.IntRange(min=3),
    default=5,
    help="Number of parts that divisions are cut into.",
)
@click.option(
    "--over",
    "splits",
    type=click.Choice(["all", "train+val"]),
    default="all",
    help="Which chips are cut in folds; train+val keeps the test split for a benchmark.",
)
@click.option("--seed", type=options.SEED, default=0, help="Seed of everything random.")
@options.settings_option(
    "NAME=VALUE", "Setting of the method, see docs/methods.md; give it once for each setting."
)
@click.option("--post", metavar="NAME,...", help="Names of post-processors, such as emq,calibrate.")
@options.out_option(
    "Folder of the folds' runs, tables, pictures and map, runs/crossvalidate-METHOD-DATASET-... by "
    "default; what was begun there goes on.",
    kind=options.FOLDER,
)
@options.crew_options
@options.wide_option
@options.json_option
def crossvalidate(method: str, post: str | None, as_json: bool, **plan: Any) -> None:
    """Predict each fold of divisions by METHOD fitted to others, and score their shares.

    How good is a map when no chip has a label? Divisions that lie together are held out, and the
    means of their predictions compared with their known shares. Labels are not looked at. The same
    command again goes on where it stopped; `llpbench run METHOD --train-on all` makes the map.
    """
    from llpbench.running.crossvalidation import crossvalidate as experiment

    method = "+".join([method, *(post.split(",") if post else [])])
    try:
        done = experiment(method, progress=shows_progress(), **plan)
    except KeyboardInterrupt:
        print_error("interrupted; go on with the same command")
        sys.exit(130)
    if as_json:
        echo(done.to_json())
        return
    echo(f"{done.scores.subject}\n")
    print_table(done.rows)
    quoted = [f"{name}: {text}" for name, text in done.sentences.items()]
    for line in ("", *quoted, "", *done.notes):
        say(line)
    echo(f"\nwritten to {done.folder}:")
    print_folder(done.folder)


@click.command()
@options.dataset_option
@click.option(
    "--method",
    "methods",
    metavar="METHOD",
    multiple=True,
    default=("train-mean", "bag-ridge", "aggregated-multinomial"),
    show_default=False,
    help="Name of a method; may be given several times. By default train-mean, bag-ridge "
    "and aggregated-multinomial.",
)
@click.option(
    "--coarser",
    "factors",
    type=click.FloatRange(min=1),
    multiple=True,
    show_default=False,
    help="By how much fewer divisions there are; may be given several times. By default 1, "
    "2, 4, 8 and 16.",
)
@click.option(
    "--how",
    "ways",
    type=click.Choice(["merge", "random"]),
    multiple=True,
    default=["merge"],
    show_default=False,
    help="Merge neighbours, or make random bags; give it twice for both. By default merge.",
)
@click.option(
    "--points",
    type=options.COUNT,
    help="Survey so many points in each division instead of knowing its shares.",
)
@options.seeds_option
@options.out_option(
    "Folder of the table and the picture, runs/coarseness-DATASET by default.", kind=options.FOLDER
)
@options.crew_options
@options.wide_option
@options.json_option
def coarseness(
    dataset: str,
    factors: tuple[float, ...],
    seeds: tuple[int, ...],
    out: Path | None,
    as_json: bool,
    **design: Any,
) -> None:
    """Train METHODs on ever fewer divisions: neighbours merged, or random bags.

    Only what train and val divisions know changes; the test split stays as it is.
    """
    from llpbench.data.dataset import open_dataset
    from llpbench.plots import draw_coarseness, write_figure
    from llpbench.running.coarseness import FACTORS
    from llpbench.running.coarseness import coarseness as experiment
    from llpbench.writing import replace_text

    ds = open_dataset(dataset)
    table = experiment(
        ds,
        factors=factors or FACTORS,
        seeds=seeds or (0,),
        progress=shows_progress(),
        **design,
    )
    out = out or Path("runs") / f"coarseness-{ds.llp.info.name}"
    out.mkdir(parents=True, exist_ok=True)
    replace_text(out / "coarseness.csv", table.to_csv(index=False, float_format="%.4f"))
    write_figure(draw_coarseness(table, ds.llp.info.title), out / "coarseness.png")
    rows = json.loads(table.to_json(orient="records"))
    if as_json:
        print_json(rows)
        return
    hidden = ("mae_hard", "f1_micro")
    print_table(
        [{name: row[name] for name in row if name not in hidden} for row in rows],
        order=("method", "way", "coarser", "mae", "low", "high", "divisions"),
    )
    echo(f"\nwritten to {out}: coarseness.csv and coarseness.png")
