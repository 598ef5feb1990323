"""The database: SQLite in a file, or Postgres by its URL, with the same transactions."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from llpbench.challenge.server.refusals import RefusalError
from llpbench.challenge.server.tables import ABOUT, FORMAT, METADATA
from llpbench.errors import LLPBenchError

BUSY_SECONDS = 20
"""That a transaction waits for others."""

_LOCK = 7_305_215
"""Any number: held on Postgres by whoever makes the tables."""


class Database:
    """Connections to the database of a challenge, whose tables are made where there are none.

    Parameters
    ----------
    url : str
        As SQLAlchemy has it: ``sqlite:////path/of/file`` or ``postgresql://user@host/name``.

    Raises
    ------
    LLPBenchError
        If the URL is of neither, nothing answers there, or the tables are of a newer format.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        try:
            with self.writing() as connection:
                if self._engine.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
                METADATA.create_all(connection)
                known = _about(connection)
                if not known:
                    known = {"format": str(FORMAT), "secret": secrets.token_hex(32)}
                    rows = [{"name": name, "value": value} for name, value in known.items()]
                    connection.execute(sa.insert(ABOUT), rows)
        except RefusalError as error:
            raise LLPBenchError(
                f"the database {self.place!r} does not answer; start it, or correct --database"
            ) from error
        if int(known["format"]) > FORMAT:
            raise LLPBenchError(f"the tables of {self.place!r} are of a newer llpbench: upgrade")
        self.secret = bytes.fromhex(known["secret"])

    @property
    def place(self) -> str:
        """Its URL without a password."""
        return self._engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Read in one transaction, which sees one state of all tables."""
        with self._connected("REPEATABLE READ", "BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Read and write in one transaction, committed when it ends without an error.

        On SQLite there is one at a time. On Postgres what must not change meanwhile is locked:
        the row of a team, before anything of the team is written.
        """
        with self._connected("READ COMMITTED", "BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _connected(self, isolation: str, begin: str) -> Iterator[sa.Connection]:
        options: dict[str, Any] = {"llpbench_begin": begin}
        if self._engine.dialect.name == "postgresql":
            options["isolation_level"] = isolation
        try:
            connection = self._engine.connect().execution_options(**options)
            with connection, connection.begin():
                yield connection
        except (DBAPIError, NoConnectionError) as error:
            raise RefusalError(
                503, "the database does not answer at the moment; try again in a minute", 60
            ) from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def sqlite_url(path: Path) -> str:
    """The URL of a file.

    Examples
    --------
    >>> sqlite_url(Path("/srv/challenge.sqlite"))
    'sqlite:////srv/challenge.sqlite'
    """
    return sa.URL.create("sqlite", database=str(path.absolute())).render_as_string()


def _about(connection: sa.Connection) -> dict[str, str]:
    return {row.name: row.value for row in connection.execute(sa.select(ABOUT))}


def _engine(text: str) -> sa.Engine:
    try:
        url = sa.make_url(text)
        if url.drivername in ("postgres", "postgresql"):
            url = url.set(drivername="postgresql+psycopg")
        if url.drivername == "sqlite" and url.database:
            return _sqlite(url)
        if url.drivername == "postgresql+psycopg":
            return _postgres(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        raise LLPBenchError(
            "expected the URL of a database, such as postgresql://user@host/name, found one that "
            "cannot be read; correct --database"
        ) from error
    raise LLPBenchError(
        f"expected a database of sqlite or postgresql, found {url.drivername!r:.40}; correct "
        "--database"
    )


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin as is said below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options()["llpbench_begin"])

    return engine


def _postgres(url: sa.URL) -> sa.Engine:
    waits = f"-c statement_timeout={BUSY_SECONDS}s -c idle_in_transaction_session_timeout=60s"
    arguments = {"connect_timeout": BUSY_SECONDS, "options": waits}
    return sa.create_engine(url, pool_pre_ping=True, connect_args=arguments)
