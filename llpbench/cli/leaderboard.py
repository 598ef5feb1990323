"""The leaderboard: making, checking and adding entries; scoring, replaying and comparing them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llpbench.cli import options
from llpbench.cli.helping import WholeSummaries
from llpbench.cli.output import (
    echo,
    print_error,
    print_json,
    print_pairs,
    print_rows,
    print_table,
    say,
    shows_progress,
)

if TYPE_CHECKING:
    from llpbench.board.layout import Board
    from llpbench.board.upkeep import Upkeep
    from llpbench.board.verdict import Verdict


@click.group(cls=WholeSummaries)
def leaderboard() -> None:
    """Make entries, check them, and keep a board of them.

    From a run to an entry: `llpbench run`, `llpbench leaderboard new`, `llpbench leaderboard
    add`. See leaderboard/README.md.
    """
    from llpbench.board.dates import today

    today()  # refuses what numpy, imported below, would stumble over


@leaderboard.command()
@click.argument("folder", metavar="DIR", type=options.FOLDER)
@click.option(
    "--from-run",
    "runs",
    type=options.FOLDER,
    multiple=True,
    help="Folder of a run, or of several runs; give it several times for seeds and datasets.",
)
@click.option(
    "--predictions",
    "files",
    type=options.PATH,
    multiple=True,
    help="Predictions of another program instead: a csv, parquet or zarr; give it several times "
    "for seeds.",
)
@click.option(
    "--dataset",
    metavar="DATASET",
    default="",
    show_default=False,
    help="Name or path of the dataset that --predictions are about.",
)
@click.option("--title", help="Title of the method on the board.")
@click.option(
    "--author", "authors", multiple=True, help="Name of an author; may be given several times."
)
@click.option("--contact", help="E-mail address or web page; it is published.")
@click.option(
    "--licence", help="Licence of the predictions, an SPDX identifier; CC-BY-4.0 by default."
)
@click.option(
    "--one-seed",
    "deterministic",
    is_flag=True,
    help="Say that every seed gives the same, so that one is enough.",
)
def new(
    folder: Path, runs: tuple[Path, ...], files: tuple[Path, ...], dataset: str, **said: Any
) -> None:
    """Start an entry in DIR, called <team>__<method>, and fill it from finished runs or files."""
    from llpbench.board.drafting import draft_entry
    from llpbench.board.fields import FILL_IN

    if bool(files) != bool(dataset) or (files and runs):
        raise click.UsageError("give --predictions with --dataset, or --from-run without them")
    said["authors"] = [{"name": name} for name in said["authors"]]
    known = {name: value for name, value in said.items() if value}
    path = draft_entry(folder, runs, known, files=files, dataset=dataset)
    left = path.read_text(encoding="utf-8").count(FILL_IN)
    echo(f"written to {path}" + f"; {left} fields are to be filled in" * (left > 0))
    echo(f"Next: llpbench leaderboard add {folder}")


@leaderboard.command()
@click.argument("folder", metavar="DIR", type=options.FOLDER)
@options.board_option
@options.json_option
def check(folder: Path, board: Board, as_json: bool) -> None:
    """Check the entry in DIR: form, metadata, predictions, and signs that something is wrong.

    Exits with 1 if it is refused. Flags are for a person to look at; notes only say something.
    """
    from llpbench.board.checking import check_entry

    verdict = check_entry(folder, board)
    if as_json:
        print_json(verdict.to_dict())
    else:
        _print_verdict(verdict)
    sys.exit(verdict.is_refused)


hide_truth_option = click.option(
    "--hide-truth",
    "without_truth",
    is_flag=True,
    help="Show nothing by class, division, chip or seed, from which test labels would follow. "
    "Publish site/ alone then, for truth/ and results/ hold all.",
)


@leaderboard.command()
@click.argument("folder", metavar="DIR", type=options.FOLDER)
@options.board_option
@hide_truth_option
@options.wide_option
@options.json_option
def add(folder: Path, board: Board, without_truth: bool, as_json: bool) -> None:
    """Check the entry in DIR, copy it onto the board, score it and make the page anew."""
    from llpbench.board.adding import add_entry

    verdict, scored, written = add_entry(folder, board, without_truth=without_truth)
    rows = [_row(upkeep) for upkeep in scored]
    if as_json:
        print_json({**verdict.to_dict(), "scores": rows, "written": [str(p) for p in written]})
    else:
        _print_verdict(verdict)
        print_table(rows, prose=("dataset",))
        for path in written:
            echo(f"written to {path}")
    sys.exit(verdict.is_refused)


@leaderboard.command()
@click.argument("entries", metavar="[ENTRY]...", nargs=-1)
@click.option(
    "--pixels",
    is_flag=True,
    help="Score segmentations as well, which needs them and the datasets' imagery.",
)
@options.board_option
@options.wide_option
@options.json_option
def score(entries: tuple[str, ...], pixels: bool, board: Board, as_json: bool) -> None:
    """Score what is new or was scored by another version of the scorer."""
    from llpbench.board.upkeep import score_board

    rows = [_row(upkeep) for upkeep in score_board(board, entries, pixels=pixels)]
    print_rows(rows, as_json, prose=("dataset",))


@leaderboard.command()
@options.board_option
@options.wide_option
@options.json_option
def replay(board: Board, as_json: bool) -> None:
    """Score everything again and compare with what is stored.

    Exits with 1 if a score moved by more than 1e-6 and the scorer is the same. If the scorer is
    another one, the changes of ranks are shown. Nothing is written.
    """
    from llpbench.board.replaying import replay as replay_board

    replayed = replay_board(board)
    problems = [result for result in replayed if result.problem]
    if as_json:
        print_json([result.model_dump() for result in replayed])
        sys.exit(bool(problems))
    for result in problems:
        print_error(f"{result.entry} on {result.dataset} {result.problem}")
    moved = [result for result in replayed if result.moved and not result.problem]
    print_table(
        [
            {
                "entry": result.entry,
                "dataset": result.dataset,
                "stored MAE": (mae := result.moved.get("mae", (None, None)))[0],
                "MAE": mae[1],
                "stored rank": result.stored_rank,
                "rank": result.rank,
            }
            for result in replayed
            if not result.problem and (result.moved or result.rank != result.stored_rank)
        ],
        prose=("dataset",),
    )
    echo(f"{len(replayed)} scored again, {len(moved)} moved, {len(problems)} wrong")
    sys.exit(bool(problems))


@leaderboard.command()
@click.argument("entry")
@options.datasets_option(required=False)
@options.board_option
@options.wide_option
@options.json_option
def reproduce(entry: str, datasets: tuple[str, ...], board: Board, as_json: bool) -> None:
    """Run the command of ENTRY again, if it is `llpbench run` of a method that ships here.

    Exits with 1 if a result lies outside the interval of the entry.
    """
    from llpbench.board.reproducing import reproduce as reproduce_entry
    from llpbench.board.upkeep import find_submissions

    (submission,) = find_submissions(board, [entry])
    done = list(reproduce_entry(board, submission, datasets, progress=shows_progress()))
    rows = [rerun.model_dump(exclude={"command"}, by_alias=True) for rerun in done]
    order = ("dataset", "MAE", "low", "high", "again", "inside")
    print_rows(rows, as_json, order=order)
    sys.exit(not all(rerun.inside for rerun in done))


@leaderboard.command()
@click.argument("entries", nargs=-1, required=True)
@click.option(
    "--metric",
    default="mae",
    show_default=True,
    help="Name of the metric, as in `llpbench evaluate --json`.",
)
@options.board_option
@options.wide_option
@options.json_option
def compare(entries: tuple[str, ...], metric: str, board: Board, as_json: bool) -> None:
    """Compare ENTRIES pair by pair, divisions paired: difference, interval, permutation test.

    The corrected p-value is after Holm, over all comparisons of the table.
    """
    from llpbench.board.comparing import compare_entries

    if len(entries) < 2:
        raise click.UsageError("give at least two entries to compare")
    rows = [pair.model_dump(by_alias=True) for pair in compare_entries(board, entries, metric)]
    if as_json:
        print_json(rows)
        return
    print_pairs(rows)


@leaderboard.command()
@click.argument("datasets", nargs=-1, required=True, metavar="DATASET...")
@options.board_option
def truth(datasets: tuple[str, ...], board: Board) -> None:
    """Make the truth tables of DATASETs, which must be on this machine.

    With them, proportions are scored without the imagery. Of a published dataset all chips must
    be here. DATASET may be the folder of a challenge: entries are then those of its participants,
    whose dataset has a digest of its own.
    """
    from llpbench.board.card import make_card
    from llpbench.board.published import check_whole
    from llpbench.board.result import write_stored
    from llpbench.board.truth import write_truth
    from llpbench.challenge.folder import open_truth

    for dataset in datasets:
        table, ds = open_truth(dataset)
        check_whole(ds)
        path = board.truth(ds.llp.info.name)
        write_truth(table, path)
        write_stored(make_card(ds), board.card(ds.llp.info.name))
        echo(f"written to {path}")


@leaderboard.command()
@options.board_option
@hide_truth_option
def build(board: Board, without_truth: bool) -> None:
    """Make the page, site/index.html, and the ranking in the board's README."""
    from llpbench.board.site import build_site

    for path in build_site(board, without_truth=without_truth):
        echo(f"written to {path}")


def _row(upkeep: Upkeep) -> dict[str, Any]:
    """Scores of an entry on a dataset as a row."""
    mae = upkeep.result.metrics["mae"]
    pixels = upkeep.result.pixels.metrics if upkeep.result.pixels else {}
    return {
        "entry": upkeep.entry,
        "dataset": upkeep.dataset,
        "MAE": mae.value,
        "low": mae.low,
        "high": mae.high,
        "F1": pixels["f1_micro"].value if "f1_micro" in pixels else None,
        "proportions": upkeep.proportions,
        "pixels": upkeep.pixels,
    }


def _print_verdict(verdict: Verdict) -> None:
    echo(f"{verdict.entry}: {verdict.level}")
    for reason in verdict.reasons:
        where = f"{reason.where}: " if reason.where else ""
        say(f"  {reason.level} ({reason.check}) {where}{reason.sentence}")
