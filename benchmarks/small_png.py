"""Pictures for the documentation: PNGs of 256 colours, half as large as those of all."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image


def write_small(figure: Figure, path: Path, *, dpi: int = 100) -> None:
    """Write a figure as a PNG of 256 colours."""
    drawn = io.BytesIO()
    figure.savefig(drawn, bbox_inches="tight", dpi=dpi)
    image = Image.open(drawn).convert("RGB").quantize(256, kmeans=2, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
