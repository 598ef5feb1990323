"""Challenges: datasets whose test truth stays with the organiser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from llpbench.cli import options
from llpbench.cli.helping import WholeSummaries
from llpbench.cli.output import echo, print_rows, shows_progress

if TYPE_CHECKING:
    from llpbench.challenge.folder import ChallengeFolder


@click.group(cls=WholeSummaries)
def challenge() -> None:
    """Hold a challenge: hand out a dataset without test truth, score what teams send, reveal.

    See docs/howto/challenge.md.
    """


def _open_challenge(
    _context: click.Context, _parameter: click.Parameter, folder: Path
) -> ChallengeFolder:
    from llpbench.challenge.folder import ChallengeFolder

    opened = ChallengeFolder(folder)
    opened.rules()
    return opened


challenge_option = click.option(
    "-c",
    "--challenge",
    "folder",
    type=options.FOLDER,
    required=True,
    callback=_open_challenge,
    help="Folder of the challenge, as `llpbench challenge new` made it.",
)


@challenge.command()
@options.dataset_argument
@options.out_option("A new folder for the challenge.", kind=options.FOLDER, required=True)
@click.option(
    "--public-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.5,
    help="Part of the scored chips whose scores are shown before the challenge closes.",
)
@click.option(
    "--track",
    "tracks",
    type=click.Choice(["inductive", "disaggregation", "cross-region"]),
    multiple=True,
    default=["inductive"],
    help="Track that teams may submit to; may be given several times. With disaggregation, known "
    "shares of test divisions are handed out.",
)
def new(dataset: str, out: Path, public_share: float, tracks: tuple[str, ...]) -> None:
    """Make a challenge of DATASET: what is handed out, what is kept, and rules to edit."""
    from llpbench.challenge.making import new_challenge

    made = new_challenge(
        dataset, out, tracks=tracks, public_share=public_share, progress=shows_progress()
    )
    echo(f"hand out    {made.participants} and {made.rules_file}")
    echo(f"keep        {made.private}")
    echo(f"edit        {made.rules_file}: title, dates, submissions a day")
    echo(f"Next: llpbench challenge score INBOX -c {out}")


@challenge.command()
@click.argument("inbox", metavar="INBOX", type=options.FOLDER)
@challenge_option
@options.wide_option
@options.json_option
def score(inbox: Path, folder: ChallengeFolder, as_json: bool) -> None:
    """Score what is new in INBOX, which holds a file or a folder of each team.

    TEAM.csv, TEAM/FILE, or TEAM/TRACK/FILE where there are several tracks. A file is scored once,
    in a process of its own; `shown` is what the team may be told. The board, a page and a table
    that everybody may see, is written beside.
    """
    from dataclasses import asdict

    from llpbench.challenge.inbox import score_inbox

    rows = [asdict(one) for one in score_inbox(folder, inbox)]
    print_rows(rows, as_json, prose=("problem",))
    if not as_json:
        echo(f"written to {folder.board}")


@challenge.command()
@challenge_option
def reveal(folder: ChallengeFolder) -> None:
    """Rank the teams of a challenge that has closed by the private half.

    The board then tells both halves of the submission that counts of each team, and how ranks
    moved. Nothing is scored afterwards.
    """
    from llpbench.challenge.revealing import reveal as reveal_challenge

    echo(f"written to {reveal_challenge(folder)}")


@challenge.command()
@click.argument("folder", metavar="CHALLENGE", type=options.FOLDER, callback=_open_challenge)
@click.option("--to", "kind", type=click.Choice(["codabench"]), required=True, help="Platform.")
@options.out_option("The zip to upload; test truth is in it.", kind=options.FILE, required=True)
def export(folder: ChallengeFolder, kind: str, out: Path) -> None:
    """Write a challenge as a competition of another platform.

    Codabench remembers nothing of a team: it shows every score, rounded, and has no Ladder.
    """
    from llpbench.challenge.codabench_bundle import export_codabench

    echo(f"written to {export_codabench(folder, out)}, for {kind}")
