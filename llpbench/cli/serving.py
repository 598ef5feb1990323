"""Commands of the group ``challenge`` that serve one: pages, queue, teams and backups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llpbench.cli import options
from llpbench.cli.challenge import challenge, challenge_option
from llpbench.cli.helping import WholeSummaries
from llpbench.cli.output import LOG, echo, print_rows
from llpbench.errors import LLPBenchError

if TYPE_CHECKING:
    from llpbench.challenge.folder import ChallengeFolder
    from llpbench.challenge.server.service import Service

database_option = click.option(
    "--database",
    metavar="URL",
    envvar="LLPBENCH_DATABASE",
    show_default=False,
    help="Database of teams and submissions, such as postgresql://user@host/name; also from "
    "$LLPBENCH_DATABASE. By default a file of SQLite in the folder of the challenge.",
)
team_argument = click.argument("name", metavar="TEAM")


@challenge.command()
@challenge_option
@database_option
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, help="Port to listen on.")
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    default=1,
    help="Submissions that are scored at the same time; 0 where `worker` does it elsewhere.",
)
def serve(
    folder: ChallengeFolder, database: str | None, host: str, port: int, workers: int
) -> None:
    """Take submissions of teams, score them and show the board.

    Put it behind a proxy that speaks HTTPS, see docs/howto/challenge-server.md.
    """
    service = _open_judging(folder, database)
    from llpbench.challenge.server.serving import serve as serve_challenge

    LOG.info("serving %s at http://%s:%d", service.rules.name, host, port)
    serve_challenge(service, host, port, workers)


@challenge.command()
@challenge_option
@database_option
def worker(folder: ChallengeFolder, database: str | None) -> None:
    """Score what waits in the queue, beside a server that does not.

    It needs the folder of the challenge and the database of the server.
    """
    service = _open_judging(folder, database)
    from llpbench.challenge.server.serving import work_until_told

    work_until_told(service)


@challenge.group(cls=WholeSummaries)
def team() -> None:
    """Add teams and give them tokens."""


@team.command("add")
@team_argument
@challenge_option
@database_option
def add(folder: ChallengeFolder, name: str, database: str | None) -> None:
    """Add a team and print its token, which is kept nowhere."""
    service = _open(folder, database)
    from llpbench.challenge.server.teams import add_team

    echo(add_team(service.database, name))


@team.command("renew")
@team_argument
@challenge_option
@database_option
def renew(folder: ChallengeFolder, name: str, database: str | None) -> None:
    """Print a new token of a team, whose former one is worth nothing any more."""
    service = _open(folder, database)
    from llpbench.challenge.server.teams import renew_token

    echo(renew_token(service.database, name))


@team.command("list")
@challenge_option
@database_option
@options.wide_option
@options.json_option
def list_all(folder: ChallengeFolder, database: str | None, as_json: bool) -> None:
    """List all teams and how many submissions of each are scored, wait or were refused."""
    service = _open(folder, database)
    from llpbench.challenge.server.submissions import counted_by_team

    print_rows(counted_by_team(service.database), as_json)


@challenge.command()
@challenge_option
@database_option
@options.out_option("The zip to write.", required=True, kind=options.FILE)
def backup(folder: ChallengeFolder, database: str | None, out: Path) -> None:
    """Write tables, files, rules and private truth into one zip, while the server goes on."""
    service = _open(folder, database)
    from llpbench.challenge.server.backup import write_backup

    write_backup(service, out)
    echo(str(out))


@challenge.command()
@click.argument("backup", metavar="BACKUP", type=options.FILE)
@options.out_option(
    "Folder of the challenge, which may be new; what is there already stays.",
    required=True,
    kind=options.FOLDER,
)
@database_option
def restore(backup: Path, out: Path, database: str | None) -> None:
    """Fill the folder and the empty database of a challenge from a backup."""
    from llpbench.challenge.folder import ChallengeFolder
    from llpbench.challenge.server.backup import unpack_folder

    unpack_folder(backup, out)
    service = _open(ChallengeFolder(out), database)
    from llpbench.challenge.server.backup import restore_backup

    restore_backup(backup, service)


def _open(folder: ChallengeFolder, database: str | None) -> Service:
    with _needing_server():
        from llpbench.challenge.server.service import open_service
    return open_service(folder, database)


def _open_judging(folder: ChallengeFolder, database: str | None) -> Service:
    """Also find out at once whether submissions can be judged, and requests be answered."""
    with _needing_server():
        import llpbench.challenge.server.serving  # noqa: F401
    folder.truth()
    folder.halves()
    return _open(folder, database)


@contextmanager
def _needing_server() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise LLPBenchError(
            f"the server needs {error.name}, which is not installed: pip install 'llpbench[server]'"
        ) from error
