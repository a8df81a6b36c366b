# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many recordings: what fails is reported, what is done is kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from m2r2_ros.replay.batch import BatchOptions, label_recordings
from m2r2_ros.replay.outputs import Outputs
from m2r2_ros.segmenters import Model
from test.cli.run import digest
from test.replay.recordings import robot_bag


@pytest.fixture
def bags(tmp_path: Path) -> list[Path]:
    """Two recordings with a broken one between them."""
    broken = tmp_path / 'broken.mcap'
    broken.write_bytes(b'nothing')
    return [robot_bag(tmp_path / 'a', 1.0), broken, robot_bag(tmp_path / 'b', 1.5)]


def test_a_failure_does_not_stop_the_others(bags: list[Path], model: Model, out: Path) -> None:
    told: list[tuple[Path, float]] = []
    outcomes = list(
        label_recordings(bags, model, out, BatchOptions(), lambda *step: told.append(step))
    )
    assert [o.path for o in outcomes] == bags
    assert [bool(o.summary) for o in outcomes] == [True, False, True]
    assert 'broken.mcap' in outcomes[1].error
    assert not any(o.kept for o in outcomes)
    assert [path for path, share in told if share == 0.0] == bags
    for path in (bags[0], bags[2]):
        shares = [share for p, share in told if p == path]
        assert shares == sorted(shares)
        assert shares[-1] > 0.9


def test_outcomes_come_as_they_are_known(bags: list[Path], model: Model, out: Path) -> None:
    outcomes = label_recordings(bags, model, out, BatchOptions())
    assert next(outcomes).path == bags[0]
    assert Outputs.of(out, 'a').summary.is_file()
    assert not Outputs.of(out, 'b').summary.exists()


def test_what_this_model_labelled_is_kept(bags: list[Path], model: Model, out: Path) -> None:
    bags.pop(1)
    resume = BatchOptions(resume=True)
    next(label_recordings(bags, model, out, resume))
    before = digest(out / 'a_labels')
    first, second = label_recordings(bags, model, out, resume)
    assert first.kept
    assert second.summary is not None
    assert digest(out / 'a_labels') == before
    merging = replace(resume, with_recording=True)
    assert [o.kept for o in label_recordings(bags, model, out, merging)] == [True, True]
    assert Outputs.of(out, 'b').merged.is_dir()


def test_labels_of_another_model_are_not_taken_for_done(
    bags: list[Path], model: Model, out: Path
) -> None:
    list(label_recordings(bags[:1], model, out, BatchOptions()))
    other = replace(model, id='other')
    (outcome,) = label_recordings(bags[:1], other, out, BatchOptions(resume=True))
    assert model.id in outcome.error
    replacing = BatchOptions(resume=True, overwrite=True)
    (outcome,) = label_recordings(bags[:1], other, out, replacing)
    assert outcome.summary is not None
    assert outcome.summary.model_id == 'other'
