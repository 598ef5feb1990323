"""Training on board, simulated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from llpbench.cli import options
from llpbench.cli.output import (
    echo,
    print_folder,
    print_json,
    print_table,
    readable,
    say,
    shows_progress,
)

_UNITS = {"kb": 10**3, "mb": 10**6, "gb": 10**9}


def _parse_size(_context: click.Context, _parameter: click.Parameter, text: str) -> int:
    """Read a number with a unit of bytes."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?) ?([kmg]b)", text.lower())
    size = round(float(found[1]) * _UNITS[found[2]]) if found else 0
    if size < 1:
        raise click.BadParameter(
            f"expected a size such as 256MB, in kB, MB or GB, found {text!r:.40}"
        )
    return size


@click.command()
@click.argument("method", metavar="METHOD")
@options.dataset_option
@click.option(
    "--memory",
    callback=_parse_size,
    metavar="SIZE",
    default="256MB",
    help="Memory for training, above that of the frameworks: such as 256MB.",
)
@click.option(
    "--passes", type=options.COUNT, default=8, help="Number of swaths in which the region is seen."
)
@click.option(
    "--then",
    metavar="DATASET",
    help="Another season of the region, by name or path, that comes in as many passes afterwards.",
)
@click.option("--seed", type=options.SEED, default=0, help="Seed of everything random.")
@options.settings_option(
    "NAME=VALUE", "Setting of the method, see docs/methods.md; give it once for each setting."
)
@options.out_option(
    "A new folder for all that comes of it, runs/orbit-METHOD-DATASET-seedN by default.",
    kind=options.FOLDER,
)
@options.wide_option
@options.json_option
def orbit(method: str, out: Path | None, as_json: bool, **given: Any) -> None:
    """Train METHOD as on board: chips come in passes, once, and memory is small.

    Label proportions alone are sent up. Bytes both ways, processor seconds, memory and the error of
    val divisions are measured after each pass; test chips are predicted once, at the end. More
    memory than there is ends it. What is interrupted begins anew. With --then the method is updated
    with another season, and compared with itself as it was and with one of that season alone.
    """
    from llpbench.orbit.flight import fly
    from llpbench.orbit.plan import OrbitPlan

    record, folder = fly(OrbitPlan(method, **given), out=out, progress=shows_progress())
    if as_json:
        print_json(record.to_dict())
        return
    print_table([_row(each) for each in record.to_dict()["passes"]])
    if record.then is not None:
        echo(f"\nthen {record.then.dataset}, MAE of its val divisions:")
        print_table([_drift_row(row) for _number, row in record.drift_table().iterrows()])
    echo()
    for sentence in _sentences(record):
        say(sentence)
    echo(f"\nwritten to {folder}:")
    print_folder(folder)


def _row(each: dict[str, Any]) -> dict[str, Any]:
    """What a terminal shows of a pass."""
    sums = each["downlinked_statistics"]
    return {
        "pass": each["number"],
        "chips": each["chips"],
        "held": each["held"],
        "divisions": each["divisions"],
        "val mae": each["mae"],
        "labels up": readable(each["uplinked_labels"]),
        "model down": readable(each["downlinked_model"]),
        "or sums down": None if sums is None else readable(sums),
        "cpu s": each["cpu_seconds"],
        "peak": readable(each["peak_memory"]),
    }


def _drift_row(each: Any) -> dict[str, Any]:
    """What a terminal shows of a pass over the further season."""
    alone = each["alone"]
    return {
        "pass": int(each["number"]),
        "labels up": readable(int(each["uplinked_labels"])),
        "not updated": each["unchanged"],
        "updated": each["updated"],
        "this season alone": None if alone != alone else alone,
    }


def _sentences(record: Any) -> list[str]:
    peak, memory = f"{record.peak / 1e6:.0f}", f"{record.memory / 1e6:g}"
    found = [f"peak {peak} of {memory} MB, above {record.frameworks / 1e6:.0f} of the frameworks"]
    found += [f"test MAE of {of}: {error:.4f}" for of, error in record.test.items()]
    if record.then is not None:
        found += _drift_sentences(record)
    if record.difference_to_batch is not None:
        away = f"{record.difference_to_batch:.1e}"
        found.append(f"shares of test chips differ from those of batch training by {away} at most")
    return found


def _drift_sentences(record: Any) -> list[str]:
    then, first = record.then, record.dataset
    found = [
        f"test MAE of {of} of {then.dataset}: {then.unchanged_test[of]:.4f} not updated, "
        f"{error:.4f} updated, {then.alone_test[of]:.4f} of it alone"
        for of, error in then.test.items()
    ]
    found += [
        f"test MAE of {of} of {first}, updated: {error:.4f}"
        for of, error in then.test_before.items()
    ]
    if then.known:
        found.append(
            f"{then.known:.0%} of the test chips of {then.dataset} are training chips of {first}: "
            "of these places, shares were known before"
        )
    return found
