# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags import merge
from m2r2_ros.bags.labels.clock import clock_of
from m2r2_ros.bags.labels.csv import read_segments_csv
from m2r2_ros.bags.labels.reader import LabelTrack, read_label_track, read_segments
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.labels import FrameLabel
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.network.bundle import Bundle
from m2r2_ros.network.torch_backend import TorchBackend
from m2r2_ros.replay.labeller import Summary, label_recording
from m2r2_ros.replay.outputs import Outputs
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.segmenters import Model
from m2r2_ros.segmenters.decoding import Decoding, Rule
from m2r2_ros.segmenters.online import OnlineSegmenter
from m2r2_ros.training.segmenter import segmenter_of
from test.cli.run import digest
from test.replay.recordings import SECOND, START, WRENCH, robot, robot_bag, write_bag, write_mcap
from test.replay.test_stream import STORES

HOUR = 3600 * SECOND


def labelled(path: Path, model: Model, out: Path) -> LabelTrack:
    label_recording(path, model, out)
    return read_label_track(Outputs.of(out, open_recording(path).name).labels)


@pytest.mark.parametrize('store', STORES)
def test_labels_do_not_hang_on_how_messages_are_stored(
    model: Model, tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, '_BATCH', 3_000)
    entries = robot(4.0, 7)
    paths = []
    for name in ('one', 'other'):
        (tmp_path / name).mkdir()
        write = STORES['one chunk'] if name == 'one' else STORES[store]
        paths.append(write(tmp_path / name, entries))
    tracks = [labelled(p, model, p.parent / 'out') for p in paths]
    assert len(tracks[0]) == 39
    one, other = tracks
    assert one.labels == other.labels
    for field in ('stamps', 'label_ids', 'masks'):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    # How many frames go through the network at once changes the order of its sums.
    np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-5)
    np.testing.assert_allclose(one.boundary_scores, other.boundary_scores, atol=1e-5)
    segments = [
        read_segments(p.parent / 'out' / f'{p.stem}_labels', '/action_segment') for p in paths
    ]
    assert [(s.start, s.end, s.label) for s in segments[0]] == [
        (s.start, s.end, s.label) for s in segments[1]
    ]


def test_labels_are_those_of_the_segmenter(trained: Bundle, model: Model, tmp_path: Path) -> None:
    bag = robot_bag(tmp_path / 'robot', 5.0, seed=8)
    track = labelled(bag, model, tmp_path / 'out')
    stream = WindowStream(open_recording(bag), model.windows, model.modalities)
    expected = segmenter_of(trained).segment(FrameWindows.join(list(stream)))
    assert track.labels == [f.label for f in expected]
    np.testing.assert_array_equal(track.stamps, [f.stamp for f in expected])
    np.testing.assert_allclose(track.probabilities, [f.probabilities for f in expected], atol=1e-5)


def test_labelling_twice_gives_the_same_files(model: Model, tmp_path: Path) -> None:
    bag = robot_bag(tmp_path / 'robot', 3.0)
    for name in ('a', 'b'):
        label_recording(bag, model, tmp_path / name, with_recording=True)
    found = [
        {p.relative_to(tmp_path / n): h for p, h in digest(tmp_path / n).items()} for n in 'ab'
    ]
    for files in found:
        files.pop(Path('robot_summary.json'))  # tells how long it took
    assert found[0] == found[1]


@pytest.mark.parametrize('shift', [0, HOUR, -HOUR])
def test_labels_lie_beside_their_messages_in_log_time(
    model: Model, tmp_path: Path, out: Path, shift: int
) -> None:
    bag = write_bag(tmp_path / 'robot', robot(3.0, log_shift=shift))
    label_recording(bag, model, out, with_recording=True)
    recording, labels = open_recording(bag), open_recording(out / 'robot_labels')
    assert recording.start - SECOND // 5 < labels.start
    assert labels.end < recording.end + SECOND // 5
    track = read_label_track(out / 'robot_labels')
    assert START < track.stamps[0] < track.stamps[-1] < START + 3 * SECOND
    merged = open_recording(out / 'robot_labelled')
    assert merged.end - merged.start < 3.5 * SECOND


def test_segments_cover_the_recording_once(model: Model, tmp_path: Path, out: Path) -> None:
    bag = robot_bag(tmp_path / 'robot', 8.0, seed=3)
    summary = label_recording(bag, model, out)
    segments = read_segments(out / 'robot_labels', '/action_segment')
    track = read_label_track(out / 'robot_labels')
    assert summary.segments == len(segments) > 3
    assert segments[0].start == track.stamps[0]
    assert segments[-1].end == track.stamps[-1]
    for a, b in pairwise(segments):
        assert a.end == b.start
        assert a.label != b.label
    for s in segments:
        inside = (track.stamps >= s.start) & (track.stamps < s.end)
        assert {x for x, y in zip(track.labels, inside, strict=True) if y} == {s.label}
    table = read_segments_csv(out / 'robot_segments.csv', clock_of(open_recording(bag)))
    assert [(s.start, s.end, s.label) for s in table] == [
        (s.start, s.end, s.label) for s in segments
    ]


