# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from m2r2_ros.evaluation.calibration import Reliability
from m2r2_ros.evaluation.classes import score_classes
from m2r2_ros.evaluation.evaluate import SHARES, Evaluation
from m2r2_ros.evaluation.label_names import LabelNames
from m2r2_ros.evaluation.score import score
from m2r2_ros.views.reliability import draw_reliability


@pytest.fixture
def nothing() -> Evaluation:
    """An evaluation of no recordings."""
    return Evaluation(
        scores=score([]),
        recordings={},
        classes=score_classes([]),
        labels=LabelNames((), (), ()),
        reliability=Reliability.of(np.zeros(0), np.zeros(0, np.bool_)),
        accuracy_kept=np.full(len(SHARES), np.nan),
        intervals={},
        resamples=0,
        level='fine',
        background=(),
        model_ids=(),
        not_labelled=(),
    )


def red_pixels(path: Path) -> int:
    """Count pixels of the colour of the distances between confidence and accuracy."""
    image = cv2.imread(str(path))
    assert image is not None
    return int((np.abs(image.astype(int) - (40, 39, 214)).max(2) < 3).sum())


def test_a_gap_is_as_long_as_the_error(nothing: Evaluation, tmp_path: Path) -> None:
    confidences = np.full(100, 0.9)
    pixels = {}
    for right in (90, 50, 10):
        bins = Reliability.of(confidences, np.arange(100) < right)
        file = tmp_path / f'{right}.png'
        draw_reliability(file, replace(nothing, reliability=bins))
        pixels[right] = red_pixels(file)
    assert pixels[90] + 200 < pixels[50]
    assert pixels[50] - pixels[90] == pytest.approx(pixels[10] - pixels[50], rel=0.1)


def test_frames_without_a_label_are_marked(nothing: Evaluation, tmp_path: Path) -> None:
    for coverage in (1.0, 0.8):
        scores = replace(nothing.scores, coverage=coverage)
        draw_reliability(tmp_path / f'{coverage}.png', replace(nothing, scores=scores))
    assert red_pixels(tmp_path / '0.8.png') > red_pixels(tmp_path / '1.0.png') + 200
