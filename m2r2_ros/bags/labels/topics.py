# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Topics and message types that labels, segments and ground truth have."""

from typing import Final

LABEL_TOPIC: Final = '/action_label'
SEGMENT_TOPIC: Final = '/action_segment'
LABEL_SET_TOPIC: Final = '/label_set'
#: In front of the names of topics with ground truth.
GROUND_TRUTH: Final = '/ground_truth'

LABEL: Final = 'm2r2_ros/msg/ActionLabel'
SEGMENT: Final = 'm2r2_ros/msg/ActionSegment'
LABEL_SET: Final = 'm2r2_ros/msg/LabelSet'

#: The OUTCOME_* of ActionSegment by Segment.success.
OUTCOMES: Final[dict[bool | None, int]] = {None: 0, True: 1, False: 2}
