# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Models found without labels: live and whole, in any pieces, refused where they do not fit."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file, save_file

from m2r2_ros.core.errors import BundleError, ConfigError, M2R2Error
from m2r2_ros.core.labels import UNKNOWN, FrameLabel
from m2r2_ros.core.modalities import SENSORS
from m2r2_ros.core.time import SECOND
from m2r2_ros.discovery.found import Discovered
from m2r2_ros.discovery.method import Calibration
from m2r2_ros.model.facts import WEIGHTS, YAML, bundle_id, read_facts
from m2r2_ros.segmenters import open_model
from m2r2_ros.segmenters.base import WHOLE_RECORDING
from test.discovery.bundles import WINDOWS, discovered_bundle

SEGMENTS = 11


@pytest.fixture(scope='module')
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return discovered_bundle(tmp_path_factory.mktemp('events') / 'bundle', 'events')


def same(a: list[FrameLabel], b: list[FrameLabel]) -> bool:
    fields = [f for f in FrameLabel.__dataclass_fields__ if f != 'probabilities']
    return len(a) == len(b) and all(
        all(getattr(x, f) == getattr(y, f) for f in fields)
        and np.array_equal(x.probabilities, y.probabilities)
        for x, y in zip(a, b, strict=True)
    )


def test_whole_recordings_have_one_label_a_segment(events: Path) -> None:
    segmenter = open_model(events).segmenter
    assert segmenter.revision_lag == WHOLE_RECORDING
    labels = segmenter.segment(WINDOWS)
    assert [x.stamp for x in labels] == WINDOWS.stamps.tolist()
    of_segment: dict[int, set[str]] = {}
    for label in labels:
        of_segment.setdefault(label.segment_index, set()).add(label.label)
    assert len(of_segment) == SEGMENTS
    assert all(len(names) == 1 for names in of_segment.values())
    # What is done again looks alike: the picks and the places, each in a cluster.
    assert len({name for names in of_segment.values() for name in names}) <= 4
    starts = {x.segment_index: x.segment_start for x in labels}
    first = {x.segment_index: x.stamp for x in reversed(labels)}
    assert starts == first


def test_live_labels_have_the_same_boundaries_as_soon_as_they_are_known(events: Path) -> None:
    whole = open_model(events).segmenter.segment(WINDOWS)
    segmenter = open_model(events, live=True).segmenter
    lag = segmenter.revision_lag
    assert 0 < lag < 15
    live = []
    for k in range(len(WINDOWS)):
        label = segmenter.step(WINDOWS[k : k + 1])
        assert (label is None) == (k < lag)
        live += [label] if label else []
    live += segmenter.finish()
    assert [x.segment_index for x in live] == [x.segment_index for x in whole]
    # Where a segment ends, all of it was seen.
    ends = [k for k in range(len(live)) if k + 1 == len(live) or live[k + 1].boundary_score > 0]
    assert [live[k].label for k in ends] == [whole[k].label for k in ends]


@pytest.mark.parametrize('live', [True, False])
@pytest.mark.parametrize('size', [1, 7, 64])
def test_pieces_change_nothing(events: Path, live: bool, size: int) -> None:
    segmenter = open_model(events, live=live).segmenter
    whole = segmenter.segment(WINDOWS)
    segmenter.reset()
    parts = []
    for first in range(0, len(WINDOWS), size):
        parts += segmenter.extend(WINDOWS[first : first + size])
    assert same(parts + segmenter.finish(), whole)


