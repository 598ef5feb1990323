"""What an exported file says of itself: what it takes, what it gives and where it comes from."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from llpbench.catalog import check_printable
from llpbench.data.imagery import CELLS, IMAGE, Coding
from llpbench.data.recipe import ImageRecipe
from llpbench.protocol import WINDOW_SIDE
from llpbench.writing import is_name

FileFormat: TypeAlias = Literal["litert", "onnx", "savedmodel"]
"""What runs a file: LiteRT (once TensorFlow Lite), ONNX Runtime, TensorFlow."""

Quantisation: TypeAlias = Literal["none", "dynamic", "int8", "int16x8"]
"""What numbers a file computes with: float32; weights of a byte and float32; bytes; two bytes with
weights of one."""

IMAGES, SHARES, CLASSES = "images", "shares", "classes"
"""Names of the one array that a file takes, and of the one or two that it gives."""

NAME = "llpbench.json"
"""Under which a card is kept within a file."""

LARGEST = 2**18
"""Bytes of the largest card that is read; one has some 2,000."""

Text: TypeAlias = Annotated[str, Field(max_length=2000), AfterValidator(check_printable)]
Label: TypeAlias = Annotated[Text, Field(min_length=1, max_length=100)]
Whole: TypeAlias = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Count: TypeAlias = Annotated[Whole, Field(ge=0)]


def _name(text: str) -> str:
    """What may name a folder: of a dataset, or of a method with its post-processors."""
    if not all(is_name(part) for part in text.split("+")):
        raise ValueError(f"{text!r:.80} is no name")
    return text


Name: TypeAlias = Annotated[Label, AfterValidator(_name)]


class Card(BaseModel):
    """What a file says of itself.

    It takes ``images`` (1, row, column, band) as they are stored, the score window of a chip, and
    gives ``shares`` (1, class) of float32 and, where ``grid`` is not None, ``classes``
    (1, grid, grid) of uint8, numbers of the classes from 0.

    Parameters
    ----------
    llpbench : str
        Version that wrote it.
    method, settings, seed, supervision, is_reference
        As in ``run.json``.
    trained_on, digest : str
        Name and digest of the dataset that the method was trained on.
    synthetic : bool
        Whether that was made by a program.
    train_on : {"train", "all"}
        The chips of it that it was fitted to; with all, none of them can be scored.
    fold : str or None
        The part of a cross-validation that the run was, whose splits are others.
    classes : tuple of str
        Names of the class groups, in the order of the shares.
    array, bands, dtype, coding, shape
        What the images are, see :class:`~llpbench.data.imagery.Coding`; the shape is of a chip.
    grid : int or None
        Side of the grid of classes.
    recipe : ImageRecipe or None
        How the images became bytes, where that is known.
    licence : str
        Of the dataset that it was trained on.
    file_format, quantize
        What runs it, and with what numbers.
    calibrated_on : int
        Training chips that ranges of numbers were taken from; 0 where none were needed.
    parameters, multiply_adds : int or None
        Of the method: numbers that it learned, and products for a chip.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    llpbench: Text
    method: Name
    settings: dict[Text, bool | Whole | float | Text | None]
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    trained_on: Name
    digest: Text
    classes: Annotated[tuple[Label, ...], Field(min_length=2, max_length=256)]
    array: Literal["image", "embedding"]
    bands: Annotated[tuple[Label, ...], Field(min_length=1, max_length=4096)]
    dtype: Literal["uint8", "int8", "uint16", "int16", "float32"]
    coding: Coding
    shape: tuple[int, int, int]
    grid: Annotated[int, Field(ge=1, le=96)] | None
    recipe: ImageRecipe | None
    licence: Text
    file_format: FileFormat
    quantize: Quantisation
    calibrated_on: Count
    parameters: Count | None
    multiply_adds: Count | None
    supervision: Literal["division", "chip", "pixel"]
    is_reference: bool
    train_on: Literal["train", "all"]
    fold: Text | None
    synthetic: bool

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Refuse sizes that no chip has."""
        side = WINDOW_SIDE if self.array == IMAGE else CELLS
        expected = (side, side, len(self.bands))
        if self.shape != expected:
            raise ValueError(f"shape: {expected} is expected of these bands, found {self.shape}")
        if self.grid is not None and WINDOW_SIDE % self.grid:
            raise ValueError(f"grid: a divisor of {WINDOW_SIDE} is expected, found {self.grid}")
        return self