def test_a_lag_is_told_and_loses_no_frame(trained: Bundle, tmp_path: Path, out: Path) -> None:
    bag = robot_bag(tmp_path / 'robot', 3.0)
    slow = Model(
        segmenter_of(trained, Decoding(lag=5)),
        trained.windows,
        trained.model.modalities,
        id=trained.id,
    )
    summary = label_recording(bag, slow, out)
    assert (summary.frames, summary.revision_lag) == (29, 5)
    assert len(read_label_track(out / 'robot_labels')) == 29


def test_the_summary_tells_all(model: Model, tmp_path: Path, out: Path) -> None:
    gone = START + SECOND
    entries = [e for e in robot(3.0) if e.topic != WRENCH or e.log_time < gone]
    path = write_mcap(tmp_path / 'robot.mcap', entries, chunk=3_000)
    path.write_bytes(path.read_bytes()[:-3_000])
    told: list[float] = []
    summary = label_recording(path, model, out, progress=told.append)
    assert summary.truncated
    assert summary.recording == 'robot'
    assert summary.model_id == model.id
    assert 2 < summary.duration_s < 3
    assert summary.speed == pytest.approx(summary.duration_s / summary.wall_s, rel=0.2)
    track = read_label_track(out / 'robot_labels')
    assert track.modalities == tuple(model.modalities)
    seen = track.masks >> track.modalities.index('wrench') & 1
    assert summary.counters == {
        'windows': summary.frames,
        'wrench.masked': int((seen == 0).sum()),
    }
    assert summary.counters['wrench.masked'] > 5
    assert Summary(**json.loads((out / 'robot_summary.json').read_text())) == summary
    assert told == sorted(told)
    assert 0.9 < told[-1] <= 1


class Stumbling(OnlineSegmenter):
    """A segmenter that gives up midway."""

    def __init__(self, bundle: Bundle, error: BaseException) -> None:
        super().__init__(
            bundle.labels,
            bundle.model.modalities,
            bundle.normalisation,
            TorchBackend(bundle.network),
            Decoding(),
        )
        self._error, self._left = error, 15

    def extend(self, windows: FrameWindows) -> list[FrameLabel]:
        self._left -= len(windows)
        if self._left < 0:
            raise self._error
        return super().extend(windows)


@pytest.mark.parametrize('error', [KeyboardInterrupt(), BagError('no more'), RuntimeError('bug')])
def test_an_interrupted_labelling_leaves_nothing_half_done(
    trained: Bundle, model: Model, tmp_path: Path, out: Path, error: BaseException
) -> None:
    bag = write_mcap(tmp_path / 'robot.mcap', robot(3.0), chunk=5_000)
    stumbling = replace(model, segmenter=Stumbling(trained, error))
    with pytest.raises(type(error)):
        label_recording(bag, stumbling, out, with_recording=True)
    assert list(out.iterdir()) == []
    label_recording(bag, model, out, with_recording=True)
    before = digest(out)
    with pytest.raises(type(error)):
        label_recording(bag, stumbling, out, with_recording=True, overwrite=True)
    assert digest(out) == before
    assert Outputs.of(out, 'robot').labelled_by() == model.id
    assert len(list(out.iterdir())) == 4


def test_a_corrupt_recording_leaves_nothing(model: Model, tmp_path: Path, out: Path) -> None:
    path = write_mcap(tmp_path / 'robot.mcap', robot(4.0), chunk=20_000)
    data = bytearray(path.read_bytes())
    at = data.index(b'\x06', 6000)
    data[at + 40 : at + 400] = bytes(360)
    path.write_bytes(data)
    with pytest.raises(BagError, match=r'robot\.mcap'):
        label_recording(path, model, out)
    assert not out.exists() or list(out.iterdir()) == []


def test_outputs_know_who_made_them(model: Model, tmp_path: Path, out: Path) -> None:
    outputs = Outputs.of(out, 'robot')
    assert outputs.labelled_by() == ''
    label_recording(robot_bag(tmp_path / 'robot', 1.0), model, out)
    assert outputs.labelled_by() == model.id
    outputs.summary.write_text('{}')
    with pytest.raises(BagError, match=r'robot_summary\.json cannot be read: KeyError'):
        outputs.labelled_by()


def test_progress_never_goes_back(
    model: Model, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, '_BATCH', 5_000)
    told: list[float] = []
    path = write_mcap(tmp_path / 'robot.mcap', robot(4.0), chunk=5_000)
    label_recording(path, model, out, progress=told.append)
    assert len(told) > 5
    assert told == sorted(told)


@pytest.mark.parametrize(('usual', 'doubtful'), [(0.0, False), (1.0, True)])
def test_recordings_of_little_confidence_are_doubtful(
    trained: Bundle, tmp_path: Path, usual: float, *, doubtful: bool
) -> None:
    bag = robot_bag(tmp_path / 'bag', 3.0)
    decoding = Decoding(learnt=(Rule(doubtful_below=usual),))
    model = Model(segmenter_of(trained, decoding), trained.windows, trained.model.modalities)
    summary = label_recording(bag, model, tmp_path / 'out')
    said = [w for w in summary.warnings if w.startswith('doubtful: the mean confidence')]
    assert bool(said) == doubtful
