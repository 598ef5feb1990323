"""A published zip as a Region, read member by member, never unpacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from llpbench import catalog
from llpbench.catalog import DatasetEntry, LabelSet
from llpbench.data.archive.chip import ArchivedChip, read_chip
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
        with self.path.open("rb") as file:
            for number, chip in enumerate(chips):
                try:
                    content = self._read_chip(file, chip)
                except ArchiveError as error:
                    raise ArchiveError(
                        f"{self.path.name}: chip {examples([chip])}: {error}"
                    ) from error
                image[number], label[number] = content.image, content.label
                stated_target[number] = content.stated_target
        return ChipBlock(image, label, stated_target)

    def _read_chip(self, file: BinaryIO, chip: str) -> ArchivedChip:
        content = read_chip(read_member(file, self.members[chip]), self.number_of_classes)
        if content.chip_id != chip:
            raise ArchiveError(f"its pickle is of another chip, {examples([content.chip_id])}")
        return content


def read_archive(path: Path) -> tuple[Region, list[str]]:
    """Open a published archive; also a sentence for each thing that was out of order and mended."""
    members = list_members(path)
    ids = list(members.chips)
    try:
        with path.open("rb") as file:
            splits = read_splits(read_member(file, members.splits), ids)
            outlines = read_outlines(read_member(file, members.chip_table), "chips")
            divisions = read_outlines(read_member(file, members.division_table), "communes")
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


def _find_origin(members: Members, labels: LabelSet) -> DatasetEntry | None:
    """The dataset of the catalog that an archive's folder is named after, by region and labels."""
    region = members.splits.name.partition("_")[0]
    entries = catalog.load().datasets.values()
    return next((e for e in entries if (e.region, e.label_set) == (region, labels)), None)
