"""Running methods as the files that fly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from llpbench.cli import options
from llpbench.cli.output import shows_progress


@click.command("run-exported")
@click.argument("file", metavar="FILE", type=options.EXISTING)
@options.dataset_option
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    show_default=False,
    help="Which split is predicted and scored: by default test, or every chip where all were "
    "trained on.",
)
@options.score_option
@options.out_option("A new folder for the run, below runs/ by default.")
@options.wide_option
@options.json_option
def run_exported(file: Path, dataset: str, as_json: bool, **fixed: Any) -> None:
    """Predict with an exported FILE, score it as `llpbench run` does, and measure the file.

    FILE is of LiteRT or ONNX, which need no TensorFlow, or a folder of a SavedModel, as `llpbench
    export` writes them. Its own runtime runs it, in one thread of a process of its own. A
    SavedModel is a program that may read and write files: run only those that you trust.
    """
    from llpbench.cli.methods import report_runs
    from llpbench.running.run_exported import run_exported as run

    report_runs([run(file, dataset, progress=shows_progress(), **fixed)], as_json)