def test_where_the_clock_jumps_a_segment_begins(events: Path) -> None:
    restarts = WINDOWS.restarts.copy()
    restarts[50] = True
    later = WINDOWS.stamps + np.where(np.arange(len(WINDOWS)) >= 50, 3600 * SECOND, 0)
    jumping = replace(WINDOWS, restarts=restarts, stamps=later, starts=later - SECOND // 10)
    for live in (True, False):
        labels = open_model(events, live=live).segmenter.segment(jumping)
        assert len(labels) == len(WINDOWS)
        assert labels[50].segment_index == labels[49].segment_index + 1


def test_frames_without_any_sensor_have_no_label(events: Path) -> None:
    present = WINDOWS.present.copy()
    present[100:110] = False
    dark = replace(WINDOWS, present=present)
    labels = open_model(events, live=True).segmenter.segment(dark)
    assert {x.label_id for x in labels[100:110]} == {UNKNOWN}
    assert 'missing: wrench' in labels[100].reason
    assert all(x.label_id != UNKNOWN for x in labels[:100])


def test_memory_stays_bounded_within_a_segment(
    events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('m2r2_ros.segmenters.clustering.LONGEST', 30)
    monkeypatch.setattr('m2r2_ros.discovery.describers.LONGEST', 30)
    segmenter = open_model(events, live=True).segmenter
    still = WINDOWS[:1]
    still = replace(still, restarts=np.zeros(1, np.bool_))
    segmenter.step(WINDOWS[:1])
    for k in range(1, 200):
        stamps = still.stamps + k * SECOND // 10
        segmenter.step(replace(still, starts=stamps - SECOND // 10, stamps=stamps))
    seen = segmenter._finder.describer._seen  # type: ignore[attr-defined]
    assert len(seen) <= 30 + segmenter.revision_lag + 1


def test_options_of_a_decoder_are_refused(events: Path) -> None:
    with pytest.raises(ConfigError, match='takes no lag'):
        open_model(events, {'lag': 3})
    with pytest.raises(ConfigError, match='no hold rule'):
        open_model(events).segmenter.set_hold(min_duration=1.0)
    with pytest.raises(M2R2Error, match='step takes one window'):
        open_model(events).segmenter.step(WINDOWS)


def test_methods_that_need_the_end_refuse_to_be_live(tmp_path: Path) -> None:
    late = discovered_bundle(tmp_path / 'awe', 'awe')
    assert open_model(late).segmenter.segment(WINDOWS)
    with pytest.raises(BundleError, match=r'awe needs the whole recording.*events'):
        open_model(late, live=True)
    both = discovered_bundle(tmp_path / 'both', 'awe', 'events')
    with pytest.raises(BundleError, match='awe needs the whole recording'):
        open_model(both, live=True)


def test_latents_tell_segments_apart_live_and_whole(tmp_path: Path) -> None:
    folder = discovered_bundle(tmp_path / 'latents', 'laps_motion', by='latents')
    whole = open_model(folder).segmenter.segment(WINDOWS)
    assert len({x.label for x in whole}) > 1
    segmenter = open_model(folder, live=True).segmenter
    live = segmenter.segment(WINDOWS)
    assert [x.segment_index for x in live] == [x.segment_index for x in whole]
    segmenter.reset()
    parts = []
    for first in range(0, len(WINDOWS), 7):
        parts += segmenter.extend(WINDOWS[first : first + 7])
    assert same(parts + segmenter.finish(), live)


def test_signals_have_no_latents(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='laps and laps_motion alone'):
        discovered_bundle(tmp_path / 'none', 'events', by='latents')


def test_several_methods_decide_together(tmp_path: Path) -> None:
    folder = discovered_bundle(tmp_path / 'three', 'events', 'bocpd', 'primitives')
    assert list(read_facts(folder).options['methods']) == ['events', 'bocpd', 'primitives']
    live = open_model(folder, live=True).segmenter
    assert len(live.segment(WINDOWS)) == len(WINDOWS)


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ({'options': {}}, 'methods'),
        ({'methods': {'magic': {}}}, 'expected some of events'),
        ({'clusters': 7}, 'clusters.centres'),
        ({'reference': {'gripper_step': 'x', 'free_range': 1.0}}, 'gripper_step'),
        ({'extra': 1}, 'unknown entries extra'),
    ],
)
def test_bundles_that_do_not_fit_are_refused(
    tmp_path: Path, events: Path, change: dict[str, Any], said: str
) -> None:
    content = yaml.safe_load((events / YAML).read_text())
    content['options'] = {} if 'options' in change else {**content['options'], **change}
    rewrite(tmp_path / 'bundle', content, load_file(events / WEIGHTS))
    with pytest.raises(BundleError, match=said):
        open_model(tmp_path / 'bundle')


def test_tensors_that_do_not_fit_are_refused(tmp_path: Path, events: Path) -> None:
    content = yaml.safe_load((events / YAML).read_text())
    tensors = load_file(events / WEIGHTS)
    half = {n: t.astype(np.float16) for n, t in tensors.items()}
    rewrite(tmp_path / 'half', content, half)
    with pytest.raises(BundleError, match='expected F32, found F16'):
        open_model(tmp_path / 'half')
    rewrite(tmp_path / 'none', content, {'other': np.zeros(1, np.float32)})
    with pytest.raises(BundleError, match=r'clusters\.mean is missing'):
        open_model(tmp_path / 'none')


def rewrite(folder: Path, content: dict[str, Any], tensors: dict[str, Any]) -> None:
    """Write a bundle whose files belong together."""
    import hashlib

    folder.mkdir()
    (folder / YAML).write_text(yaml.safe_dump(content, sort_keys=False))
    seal = hashlib.sha256((folder / YAML).read_bytes()).hexdigest()
    save_file(tensors, folder / WEIGHTS, metadata={'bundle_yaml_sha256': seal})


def test_the_model_says_what_it_is(events: Path) -> None:
    facts = read_facts(events)
    assert facts.kind == 'discovered'
    assert facts.labels.names == ('cluster_01', 'cluster_02', 'cluster_03', 'cluster_04')
    assert tuple(facts.modalities) == SENSORS
    assert open_model(events, live=True).id == bundle_id(events)
    calibration = Discovered.read(facts.options, load_file(events / WEIGHTS)).methods['events']
    assert isinstance(calibration, Calibration)
    assert calibration.options['cut'] == 'depart'
