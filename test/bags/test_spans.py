# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ranges of time: the same messages as reading everything and leaving out the others."""

from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.mcap.source import McapSource
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.bags.source import Span
from test.bags.files import Item, mcap_bytes
from test.hostile.sqlite_files import fill

CHUNKS: list[list[Item]] = [
    [('/a', 100 * c + 10 * k, 20 * c + k) if k % 2 else ('/b', 100 * c + 10 * k, 20 * c + k)
     for k in range(10)]
    for c in range(8)
]  # fmt: skip
SPANS = [Span(200, 430), Span(205, 206), Span(-5, 1), Span(790), Span(until=10), Span(900, 950)]


def times(recording: Recording, span: Span, topics: list[str] | None = None) -> list[int]:
    return sorted(
        t for blocks in recording.blocks(topics, span) for b in blocks for t in b.log_times.tolist()
    )


@pytest.mark.parametrize('span', SPANS)
def test_a_range_of_an_mcap_file(tmp_path: Path, span: Span) -> None:
    file = tmp_path / 'a.mcap'
    file.write_bytes(mcap_bytes(CHUNKS))
    every = [t for chunk in CHUNKS for _, t, _ in chunk]
    inside = [t for t in every if span.since <= t < span.until]
    assert times(open_recording(file), span) == inside
    only = [t for chunk in CHUNKS for topic, t, _ in chunk if topic == '/a' and t in inside]
    assert times(open_recording(file), span, ['/a']) == only


def test_chunks_outside_of_a_range_are_not_read(tmp_path: Path) -> None:
    file = tmp_path / 'a.mcap'
    file.write_bytes(mcap_bytes(CHUNKS))
    assert len(list(McapSource(file).parts(['/a', '/b']))) == 8
    assert len(list(McapSource(file).parts(['/a', '/b'], Span(200, 330)))) == 2


@pytest.mark.parametrize('span', SPANS)
def test_a_range_of_a_database(tmp_path: Path, span: Span) -> None:
    file = tmp_path / 'a.db3'
    fill(file)
    recording = open_recording(file)
    every = np.array(times(recording, Span()))
    step, middle = 10**7, int(np.median(every))
    since, until = (max(-(10**6), min(t - 400, 10**6)) for t in (span.since, span.until))
    moved = Span(middle + since * step // 3, middle + until * step // 3)
    expected = every[(every >= moved.since) & (every < moved.until)].tolist()
    assert times(recording, moved) == expected
