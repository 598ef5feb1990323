"""Just enough of protocol buffers to find a card in a file of ONNX, and what it leaves outside."""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

MOST_FIELDS = 100_000
"""Of a message; a graph of ONNX has one for each node."""


def fields(content: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    r"""Numbers and values of the fields of a message, nested ones unread.

    Follows the encoding at https://protobuf.dev/programming-guides/encoding.

    Raises
    ------
    ValueError
        If these are no fields.

    Examples
    --------
    >>> [(number, bytes(value)) for number, value in fields(memoryview(b"\x12\x02hi"))]
    [(2, b'hi')]
    """
    place = 0
    for _count in range(MOST_FIELDS):
        if place == len(content):
            return
        key, place = _varint(content, place)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, place = _varint(content, place)
            yield number, value
            continue
        if kind not in (FIXED64, BYTES, FIXED32):
            raise ValueError(f"a field of kind {kind}")
        size = {FIXED64: 8, FIXED32: 4}.get(kind)
        if size is None:
            size, place = _varint(content, place)
        if place + size > len(content):
            raise ValueError("a field longer than the rest")
        yield number, content[place : place + size]
        place += size
    raise ValueError(f"more than {MOST_FIELDS} fields")


def messages(content: memoryview, *path: int) -> Iterator[memoryview]:
    """All values below a path of numbers of fields."""
    first, *rest = path
    for number, value in fields(content):
        if number == first and isinstance(value, memoryview):
            if rest:
                yield from messages(value, *rest)
            else:
                yield value


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(content):
            break
        byte = content[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("a number without an end")
