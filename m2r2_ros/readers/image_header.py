# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How large a JPEG or PNG is, from its header: a few bytes may stand for gigabytes of pixels."""

import re
from typing import Final

#: A little more than a camera of 8K has, 8192 by 4320.
MOST_PIXELS: Final = 36_000_000
#: Passes over all pixels that a JPEG may ask for; encoders of progressive ones make about ten.
MOST_SCANS: Final = 30

_PNG: Final = b'\x89PNG\r\n\x1a\n'
_JPEG: Final = b'\xff\xd8\xff'
#: A marker of JPEG; bytes before it, and fill bytes, are passed over.
_MARKER: Final = re.compile(rb'\xff+([^\x00\xff])', re.DOTALL)
#: Markers of JPEG without a length: restarts, start and end.
_BARE: Final = frozenset({0x01, *range(0xD0, 0xDA)})
#: Frames of any coding; the numbers between them are those of tables.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_SCAN: Final = 0xDA


def image_problem(payload: bytes) -> str:
    """Return why an image is not to be decoded, '' where it may be."""
    if payload.startswith(_PNG):
        return _png_problem(payload)
    if payload.startswith(_JPEG):
        return _jpeg_problem(payload)
    return 'is neither a JPEG nor a PNG'


def _png_problem(payload: bytes) -> str:
    """Check the size and the length of each chunk, which decoders set aside as it is declared."""
    # The first chunk, IHDR, has to be there.
    width, height = (int.from_bytes(payload[k : k + 4], 'big') for k in (16, 20))
    at = len(_PNG)
    while at < len(payload) and payload[at + 4 : at + 8] != b'IEND':
        at += 12 + int.from_bytes(payload[at : at + 4], 'big')
    return _too_large(width, height) if at <= len(payload) else 'is cut short'


def _too_large(width: int, height: int) -> str:
    if 0 < width * height <= MOST_PIXELS:
        return ''
    return f'claims to have {width} by {height} pixels, at most {MOST_PIXELS} are decoded'


def _jpeg_problem(payload: bytes) -> str:
    """Go from marker to marker as libjpeg does, past the one with the size to the first scan."""
    at, problem, components, passes = 2, 'has no header', 0, False
    while (found := _MARKER.search(payload, at)) and found.end() + 8 <= len(payload):
        marker, at = found[1][0], found.end()
        if marker in _BARE:
            continue
        if marker == _SCAN:
            # Only these are kept as a whole and gone over again and again.
            if (passes or payload[at + 2] < components) and payload.count(b'\xff\xda') > MOST_SCANS:
                return f'has more than {MOST_SCANS} scans'
            return problem
        if marker in _FRAMES:
            height, width = (int.from_bytes(payload[at + k : at + k + 2], 'big') for k in (3, 5))
            problem, components = _too_large(width, height), payload[at + 7]
            passes = marker in _PROGRESSIVE
        at += int.from_bytes(payload[at : at + 2], 'big')
    return 'has no pixels'
