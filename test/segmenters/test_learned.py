# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The learned segmenter keeps the protocol: streaming equals batch, frame by frame."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError, M2R2Error, MessageError
from m2r2_ros.core.labels import FrameLabel
from m2r2_ros.core.modalities import SENSORS, declared
from m2r2_ros.core.time import SECOND
from m2r2_ros.core.windows import FrameWindows, masks_of
from m2r2_ros.model.head_config import CausalTCNConfig
from m2r2_ros.model.inputs import make_inputs
from m2r2_ros.network.torch_backend import TorchBackend
from m2r2_ros.segmenters.base import Segmenter
from m2r2_ros.segmenters.commit import feature_names
from m2r2_ros.segmenters.decoding import Decoding, Rule
from m2r2_ros.segmenters.network import CHUNK, NetworkSegmenter
from m2r2_ros.training.segmenter import segmenter_of
from test.network.networks import LABELS, SENSING, SMALL, enliven, make_bundle, make_windows

BUNDLE = make_bundle(replace(SENSING, head=CausalTCNConfig(width=16, layers=4, lags=(0, 1, 4))))
enliven(BUNDLE)
PLAIN = Decoding()
WEIGHTS = {
    **dict.fromkeys(feature_names(LABELS), 0.0),
    **{'bias': -1.0, 'rival_short_mean': 1.0, 'own': -0.5, 'boundary_long_max': 0.2},
}
COMMITTING = Rule(0, temperature=0.7, weights=WEIGHTS)
N = 90
WINDOWS = make_windows(N)


def segmenter(decoding: Decoding = PLAIN) -> NetworkSegmenter:
    return segmenter_of(BUNDLE, decoding)


def same(a: list[FrameLabel], b: list[FrameLabel]) -> bool:
    """Compare labels: everything equal, probabilities to 1e-5."""
    rough = ('confidence', 'probabilities', 'boundary_score')
    exact = [f for f in FrameLabel.__dataclass_fields__ if f not in rough]
    return len(a) == len(b) and all(
        all(getattr(x, f) == getattr(y, f) for f in exact)
        and all(np.allclose(getattr(x, f), getattr(y, f), atol=1e-5, rtol=0) for f in rough)
        for x, y in zip(a, b, strict=True)
    )


def restarting(windows: FrameWindows, *at: int) -> FrameWindows:
    """Let the clock jump back an hour at each position."""
    restarts = windows.restarts.copy()
    restarts[list(at)] = True
    back = np.cumsum(restarts) * 3600 * SECOND
    return replace(
        windows, starts=windows.starts - back, stamps=windows.stamps - back, restarts=restarts
    )


def stepped(s: Segmenter, windows: FrameWindows) -> list[FrameLabel]:
    labels = [s.step(windows[i : i + 1]) for i in range(len(windows))]
    return [x for x in labels if x is not None] + s.finish()


def in_pieces(s: Segmenter, windows: FrameWindows, cuts: list[int]) -> list[FrameLabel]:
    edges = sorted({0, *(c for c in cuts if c < len(windows)), len(windows)})
    return [x for lo, hi in pairwise(edges) for x in s.extend(windows[lo:hi])] + s.finish()


DECODINGS = [
    PLAIN,
    Decoding(lag=1),
    Decoding(lag=4),
    Decoding(min_confidence=0.4, min_duration=0.3),
    Decoding(0.35, 0.25, 7),
    Decoding(learnt=(COMMITTING,)),
    Decoding(lag=4, learnt=(COMMITTING, Rule(4, temperature=1.4, own_output=True))),
]
each_decoding = pytest.mark.parametrize('decoding', DECODINGS, ids=str)


def test_random_windows_make_more_than_one_label() -> None:
    """Otherwise nothing below would mean anything."""
    labels = segmenter().segment(WINDOWS)
    assert len({x.label for x in labels}) > 1
    assert labels[-1].segment_index > 5


@each_decoding
def test_step_by_step_is_the_same_as_at_once(decoding: Decoding) -> None:
    at_once = segmenter(decoding).segment(WINDOWS)
    assert [x.stamp for x in at_once] == WINDOWS.stamps.tolist()
    assert same(stepped(segmenter(decoding), WINDOWS), at_once)


@settings(max_examples=15)
@given(
    st.lists(st.integers(1, N - 1), max_size=9), st.lists(st.integers(1, N - 1), max_size=3),
    st.sampled_from(DECODINGS),
)  # fmt: skip
def test_any_pieces_are_the_same_as_at_once(
    cuts: list[int], jumps: list[int], decoding: Decoding
) -> None:
    windows = restarting(WINDOWS, *jumps)
    at_once = segmenter(decoding).segment(windows)
    assert same(in_pieces(segmenter(decoding), windows, cuts), at_once)
    assert same(stepped(segmenter(decoding), windows), at_once)


