# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names of clusters: neighbours of one name are one segment, what has none stays unlabelled."""

from pathlib import Path

from m2r2_ros.bags.labels.reader import Truth
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.training.naming import Clustered, clusters_of, named_segments

CLUSTERS = ('cluster_01', 'cluster_02', 'cluster_03')
SEGMENTS = [
    Segment(0, 10, 'cluster_01'),
    Segment(10, 20, 'cluster_02'),
    Segment(20, 30, 'cluster_03'),
    Segment(30, 40, 'cluster_01'),
    Segment(50, 60, 'cluster_01'),  # behind a jump of the clock
    Segment(60, 70, 'unknown', reason='missing: wrench'),
    Segment(70, 80, 'cluster_02'),
]
RECORDING = Clustered('one', Path('one_labels'), Truth(SEGMENTS, LabelSet.of(CLUSTERS)))


def spans(names: dict[str, str]) -> list[tuple[int, int, str]]:
    return [(s.start, s.end, s.label) for s in named_segments(RECORDING, names)]


def test_neighbours_of_one_name_are_one_segment() -> None:
    assert spans({'cluster_01': 'move', 'cluster_02': 'move', 'cluster_03': 'hold'}) == [
        (0, 20, 'move'), (20, 30, 'hold'), (30, 40, 'move'), (50, 60, 'move'), (70, 80, 'move'),
    ]  # fmt: skip


def test_clusters_without_a_name_and_frames_without_a_label_stay_unlabelled() -> None:
    assert spans({'cluster_01': '', 'cluster_02': 'move', 'cluster_03': ''}) == [
        (10, 20, 'move'), (70, 80, 'move'),
    ]  # fmt: skip


def test_all_clusters_are_known_in_order() -> None:
    assert clusters_of([RECORDING])[:3] == list(CLUSTERS)
