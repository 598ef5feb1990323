"""What is written about a dataset: the paper's figures, and its cards.

Cards are for people in Markdown, for programs as Croissant.
Cards are for people in Markdown, for programs as GeoCroissant and as STAC.
"""

from __future__ import annotations

import json
import logging
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llpbench.cli import options
from llpbench.cli.output import echo, print_paths

if TYPE_CHECKING:
    from llpbench.catalog.responsible import Responsible

log = logging.getLogger("llpbench")


@click.command()
@options.dataset_argument
@options.out_option(
    "A folder; pictures and tables in it of the same names are replaced.",
    required=True,
    kind=options.FOLDER,
)
@click.option(
    "--runs",
    type=options.EXISTING_FOLDER,
    multiple=True,
    help="Folder of a run, or of several, for bars and tables of results; may be given "
    "several times.",
)
@click.option(
    "--predictions",
    type=options.EXISTING,
    multiple=True,
    help="Predictions file or run folder to map; may be given several times.",
)
@options.rgb_option
@options.json_option
def figures(
    dataset: str,
    out: Path,
    runs: tuple[Path, ...],
    predictions: tuple[Path, ...],
    rgb: list[str] | None,
    as_json: bool,
) -> None:
    """Draw the paper's figures for DATASET.

    Its area with grid and divisions, splits, class distributions and sample chips; maps of
    predictions against the truth; results by method, across regions and what they cost.
    """
    from llpbench.data.dataset import open_dataset
    from llpbench.reporting.figures import write_figures

    ds = open_dataset(dataset)
    written = write_figures(ds, out, runs=runs, predictions=predictions, rgb=rgb)
    print_paths({path.stem: path for path in written}, as_json)


rai_option = click.option(
    "--rai",
    "answers",
    type=options.FILE,
    help="A TOML file of what users of DATASET must know: limits, biases, sensitive information, "
    "uses, social impact, sources.",
)


def _days(
    _ctx: click.Context, _param: click.Parameter, value: tuple[str, str] | None
) -> tuple[str, str] | None:
    """Check that two days are days, and the first not after the last."""
    try:
        days = None if value is None else [date.fromisoformat(day) for day in value]
    except ValueError as error:
        raise click.BadParameter(f"{value} are not days such as 2023-04-01 ({error})") from error
    if days is None:
        return None
    if days[0] > days[1]:
        raise click.BadParameter(f"{days[0]} is after {days[1]}")
    return days[0].isoformat(), days[1].isoformat()


text_option = options.out_option("A file to write, instead of printing.", kind=options.FILE)


@click.command()
@options.dataset_argument
@click.option(
    "--crossvalidation",
    "crossvalidations",
    type=options.EXISTING_FOLDER,
    multiple=True,
    help="Folder of a cross-validation on DATASET, which says how good maps made of its shares "
    "are; may be given several times.",
)
@rai_option
@text_option
def datasheet(
    dataset: str, crossvalidations: tuple[Path, ...], answers: Path | None, out: Path | None
) -> None:
    """Write the datasheet of DATASET, with its known label noise.

    Of a published dataset that is not on this machine, it says what the catalog knows.
    """
    from llpbench import catalog
    from llpbench.data.cache import stored_names
    from llpbench.data.dataset import open_dataset
    from llpbench.reporting.datasheet import describe_dataset, describe_entry

    entry = catalog.load().datasets.get(dataset)
    is_away = entry is not None and entry.record is not None and dataset not in stored_names()
    if entry is not None and is_away and not (crossvalidations or answers):
        text = describe_entry(entry)
    else:
        text = describe_dataset(open_dataset(dataset), crossvalidations, _answers(answers))
    _write(text, out)


@click.command()
@options.dataset_argument
@rai_option
@text_option
def croissant(dataset: str, answers: Path | None, out: Path | None) -> None:
    """Write Croissant metadata (JSON-LD) of DATASET, with its place and what users must know.

    Of a dataset of your own, some of that is asked: what is missing is noted, and --rai answers.
    """
    from llpbench.data.dataset import open_dataset
    from llpbench.reporting.croissant import describe_croissant
    from llpbench.reporting.responsible import responsible_of

    ds, said = open_dataset(dataset), _answers(answers)
    _write(json.dumps(describe_croissant(ds, said), indent=1, ensure_ascii=False), out)
    if missing := responsible_of(ds.llp.info, said).unanswered:
        log.warning(
            "nobody has said of this dataset: %s; answer with --rai FILE", ", ".join(missing)
        )


def _answers(path: Path | None) -> Responsible | None:
    """What a file says that users of a dataset must know."""
    from llpbench.catalog.responsible import read_responsible

    return None if path is None else read_responsible(path)


@click.command()
@options.dataset_argument
@click.option(
    "--days",
    nargs=2,
    callback=_days,
    metavar="FIRST LAST",
    help="First and last day of the imagery, such as 2023-04-01 2023-09-30, where DATASET does not "
    "know them.",
)
@options.out_option("A folder for the collection and its item.", required=True, kind=options.FOLDER)
def stac(dataset: str, days: tuple[str, str] | None, out: Path) -> None:
    """Write a STAC collection of DATASET, with an item that names its files."""
    from llpbench.data.dataset import open_dataset
    from llpbench.reporting.stac import write_stac

    for path in write_stac(open_dataset(dataset), out, days):
        echo(str(path))


def _write(text: str, out: Path | None) -> None:
    """Print a text, or write it in one step."""
    from llpbench.writing import replace_text

    text = text.rstrip("\n") + "\n"
    if out is None:
        echo(text, nl=False)
    else:
        replace_text(out, text)
