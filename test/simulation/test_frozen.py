# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What freezes, and what is shifted, in an episode as it is written."""

from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.simulation.config import EpisodeConfig, episode_name
from m2r2_ros.simulation.episode import START, write_episode
from m2r2_ros.simulation.faults import CAMERAS, parse_fault
from m2r2_ros.simulation.recorder import AUDIO_TOPIC
from test.simulation.recordings import Messages, messages

#: Behind stamp and encapsulation header.
_CONTENT = 12
CAMERA_TOPICS = tuple(f'/{name}/image_raw/compressed' for name in reversed(CAMERAS))


def episode(folder: Path, *faults: str, seconds: float = 1, cameras: bool = False) -> Messages:
    parsed = tuple(parse_fault(text, of_file=True) for text in faults)
    config = EpisodeConfig(
        seconds=seconds, cameras=cameras, image_rate=5, image_size=64, faults=parsed
    )
    folder.mkdir()
    write_episode(folder, 0, config)
    return messages(folder / episode_name(0))


@pytest.fixture(scope='module')
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Messages:
    return episode(tmp_path_factory.mktemp('healthy') / 'e')


def contents(rows: list[tuple[int, bytes]]) -> list[bytes]:
    return [raw[_CONTENT:] for _, raw in rows]


def test_images_and_sound_that_froze_go_on_with_what_was_before(tmp_path: Path) -> None:
    faults = ('camera-freeze@4s+1s', 'microphone-freeze@4s+1s')
    found = episode(tmp_path / 'e', *faults, seconds=2.7, cameras=True)
    for topic, count in ((CAMERA_TOPICS[0], 5), (CAMERA_TOPICS[1], 5), (AUDIO_TOPIC, 31)):
        times = np.array([log for log, _ in found[topic]]) - START
        rows = contents(found[topic])
        during = np.flatnonzero((times > 4.1e9) & (times < 4.95e9))
        assert len({rows[k] for k in during}) == 1
        assert len(during) >= 0.75 * count
        after = [rows[k] for k in np.flatnonzero((times > 5.3e9) & (times < 6.3e9))]
        assert len(set(after)) == len(after) >= 0.75 * count
        before = [rows[k] for k in np.flatnonzero((times > 3e9) & (times < 3.9e9))]
        assert len(set(before)) == len(before)


def test_a_shift_moves_stamps_and_log_times_alike(tmp_path: Path, healthy: Messages) -> None:
    faulty = episode(tmp_path / 'e', 'microphone-shift=0.25@0s', 'wrench-shift=-0.1@0s+end')
    for topic, shift in ((AUDIO_TOPIC, 250_000_000), ('/ft_sensor/wrench', -100_000_000)):
        logs = np.array([log for log, _ in healthy[topic]])
        assert [log for log, _ in faulty[topic]] == (logs + shift).tolist()
        assert contents(faulty[topic]) == contents(healthy[topic])
        stamps = [np.frombuffer(raw[4:_CONTENT], '<u4') for _, raw in faulty[topic][:5]]
        late = logs[:5] + shift - [int(s) * 10**9 + int(ns) for s, ns in stamps]
        assert (late < 100_000_000).all() and (late > 0).all()
    assert faulty[AUDIO_TOPIC][0][0] > START


def test_a_file_that_was_cut_holds_what_was_written_before(
    tmp_path: Path, healthy: Messages
) -> None:
    faulty = episode(tmp_path / 'e', 'file-truncate=0.7')
    for topic, rows in faulty.items():
        assert rows == healthy[topic][: len(rows)]
    count = sum(map(len, faulty.values()))
    assert 0 < count < sum(map(len, healthy.values()))
