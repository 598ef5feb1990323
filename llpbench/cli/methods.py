"""Methods: which there are, and running one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llpbench.cli.output import json_option, print_json, print_table
from llpbench.cli.predictions import split_option

if TYPE_CHECKING:
    from llpbench.running import Run


@click.command()
@json_option
def baselines(as_json: bool) -> None:
    """List the installed methods; parameters are counted at 5 classes."""
    from llpbench.method import method_class, method_names

    rows = [
        {
            "name": name,
            "supervision": found.supervision,
            "track": found.track,
            "parameters": found.parameters,
            "non_trainable": found.non_trainable,
            "source": found.source,
        }
        for name, found in ((name, method_class(name)) for name in method_names())
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(rows)


@click.command()
@click.argument("method")
@click.option("--dataset", required=True, help="Name or path of the dataset.")
@split_option
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training chips.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Any parameter.")
@click.option("--out", type=click.Path(path_type=Path), help="A new folder for the run.")
@json_option
def run(
    method: str,
    dataset: str,
    split: str,
    seed: int,
    epochs: int | None,
    settings: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    """Train METHOD on a dataset, predict one split, score it and keep all of it."""
    from llpbench.running import run_method

    parameters = dict(_setting(text) for text in settings)
    if epochs is not None:
        parameters["epochs"] = epochs
    done = run_method(
        method,
        dataset,
        split=split,
        seed=seed,
        parameters=parameters,
        out=out,
        progress=sys.stderr.isatty(),
    )
    if as_json:
        click.echo(done.scores.to_json())
        return
    print_table([run_row(done)])
    click.echo(f"\n{done.scores.note}\n" if done.scores.note else "")
    click.echo(f"written to {done.folder}:")
    for path in sorted(done.folder.iterdir()):
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
    interval = scores.table().loc["mae"]

    def score(metric: str) -> float | None:
        return scores.value(metric) if metric in scores.metrics else None

    return {
        "method": record.method,
        "dataset": record.dataset + (" (synthetic)" if record.synthetic else ""),
        "split": record.split,
        "MAE": score("mae"),
        "95 %": f"{interval.low:.3f}-{interval.high:.3f}",
        "MAE hard": score("mae_hard"),
        "F1": score("f1_micro"),
        "skill": score("skill"),
        "parameters": record.footprint["parameters"],
        "seconds": round(record.fit_seconds + record.predict_seconds, 1),
    }


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--set")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
