# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from m2r2_ros.bags.labels.reader import LabelTrack, read_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.labels import UNKNOWN_LABEL, Segment, label_at
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.simulation.parts import action_labels
from m2r2_ros.views.signals import Signals, read_signals
from m2r2_ros.views.timeline import draw_timeline
from test.replay.recordings import GRIPPER, SECOND, START, TYPES, Entry, joints, write_bag

TENTH = 100_000_000


def track_of(truth: list[Segment], shift: int = 0) -> LabelTrack:
    labels = action_labels()
    stamps = np.arange(truth[0].start, truth[-1].end, TENTH, dtype=np.int64)
    names = label_at(truth, np.clip(stamps - shift, truth[0].start, None))
    ids = np.array([labels.id_of(name) for name in names], np.int64)
    n = len(stamps)
    return LabelTrack(
        name='cell',
        stamps=stamps,
        label_ids=ids,
        labels=names,
        confidences=np.ones(n, np.float32),
        probabilities=np.eye(len(labels.names), dtype=np.float32)[ids],
        boundary_scores=np.zeros(n, np.float32),
        revision_lags=np.zeros(n, np.int64),
        latencies=np.zeros(n, np.float32),
        masks=np.full(n, 63, np.uint8),
        model_id='test',
        label_set=labels,
    )


def test_signals_of_a_recording(episode: Path) -> None:
    signals = read_signals(episode, frames=5)
    assert signals.force is not None
    assert signals.width is not None
    assert signals.loudness is not None
    recording = open_recording(episode)
    seconds = (recording.end - recording.start) / 1e9
    assert len(signals.force.stamps) == len(signals.force.values)
    assert len(signals.force.stamps) / seconds == pytest.approx(1000, rel=0.01)
    assert -0.001 < signals.width.values.min() < signals.width.values.max() < 0.051
    assert -90 <= signals.loudness.values.min() < signals.loudness.values.max() < 0
    if '/hand_camera/image_raw/compressed' not in recording.topics:
        pytest.skip('no OpenGL on this machine, so no images')
    steps = np.diff([stamp for stamp, _ in signals.frames])
    assert len(steps) == 4
    assert np.allclose(steps / 1e9, seconds / 5, atol=0.15)


def test_signals_that_come_in_one_message(tmp_path: Path) -> None:
    values = np.arange(8) + np.arange(20)[:, None]
    state = [
        Entry('/state', TYPES[GRIPPER], START + k * SECOND // 10, joints(START, row, 'abcdefgh'))
        for k, row in enumerate(values)
    ]
    spec = TopicSpec('wrench', '/state', fields=('position',), joints=tuple('abcdef'))
    topics = {
        'wrench': spec,
        'gripper': replace(spec, modality='gripper', joints=('h',)),
    }
    signals = read_signals(write_bag(tmp_path / 'bag', state), topics)
    assert signals.force is not None
    assert signals.width is not None
    assert np.allclose(signals.force.values, np.linalg.norm(values[:, :3], axis=1))
    assert np.allclose(signals.width.values, values[:, 7])


def read_image(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    return image.astype(int)


def red_pixels(path: Path) -> int:
    """Count pixels of the colour that marks mistakes."""
    image = read_image(path)
    return int((np.abs(image - (40, 39, 214)).max(2) < 3).sum())


def test_mistakes_are_marked(episode: Path, tmp_path: Path) -> None:
    truth = read_truth(episode).segments
    right, wrong = tmp_path / 'right.png', tmp_path / 'wrong.png'
    draw_timeline(
        right, truth=truth, tracks={'labels': track_of(truth)}, signals=read_signals(episode)
    )
    late = track_of(truth, shift=5 * TENTH)
    draw_timeline(wrong, truth=truth, tracks={'as live': late, 'whole': late})
    assert red_pixels(right) == 0
    assert red_pixels(wrong) > 100


def test_rows_follow_what_there_is(episode: Path, tmp_path: Path) -> None:
    truth = read_truth(episode).segments
    heights = []
    frames = [(truth[0].start, np.zeros((48, 64, 3), np.uint8))]
    everything = replace(read_signals(episode), frames=frames)
    for k, signals in enumerate((None, Signals(frames=frames), everything)):
        draw_timeline(
            tmp_path / f'{k}.png', truth=truth, tracks={'labels': track_of(truth)}, signals=signals
        )
        heights.append(read_image(tmp_path / f'{k}.png').shape[0])
    assert heights[0] < heights[1] < heights[2]
    draw_timeline(tmp_path / 'alone.png', truth=[], tracks={'labels': track_of(truth)})
    assert read_image(tmp_path / 'alone.png').shape[0] < heights[0]


@pytest.mark.filterwarnings('ignore:Glyph')  # of scripts that no font here has
@pytest.mark.parametrize(
    'name', ['$x$', '$\\frac{$', '_', '\x1b[31mred', '<script>', 'a\nb\tc', '\u202eelif', 'x' * 200]
)
def test_labels_are_text_whatever_is_in_them(tmp_path: Path, name: str) -> None:
    truth = [Segment(0, 40 * TENTH, name), Segment(40 * TENTH, 80 * TENTH, 'b')]
    draw_timeline(tmp_path / 'a.png', truth=truth, tracks={'labels': track_of(truth)}, title=name)
    assert read_image(tmp_path / 'a.png').shape[1] == 1650


def test_unknown_is_grey_and_no_label(episode: Path, tmp_path: Path) -> None:
    truth = read_truth(episode).segments
    track = track_of(truth)
    half = len(track.stamps) // 2
    partly = replace(
        track, labels=[*track.labels[:half], *[UNKNOWN_LABEL] * (len(track.stamps) - half)]
    )
    greys = []
    for name, own in (('all', track), ('half', partly)):
        draw_timeline(tmp_path / f'{name}.png', truth=[], tracks={'labels': own})
        image = read_image(tmp_path / f'{name}.png')
        greys.append(int((np.abs(image - 191).max(2) < 3).sum()))
    assert greys[1] > greys[0] + 10_000
