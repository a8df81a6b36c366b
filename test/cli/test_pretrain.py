# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from transformers import CLIPConfig, CLIPModel

from m2r2_ros.core.modalities import declared
from m2r2_ros.model.head_config import NoHeadConfig
from m2r2_ros.network.bundle import load_bundle
from test.cli.run import digest, done, m2r2
from test.network.clip_files import TEXT, VISION, write_clip, write_vocabulary
from test.replay.recordings import ACTIONS, robot_bag

QUICK = ('--preset', 'proprio', '--epochs', 2, '--seed', 3, '--batch-size', 4)


@pytest.fixture(scope='module')
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return robot_bag(tmp_path_factory.mktemp('held_out') / 'third', 5.0, seed=3)


@pytest.fixture(scope='module')
def out(tmp_path_factory: pytest.TempPathFactory, robots: Path, held_out: Path) -> Path:
    """What the command makes of two recordings, validated on a third."""
    folder = tmp_path_factory.mktemp('pretrained')
    before = digest([robots, held_out])
    result = done(
        *('pretrain', robots, '--out', folder / 'new' / 'out', *QUICK),
        *('--validate', held_out, '--log-dir', folder / 'log'),
    )
    assert 'retrieval' in result.out
    assert digest([robots, held_out]) == before
    assert len(list((folder / 'log').iterdir())) == 1
    return folder / 'new' / 'out'


def test_best_and_last_are_extractors_without_a_head(out: Path) -> None:
    assert sorted(p.name for p in out.parent.iterdir()) == ['out']
    assert sorted(p.name for p in out.iterdir()) == ['best', 'last']
    for name in ('best', 'last'):
        bundle = load_bundle(out / name)
        assert isinstance(bundle.model.head, NoHeadConfig)
        assert bundle.labels.names == ACTIONS
        assert bundle.training['recordings'] == ['first', 'second']
        assert bundle.training['options']['seed'] == 3
        assert bundle.scores['recordings'] == ['third']
        assert 0 <= bundle.scores['pretraining']['retrieval'] <= 1
        assert bundle.topics['wrench']['topic'] == '/wrench'
    assert load_bundle(out / 'last').training['pretraining']['epoch'] == 2


def test_without_validation_there_is_the_last_alone(robots: Path, tmp_path: Path) -> None:
    done('pretrain', robots / 'first', '--out', tmp_path / 'out', *QUICK, '--epochs', 1)
    assert [p.name for p in (tmp_path / 'out').iterdir()] == ['last']
    assert load_bundle(tmp_path / 'out' / 'last').scores == {}


def test_a_text_encoder_with_weights_makes_the_sentences(robots: Path, tmp_path: Path) -> None:
    """Frozen, with a projection that learns; its file is named in the bundle, itself not kept."""
    weights = tmp_path / 'clip'
    weights.mkdir()
    shape = {**TEXT.to_dict(), 'max_position_embeddings': 300}  # a token for each letter
    clip = CLIPModel(
        CLIPConfig(text_config=shape, vision_config=VISION.to_dict(), projection_dim=48)
    )
    write_clip(weights, 'openai', clip)
    write_vocabulary(weights)
    done(
        *('pretrain', robots / 'first', '--out', tmp_path / 'out', *QUICK),
        *('--text-weights', weights / 'ViT-B-16.pt', '--freeze', 'text'),
    )
    bundle = load_bundle(tmp_path / 'out' / 'last')
    assert bundle.training['options']['text'] == 'clip'
    assert 'ViT-B-16.pt' in bundle.training['weights']['text']
    assert not [n for n, _ in bundle.network.named_parameters() if 'text' in n]


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        (('--text', 'clip'), '--text-weights'),
        (('--text', 'words'), "'words' is not one of 'labels'"),
        (('--precision', 'fp8'), "'fp8' is not one of 'no'"),
        (('--freeze', 'wrench'), 'freeze: wrench'),
        (('--layer-decay', 2), 'layer_decay'),
        (('--preset', 'huge'), 'huge'),
        (('--image-weights', 'clip.pt'), 'image weights clip.pt'),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_read(
    options: tuple[object, ...], expected: str, robots: Path, tmp_path: Path
) -> None:
    result = m2r2('pretrain', robots, '--out', tmp_path / 'out', *QUICK, *options)
    assert expected in result.error
    assert list(tmp_path.iterdir()) == []


def test_recordings_are_not_both_trained_and_validated_on(robots: Path, tmp_path: Path) -> None:
    command = ('pretrain', robots, '--out', tmp_path / 'out', *QUICK)
    assert 'both trained and validated' in m2r2(*command, '--validate', robots / 'first').error


def test_an_outcome_is_not_written_over(out: Path, robots: Path) -> None:
    assert 'exists already' in m2r2('pretrain', robots, '--out', out, *QUICK).error


def test_training_continues_from_an_extractor(out: Path, robots: Path, tmp_path: Path) -> None:
    done('train', robots, '--extractor', out / 'best', '--epochs', 1, '--out', tmp_path / 'model')
    begun, trained = load_bundle(out / 'best'), load_bundle(tmp_path / 'model')
    assert trained.model.head.name == 'causal_tcn'
    assert trained.training['extractor']['model'] == begun.id
    assert trained.normalisation.to_dict() == begun.normalisation.to_dict()
    assert (trained.preset, trained.windows) == (begun.preset, begun.windows)


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ((), 'either --preset or --resume-from'),
        (('--preset', 'proprio', '--extractor'), 'either --preset or --resume-from'),
        (('--frame-rate', 5, '--extractor'), 'is for 10 Hz'),
        (('--freeze', 'wrench', '--extractor'), 'freeze: wrench'),
    ],
)
def test_what_training_begins_with_is_one_thing(
    out: Path, robots: Path, options: tuple[object, ...], expected: str, tmp_path: Path
) -> None:
    given = (*options, out / 'best') if '--extractor' in options else options
    assert expected in m2r2('train', robots, '--out', tmp_path / 'x', *given).error


def test_some_modalities_of_a_preset(robots: Path, tmp_path: Path) -> None:
    start = ('pretrain', robots / 'first', *QUICK, '--epochs', 1)
    done(*start, '--modalities', 'gripper,wrench', '--out', tmp_path / 'two')
    assert load_bundle(tmp_path / 'two' / 'last').model.modalities == declared(
        ('wrench', 'gripper')
    )
    wrong = m2r2(*start, '--modalities', 'image', '--out', tmp_path / 'x')
    assert 'image not among those of the preset' in wrong.error
