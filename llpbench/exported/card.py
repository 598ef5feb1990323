"""What an exported file says of itself: what it takes, what it gives and where it comes from."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from llpbench.data.imagery import Coding
from llpbench.data.recipe import ImageRecipe

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

Text: TypeAlias = Annotated[str, Field(max_length=2000)]


class Card(BaseModel):
    """What a file says of itself.

    It takes ``images`` (1, row, column, band) as they are stored, the score window of a chip, and
    gives ``shares`` (1, class) of float32 and, where ``grid`` is not None, ``classes``
    (1, grid, grid) of uint8, numbers of the classes from 0.

    Parameters
    ----------
    llpbench : str
        Version that wrote it.
    method, settings, seed
        As in ``run.json``.
    trained_on, digest : str
        Name and digest of the dataset that the method was trained on.
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

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    llpbench: Text
    method: Text
    settings: dict[Text, bool | int | float | Text | None]
    seed: int
    trained_on: Text
    digest: Text
    classes: Annotated[tuple[Text, ...], Field(min_length=1, max_length=1000)]
    array: Literal["image", "embedding"]
    bands: Annotated[tuple[Text, ...], Field(min_length=1, max_length=4096)]
    dtype: Text
    coding: Coding
    shape: tuple[int, int, int]
    grid: Annotated[int, Field(ge=1, le=96)] | None
    recipe: ImageRecipe | None
    licence: Text
    file_format: FileFormat
    quantize: Quantisation
    calibrated_on: int
    parameters: int | None
    multiply_adds: int | None
