"""A published zip as a Region, read member by member, never unpacked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from llpbench import catalog
from llpbench.catalog import DatasetEntry, LabelSet
from llpbench.data.archive.chip import ArchivedChip, read_chip
from llpbench.data.archive.folder import list_folder, read_file
from llpbench.data.archive.members import Member, Members, list_members, read_member
from llpbench.data.archive.tables import (
    find_label_set,
    read_division_proportions,
    read_outlines,
    read_splits,
)
from llpbench.data.region import ChipBlock, Region
from llpbench.errors import ArchiveError, examples
from llpbench.protocol import CHIP_SIZE


@dataclass(frozen=True)
class ArchivePixels:
    """Reads chips of one archive, by id; small enough to be sent to worker processes."""

    path: Path
    members: dict[str, Member]
    number_of_classes: int

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        """Read chips given by id, in that order."""
        side = (CHIP_SIZE, CHIP_SIZE)
        image = np.empty((len(chips), *side, 3), dtype=np.uint8)
        label = np.empty((len(chips), *side), dtype=np.uint8)
        stated_target = np.empty((len(chips), self.number_of_classes))
        with _opened(self.path) as read:
            for number, chip in enumerate(chips):
                try:
                    content = self._read_chip(read, chip)
                except ArchiveError as error:
                    raise ArchiveError(
                        f"{self.path.name}: chip {examples([chip])}: {error}"
                    ) from error
                image[number], label[number] = content.image, content.label
                stated_target[number] = content.stated_target
        return ChipBlock(label, image, stated_target=stated_target)

    def _read_chip(self, read: Callable[[Member], bytes], chip: str) -> ArchivedChip:
        content = read_chip(read(self.members[chip]), self.number_of_classes)
        if content.chip_id != chip:
            raise ArchiveError(f"its pickle is of another chip, {examples([content.chip_id])}")
        return content


def read_archive(path: Path) -> tuple[Region, list[str]]:
    """Open a published archive, or the folder that it was unzipped to.

    A sentence is said for each thing that was out of order and mended.
    """
    members = list_folder(path) if path.is_dir() else list_members(path)
    ids = list(members.chips)
    try:
        with _opened(path) as read:
            splits = read_splits(read(members.splits), ids)
            outlines = read_outlines(read(members.chip_table), "chips")
            divisions = read_outlines(read(members.division_table), "communes")
        labels, stated = find_label_set(divisions)
        proportions, remarks = read_division_proportions(stated, len(labels.classes))
        absent = [chip for chip in ids if chip not in outlines.index]
        if absent:
            raise ArchiveError(
                f"its GeoJSON of chips lacks {len(absent)} chips, such as {examples(absent)}"
            )
    except ArchiveError as error:
        raise ArchiveError(f"{path.name}: {error}") from error
    unread = len(outlines) - len(ids)
    if unread:
        remarks.append(f"{unread} chips stand in the table but not in the archive")
    names = divisions.get("name", divisions.index)
    region = Region(
        label_set=labels,
        chips=outlines.loc[ids, ["geometry"]].join(splits).rename_axis("chip"),
        divisions=divisions[["geometry"]]
        .assign(name=[str(name) for name in names])
        .rename_axis("division"),
        division_proportions=proportions,
        read=ArchivePixels(path.resolve(), members.chips, len(labels.classes)),
        origin=_find_origin(members, labels),
    )
    return region, remarks


@contextmanager
def _opened(path: Path) -> Iterator[Callable[[Member], bytes]]:
    """What reads the members of a zip or a folder."""
    if path.is_dir():
        yield partial(read_file, path)
    else:
        with path.open("rb") as file:
            yield partial(read_member, file)


def _find_origin(members: Members, labels: LabelSet) -> DatasetEntry | None:
    """The dataset of the catalog that folder or tables are named after, by region and labels."""
    parts = (part for file in (members.splits, members.chip_table) for part in file.name.split("/"))
    regions = {part.partition("_")[0] for part in parts}
    entries = catalog.load().datasets.values()
    return next((e for e in entries if e.region in regions and e.label_set == labels), None)
