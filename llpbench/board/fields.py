"""The kinds of text that an entry is made of: bounded, printable, of one form each."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field

FILL_IN = "FILL IN"
"""What a text that is still to be written begins with."""

SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
DATASET = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"


def check_text(text: str) -> str:
    r"""Refuse text with characters that do not print, and text still to be written.

    Examples
    --------
    >>> check_text("Ramos-Pollán")
    'Ramos-Pollán'
    >>> check_text("right-to-left \u202e override")
    Traceback (most recent call last):
        ...
    ValueError: holds the character U+202E, which does not print
    """
    if text.lstrip().upper().startswith(FILL_IN):
        raise ValueError(f"is still to be written ({FILL_IN!r})")
    for character in text:
        if not character.isprintable() and character != "\n":
            raise ValueError(f"holds the character U+{ord(character):04X}, which does not print")
    return text


def _check_line(text: str) -> str:
    if "\n" in text or text != text.strip():
        raise ValueError("must be one line, without space around it")
    return check_text(text)


_one_line = AfterValidator(_check_line)

Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=100), _one_line]
Line: TypeAlias = Annotated[str, Field(min_length=1, max_length=300), _one_line]
Command: TypeAlias = Annotated[str, Field(min_length=1, max_length=2000), _one_line]
Paragraph: TypeAlias = Annotated[str, Field(max_length=4000), AfterValidator(check_text)]

Slug: TypeAlias = Annotated[str, Field(pattern=f"^{SLUG}$", max_length=40)]
DatasetName: TypeAlias = Annotated[str, Field(pattern=f"^{DATASET}$")]
ParameterName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$")]
Licence: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+-]{0,39}$")]
Commit: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
Digest: TypeAlias = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Doi: TypeAlias = Annotated[
    str, Field(pattern=r"^10\.[0-9]{4,9}/[A-Za-z0-9._;()/:-]+$", max_length=200)
]
Orcid: TypeAlias = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]$")]
Url: TypeAlias = Annotated[
    str,
    Field(
        pattern=r"^https?://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?"
        r"(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?(\?[A-Za-z0-9._~!$&()*+,;=:@%/?-]*)?"
        r"(#[A-Za-z0-9._~!$&()*+,;=:@%/?-]*)?$",
        max_length=500,
    ),
]
Address: TypeAlias = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$", max_length=200),
]
"""An e-mail address."""

Count: TypeAlias = Annotated[int, Field(ge=0, le=10**15)]
Amount: TypeAlias = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Seed: TypeAlias = Annotated[int, Field(ge=0, lt=2**32)]
Setting: TypeAlias = (
    bool
    | Annotated[int, Field(ge=-(10**15), le=10**15)]
    | Annotated[float, Field(allow_inf_nan=False)]
    | Line
    | None
)
"""The value of a hyperparameter."""
