"""Legends as files: TOML tables, checked before they are used."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from llpbench import catalog
from llpbench.catalog import NO_LABEL, ClassGroup, LabelClass, LabelSet
from llpbench.data.building.legend import Legend
from llpbench.errors import BuildError, UnknownNameError, first_problem
from llpbench.reading import read_text
from llpbench.style import DISTINCT

LARGEST_FILE = 2**20


def read_legend(path: Path) -> Legend:
    """Read a legend file: TOML, like a table of the packaged ``legends.toml``."""
    text = read_text(path, LARGEST_FILE, BuildError)
    try:
        return parse_legend(path.stem, tomllib.loads(text))
    except (ValueError, UnknownNameError) as error:
        raise BuildError(f"{path.name} is no legend ({first_problem(error)})") from error


_Colour = Annotated[str, Field(pattern="^(#[0-9a-fA-F]{6})?$"), AfterValidator(str.lower)]


class _Class(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    codes: Annotated[list[int], Field(min_length=1)] | None = None
    colour: _Colour = ""
    group: str | None = None


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    colour: _Colour = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str = ""
    label_set: str | None = None
    codes: list[list[int]] = []
    starts: list[float] = []
    cell_m: float = Field(default=250.0, gt=0)
    no_label: list[int] = []
    classes: list[_Class] = Field(default=[], max_length=NO_LABEL)
    groups: list[_Group] = []
    resolution_m: float = Field(default=10.0, gt=0)
    ordered: bool = False
    licence: str = ""
    attribution: str = ""


def parse_legend(name: str, content: dict[str, Any]) -> Legend:
    """Make a legend of a parsed TOML table."""
    file = _File.model_validate(content)
    label_set = catalog.label_set(file.label_set) if file.label_set else _own_classes(name, file)
    codes = [entry.codes or [] for entry in file.classes] or file.codes
    if len(codes or file.starts) != len(label_set.classes):
        raise ValueError(
            f"it should have codes or a start for each of {len(label_set.classes)} classes"
        )
    every = [code for own in codes for code in own] + file.no_label
    if len(every) != len(set(every)) or sorted(file.starts) != file.starts:
        raise ValueError("each code must stand once, and starts must ascend")
    return Legend(
        name,
        label_set,
        tuple(map(tuple, codes)),
        tuple(file.no_label),
        tuple(file.starts),
        file.cell_m,
    )


def _own_classes(name: str, file: _File) -> LabelSet:
    group_of = [entry.group or entry.name for entry in file.classes]
    groups = file.groups or [_Group(name=title) for title in dict.fromkeys(group_of)]
    names = [group.name for group in groups]
    if not file.classes or set(names) != set(group_of) or len(names) != len(set(names)):
        raise ValueError("it should have classes, and each group it lists, once, should have some")
    colours = [entry.colour or DISTINCT[n % len(DISTINCT)] for n, entry in enumerate(file.classes)]
    members = [tuple(n for n, own in enumerate(group_of) if own == title) for title in names]
    return LabelSet(
        name=name,
        title=file.title or name,
        classes=tuple(
            LabelClass(entry.name, colour)
            for entry, colour in zip(file.classes, colours, strict=True)
        ),
        groups=tuple(
            ClassGroup(group.name, own, 1 / len(groups), group.colour or colours[own[0]])
            for group, own in zip(groups, members, strict=True)
        ),
        resolution_m=file.resolution_m,
        ordered=file.ordered,
        licence=file.licence,
        attribution=file.attribution,
    )
