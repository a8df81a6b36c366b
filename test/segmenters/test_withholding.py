# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np

from m2r2_ros.core.labels import UNKNOWN, FrameLabel
from m2r2_ros.model.familiarity import Doubt
from m2r2_ros.segmenters.segments import SegmentBuilder
from m2r2_ros.segmenters.tally import LabelTally
from m2r2_ros.segmenters.withholding import Withholding

FAR = Doubt(3.0, ('wrench',))
NEAR = Doubt(1.5, ('pose', 'wrench'))
NONE = Doubt()


def frames(labels: str, confidence: float = 0.9) -> list[FrameLabel]:
    """One frame per letter, its segments counted as a decoder counts them."""
    found: list[FrameLabel] = []
    for i, name in enumerate(labels):
        same = bool(found) and found[-1].label == name
        index = (found[-1].segment_index + (not same)) if found else 0
        since = found[-1].segment_start if same else i * 100
        found.append(
            FrameLabel(
                stamp=i * 100, label_id='ab'.index(name), label=name, confidence=confidence,
                probabilities=np.array([0.5, 0.5], np.float32), boundary_score=0.0,
                segment_index=index, segment_start=since, revision_lag=0, modality_mask=12,
            )
        )  # fmt: skip
    return found


def withheld(labels: str, doubts: list[Doubt], confidence: float = 0.9) -> list[FrameLabel]:
    stage = Withholding(0.0)
    stage.expect(doubts)
    return stage.apply(frames(labels, confidence))


def test_without_doubt_labels_stay_as_they_are() -> None:
    for found, given in zip(withheld('aabb', [NONE] * 4), frames('aabb'), strict=True):
        assert repr(found) == repr(given)


def test_unknown_frames_are_a_segment_of_their_own_and_the_label_begins_anew_behind_it() -> None:
    found = withheld('aaaab', [NONE, FAR, FAR, NONE, NONE])
    assert [x.label for x in found] == ['a', 'unknown', 'unknown', 'a', 'b']
    assert [x.label_id for x in found] == [0, UNKNOWN, UNKNOWN, 0, 1]
    assert [x.reason for x in found] == ['', 'unlike: wrench', 'unlike: wrench', '', '']
    assert [x.segment_index for x in found] == [0, 1, 1, 2, 3]
    assert [x.segment_start for x in found] == [0, 100, 100, 300, 400]


def test_a_change_of_label_that_nobody_saw_makes_no_segment() -> None:
    found = withheld('aabba', [NONE, FAR, FAR, FAR, NONE])
    assert [x.segment_index for x in found] == [0, 1, 1, 1, 2]


def test_the_first_frame_can_be_unknown() -> None:
    found = withheld('aa', [FAR, NONE])
    assert [(x.label, x.segment_index) for x in found] == [('unknown', 0), ('a', 1)]


def test_labels_that_come_late_get_the_doubts_of_their_own_frames() -> None:
    stage, labels = Withholding(0.0), frames('aaa')
    stage.expect([NONE, FAR])
    assert [x.reason for x in stage.apply(labels[:1])] == ['']
    stage.expect([NONE])
    assert [x.reason for x in stage.apply(labels[1:])] == ['unlike: wrench', '']


def test_what_is_a_little_unlike_costs_only_labels_in_doubt() -> None:
    assert [x.reason for x in withheld('a', [NEAR], 0.9)] == ['']
    assert [x.reason for x in withheld('a', [NEAR], 0.4)] == ['unlike: pose, wrench']


def test_reasons() -> None:
    assert Doubt(0.5).reason(0.3, 0.4) == 'unsure'
    assert Doubt(0.5).reason(0.5, 0.4) == ''
    lacking = Doubt(0.5, (), ('image',), 6)
    assert lacking.reason(0.9, 0.4) == ''
    assert lacking.reason(0.3, 0.4) == 'missing: image'
    assert Doubt(0.0, (), ('wrench', 'pose'), 3).reason(1.0, 0.0) == 'missing: wrench, pose'


def test_segments_without_a_label_carry_the_most_frequent_reason() -> None:
    other = Doubt(3.0, ('pose',))
    labels = withheld('aaaaa', [NONE, FAR, other, FAR, NONE])
    builder = SegmentBuilder(10**9)
    closed = [segment for _, segment in builder.add(labels) + builder.finish()]
    assert [(s.start, s.end, s.label, s.reason) for s in closed] == [
        (0, 100, 'a', ''), (100, 400, 'unknown', 'unlike: wrench'), (400, 400, 'a', ''),
    ]  # fmt: skip


def test_tally() -> None:
    tally = LabelTally()
    assert (tally.unknown, tally.confidence) == (0.0, 0.0)
    for label in withheld('aaab', [NONE, FAR, NONE, NONE], 0.75):
        tally.add(label)
    assert (tally.frames, tally.unknown, tally.confidence) == (4, 0.25, 0.75)
    assert tally.reasons == {'unlike: wrench': 1}
