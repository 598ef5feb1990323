"""Methods: which there are, and running one."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llpbench.cli.output import json_option, print_json, print_table
from llpbench.cli.predictions import split_option
from llpbench.data.info import mark_synthetic

if TYPE_CHECKING:
    from llpbench.runs.record import Run


@click.command()
@json_option
def baselines(as_json: bool) -> None:
    """List the installed methods; parameters are counted at 5 classes."""
    from llpbench.methods.registry import describe_method, method_names

    rows = [
        {
            "name": info.name,
            "supervision": info.supervision,
            "track": info.track,
            "parameters": info.parameters,
            "non_trainable": info.non_trainable,
            "source": info.source,
        }
        for info in map(describe_method, method_names())
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(rows)


@click.command()
@click.argument("method")
@click.option("--dataset", "datasets", required=True, multiple=True, help="Name or path; several.")
@split_option
@click.option("--seed", "seeds", type=click.IntRange(min=0), multiple=True, help="0; several.")
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training chips.")
@click.option("--objective", help="What a network is trained towards, such as dllp.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Any parameter.")
@click.option("--post", metavar="NAME,...", help="Post-processors, such as emq,calibrate.")
@click.option("--apply-to", help="Predict this dataset instead: the cross-region track.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A new folder for the run; for several, of their folders.",
)
@click.option("--resume", is_flag=True, help="Go on with the interrupted run.")
@click.option("--deterministic", is_flag=True, help="The same bits again on one machine; slower.")
@click.option(
    "--track", "tracker", type=click.Choice(["wandb"]), help="Send figures to this service."
)
@click.option("--track-tag", "tracker_tag", help="A word to find the run by, there.")
@json_option
def run(
    method: str,
    datasets: tuple[str, ...],
    seeds: tuple[int, ...],
    epochs: int | None,
    objective: str | None,
    settings: tuple[str, ...],
    post: str | None,
    out: Path | None,
    resume: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train METHOD, predict one split, score it and keep all of it.

    METHOD+emq+calibrate is the same as METHOD --post emq,calibrate. With several datasets or
    seeds, each has a run of its own. Ctrl-C once stops the training of
    a network and evaluates its best weights so far; twice quits.
    """
    from llpbench.running.run import complete_run, run_method

    method = "+".join([method, *(post.split(",") if post else [])])
    chosen = dict(parse_setting(text) for text in settings)
    named = {"epochs": epochs, "objective": objective}
    chosen |= {name: value for name, value in named.items() if value is not None}
    tasks = list(itertools.product(datasets, seeds or (0,)))
    done: list[Run] = []
    several = len(tasks) > 1
    if several and resume and out is None:
        raise click.UsageError("--resume of several runs needs the --out they were given")
    options |= {"settings": chosen, "progress": sys.stderr.isatty()}
    for dataset, seed in tasks:
        options |= {"seed": seed, "out": out}
        if several and out is not None:
            options["out"] = out / f"{method}-{Path(dataset).name}-seed{seed}"
        if several and resume:
            one = complete_run(method, dataset, **options)
        else:
            one = run_method(method, dataset, resume=resume, **options)
        done.append(one)
        if one.record.interrupted:
            break
    _report(done, as_json)
    if done[-1].record.interrupted:
        click.echo("llpbench: interrupted; go on with the same command and --resume", err=True)
        sys.exit(130)


def _report(done: Sequence[Run], as_json: bool) -> None:
    if as_json:
        texts = ["null" if one.scores is None else one.scores.to_json() for one in done]
        click.echo(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
        return
    print_table([{**run_row(one), "seed": one.record.seed} for one in done])
    unscored = "no chip has a label, so nothing could be scored"
    notes = dict.fromkeys(unscored if one.scores is None else one.scores.note for one in done)
    click.echo("\n" + "".join(f"{note}\n" for note in notes if note))
    for one in done:
        click.echo(f"written to {one.folder}:")
        for path in sorted(one.folder.iterdir()):
            click.echo(f"  {path.name}")


def run_row(done: Run) -> dict[str, Any]:
    """A run as a row of the results table.

    Parameters
    ----------
    done : Run

    Returns
    -------
    dict
    """
    scores, record = done.scores, done.record
    interval = None if scores is None else scores.table().loc["mae"]

    def score(metric: str) -> float | None:
        return scores.value(metric) if scores is not None and metric in scores.metrics else None

    return {
        "method": record.method,
        "dataset": mark_synthetic(record.dataset, record.synthetic),
        "split": record.split,
        "MAE": score("mae"),
        "95 %": None if interval is None else f"{interval.low:.3f}-{interval.high:.3f}",
        "MAE hard": score("mae_hard"),
        "F1": score("f1_micro"),
        "skill": score("skill"),
        "parameters": record.footprint["parameters"],
        "seconds": round(record.fit_seconds + record.predict_seconds, 1),
    }


def parse_setting(text: str) -> tuple[str, Any]:
    """Read a parameter from the command line.

    Parameters
    ----------
    text : str
        ``NAME=VALUE``; what is no JSON is taken as text.

    Returns
    -------
    name : str
    value : object

    Raises
    ------
    click.BadParameter
        If there is no name or no ``=``.
    """
    from llpbench.runs import command

    try:
        return command.parse_setting(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--set") from error
