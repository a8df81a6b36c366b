# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Published predictions on GTEA: real output with all its flicker."""

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.evaluation.counts import Counts
from m2r2_ros.evaluation.edit import edit_score
from m2r2_ros.evaluation.f1 import segment_counts
from test.evaluation.ids import score_ids
from test.real_data import DATA

#: By model: accuracy, edit and F1@10/25/50 with class 0 as background, measured with this code;
#: its authors' own F1 of ED-TCN on all four splits is 72.2 / 69.3 / 56.0.
MEASURED = {
    'video_SVM': (0.531176, 35.7484, (41.8737, 35.6281, 25.6920)),
    'video_DilatedTCN_L5_B2': (0.612892, 52.8646, (59.7786, 53.1365, 39.1144)),
    'video_ED-TCN_L2_C25': (0.632526, 69.8870, (71.9637, 67.1964, 54.7106)),
}


def load(model: str) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """Return truth and prediction of the 21 videos."""
    scipy_io = pytest.importorskip('scipy.io', reason='needs scipy')
    files = sorted((DATA / 'tas_predictions/GTEA' / model).glob('*.mat'))
    if not files:
        pytest.skip(f'no published predictions in {DATA}')
    splits = [scipy_io.loadmat(str(file)) for file in files]
    truth, predicted = (
        [video.ravel().astype(np.int64) for split in splits for video in split[key].ravel()]
        for key in 'YP'
    )
    return truth, predicted


@pytest.mark.parametrize('model', MEASURED)
def test_scores_of_real_predictions(model: str) -> None:
    truth, predicted = load(model)
    accuracy, edit, f1 = MEASURED[model]
    same = np.concatenate(truth) == np.concatenate(predicted)
    assert score_ids(truth, predicted).accuracy == same.mean()
    assert same.mean() == pytest.approx(accuracy, abs=1e-6)
    pairs = list(zip(truth, predicted, strict=True))
    assert np.mean([edit_score(t, p, (0,)) for t, p in pairs]) == pytest.approx(edit, abs=1e-4)
    for overlap, expected in zip((0.1, 0.25, 0.5), f1, strict=True):
        counts = sum((segment_counts(t, p, overlap, (0,)) for t, p in pairs), Counts())
        assert counts.f1 == pytest.approx(expected, abs=1e-4)
