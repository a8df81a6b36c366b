# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every online head drives the learned segmenter: step by step as in one go, and after a jump."""

from dataclasses import replace

import pytest

from m2r2_ros.model.head_config import HeadConfig, OnlineTASConfig, ProTASConfig
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.training.segmenter import segmenter_of
from test.network.networks import SENSING, make_bundle, make_windows
from test.segmenters.test_learned import restarting, same, stepped

WINDOWS = restarting(make_windows(50), 30)
HEADS: list[HeadConfig] = [
    ProTASConfig(stages=2, layers=4, width=16),
    ProTASConfig(stages=2, layers=4, width=16, task_graph=True),
    OnlineTASConfig(window=8, iterations=1, width=16, layers=4),
]


@pytest.mark.parametrize('head', HEADS, ids=lambda h: h.name)
def test_steps_are_the_whole(head: HeadConfig) -> None:
    bundle = make_bundle(replace(SENSING, head=head))
    segmenter = segmenter_of(bundle, Decoding())
    whole = segmenter.segment(WINDOWS)
    assert [x.stamp for x in whole] == WINDOWS.stamps.tolist()
    assert same(stepped(segmenter_of(bundle, Decoding()), WINDOWS), whole)
    assert {x.revision_lag for x in whole} == {0}
