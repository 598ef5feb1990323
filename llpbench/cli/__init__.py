"""The command line: a table of commands, each imported when it runs."""

from __future__ import annotations

import importlib
import os
import sys
import time
from pathlib import Path
from typing import Any

import click

from llpbench._version import __version__
from llpbench.cli.output import LOG, logging_to_stderr
from llpbench.errors import LLPBenchError

COMMANDS = {
    "datasets": ("llpbench.cli.datasets:datasets", "List all datasets and their state."),
    "download": ("llpbench.cli.download:download", "Fetch published datasets."),
    "info": ("llpbench.cli.datasets:info", "Show what a dataset holds."),
    "verify": ("llpbench.cli.datasets:verify", "Check a dataset against its digest."),
    "clean": ("llpbench.cli.download:clean", "Show what the cache holds, and remove it."),
    "cite": ("llpbench.cli.datasets:cite", "Print how to cite and attribute a dataset."),
    "import": ("llpbench.cli.archives:import_zip", "Make a dataset from a published zip."),
    "export-archive": ("llpbench.cli.archives:export_archive", "Write a dataset as such a zip."),
    "synthesize": ("llpbench.cli.archives:synthesize", "Make a synthetic dataset."),
    "build": ("llpbench.cli.building:build", "Make a dataset of a region of your own."),
    "baselines": ("llpbench.cli.methods:baselines", "List the installed methods."),
    "run": ("llpbench.cli.methods:run", "Train a method, predict and score."),
    "sweep": ("llpbench.cli.sweep:sweep", "Run many methods, datasets, seeds and settings."),
    "coarseness": (
        "llpbench.cli.coarseness:coarseness",
        "Train methods on ever fewer divisions.",
    ),
    "predict": ("llpbench.cli.building:predict", "Apply a trained method to a new raster."),
    "map": ("llpbench.cli.building:map_predictions", "Write predictions as a map."),
    "template": ("llpbench.cli.predictions:template", "Write an empty predictions file to fill."),
    "evaluate": ("llpbench.cli.predictions:evaluate", "Score a predictions file."),
    "leaderboard": (
        "llpbench.cli.leaderboard:leaderboard",
        "Make and check entries; score, replay and compare them.",
    ),
    "figures": ("llpbench.cli.figures:figures", "Draw the paper's figures for a dataset."),
    "datasheet": ("llpbench.cli.cards:datasheet", "Write a dataset's card in Markdown."),
    "croissant": ("llpbench.cli.cards:croissant", "Write a dataset's GeoCroissant metadata."),
    "pin-records": (
        "llpbench.cli.maintenance:pin_records",
        "For maintainers: write archive checksums into the package.",
    ),
    "demo": ("llpbench.cli.demo:demo", "Run the whole benchmark on the embedded datasets."),
}
"""Command name to where it is defined and what help says of it."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports only the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_where, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="llpbench")
@click.option(
    "--cache-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where datasets are kept, instead of $LLPBENCH_CACHE.",
)
@click.option("-q", "--quiet", is_flag=True, help="Errors and results only.")
@click.option("-v", "--verbose", is_flag=True, help="Also what is read and guessed, and times.")
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

    Parameters
    ----------
    arguments : list of str, optional
        What follows ``llpbench``; by default what the process was given.
    """
    try:
        cli.main(arguments, standalone_mode=False)
    except click.exceptions.Abort:
        _leave("interrupted", 130)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        _leave(error.format_message(), 1)
    except LLPBenchError as error:
        _leave(str(error), 1)
    except KeyboardInterrupt:
        _leave("interrupted", 130)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _leave(f"{error.strerror or error}{where}", 1)


def _leave(message: str, code: int) -> None:
    click.echo(f"llpbench: {' '.join(message.split())}", err=True)
    sys.exit(code)
