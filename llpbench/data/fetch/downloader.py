"""The downloader that pooch calls: a transfer into a ``.part`` that outlives every failure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pooch

from llpbench.data.fetch.disk import require_space
from llpbench.data.fetch.retry import RetryPolicy
from llpbench.data.fetch.transfer import Transfer, present


@dataclass(frozen=True)
class ResumingDownloader:
    """A pooch downloader that continues where the last one stopped.

    Parameters
    ----------
    part : Path
        Where the bytes are kept until the caller removes it.
    size : int
        Bytes of the whole file.
    policy : RetryPolicy
        Timeouts and retries.
    progress : bool
        Show a progress bar where standard error is a terminal.
    """

    part: Path
    size: int
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    progress: bool = True

    def __call__(self, url: str, output_file: str, pooch: pooch.Pooch | None) -> None:
        """Bring what is missing of ``url`` and put the whole at ``output_file``.

        Parameters
        ----------
        url : str
            Where the file is.
        output_file : str
            An empty file that pooch made, checks and moves to its place.
        pooch : pooch.Pooch or None
            Who asks.

        Raises
        ------
        SourceError
            If this address cannot give the file.
        DownloadError
            If the disk has no room for it.
        """
        require_space(self.part.parent, self.size - present(self.part))
        Transfer(url, self.part, self.size, self.policy, self.progress).run()
        self._hand_over(Path(output_file))

    def _hand_over(self, output: Path) -> None:
        """Give the bytes a second name, so that they survive being killed while pooch checks."""
        output.unlink()
        try:
            output.hardlink_to(self.part)
        except OSError:  # a file system without links; a disk that refuses also refuses this
            self.part.replace(output)
