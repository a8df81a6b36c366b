# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compressed images that were made to do harm."""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from m2r2_ros.readers.image import decode_compressed

PNG: Final = b'\x89PNG\r\n\x1a\n'
#: Bytes that a bomb unpacks to.
HUGE: Final = 600 << 20
#: Sides of squares; all but the first are more than is decoded.
LARGE: Final = (5900, 8192, 16_000, 32_767, 65_500, 2**31 - 1, 2**32 - 1)


def png_chunk(kind: bytes, data: bytes, length: int | None = None) -> bytes:
    """Return a chunk, of a length that is not that of its data if one is given."""
    size = len(data) if length is None else length
    return struct.pack('>I', size) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png(
    *chunks: bytes, width: int = 16, height: int = 16, depth: int = 8, colour: int = 2
) -> bytes:
    head = png_chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, depth, colour, 0, 0, 0))
    return PNG + head + b''.join(chunks) + png_chunk(b'IEND', b'')


@cache
def zeros(size: int) -> bytes:
    """Return a zlib stream of so many zeros."""
    packer = zlib.compressobj(9)
    step = 1 << 20
    return b''.join(packer.compress(bytes(step)) for _ in range(size // step + 1)) + packer.flush()


def jpeg(side: int, *, progressive: bool = False) -> bytes:
    """Return a JPEG of 64 pixels that claims to be larger."""
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    content = cv2.imencode('.jpg', np.zeros((8, 8, 3), np.uint8), options)[1].tobytes()
    at = content.index(b'\xff\xc2' if progressive else b'\xff\xc0') + 5
    return content[:at] + struct.pack('>HH', side, side) + content[at + 4 :]


def png_sizes() -> Iterator[bytes]:
    for side in LARGE:
        for depth, colour in ((1, 0), (8, 2), (16, 6)):
            pixels = png_chunk(b'IDAT', zeros(1 << 20))
            yield png(pixels, width=side, height=side, depth=depth, colour=colour)
        yield png(pixels, width=1, height=side)
        yield png(pixels, width=side, height=1)


def png_bombs() -> Iterator[bytes]:
    """Whole images of some hundred million pixels, and texts as large."""
    yield png(png_chunk(b'IDAT', zeros(HUGE)), width=12_000, height=14_000)
    for kind, head in ((b'iCCP', b'x\0\0'), (b'zTXt', b'x\0\0'), (b'iTXt', b'x\0\1\0\0\0')):
        yield png(png_chunk(kind, head + zeros(HUGE)), png_chunk(b'IDAT', zeros(1)))


def png_lengths() -> Iterator[bytes]:
    for kind in (b'IDAT', b'eXIf', b'iCCP', b'tEXt', b'PLTE', b'fdAT', b'abcd'):
        for length in (0, 1 << 20, 1 << 30, 2**31 - 1, 2**31, 2**32 - 1):
            yield png(png_chunk(kind, zeros(1), length))


def animated() -> Iterator[bytes]:
    """Frames that are larger than the image that they are in."""
    pixels = zlib.compress(bytes(16 * 49))
    for side in LARGE[:5]:
        for count in (1, 2**31 - 1):
            control = png_chunk(b'acTL', struct.pack('>II', count, 0))
            frame = struct.pack('>IIIIIHHBB', 0, side, side, 0, 0, 1, 1, 0, 0)
            own = png_chunk(b'fcTL', frame), png_chunk(b'IDAT', pixels)
            yield png(control, *own)
            yield png(control, own[1], own[0], png_chunk(b'fdAT', bytes(4) + pixels))


def jpeg_sizes() -> Iterator[bytes]:
    for side in LARGE[:5]:
        for progressive in (False, True):
            content = jpeg(side, progressive=progressive)
            yield content
            yield b'\xff\xd8' + bytes(50) + content[2:]
            yield content[:2] + b'\xff' * 50 + content[2:]
            # The first size is a small one.
            yield jpeg(8, progressive=progressive)[:-2] + content[2:]


def jpeg_scans() -> Iterator[bytes]:
    """A thousand passes over all pixels."""
    content = jpeg(5900, progressive=True)
    at = content.rindex(b'\xff\xda')
    yield content[:at] + content[at:-2] * 1000 + content[-2:]
    first, table = content.index(b'\xff\xda'), content.index(b'\xff\xc4')
    yield content[:first] + content[first : content.index(b'\xff', first + 2)] * 1000
    yield content[:table] + content[table:first] * 100 + content[first:]


def other_formats() -> Iterator[bytes]:
    pixels = np.zeros((100, 100, 3), np.uint8)
    for extension in ('.webp', '.tiff', '.bmp', '.jp2', '.ppm', '.gif'):
        yield cv2.imencode(extension, pixels)[1].tobytes()


def damaged() -> Iterator[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    for extension in ('.png', '.jpg'):
        content = cv2.imencode(extension, pixels)[1].tobytes()
        yield from (content[:length] for length in range(0, len(content), 23))
        for at in range(0, len(content), 7):
            yield content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]
            yield content[:at] + b'\xff' * 4 + content[at + 4 :]


CASES: Final[list[Callable[[], Iterable[bytes]]]] = [
    png_sizes,
    png_bombs,
    png_lengths,
    animated,
    jpeg_sizes,
    jpeg_scans,
    other_formats,
    damaged,
]


def decode(path: Path) -> None:
    decode_compressed(path.read_bytes())
