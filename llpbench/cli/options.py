"""Arguments and options that mean the same in every command.

A command about datasets takes them as arguments, ``DATASET``; one about a method, predictions or
an entry takes ``--dataset``. ``NAME`` is what a new dataset will be called. What a command writes
goes to ``-o/--out``: commands that train have a default below ``runs/``, those that make one text
print it, and the others ask for a place.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llpbench.cli.output import WIDE
from llpbench.errors import LLPBenchError

if TYPE_CHECKING:
    from llpbench.board.layout import Board

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class UsersPath(click.Path):
    """A path that a user names: neither a pipe nor a device, which could hang or be replaced.

    Whether it can be read is found out by reading, so that a refusal is no wrong usage.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, readable=False, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is neither a file nor a folder, before anything is opened."""
        path = Path(value)
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise LLPBenchError(f"{str(path)!r} is a pipe or a device; give the name of a file")
        return super().convert(value, param, ctx)


class UsersPlace(UsersPath):
    """A path, or an address such as ``s3://bucket/estonia``, which stays a text."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse an address that is none, or take a path."""
        from llpbench.data.location.address import check_address, is_address

        if is_address(str(value)):
            return check_address(str(value))
        return super().convert(value, param, ctx)


PATH = UsersPath()
FILE = UsersPath(dir_okay=False)
EXISTING = UsersPath(exists=True)
FOLDER = UsersPath(file_okay=False)
EXISTING_FOLDER = UsersPath(file_okay=False, exists=True)
COUNT = click.IntRange(min=1)
SEED = click.IntRange(min=0)

WHERE = UsersPlace()

dataset_argument = click.argument("dataset", metavar="DATASET")
dataset_option = click.option(
    "--dataset", metavar="DATASET", required=True, help="Name or path of the dataset."
)
name_argument = click.argument("name", metavar="NAME")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def _keep_wide(context: click.Context, _parameter: click.Parameter, is_wide: bool) -> None:
    context.meta[WIDE] = is_wide


wide_option = click.option(
    "--wide",
    is_flag=True,
    expose_value=False,
    callback=_keep_wide,
    help="Show all columns of tables, however wide the terminal is.",
)
split_option = click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    default="test",
    help="Which split the predictions are about.",
)
score_option = click.option(
    "--score",
    type=click.Choice(["divisions", "chips"]),
    show_default=False,
    help="Score the means of divisions alone, or chips by their labels as well. By default chips "
    "as well, but not on val, where nothing is chosen by labels.",
)
seeds_option = click.option(
    "--seed",
    "seeds",
    type=SEED,
    multiple=True,
    show_default=False,
    help="Seed of everything random, by default 0; give it several times for several runs.",
)


predictions_argument = click.argument("predictions", metavar="PREDICTIONS|RUN", type=PATH)
predicted_option = click.option(
    "--dataset",
    metavar="DATASET",
    help="Name or path of the dataset that was predicted; a run knows its own.",
)
crossvalidation_option = click.option(
    "--crossvalidation",
    type=EXISTING_FOLDER,
    help="Folder of a cross-validation of the method, which tells how wrong it is.",
)


def _parse_bands(
    _context: click.Context, _parameter: click.Parameter, text: str | None
) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]


rgb_option = click.option(
    "--rgb",
    metavar="BANDS",
    callback=_parse_bands,
    show_default=False,
    help="Three bands that pictures show as red, green and blue, or one in grey, by names or "
    "roles. By default red,green,blue where there are such, else the first three.",
)


def _open_board(_context: click.Context, _parameter: click.Parameter, folder: Path) -> Board:
    from llpbench.board.layout import Board

    return Board(folder)


board_option = click.option(
    "--board",
    type=FOLDER,
    default=Path("leaderboard"),
    show_default=True,
    callback=_open_board,
    help="Folder of the board.",
)


def crew_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--workers`` and ``--scheduler``: who does the work, see :func:`llpbench.crew.gather`."""
    workers = click.option(
        "--workers",
        type=COUNT,
        default=1,
        help="Number of processes of this machine that the work is shared out to.",
    )
    scheduler = click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Address of a dask scheduler, such as tcp://10.0.0.1:8786, whose workers do the work.",
    )
    return workers(scheduler(command))


def datasets_option(*, required: bool) -> Decorator:
    """``--dataset``, once or several times."""
    text = "Name or path of a dataset; may be given several times."
    return click.option(
        "--dataset", "datasets", metavar="DATASET", required=required, multiple=True, help=text
    )


def settings_option(metavar: str, text: str) -> Decorator:
    """``--set NAME=VALUE``: arguments of a method's constructor, as a dictionary."""
    return click.option(
        "--set", "settings", multiple=True, metavar=metavar, callback=_parse_settings, help=text
    )


def out_option(
    text: str, *, required: bool = False, kind: click.Path = PATH, default: Path | None = None
) -> Decorator:
    """``-o/--out``: where a command writes."""
    # a default of None is one for click, with which nothing is missing
    given: dict[str, Any] = {} if default is None else {"default": default}
    return click.option("-o", "--out", type=kind, required=required, help=text, **given)


def new_dataset_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--out``, ``--workers`` and ``--scheduler`` of a command that makes a dataset."""
    out = out_option(
        "Path or address (s3://bucket/folder) where the dataset is written, by default the cache.",
        kind=WHERE,
    )
    return out(crew_options(command))


def _parse_settings(
    _context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]
) -> dict[str, Any]:
    """Read each ``NAME=VALUE``; a value that is no JSON is text."""
    if not texts:
        return {}
    from llpbench.runs.command import parse_setting

    try:
        return dict(map(parse_setting, texts))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--set") from error