def test_more_frames_than_go_through_the_network_at_once() -> None:
    windows = make_windows(CHUNK + 40)
    at_once = segmenter().segment(windows)
    assert same(in_pieces(segmenter(), windows, list(range(0, len(windows), 100))), at_once)


def test_sound_goes_the_same_way() -> None:
    s = segmenter_of(make_bundle(SMALL), PLAIN)
    windows = make_windows(20)
    assert same(stepped(s, windows), s.segment(windows))


@pytest.mark.parametrize('lag', [0, 1, 5])
def test_a_step_labels_the_frame_lag_before_it(lag: int) -> None:
    s = segmenter(Decoding(lag=lag))
    assert s.revision_lag == lag
    for i in range(N):
        label = s.step(WINDOWS[i : i + 1])
        if i < lag:
            assert label is None
        else:
            assert label is not None
            assert label.stamp == WINDOWS.stamps[i - lag]
            assert label.revision_lag == lag
    rest = s.finish()
    assert [x.stamp for x in rest] == WINDOWS.stamps[N - lag :].tolist()
    assert s.finish() == []


@pytest.mark.parametrize('lag', [1, 5])
def test_a_step_labels_the_frame_lag_before_it_across_a_restart(lag: int) -> None:
    s = segmenter(Decoding(lag=lag))
    windows = restarting(WINDOWS, 40, 42)
    for i in range(N):
        label = s.step(windows[i : i + 1])
        assert (label.stamp if label else None) == (windows.stamps[i - lag] if i >= lag else None)


def test_with_lag_probabilities_are_the_mean_around_the_frame() -> None:
    plain = np.array([x.probabilities for x in segmenter().segment(WINDOWS)])
    found = segmenter(Decoding(lag=3)).segment(WINDOWS)
    np.testing.assert_allclose(found[20].probabilities, plain[17:24].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found[-1].probabilities, plain[-1], atol=1e-6)


def test_a_frame_label_says_all_there_is_to_say() -> None:
    labels = segmenter().segment(WINDOWS)
    # Bits are those of the modalities that it looks at, in their order.
    looked_at = masks_of(np.stack([WINDOWS.has(m) for m in SENSORS], axis=1))
    for x, mask in zip(labels, looked_at, strict=True):
        assert x.label == LABELS.names[x.label_id]
        assert x.label_id == int(np.argmax(x.probabilities))
        assert x.confidence == pytest.approx(float(x.probabilities.max()))
        assert x.probabilities.shape == (3,)
        assert x.probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert 0 <= x.boundary_score <= 1
        assert x.modality_mask == mask


@each_decoding
def test_segments_are_runs_of_a_label(decoding: Decoding) -> None:
    labels = segmenter(decoding).segment(WINDOWS)
    assert labels[0].segment_index == 0
    assert labels[0].segment_start == labels[0].stamp
    for a, b in pairwise(labels):
        changed = a.label_id != b.label_id
        assert b.segment_index == a.segment_index + changed
        assert b.segment_start == (b.stamp if changed else a.segment_start)


@each_decoding
def test_a_restart_resets_all_but_the_count_of_segments(decoding: Decoding) -> None:
    windows = restarting(WINDOWS, 40)
    labels = segmenter(decoding).segment(windows)
    assert [x.stamp for x in labels] == windows.stamps.tolist()
    fresh = segmenter(decoding).segment(windows[40:])
    offset = labels[39].segment_index + 1
    assert labels[40].segment_index == offset
    assert labels[40].segment_start == labels[40].stamp
    expected = [replace(x, segment_index=x.segment_index + offset) for x in fresh]
    assert same(labels[40:], expected)
    assert same(labels[:40], segmenter(decoding).segment(windows[:40]))


def test_restarts_matter_at_all() -> None:
    windows = restarting(WINDOWS, 40)
    carried_on = replace(windows, restarts=WINDOWS.restarts)
    with_reset = segmenter().segment(windows)[40:44]
    without = segmenter().segment(carried_on)[40:44]
    assert not np.allclose(
        [x.probabilities for x in with_reset], [x.probabilities for x in without], atol=1e-4
    )


@each_decoding
def test_a_whole_recording_does_not_hang_on_what_came_before(decoding: Decoding) -> None:
    s = segmenter(decoding)
    first = s.segment(WINDOWS)
    s.extend(make_windows(33, seed=9))
    assert same(s.segment(WINDOWS), first)
    no_restart = replace(WINDOWS, restarts=np.zeros(N, np.bool_))
    s.step(make_windows(1, seed=9))
    assert same(s.segment(no_restart), first)
    s.extend(make_windows(33, seed=9))
    s.reset()
    assert same(s.extend(no_restart) + s.finish(), first)


