# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A repair says what it has lost, whatever was done to a file."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.bags.mcap.repair import RepairReport, repair
from m2r2_ros.core.errors import BagError
from test.hostile.damaged_mcap_files import WAYS, Way, damaged, messages, read, seen, written
from test.hostile.fuzzing import tries


def check(report: RepairReport, way: Way) -> None:
    """Hold what a repair says against what it has written, and against the original."""
    found = list(read(report.out))
    assert Counter(topic for topic, _, _ in found) == Counter(report.messages)
    if report.complete:
        assert seen(iter(found), way) == seen(messages(), way)
        return
    rows = {row.topic: row for row in report.topics}
    names = ('different ways', 'of another type', 'topic of', 'topics of', 'no end')
    if any(name in loss.reason for loss in report.losses for name in names):
        return  # under which name messages are counted, or how many there were, is not known
    if any('describes topics' in remark for remark in report.remarks):
        return
    if not all(row.exact and not topic.startswith('channel ') for topic, row in rows.items()):
        return
    for topic, count in Counter(topic for topic, _, _ in messages()).items():
        row = rows.get(topic)
        assert row is not None, topic
        assert row.recovered + row.lost >= count, row


@pytest.mark.parametrize('way', WAYS)
@given(seed=st.integers(0, 2**32))
@tries(12)
def test_nothing_is_lost_unsaid(
    tmp_path_factory: pytest.TempPathFactory, way: Way, seed: int
) -> None:
    folder = tmp_path_factory.mktemp('damaged')
    path = folder / 'damaged.mcap'
    path.write_bytes(damaged(written(way), seed))
    try:
        report = repair(path, folder / 'out')
    except BagError as error:
        assert 'does not begin like' in str(error)
        return
    check(report, way)


@pytest.mark.parametrize('way', WAYS)
def test_a_file_without_damage_is_whole(tmp_path: Path, way: Way) -> None:
    path = tmp_path / 'whole.mcap'
    path.write_bytes(written(way))
    report = repair(path, tmp_path / 'out')
    assert not report.losses
    assert Counter(read(report.out)) == Counter(messages())
    unchecked = any('no checksum covers' in remark for remark in report.remarks)
    assert unchecked == (not way.exact)
