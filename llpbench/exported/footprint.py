"""What an exported file costs, measured on the file itself."""

from __future__ import annotations

from dataclasses import dataclass

from llpbench.brief import Brief


@dataclass(frozen=True, repr=False)
class ExportFootprint(Brief):
    """What a file costs where it runs, in one thread on one core, in a process of its own.

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

    @property
    def numbers(self) -> str:
        """What it computes with."""
        return "float32" if self.quantize == "none" else self.quantize

    def __str__(self) -> str:
        """What it costs, in a sentence.

        Examples
        --------
        >>> print(ExportFootprint("litert", "int8", 17800, "6e3f", 0.354, 0.402, 2_500_000))
        litert, int8: 17,800 bytes; in one thread 0.354 ms a chip (p95 0.402), 2.5 MB of memory
        """
        known = self.memory_bytes is not None
        memory = f", {(self.memory_bytes or 0) / 1e6:.1f} MB of memory" if known else ""
        return (
            f"{self.file_format}, {self.numbers}: {self.bytes:,} bytes; in one thread "
            f"{self.latency_p50_ms:g} ms a chip (p95 {self.latency_p95_ms:g}){memory}"
        )
