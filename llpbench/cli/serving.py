"""Serving a challenge: its pages, its queue, its teams and its backups."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from llpbench.cli import options
from llpbench.cli.output import LOG, echo, print_rows
from llpbench.errors import LLPBenchError

if TYPE_CHECKING:
    from llpbench.challenge.server.service import Service

challenge_argument = click.argument("folder", metavar="CHALLENGE", type=options.EXISTING_FOLDER)
database_option = click.option(
    "--database",
    metavar="URL",
    envvar="LLPBENCH_DATABASE",
    show_default=False,
    help="Database of teams and submissions, such as postgresql://user@host/name; also from "
    "$LLPBENCH_DATABASE. By default a file of SQLite in the folder of the challenge.",
)
team_argument = click.argument("name", metavar="TEAM")


@click.command()
@challenge_argument
@database_option
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, help="Port to listen on.")
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    default=1,
    help="Submissions that are scored at the same time; 0 where `worker` does it elsewhere.",
)
def serve(folder: Path, database: str | None, host: str, port: int, workers: int) -> None:
    """Take submissions of teams, score them and show the board.

    Put it behind a proxy that speaks HTTPS, see docs/howto/challenge-server.md.
    """
    service = _open(folder, database)
    from llpbench.challenge.server.serving import serve as serve_challenge

    LOG.info("serving %s at http://%s:%d", service.rules.name, host, port)
    serve_challenge(service, host, port, workers)


@click.command()
@challenge_argument
@database_option
def worker(folder: Path, database: str | None) -> None:
    """Score what waits in the queue, beside a server that does not.

    It needs the folder of the challenge and the database of the server.
    """
    from llpbench.challenge.server.serving import work_until_told

    work_until_told(_open(folder, database))


@click.group()
def team() -> None:
    """Add teams and give them tokens."""


@team.command("add")
@challenge_argument
@team_argument
@database_option
def add(folder: Path, name: str, database: str | None) -> None:
    """Add a team and print its token, which is kept nowhere."""
    from llpbench.challenge.server.teams import add_team

    echo(add_team(_open(folder, database).database, name))


@team.command("renew")
@challenge_argument
@team_argument
@database_option
def renew(folder: Path, name: str, database: str | None) -> None:
    """Print a new token of a team, whose former one is worth nothing any more."""
    from llpbench.challenge.server.teams import renew_token

    echo(renew_token(_open(folder, database).database, name))


@team.command("list")
@challenge_argument
@database_option
@options.json_option
def list_all(folder: Path, database: str | None, as_json: bool) -> None:
    """List all teams and how many submissions of each are scored, wait or were refused."""
    from llpbench.challenge.server.submissions import counted_by_team

    print_rows(counted_by_team(_open(folder, database).database), as_json)


@click.command()
@challenge_argument
@database_option
@options.out_option("The zip to write.", required=True, kind=options.FILE)
def backup(folder: Path, database: str | None, out: Path) -> None:
    """Write tables, files, rules and private truth into one zip, while the server goes on."""
    from llpbench.challenge.server.backup import write_backup

    write_backup(_open(folder, database), out)
    echo(str(out))


@click.command()
@challenge_argument
@click.argument("backup", metavar="BACKUP", type=options.FILE)
@database_option
def restore(folder: Path, backup: Path, database: str | None) -> None:
    """Fill the folder and the empty database of a challenge from a backup.

    The folder needs not more than the dataset that is handed out.
    """
    from llpbench.challenge.server.backup import restore_backup, unpack_folder

    unpack_folder(backup, folder)
    restore_backup(backup, _open(folder, database))


COMMANDS = (serve, worker, team, backup, restore)
"""For the group ``challenge``."""


def _open(folder: Path, database: str | None) -> Service:
    from llpbench.challenge.folder import ChallengeFolder

    try:
        from llpbench.challenge.server.service import open_service
    except ModuleNotFoundError as error:
        raise LLPBenchError(
            f"the server needs {error.name}, which is not installed: pip install 'llpbench[server]'"
        ) from error
    return open_service(ChallengeFolder(folder), database)
