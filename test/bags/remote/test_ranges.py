# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bytes come as they are in the file, whatever is asked for in whatever order."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.bags.remote import ahead, file, ranges
from m2r2_ros.bags.remote.ahead import Ahead
from m2r2_ros.bags.remote.file import RemoteFile
from m2r2_ros.bags.remote.places import as_place
from m2r2_ros.bags.remote.ranges import Ranges, Stored, stored
from m2r2_ros.core.errors import BagError

pytest.importorskip('fsspec', reason="needs pip install 'm2r2_ros[fleet]'")
SIZE = 5000
DATA = bytes(k * 7919 % 251 for k in range(SIZE))
PLACES = st.integers(0, SIZE + 10)


@pytest.fixture(scope='module')
def place() -> Any:
    """A file in memory."""
    found: Any = as_place('memory://ranges/file.bin')
    found.fs.pipe_file('/ranges/file.bin', DATA)
    return found


def opened(place: Any, size: int = SIZE) -> Ranges:
    there = stored(place)
    assert there is not None
    return Ranges(Stored(place, size, there.tag))


@given(
    reads=st.lists(st.tuples(PLACES, st.integers(0, 900)), max_size=30), size=st.integers(1, SIZE)
)
def test_reads_here_and_there(place: Any, reads: list[tuple[int, int]], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {'_TAIL': 300, '_HEAD': 50, '_BLOCK': 64, '_MOST': 512}.items():
            patch.setattr(file, name, value)
        patch.setattr(file, '_KEPT', 1000)
        far, near = RemoteFile(opened(place, size)), io.BytesIO(DATA[:size])
        for at, length in reads:
            assert far.seek(at) == near.seek(at)
            assert far.read(length) == near.read(length)
            assert far.tell() == near.tell() or at >= size
            kept = sum(map(len, far._pieces.values()))
            assert kept <= 1000 + 900 + 512
        assert far.seek(-1, io.SEEK_END) == size - 1
        assert far.read() == DATA[size - 1 : size]


@given(
    spans=st.lists(st.tuples(PLACES, st.integers(0, 400)), min_size=1, max_size=40),
    order=st.randoms(use_true_random=False),
    window=st.integers(1, 2000),
)
def test_ranges_taken_in_any_order(
    place: Any, spans: list[tuple[int, int]], order: Any, window: int
) -> None:
    bounds = [(start, start + length) for start, length in spans]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {'_GAP': 50, '_REQUEST': 600, 'WINDOW': window}.items():
            patch.setattr(ahead, name, value)
        reader = Ahead(opened(place), bounds)
        wanted = list(range(len(bounds)))
        if order.random() < 0.5:
            order.shuffle(wanted)
        for k in [*wanted, *wanted[:3]]:
            start, stop = bounds[k]
            assert bytes(reader.take(k)) == DATA[start:stop]
            flying = [reader._size(group) for group in reader._flying]
            assert sum(flying) <= window or len(flying) == 1
            assert len(flying) <= ahead._FLYING


def test_a_file_that_changed_is_noticed_without_conditions(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, '_LOOK_AGAIN', 0.0)
    other: Any = place.with_name('other.bin')
    other.fs.pipe_file('/ranges/other.bin', DATA)
    there = stored(other)
    assert there is not None
    reader = Ranges(there)
    assert reader.fetch(10, 20) == DATA[10:20]
    other.fs.pipe_file('/ranges/other.bin', DATA[::-1])
    with pytest.raises(BagError, match='changed since it was opened'):
        reader.fetch(10, 20)


def test_a_server_without_ranges_is_named(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    system = type(place.fs)
    monkeypatch.setattr(system, 'cat_file', lambda self, key, start, end: DATA)
    with pytest.raises(BagError, match='does not keep to ranges'):
        opened(place).fetch(10, 20)
