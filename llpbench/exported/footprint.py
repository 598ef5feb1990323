"""What an exported file costs, measured on the file itself."""

from __future__ import annotations

from dataclasses import dataclass

from llpbench.brief import Brief


@dataclass(frozen=True, repr=False)
class ExportFootprint(Brief):
    """What a file costs where it runs, in one thread of a process of its own.

    Parameters
    ----------
    file_format, quantize : str
        See :mod:`llpbench.exported.card`.
    bytes : int
        Of the file, or of all files of a folder.
    sha256 : str
        Of the file; of a folder, of the names and digests of its files.
    latency_p50_ms, latency_p95_ms : float
        Wall time to predict a chip, image in, shares out.
    memory_bytes : int or None
        Most memory that the process held while it opened the file and predicted, beyond what it
        held with its runtime imported; None where the system does not say.
    """

    file_format: str
    quantize: str
    bytes: int
    sha256: str
    latency_p50_ms: float
    latency_p95_ms: float
    memory_bytes: int | None
