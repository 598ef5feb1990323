"""Methods: which there are, and running one."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llpbench.cli import options
from llpbench.cli.helping import NamesMethods
from llpbench.cli.output import (
    echo,
    print_error,
    print_folder,
    print_json,
    print_pairs,
    print_rows,
    say,
    shows_progress,
)

if TYPE_CHECKING:
    from llpbench.runs.record import Run


@click.command()
@options.wide_option
@options.json_option
def baselines(as_json: bool) -> None:
    """List the installed methods; parameters (learned weights) are counted at 5 classes."""
    from llpbench.methods.registry import describe_method, method_names

    facts = ("name", "supervision", "track", "parameters", "non_trainable", "source")
    methods = map(describe_method, method_names())
    rows = [{fact: getattr(one, fact) for fact in facts} for one in methods]
    order = ("name", "supervision", "track", "parameters", "source")
    print_rows(rows, as_json, order=order, prose=("source",))


@click.command(cls=NamesMethods)
@click.argument("method", metavar="METHOD")
@options.datasets_option(required=True)
@click.option(
    "--train-on",
    type=click.Choice(["train", "all"]),
    default="train",
    help="What is trained on; with all, every chip and division, for a map, and nothing is scored.",
)
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    show_default=False,
    help="Which split is predicted and scored: by default test, or every chip with --train-on all.",
)
@options.score_option
@options.seeds_option
@click.option("--epochs", type=options.COUNT, help="Number of passes over the training chips.")
@click.option("--objective", help="Objective that a network is trained towards, such as dllp.")
@options.settings_option(
    "NAME=VALUE", "Setting of the method, see docs/methods.md; give it once for each setting."
)
@click.option("--post", metavar="NAME,...", help="Names of post-processors, such as emq,calibrate.")
@click.option(
    "--apply-to", metavar="DATASET", help="Predict this dataset instead: the cross-region track."
)
@options.out_option(
    "A new folder for the run, runs/METHOD-DATASET-seedN by default; of several runs, for all "
    "their folders."
)
@click.option("--resume", is_flag=True, help="Go on with the interrupted run.")
@click.option(
    "--deterministic",
    is_flag=True,
    help="Give the same bits again on one machine, which is slower.",
)
@click.option(
    "--tracker",
    type=click.Choice(["wandb"]),
    help="Service that receives the figures of every epoch.",
)
@click.option("--tracker-tag", metavar="WORD", help="Word to find the run by at that service.")
@click.option("--pictures", "plots", is_flag=True, help="Draw pictures of the scores, too.")
@options.crew_options
@options.wide_option
@options.json_option
def run(
    method: str,
    datasets: tuple[str, ...],
    seeds: tuple[int, ...],
    settings: dict[str, Any],
    post: str | None,
    out: Path | None,
    resume: bool,
    as_json: bool,
    **fixed: Any,
) -> None:
    """Train METHOD, predict one split, score it and keep all of it.

    With --train-on all nothing is held back and every chip is predicted, for `llpbench map RUN`.

    METHOD+emq+calibrate is the same as METHOD --post emq,calibrate. With several datasets or
    seeds, each has a run of its own. --workers and --scheduler are for methods that need each
    chip once, such as bag-ridge. Ctrl-C once stops the training of
    a network and evaluates its best weights so far; twice quits.
    """
    from llpbench.running.completing import complete_run
    from llpbench.running.progress import runs_bar
    from llpbench.running.run import run_method

    method = "+".join([method, *(post.split(",") if post else [])])
    named = {name: fixed.pop(name) for name in ("epochs", "objective")}
    settings |= {name: value for name, value in named.items() if value is not None}
    tasks = list(itertools.product(datasets, seeds or (0,)))
    several = len(tasks) > 1
    if several and resume and out is None:
        raise click.UsageError("--resume of several runs needs the --out they were given")
    fixed |= {"settings": settings, "progress": shows_progress()}
    done: list[Run] = []
    shown = several and shows_progress()
    for dataset, seed in runs_bar(tasks, "runs", shown=shown):
        task = (method, dataset)
        if several and out is not None:
            folder = out / f"{method}-{Path(dataset).name}-seed{seed}"
            make = complete_run if resume else run_method
            done.append(make(*task, seed=seed, out=folder, **fixed))
        else:
            done.append(run_method(*task, seed=seed, out=out, resume=resume, **fixed))
        if done[-1].record.interrupted:
            break
    report_runs(done, as_json)
    if done[-1].record.interrupted:
        print_error("interrupted; go on with the same command and --resume")
        sys.exit(130)


def report_runs(done: Sequence[Run], as_json: bool) -> None:
    """Print what runs scored, and where they are."""
    from llpbench.cli.results import print_runs
    from llpbench.cli.scores import scores_json

    if as_json:
        texts = [scores_json(run.scores, run.divisions) for run in done]
        echo(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
        return
    print_runs(done)
    for run in done:
        echo(f"written to {run.folder}:")
        print_folder(run.folder)


@click.command()
@click.argument("folders", metavar="RUN...", nargs=-1, required=True, type=options.EXISTING_FOLDER)
@click.option(
    "--metric", default="mae", help="Name of the metric, as in `llpbench evaluate --json`."
)
@options.wide_option
@options.json_option
def compare(folders: tuple[Path, ...], metric: str, as_json: bool) -> None:
    """Compare the settings of RUNs, or of all below such folders, pair by pair.

    Chips are compared where all have labels, else means of divisions. Each row is the first minus
    the second, with its interval and permutation test by division; corrected is the p-value after
    Holm, over all pairs.
    """
    from llpbench.runs.comparing import compare_runs

    rows = compare_runs(folders, metric)
    if as_json:
        print_json([{name: _finite(value) for name, value in row.items()} for row in rows])
        return
    if len(rows) == 1:
        say(rows[0]["finding"])
        echo()
    print_pairs(rows)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
