"""Addresses that the page links to: what ``board.yaml`` says, or whoever hosts the board."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from llpbench.board.entry import problem_sentences
from llpbench.board.fields import Url
from llpbench.board.layout import Board
from llpbench.board.standings import Link
from llpbench.board.yaml_files import read_yaml
from llpbench.errors import BoardError

_IN_REPOSITORY = {"documentation": "/tree/HEAD/docs", "protocol": "/blob/HEAD/docs/protocol.md"}
"""Where GitHub shows what stands in the repository."""


def _check_https(url: object) -> object:
    if isinstance(url, str) and not url.startswith("https://"):
        raise ValueError("must begin with https://")
    return url


_Https = Annotated[Url, BeforeValidator(_check_https)]


class BoardFile(BaseModel):
    """``board.yaml``: addresses that nothing else knows; none needs to be there."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    format: Literal[1]
    repository: _Https | None = None
    documentation: _Https | None = None
    protocol: _Https | None = None
    paper: _Https | None = None


def board_links(board: Board) -> list[Link]:
    """List what is known of where things are.

    What ``board.yaml`` does not say follows from the repository, where GitHub Actions builds the
    page: they state it in ``GITHUB_SERVER_URL`` and ``GITHUB_REPOSITORY``.

    Raises
    ------
    BoardError
        If ``board.yaml`` is there and not in order.
    """
    stated = _read(board).model_dump(exclude={"format"})
    found = {**_of_github(), **{name: url for name, url in stated.items() if url}}
    return [Link(title=name.capitalize(), url=found[name]) for name in stated if name in found]


def _read(board: Board) -> BoardFile:
    if not os.path.lexists(board.settings):
        return BoardFile(format=1)
    try:
        return BoardFile.model_validate(read_yaml(board.settings))
    except ValidationError as error:
        raise BoardError(f"{board.settings.name}: {problem_sentences(error)}") from error


def _of_github() -> dict[str, str]:
    """Addresses in the repository whose workflow this is; none elsewhere."""
    server, name = (os.environ.get(f"GITHUB_{part}") for part in ("SERVER_URL", "REPOSITORY"))
    try:
        repository = TypeAdapter(_Https).validate_python(f"{server}/{name}")
    except ValidationError:
        return {}
    inside = {what: f"{repository}{path}" for what, path in _IN_REPOSITORY.items()}
    return {"repository": repository, **inside}
