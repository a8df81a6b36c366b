# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are damaged when asked to, as full disks, power cuts and bad memory leave them."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from mcap.opcode import Opcode

from m2r2_ros.bags.mcap.chunks import CHUNK_HEAD, LENGTH
from m2r2_ros.bags.mcap.records import MAGIC, walk
from m2r2_ros.bags.writing.replacing import publish
from m2r2_ros.core.errors import SimulationError
from m2r2_ros.core.files import disk_errors
from m2r2_ros.simulation.faults import Fault


@contextmanager
def draft_of(
    path: Path, faults: Sequence[Fault], start: int, seed: int, *, overwrite: bool
) -> Iterator[Path]:
    """Yield where a bag is to be written; it is damaged before it is called `path`.

    Args:
        path: The bag.
        faults: What damages its file; without any, the bag is written where it belongs.
        start: Stamp of the beginning of the episode, nanoseconds.
        seed: Which byte is struck depends on it.
        overwrite: Replace an earlier bag of that name.
    """
    if not faults:
        yield path
        return
    folder = path.with_name(f'.{path.name}.damaged')
    with disk_errors(path):
        shutil.rmtree(folder, ignore_errors=True)  # what a killed run left
        folder.mkdir(parents=True)
    try:
        yield folder / path.name
        with disk_errors(path):
            rngs = np.random.default_rng(seed).spawn(len(faults))
            for fault, rng in zip(faults, rngs, strict=True):
                damage(folder / path.name, fault, start, rng)
            publish(folder / path.name, path, overwrite=overwrite)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def damage(bag: Path, fault: Fault, start: int, rng: np.random.Generator) -> None:
    """Damage the one file of a bag.

    Args:
        bag: A rosbag2 folder.
        fault: What befalls it: a truncation or a flipped byte.
        start: Stamp of the beginning of the episode, nanoseconds.
        rng: Chooses the byte.

    Raises:
        SimulationError: There is no chunk in which a byte could flip any more.
        OSError: The file system refuses.
    """
    (file,) = bag.glob('*.mcap')
    size = file.stat().st_size
    if fault.kind == 'truncate':
        with file.open('r+b') as stream:
            stream.truncate(round(size * fault.value))
        return
    first, end = packed_bytes(file, start + round(fault.start * 1e9))
    at = int(rng.integers(first, end))
    with file.open('r+b') as stream:
        stream.seek(at)
        (byte,) = stream.read(1)
        stream.seek(at)
        stream.write(bytes([byte ^ 1 << int(rng.integers(8))]))


def packed_bytes(file: Path, time: int) -> tuple[int, int]:
    """Return where the packed bytes of the chunk begin and end that holds a log time.

    Args:
        file: An MCAP file.
        time: Nanoseconds; the last chunk stands for what comes after it.

    Raises:
        SimulationError: The file has no whole chunk.
    """
    found: tuple[int, int] | None = None
    size = file.stat().st_size
    with file.open('rb') as stream:
        for opcode, position, length in walk(stream, len(MAGIC), size):
            if opcode != Opcode.CHUNK or position + length > size:
                continue
            stream.seek(position)
            head = stream.read(CHUNK_HEAD.size)
            _, last, _, _, name = CHUNK_HEAD.unpack(head)
            found = position + CHUNK_HEAD.size + name + LENGTH.size, position + length
            if time <= last:
                break
    if found is None or found[0] >= found[1]:
        msg = f'{file}: no byte can flip in it, since it has no whole chunk'
        raise SimulationError(msg)
    return found
