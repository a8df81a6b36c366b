# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A whole training: what it begins with, what it ends with, what it tells."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from m2r2_ros.core.modalities import declared
from m2r2_ros.model.head_config import CausalTCNConfig, HeadConfig, MSTCNConfig
from m2r2_ros.network.bundle import Bundle, load_bundle
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.training import make
from m2r2_ros.training.choices import Wishes
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.curves import draw_curves
from m2r2_ros.training.loop import Progress
from m2r2_ros.training.segmenter import segmenter_of
from m2r2_ros.training.stages import Begin
from m2r2_ros.training.survey import Survey
from m2r2_ros.training.train import Told, Trained, train
from m2r2_ros.training.train_head import TrainedHead, train_head
from m2r2_ros.windows.config import WindowConfig
from test.replay.recordings import TINY, robot_bag, tiny_bundle

QUICK = Wishes(epochs=2, search=False)


@pytest.fixture(scope='module')
def bags(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp('bags')
    return [robot_bag(folder / f'r{k}', 4.0, seed=k) for k in range(3)]


def trained(bags: Sequence[Path], workspace: Path, **options: Any) -> Trained:
    return train(
        bags,
        preset='tiny',
        model=options.pop('model', TINY),
        windows=WindowConfig(),
        config=TrainConfig(seed=7, crop=100, learning_rate=1e-2),
        workspace=workspace,
        **{'wishes': QUICK, **options},
    )


@pytest.fixture(scope='module')
def whole(bags: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A training with folds and a search."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(make, 'FEWEST', 1)
        return trained(bags, tmp_path_factory.mktemp('work'), wishes=Wishes(epochs=2))


def test_it_ends_with_an_online_and_an_offline_head(whole: Trained) -> None:
    assert isinstance(whole.bundle.model.head, CausalTCNConfig)
    assert whole.bundle.network.offline_head is not None


def test_choices_stand_with_what_they_were_chosen_on(whole: Trained) -> None:
    facts = whole.bundle.training
    assert sorted(name for fold in facts['folds'] for name in fold) == ['r0', 'r1', 'r2']
    assert facts['survey']['segments'].keys() == set(whole.bundle.labels.names)
    for stage, number in (('extractor', 3), ('online head', 2), ('offline head', 1)):
        tried = [t for t in facts['tried'] if t['stage'] == stage]
        assert len(tried) == number
        assert sum(t['chosen'] for t in tried) == 1
        assert all(0 <= t['accuracy'] <= 1 for t in tried)
    (lagged,) = (t for t in facts['tried'] if t['stage'] == 'older labels too')
    lags = list(whole.bundle.model.head.to_dict()['lags'])
    assert lags == (lagged['options']['lags'] if lagged['chosen'] else [0])


def test_rules_are_learnt_for_each_lag(whole: Trained) -> None:
    decoding = Decoding.from_dict(whole.bundle.decoding)
    assert [rule.lag for rule in decoding.learnt] == [0, 3, 5, 10]
    kept = {row['lag'] for row in whole.bundle.training['rules'] if row['kept']}
    assert sorted(kept) == [0, 3, 5, 10]
    assert segmenter_of(whole.bundle, live=True).decoding == decoding


def test_every_stage_has_a_curve(whole: Trained, tmp_path: Path) -> None:
    stages = [curve.stage for curve in whole.curves]
    assert len(set(stages)) == len(stages)
    # Three on the first fold, the chosen one on the others, then on everything.
    assert sum(stage.endswith(', extractor') for stage in stages) == 6
    # The head that compares the extractors of the first fold is not trained there again.
    assert sum(stage.endswith(', online head 1') for stage in stages) == 5
    assert all(len(curve.losses) >= 1 for curve in whole.curves)
    assert any(curve.looks for curve in whole.curves)
    draw_curves(whole.curves, tmp_path / 'curve.png')
    assert (tmp_path / 'curve.png').read_bytes()[:4] == b'\x89PNG'


def test_online_heads_alone_are_compared_under_a_hold(
    bags: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    durations: dict[type, list[float]] = {}

    def spy(config: HeadConfig, *args: Any, **options: Any) -> TrainedHead:
        durations[type(config)] = [rule.min_duration for rule in options['rules']]
        return train_head(config, *args, **options)

    monkeypatch.setattr('m2r2_ros.training.stages.train_head', spy)
    trained(bags[:2], tmp_path, validate=bags[2:])
    assert durations == {CausalTCNConfig: [0.0, 0.25], MSTCNConfig: [0.0]}  # 3 frames at 10 Hz


def test_with_recordings_to_validate_on_nothing_is_trained_twice(
    bags: list[Path], tmp_path: Path
) -> None:
    result = trained(bags[:2], tmp_path, validate=bags[2:])
    stages = [curve.stage for curve in result.curves]
    assert sum(stage.endswith(', extractor') for stage in stages) == 1
    assert len(stages) == 4  # the extractor, an offline head, online heads without and with lags
    assert result.bundle.training['folds'] == [['r2']]
    assert result.bundle.training['recordings'] == ['r0', 'r1']


def test_one_recording_says_too_little_to_choose_an_extractor_by(
    bags: list[Path], tmp_path: Path
) -> None:
    result = trained(bags[:2], tmp_path, validate=bags[2:], wishes=Wishes(epochs=1))
    assert sum(curve.stage.endswith(', extractor') for curve in result.curves) == 1
    assert {trial.stage for trial in result.trials} == {
        'online head', 'older labels too', 'offline head'
    }  # fmt: skip


def test_a_single_recording_is_trained_on_by_defaults(bags: list[Path], tmp_path: Path) -> None:
    told: list[Any] = []
    result = trained(
        bags[:1],
        tmp_path,
        told=Told(
            survey=told.append,
            folds=told.append,
            epoch=lambda stage, progress: told.append((stage, progress)),
        ),
    )
    assert isinstance(told[0], Survey)
    assert told[1] == []
    assert {stage.partition(',')[0] for stage, _ in told[2:]} == {'model'}
    assert all(isinstance(progress, Progress) for _, progress in told[2:])
    assert isinstance(result.bundle.model.offline_head, MSTCNConfig)
    assert result.trials == []


def test_stages_that_are_done_are_not_done_again(bags: list[Path], tmp_path: Path) -> None:
    first = trained(bags[:2], tmp_path)
    again: list[str] = []
    told = Told(epoch=lambda stage, progress: again.append(stage))
    second = trained(bags[:2], tmp_path, told=told)
    assert again == []
    a, b = (r.bundle.network.state_dict() for r in (first, second))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert first.curves == second.curves


def test_modalities_that_no_recording_has_are_left_out(bags: list[Path], tmp_path: Path) -> None:
    hearing = replace(TINY, modalities=declared(('sound', *TINY.modalities)))
    silent = trained(bags[:1], tmp_path, model=hearing)
    assert silent.survey.missing == ('sound',)
    assert silent.bundle.model.modalities == TINY.modalities


@pytest.fixture(scope='module')
def extractor(tmp_path_factory: pytest.TempPathFactory, bags: list[Path]) -> Bundle:
    folder = tmp_path_factory.mktemp('model') / 'bundle'
    tiny_bundle(folder, bags[:1])
    return load_bundle(folder)


def test_it_begins_with_the_extractor_that_is_given(extractor: Bundle) -> None:
    begin = Begin(extractor.model, extractor.windows, extractor.labels, 7)
    given = extractor.network.extractor.state_dict()
    own = replace(begin, extractor=extractor)
    begun = own.network().extractor.state_dict()
    assert all(torch.equal(begun[name], given[name]) for name in given)
    fresh = begin.network().extractor.state_dict()
    assert not all(torch.equal(fresh[name], given[name]) for name in given)
    head = extractor.network.head.state_dict()
    assert not all(
        torch.equal(t, head[name]) for name, t in own.network().head.state_dict().items()
    )


def test_an_extractor_keeps_its_scales_and_inputs(
    bags: list[Path], extractor: Bundle, tmp_path: Path
) -> None:
    result = trained(bags[1:], tmp_path, extractor=extractor, model=extractor.model)
    assert not result.bundle.model.relative_pose
    assert result.bundle.normalisation.to_dict() == extractor.normalisation.to_dict()
