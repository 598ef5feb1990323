"""A trained method as a file that flies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from llpbench.cli import options
from llpbench.cli.output import echo, print_json, readable


@click.command()
@click.argument("run", type=options.EXISTING_FOLDER)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["litert", "onnx", "savedmodel"]),
    default="litert",
    help="What will run it: LiteRT (once TensorFlow Lite), ONNX Runtime or TensorFlow.",
)
@click.option(
    "--quantize",
    type=click.Choice(["none", "dynamic", "int8", "int16x8"]),
    default="none",
    help="What numbers it computes with: float32; weights of a byte and float32; bytes; two bytes "
    "with weights of one.",
)
@click.option(
    "--dataset",
    metavar="DATASET",
    help="Name or path of the dataset that RUN was trained on, where the cache does not hold it.",
)
@options.out_option(
    "A file, which is replaced, or a new folder for a SavedModel; by default in RUN, called as its "
    "method and numbers."
)
@options.json_option
def export(run: Path, out: Path | None, as_json: bool, **how: Any) -> None:
    """Write the method trained in folder RUN as one file that runs without it.

    The file takes the image of a chip as it is stored and gives shares and classes; it says itself
    of which bands and classes. Ranges of int8 and int16x8 are found on images of training
    chips.
    """
    from llpbench.running.exporting import export_run

    done = export_run(run, out, **how)
    card = done.card
    if as_json:
        print_json(
            {
                "path": str(done.path),
                "file_format": card.file_format,
                "quantize": card.quantize,
                "bytes": done.bytes,
                "dataset": card.trained_on,
            }
        )
        return
    numbers = "" if card.quantize == "none" else f" with {card.quantize}"
    echo(
        f"{card.file_format}{numbers}: {readable(done.bytes)} ({done.bytes} bytes), in {done.path}"
    )
    echo(f"\nNext:\n  llpbench run-exported {done.path} --dataset {card.trained_on}")
