# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a safetensors file says it holds, read before anything is set aside for it."""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from safetensors import safe_open

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.reading import check_file, reading

#: Bytes of a header; one tensor takes about a hundred, and CLIP and AST have some hundred.
MOST_HEADER: Final = 2 << 20
EXPECTED: Final = 'a safetensors file that is not cut short'


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """What a header says about a tensor: its type, such as 'F16', and its shape."""

    kind: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WeightHeader:
    """Metadata and tensors of a file; its offsets fit each other and the size of the file."""

    metadata: Mapping[str, str]
    tensors: Mapping[str, TensorFacts]


def read_header(path: Path) -> WeightHeader:
    """Read the header of a safetensors file.

    Raises:
        BundleError: It is another file, or cut short, or its header is damaged or huge.
    """
    check_file(path, EXPECTED, BundleError)
    with reading(path, EXPECTED, BundleError), path.open('rb') as file:
        (size,) = struct.unpack('<Q', file.read(8))
    if size > MOST_HEADER:
        msg = f'{path}: not a safetensors file: its header would have {size} bytes'
        raise BundleError(msg)
    # The library itself checks that tensors follow on each other and end with the file.
    with reading(path, EXPECTED, BundleError), safe_open(path, framework='numpy') as opened:
        names = opened.keys()
        slices = {name: opened.get_slice(name) for name in names}
        tensors = {n: TensorFacts(s.get_dtype(), tuple(s.get_shape())) for n, s in slices.items()}
        return WeightHeader(opened.metadata() or {}, tensors)


@dataclass(frozen=True, slots=True)
class TensorPlace:
    """Where the bytes of a tensor lie in its file."""

    kind: str
    shape: tuple[int, ...]
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class WeightLayout:
    """Where all tensors lie.

    Attributes:
        places: By name.
        digest: SHA-256 of names, types, shapes and places: what graphs that point into the file
            rely on.
    """

    places: Mapping[str, TensorPlace]
    digest: str


def read_layout(path: Path) -> WeightLayout:
    """Read where the tensors of a safetensors file lie.

    Raises:
        BundleError: As `read_header`.
    """
    read_header(path)  # which checks all of it
    with reading(path, EXPECTED, BundleError), path.open('rb') as file:
        (size,) = struct.unpack('<Q', file.read(8))
        entries = json.loads(file.read(size))
        entries.pop('__metadata__', None)
        begin = 8 + size
        places = {
            name: TensorPlace(
                entry['dtype'],
                tuple(entry['shape']),
                begin + entry['data_offsets'][0],
                entry['data_offsets'][1] - entry['data_offsets'][0],
            )
            for name, entry in sorted(entries.items())
        }
    listing = json.dumps({n: [p.kind, p.shape, p.start, p.length] for n, p in places.items()})
    return WeightLayout(places, hashlib.sha256(listing.encode()).hexdigest())
