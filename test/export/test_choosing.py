# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which segments are exported."""

import pytest

from m2r2_ros.core.errors import LabelError
from m2r2_ros.export.choosing import OutcomeKind, SegmentChoice
from m2r2_ros.export.labelled import Labelled


def test_segments_are_chosen(labelled: Labelled) -> None:
    def numbers(**wanted: object) -> list[int]:
        choice = SegmentChoice(**wanted)  # type: ignore[arg-type]
        return [number for number, _ in choice.of(labelled)]

    assert numbers() == [0, 1, 2, 3, 4, 5]
    assert numbers(labels=('reach', 'wait')) == [0, 3, 4]
    assert numbers(labels=('handle',)) == [1, 2, 5]
    assert numbers(outcomes=(OutcomeKind.FAILURE, OutcomeKind.UNKNOWN)) == [1, 2, 4]
    assert numbers(min_duration=0.05, max_duration=1.2) == [1, 5]
    assert numbers(min_confidence=0.7) == [0, 2, 3, 4, 5]
    with pytest.raises(LabelError, match='no label grasp in its label set, but reach'):
        numbers(labels=('grasp',))
