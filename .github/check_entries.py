"""Check the entries of a pull request with this branch's code, and write a verdict.

python check_entries.py BOARD SUBMITTED OUT: both boards are folders with ``entries/``. Entries
that are the same in both are not looked at. Exits with 1 if one is refused or nothing is new, or if
an entry that is on the board is changed or taken away: whose it is, only a person can tell.
"""

from __future__ import annotations

import filecmp
import sys
from pathlib import Path

from llpbench.board.checking import check_entry
from llpbench.board.layout import Board
from llpbench.errors import printable

MOST_ENTRIES = 50


def main(board_folder: str, submitted_folder: str, out: str) -> int:
    """Check what differs; the exit code."""
    board, submitted = Board(Path(board_folder)), Board(Path(submitted_folder))
    new = [folder for folder in submitted.entries() if not _is_same(folder, board)]
    lines = []
    there = {folder.name for folder in board.entries()}
    removed = sorted(there - {folder.name for folder in submitted.entries()})
    touched = [*removed, *sorted(there & {folder.name for folder in new})]
    refused = not new or len(new) > MOST_ENTRIES or bool(touched)
    if not new or len(new) > MOST_ENTRIES:
        lines.append(f"{len(new)} entries differ from the board; 1 to {MOST_ENTRIES} are checked")
    for folder in new[:MOST_ENTRIES]:
        verdict = check_entry(folder, board)
        refused |= verdict.is_refused
        lines.append(f"{verdict.entry}: {verdict.level}")
        lines += [
            f"  {reason.level} ({reason.check}) {reason.where} {reason.sentence}"
            for reason in verdict.reasons
        ]
    lines += [
        f"{name}: {'taken away' if name in removed else 'changed'}; an entry that is on "
        "the board is left as it is, and a maintainer changes it when its team asks"
        for name in touched
    ]
    text = "\n".join(map(_plain, lines)) + "\n"
    Path(out).mkdir(parents=True, exist_ok=True)
    (Path(out) / "verdict.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return int(refused)


def _plain(line: str) -> str:
    """A line of letters that look like no others and print in their order."""
    return printable(line).encode("ascii", "backslashreplace").decode()


def _is_same(folder: Path, board: Board) -> bool:
    """Whether the board has the very same entry; links are never followed."""
    other = board.folder / "entries" / folder.name
    if folder.is_symlink() or not folder.is_dir() or not other.is_dir():
        return False
    names = [{path.relative_to(one) for path in one.rglob("*")} for one in (folder, other)]
    if names[0] != names[1] or any((folder / name).is_symlink() for name in names[0]):
        return False
    files = [str(name) for name in names[0] if (folder / name).is_file()]
    _same, differ, errors = filecmp.cmpfiles(folder, other, files, shallow=False)
    return not differ and not errors


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
