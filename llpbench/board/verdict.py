"""The findings about an entry: reasons, each refused, flagged or a note."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["refused", "flagged", "note"]


@dataclass(frozen=True)
class Reason:
    """One finding of a check: the entry is refused, somebody must look at it, or it is a note.

    ``where`` is a dataset; empty for the whole entry.
    """

    level: Level
    check: str
    where: str
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """All findings about the entry in a folder of that name."""

    entry: str
    reasons: tuple[Reason, ...]

    @property
    def level(self) -> str:
        """The gravest level there is; ``"clean"`` where there is nothing but notes."""
        levels = {reason.level for reason in self.reasons}
        return "refused" if "refused" in levels else "flagged" if "flagged" in levels else "clean"

    @property
    def is_refused(self) -> bool:
        """Whether the entry cannot be taken."""
        return self.level == "refused"

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "entry": self.entry,
            "verdict": self.level,
            "reasons": [asdict(reason) for reason in self.reasons],
        }
