# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores of label ids, for tests against published figures."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.evaluation.score import Scores, score
from m2r2_ros.evaluation.sequence import ScoredSequence, segments_of


def score_ids(
    truths: Sequence[NDArray[np.int64]], predictions: Sequence[NDArray[np.int64]]
) -> Scores:
    """Score recordings that are given as label ids."""
    tracks = []
    for k, (truth, predicted) in enumerate(zip(truths, predictions, strict=True)):
        stamps = np.arange(len(truth), dtype=np.int64) * 100_000_000
        segments = segments_of(stamps, [f'label {i}' for i in truth.tolist()])
        labels = [f'label {i}' for i in predicted.tolist()]
        tracks.append(ScoredSequence(str(k), stamps, labels, segments))
    return score(tracks)
