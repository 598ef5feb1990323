"""The command line: tables of commands, each imported when it runs."""

from __future__ import annotations

import importlib
import os
import sys
import time
from pathlib import Path
from typing import Any

import click

from llpbench._version import __version__
from llpbench.cli.options import FOLDER
from llpbench.cli.output import LOG, logging_to_stderr, print_error
from llpbench.errors import LLPBenchError

SECTIONS = {
    "Begin here": {
        "demo": ("experiments:demo", "Run the whole benchmark on the embedded datasets."),
    },
    "Datasets": {
        "datasets": ("datasets:datasets", "List all datasets and their state."),
        "download": ("download:download", "Fetch published datasets."),
        "info": ("datasets:info", "Show what a dataset holds."),
        "verify": ("datasets:verify", "Check a dataset against its digest."),
        "clean": ("download:clean", "Show what the cache holds, and remove it."),
        "cite": ("datasets:cite", "Print how to cite a dataset, a method or llpbench."),
        "datasheet": ("reporting:datasheet", "Write a dataset's card in Markdown."),
        "croissant": ("reporting:croissant", "Write a dataset's GeoCroissant metadata."),
        "stac": ("reporting:stac", "Write a dataset as a STAC collection and item."),
        "figures": ("reporting:figures", "Draw the paper's figures for a dataset."),
    },
    "Datasets of your own": {
        "build": ("building:build", "Make a dataset of a region of your own."),
        "import": ("building:import_zip", "Make a dataset from a published zip."),
        "synthesize": ("building:synthesize", "Make a synthetic dataset."),
        "export-archive": ("building:export_archive", "Write a dataset as such a zip."),
    },
    "Methods": {
        "baselines": ("methods:baselines", "List the installed methods."),
        "run": ("methods:run", "Train a method, predict and score."),
        "sweep": ("experiments:sweep", "Run many methods, datasets, seeds and settings."),
        "crossvalidate": (
            "experiments:crossvalidate",
            "Predict each fold of divisions by the others, and score it without labels.",
        ),
        "run-exported": (
            "flying:run_exported",
            "Predict with an exported file, score and measure it.",
        ),
        "coarseness": ("experiments:coarseness", "Train methods on ever fewer divisions."),
    },
    "On orbit": {
        "export": ("exporting:export", "Write a trained method as a file that flies."),
        "orbit": ("orbit:orbit", "Train a method as on board: in passes, with little memory."),
    },
    "Maps and areas": {
        "predict": ("predicting:predict", "Apply a trained method to new images or a dataset."),
        "map": ("predictions:map_predictions", "Write predictions as a map."),
        "estimate": ("estimating:estimate", "Estimate areas of classes in polygons."),
    },
    "Scores": {
        "evaluate": ("predictions:evaluate", "Score a predictions file."),
        "compare": ("methods:compare", "Compare runs, divisions paired."),
        "results": ("results:results", "Write runs as a table of methods and metrics."),
        "template": ("predictions:template", "Write an empty predictions file to fill."),
        "convert": ("predictions:convert", "Write predictions in another form."),
    },
    "The leaderboard": {
        "leaderboard": (
            "leaderboard:leaderboard",
            "Make and check entries; score, replay and compare them.",
        ),
    },
    "Challenges": {
        "challenge": (
            "serving:challenge",
            "Hold a challenge whose test truth stays with you.",
        ),
    },
    "When something is wrong": {
        "doctor": ("doctor:doctor", "Print versions, cache and devices, for a report."),
    },
    "For maintainers": {
        "pin-records": ("download:pin_records", "Write checksums of archives into the package."),
    },
}
"""Commands by what they are for: where each is defined (below ``llpbench.cli``) and what help says.
"""

COMMANDS = {name: said for section in SECTIONS.values() for name, said in section.items()}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports only the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the sections."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(
            importlib.import_module(f"llpbench.cli.{module}"), attribute
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        widest = max(map(len, COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(widest), text) for name, (_where, text) in commands.items()]
                )


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(__version__, prog_name="llpbench")
@click.option(
    "--cache-dir", type=FOLDER, help="Folder where datasets are kept, instead of $LLPBENCH_CACHE."
)
@click.option("-q", "--quiet", is_flag=True, help="Print errors and results only.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Also print what is read and guessed, and times."
)
@click.pass_context
def cli(context: click.Context, cache_dir: Path | None, quiet: bool, verbose: bool) -> None:
    """Benchmark for learning from label proportions on satellite imagery.

    Start with `llpbench demo`, or `llpbench COMMAND --help`.
    """
    if quiet and verbose:
        raise click.UsageError("give --quiet or --verbose, not both")
    context.with_resource(logging_to_stderr(quiet=quiet, verbose=verbose))
    if cache_dir is not None:  # in the environment, which worker processes inherit
        os.environ["LLPBENCH_CACHE"] = str(cache_dir.absolute())
    start = time.perf_counter()
    context.call_on_close(lambda: LOG.debug("%.1f s in all", time.perf_counter() - start))


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line and exit.

    Exit codes: 0 done, 1 refused or failed (one line on stderr), 2 wrong usage, 130 interrupted.
    The arguments are by default those that the process was given.
    """
    try:
        cli.main(arguments, standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _leave("interrupted", 130)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        _leave(error.format_message(), 1)
    except LLPBenchError as error:
        _leave(str(error), 1)
    except MemoryError as error:
        reason = f" ({error})" if str(error) else ""
        _leave(f"there is not enough memory{reason}", 1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _leave(f"{error.strerror or error}{where}", 1)


def _leave(message: str, code: int) -> None:
    print_error(message)
    sys.exit(code)
