# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many times real time all checks of a recording take, beside merely reading it.

A simulated minute is checked without cameras and with them, in this process, the best of several
times; and recordings made of copies of it show whether memory grows with their length.
"""

import argparse
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

from benchmarks.check_faults import found_in, simulated
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.messages import in_order
from m2r2_ros.core.time import SECOND

SEED, LENGTH, ROUNDS = 9000, 55, 5
#: Times real time that are wanted, and without which something is wrong.
WANTED, LEAST = 150.0, 60.0
COPIES: Final = (8, 24)
#: How much more memory the longer of two recordings may take, of which it is three times the other.
GROWTH: Final = 1.3


def best(work: Callable[[], object]) -> tuple[float, float]:
    """Return the least seconds of wall and processor time that something took."""
    walls, works = [], []
    for _ in range(ROUNDS):
        wall, processor = perf_counter(), process_time()
        work()
        walls.append(perf_counter() - wall)
        works.append(process_time() - processor)
    return min(walls), min(works)


def read(path: Path) -> None:
    """Read all messages and do nothing with them."""
    recording = open_recording(path)
    for _ in recording.blocks(recording.readable):
        pass


def pace(name: str, path: Path) -> float:
    """Print the pace of checks; returns it."""
    recording = open_recording(path)
    length = (recording.end - recording.start) / SECOND
    bare, _ = best(lambda: read(path))
    wall, processor = best(lambda: found_in(path))
    size = sum(source.path.stat().st_size for source in recording.sources) / 1e6
    print(
        f'{name}: {length:.0f} s, {size:.0f} MB: {length / wall:.0f} times real time '
        f'({length / processor:.0f} by processor time; {WANTED:g} wanted, {LEAST:g} at least), '
        f'{wall / bare:.1f} times as long as reading',
        flush=True,
    )
    return length / processor


def repeated(path: Path, out: Path, copies: int) -> Path:
    """Write a recording several times over, one after the other."""
    recording = open_recording(path)
    stride = recording.end - recording.start + SECOND
    with BagWriter(out, discard_failed=True) as bag:
        for topic in recording.topics.values():
            definition = topic.definition
            bag.add_topic(topic.name, topic.type_name, definition=definition, type_hash='')
        for k in range(copies):
            for blocks in recording.blocks(recording.readable):
                for log, name, raw in in_order(blocks):
                    bag.write(name, raw, log + k * stride)
    return out


def memory(path: Path) -> float:
    """Return the most memory that checks hold at a time, MB."""
    tracemalloc.start()
    found_in(path)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return peak


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work', type=Path, help='where recordings are kept; none by default')
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.work or Path(temporary)
        plain = simulated(folder / 'pace', SEED, LENGTH, '--no-cameras')
        seen = simulated(folder / 'pace_cameras', SEED, LENGTH)
        paces = [pace('without cameras', plain), pace('with two cameras', seen)]
        peaks = []
        for copies in COPIES:
            peaks.append(memory(repeated(plain, Path(temporary) / f'x{copies}', copies)))
            print(f'{copies} minutes: {peaks[-1]:.0f} MB at most', flush=True)
    sys.exit(min(paces) < LEAST or peaks[1] > GROWTH * peaks[0])


if __name__ == '__main__':
    main()
