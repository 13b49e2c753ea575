"""Read, write, compare and keep pictures, so that one of today can be held against the one that somebody looked at."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from struct import pack, unpack
from typing import Any

import numpy as np

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
"""Rows of pixels of red, green, blue and how opaque they are."""
SEEN = 40
"""By how much a colour differs before anybody sees it; less comes of another machine."""
SHARE = 0.0005
"""The part of the pixels that may differ so."""
_SIGN = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {2: 3, 6: 4}


def read_png(png: bytes) -> Pixels:
    """Return the pixels of a PNG of eight bits a colour, without a palette, not interlaced."""
    assert png.startswith(_SIGN), "no PNG"
    at, packed, head = len(_SIGN), b"", b""
    while at < len(png):
        (length,) = unpack(">I", png[at : at + 4])
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        head, packed = content if kind == b"IHDR" else head, packed + content if kind == b"IDAT" else packed
        at += length + 12
    width, height, depth, colour, _, _, interlaced = unpack(">IIBBBBB", head)
    assert (depth, interlaced) == (8, 0)
    assert colour in _CHANNELS
    wide = _CHANNELS[colour]
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + width * wide)
    pixels = _unfilter(rows[:, 0], rows[:, 1:].reshape(height, width, wide))
    full = np.full((height, width, 4), 255, np.uint8)
    full[:, :, :wide] = pixels
    return full


def _unfilter(filters: Pixels, sent: Pixels) -> Pixels:
    """Undo the filters of the rows. A pixel needs the one before it and two above: all on one diagonal at once."""
    height, width, wide = sent.shape
    found = np.zeros((height + 1, width + 1, wide), np.int16)
    kinds = filters.astype(np.int16)[:, None]
    for diagonal in range(height + width - 1):
        rows = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        columns = diagonal - rows
        left, above, corner = found[rows + 1, columns], found[rows, columns + 1], found[rows, columns]
        guess = left + above - corner
        near = (abs(guess - left), abs(guess - above), abs(guess - corner))
        paeth = np.where((near[0] <= near[1]) & (near[0] <= near[2]), left, np.where(near[1] <= near[2], above, corner))
        kind = kinds[rows]
        added = np.select([kind == 1, kind == 2, kind == 3, kind == 4], [left, above, (left + above) // 2, paeth], 0)
        found[rows + 1, columns + 1] = (sent[rows, columns] + added) % 256
    return found[1:, 1:].astype(np.uint8)


def write_png(pixels: Pixels) -> bytes:
    """Return the PNG of pixels."""
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + width * 4), np.uint8)
    rows[:, 1:] = pixels.reshape(height, width * 4)
    parts = {
        b"IHDR": pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0),
        b"IDAT": zlib.compress(rows.tobytes(), 9),
        b"IEND": b"",
    }
    return _SIGN + b"".join(
        pack(">I", len(content)) + kind + content + pack(">I", zlib.crc32(kind + content))
        for kind, content in parts.items()
    )


def find_difference(stored: bytes, drawn: bytes) -> tuple[str, bytes | None]:
    """Return how a picture differs from the stored one ("" when nobody sees it), and what differs as a picture: the
    drawn one in grey, in red what is not as it was."""
    before, after = read_png(stored), read_png(drawn)
    if before.shape != after.shape:
        sizes = [f"{one.shape[1]} by {one.shape[0]}" for one in (before, after)]
        return f"it was {sizes[0]} pixels, and is {sizes[1]}", None
    apart = abs(before.astype(np.int16) - after.astype(np.int16)).max(axis=2) > SEEN
    if apart.mean() <= SHARE:
        return "", None
    rows, columns = np.nonzero(apart)
    told = after.copy()
    told[:, :, :3] = 255 - (255 - after[:, :, :3].mean(axis=2, keepdims=True)) // 4
    told[apart] = (220, 0, 0, 255)
    where = f"between ({columns.min()}, {rows.min()}) and ({columns.max()}, {rows.max()})"
    return f"{apart.sum()} of its pixels are not as they were, {where}", write_png(told)


def keep_pictures(drawn: Mapping[str, bytes], pattern: str, folder: Path) -> None:
    """Save what was drawn, by the name of its file, and print how large each is. What is drawn no more is removed."""
    for old in folder.glob(pattern):
        if old.name not in drawn:
            old.unlink()
    for file, picture in drawn.items():
        (folder / file).write_bytes(picture)
        print(f"{len(picture) // 1000:4} kB  {file}")  # noqa: T201  # a terminal's