def test_later_frames_change_nothing_without_lag() -> None:
    other = make_windows(N, seed=5)
    joined = FrameWindows.join([WINDOWS[:50], other[50:]])
    a, b = segmenter().segment(WINDOWS), segmenter().segment(joined)
    assert same(a[:50], b[:50])
    assert not same(a[50:], b[50:])


def test_no_windows_have_no_labels() -> None:
    s = segmenter(Decoding(lag=2))
    assert s.extend(WINDOWS[:0]) == []
    assert s.segment(WINDOWS[:0]) == []
    assert s.finish() == []


def test_the_bundles_own_decoding_holds_unless_told() -> None:
    assert segmenter_of(BUNDLE).decoding == Decoding(min_confidence=0.5, lag=2)
    assert segmenter().decoding == PLAIN
    assert segmenter().labels == LABELS


def test_a_step_is_one_window() -> None:
    with pytest.raises(M2R2Error, match='one window, not 2'):
        segmenter().step(WINDOWS[:2])


def test_an_image_that_the_network_did_not_see_is_not_in_the_mask() -> None:
    pytest.importorskip('efficientnet_lite_pytorch')
    config = replace(SENSING, modalities=declared(('image', *SENSING.modalities)),
                     image_encoder='efficientnet_lite0')  # fmt: skip
    windows = make_windows(3, images=True)
    windows.present[:] = True
    windows.present[2, 0] = False
    image = windows.images['image'][1]
    assert image is not None
    cut = replace(image, decoder=broken)
    windows = replace(windows, images={'image': [image, cut, None]})
    learned = segmenter_of(make_bundle(config), PLAIN)
    labels = learned.segment(windows)
    assert [x.modality_mask & 1 for x in labels] == [1, 0, 0]
    assert learned.counters == {'image.undecodable': 1}


def broken(payload: bytes) -> NDArray[np.uint8]:
    msg = f'{len(payload)} bytes are no image'
    raise MessageError(msg)


def test_hold_rule_can_change_between_frames() -> None:
    held = segmenter()
    first = held.extend(WINDOWS[:40])
    held.set_hold(0.0, 3600.0)
    rest = held.extend(WINDOWS[40:])
    plain = segmenter().segment(WINDOWS)
    assert same(first, plain[:40])
    assert len({label.label for label in plain[40:]}) > 1  # without the rule it goes on changing
    assert {label.label for label in rest} == {first[-1].label}
    assert held.decoding == Decoding(0.0, 3600.0, 0)
    with pytest.raises(ConfigError):
        held.set_hold(2.0, 0.0)


def test_without_a_hold_rule_the_learnt_one_is_back() -> None:
    learnt = Decoding(learnt=(COMMITTING,))
    expected = segmenter(learnt).segment(WINDOWS)
    assert not same(expected, segmenter(learnt.held(0.0, 0.0)).segment(WINDOWS))
    s = segmenter(learnt)
    s.set_hold(min_duration=1.0)
    assert s.decoding.rule.min_duration == 1.0
    assert not s.decoding.rule.weights
    s.set_hold()
    assert s.decoding == learnt
    assert same(s.segment(WINDOWS), expected)


def test_an_output_for_a_lag_labels_the_frame_that_it_is_of() -> None:
    found = segmenter(Decoding(lag=4, learnt=(Rule(4, own_output=True),))).segment(WINDOWS)
    backend = TorchBackend(BUNDLE.network)
    inputs = make_inputs(WINDOWS, BUNDLE.normalisation, BUNDLE.model.modalities)
    said = backend.advance(inputs, backend.initial_state())[1]
    rows = np.array([x.probabilities for x in found])
    np.testing.assert_allclose(rows[:-4], said.revised[4][4:], atol=1e-5)
    np.testing.assert_allclose(rows[-4:-1], said.revised[1][-3:], atol=1e-5)
    np.testing.assert_allclose(rows[-1], said.probabilities[-1], atol=1e-5)


@pytest.mark.parametrize('size', [1, 7])
def test_poses_relative_to_the_start_of_a_run_are_the_same_in_any_pieces(size: int) -> None:
    """Each run has its own start; a pose that moves as a whole changes nothing of them."""
    bundle = make_bundle(replace(SENSING, relative_pose=True))
    enliven(bundle)
    windows = restarting(WINDOWS, 40)
    whole = segmenter_of(bundle).segment(windows)
    cuts = list(range(0, N, size))
    assert same(in_pieces(segmenter_of(bundle), windows, cuts), whole)
    # Frames of the second run are labelled as if it were alone.
    alone = segmenter_of(bundle).segment(windows[40:])
    first, second = (np.stack([x.probabilities for x in own]) for own in (whole[40:], alone))
    np.testing.assert_allclose(first, second, atol=1e-5)
