# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from collections.abc import Callable

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.evaluation.bootstrap import bootstrap
from m2r2_ros.evaluation.recording_counts import Rules, count_recording
from m2r2_ros.evaluation.score import Pool
from m2r2_ros.evaluation.sequence import ScoredSequence, segments_of

Spelling = Callable[[str], list[str]]
RULES = Rules()


def sequence(truth: list[str], predicted: list[str]) -> ScoredSequence:
    n = len(truth)
    stamps = 100_000_000 * np.arange(n, dtype=np.int64)
    # Any confidences will do, as long as they differ and repeat.
    confidences = np.linspace(0.3, 1.0, n).round(1)
    other = (1 - confidences) / 2
    probabilities = np.stack([confidences, other, other], axis=1)
    return ScoredSequence(
        'r', stamps, predicted, segments_of(stamps, truth),
        confidences=confidences, probabilities=probabilities, classes=('A', 'B', 'C'),
    )  # fmt: skip


@pytest.fixture
def tracks(spell: Spelling) -> list[ScoredSequence]:
    return [
        sequence(spell('A20 B20 A20'), spell('A22 B20 A18')),
        sequence(spell('A30'), spell('B10 C20')),
        sequence(spell('A15 B30 C10'), [*spell('A10 B5'), *[''] * 5, *spell('B30 A5')]),
    ]


def pool(tracks: list[ScoredSequence]) -> Pool:
    return Pool([count_recording(track, RULES) for track in tracks], RULES)


def test_weights_are_repetitions(tracks: list[ScoredSequence]) -> None:
    a, b, c = tracks
    weighted = pool(tracks).scores(np.array([2, 0, 3])).to_dict()
    repeated = pool([a, a, c, c, c]).scores().to_dict()
    assert weighted == pytest.approx(repeated, nan_ok=False)
    assert pool(tracks).scores(np.array([0, 1, 0])).to_dict() == pool([b]).scores().to_dict()


def test_intervals_are_of_the_recordings(spell: Spelling) -> None:
    """With two recordings, a quarter of the draws holds the worse one twice."""
    right, wrong = (sequence(spell('A20 B20'), spell(said)) for said in ('A20 B20', 'C40'))
    found = bootstrap(pool([right, wrong]), 200)
    assert found['accuracy'] == (0, 1)
    assert found['edit'] == (0, 100)
    assert 'frames' not in found
    assert 'boundaries_missed' not in found


def test_intervals_shrink_with_more_recordings(spell: Spelling) -> None:
    said = [f'A{20 + k} B{20 - k}' for k in range(10)]
    some = [sequence(spell('A20 B20'), spell(text)) for text in said]
    few, many = (bootstrap(pool(tracks), 300)['accuracy'] for tracks in (some, some * 9))
    assert many[1] - many[0] < 0.5 * (few[1] - few[0])
    accuracy = pool(some).scores().accuracy
    assert accuracy is not None
    assert few[0] < accuracy < few[1]


def test_equal_recordings_leave_no_doubt(tracks: list[ScoredSequence]) -> None:
    alone = pool(tracks[:1]).scores().to_dict()
    found = bootstrap(pool(tracks[:1] * 4), 20)
    assert {name: low for name, (low, _) in found.items()} == pytest.approx(
        {name: alone[name] for name in found}
    )
    assert all(low == pytest.approx(high) for low, high in found.values())
    assert {'accuracy', 'f1@50', 'ece', 'brier', 'confidence_auroc'} <= found.keys()


def test_the_seed_decides(tracks: list[ScoredSequence]) -> None:
    assert bootstrap(pool(tracks), 50) == bootstrap(pool(tracks), 50)
    assert bootstrap(pool(tracks), 50) != bootstrap(pool(tracks), 50, seed=1)


def test_one_recording_has_no_interval(tracks: list[ScoredSequence]) -> None:
    with pytest.raises(ConfigError, match='two recordings'):
        bootstrap(pool(tracks[:1]), 10)
