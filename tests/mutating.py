"""A seeded mutator: bytes as a bad line, a bad disk or a bad person would leave them."""

from __future__ import annotations

import random

_TELLING = [
    b"\x00" * 4,
    b"\xff" * 4,
    b"\xff\xff\xff\x7f",
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"../",
    b"\\",
    b".",
    b"(",
    b"t",
    b"R",
    b"b",
    b"u",
    b"s",
    b"\x85",
    b"\x86",
    b"\x93",
    b"\x94",
    b"r\xff\xff\xff\x7f",
    b"c__builtin__\neval\n",
    b"\x8c\x02os\x8c\x06system\x93",
    b"[" * 50,
    b"{" * 50,
    b"NaN",
    b"-1e999",
    b'"identifier"',
]
"""Bytes that mean something to zip, pickle, CSV or JSON."""


def mutate(data: bytes, random: random.Random) -> bytes:
    """One to six changes at random places."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 6)):
        if changed:
            random.choice(_CHANGES)(changed, random)
    return bytes(changed)


def _flip(data: bytearray, random: random.Random) -> None:
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _set(data: bytearray, random: random.Random) -> None:
    data[random.randrange(len(data))] = random.randrange(256)


def _overwrite(data: bytearray, random: random.Random) -> None:
    piece = random.choice(_TELLING)
    place = random.randrange(len(data))
    data[place : place + len(piece)] = piece


def _insert(data: bytearray, random: random.Random) -> None:
    place = random.randrange(len(data))
    data[place:place] = random.choice(_TELLING)


def _remove(data: bytearray, random: random.Random) -> None:
    place = random.randrange(len(data))
    del data[place : place + random.randint(1, 64)]


def _repeat(data: bytearray, random: random.Random) -> None:
    place, length = random.randrange(len(data)), random.randint(1, 64)
    data[place:place] = data[place : place + length] * random.randint(1, 20)


def _move(data: bytearray, random: random.Random) -> None:
    source, target = random.randrange(len(data)), random.randrange(len(data))
    length = random.randint(1, 64)
    data[target : target + length] = data[source : source + length]


def _cut(data: bytearray, random: random.Random) -> None:
    if random.random() < 0.2:
        del data[random.randrange(len(data)) :]


_CHANGES = [_flip, _flip, _set, _overwrite, _insert, _remove, _repeat, _move, _cut]
