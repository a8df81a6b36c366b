# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 train-head`: features to a bundle with any of the heads."""

import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.cli.common import expect_training, training_workspace
from m2r2_ros.cli.console import console, progress_bar, stdout
from m2r2_ros.cli.options import ExtractorOf, FeatureFolder, HeadEpochs, NewBundle, Note, Seed
from m2r2_ros.cli.truths import say_without_labels
from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.files import Claim

if TYPE_CHECKING:  # torch takes seconds
    from m2r2_ros.model.head_config import HeadConfig
    from m2r2_ros.network.bundle import Bundle
    from m2r2_ros.network.heads.base import Head, Recipe
    from m2r2_ros.training.feature_set import FeatureSet
    from m2r2_ros.training.train_head import TrainedHead

#: What is in the folder that training works in.
DRAFT, CHECKPOINT = 'bundle', 'checkpoint.safetensors'
OURS = (DRAFT, CHECKPOINT)

EpochName: TypeAlias = Literal['last', 'best']


def train_head_command(
    features: FeatureFolder,
    model: ExtractorOf,
    head: Annotated[
        str,
        typer.Option(help='Such as causal_tcn, asrf or protas:task_graph=true (m2r2 models).'),
    ],
    out: NewBundle,
    epochs: HeadEpochs = None,
    seed: Seed = 0,
    epoch: Annotated[
        EpochName,
        typer.Option(help='Weights to keep: best is chosen on the validation part.'),
    ] = 'last',
    note: Note = '',
) -> None:
    """Train a head on features and put it behind the extractor that made them.

    An offline head goes beside the online head that a model has, and the other way round. The
    bundle is scored on the test part of the features. An interrupted training continues when
    the same command is given again.

    For example: m2r2 train-head features --model pretrained/best --head ms_tcn --out my_model
    """
    expect_training()
    from m2r2_ros.network.bundle import load_bundle
    from m2r2_ros.network.heads.registry import recipe_of
    from m2r2_ros.training.benchmark import parse_head
    from m2r2_ros.training.feature_set import read_feature_set

    config = parse_head(head)
    recipe = recipe_of(config)
    recipe = recipe if epochs is None else replace(recipe, epochs=epochs)
    refuse_inside(out, features, model)
    with Claim(out):
        workspace = training_workspace(out, OURS)
        data = read_feature_set(features)
        say_without_labels(data.left_out)
        extractor = load_bundle(model)
        _expect_made_by(extractor, data, model)
        workspace.mkdir(parents=True, exist_ok=True)
        trained = _train(config, data, recipe, seed, workspace / CHECKPOINT, head)
        if epoch == 'best':
            trained.head.load_state_dict(trained.best)
        facts = {'recipe': asdict(recipe), 'seed': seed, 'epoch': epoch, 'note': note}
        bundle = _behind(extractor, trained.head, config, {'head': facts}, data)
        saved = _save(bundle, data, workspace / DRAFT)
        (workspace / DRAFT).rename(out)
        shutil.rmtree(workspace)
    kind = 'online' if trained.head.online else 'offline: it labels whole recordings only'
    stdout.print(f'{out}: model {saved.id}, head {head}, {kind}', soft_wrap=True)
    shown = ('accuracy', 'edit', 'f1@50')
    console.print('  ' + ', '.join(f'{k} {saved.scores[k]}' for k in shown))


def _train(
    config: 'HeadConfig',
    data: 'FeatureSet',
    recipe: 'Recipe',
    seed: int,
    checkpoint: Path,
    title: str,
) -> 'TrainedHead':
    """Train, and show progress."""
    from m2r2_ros.training.train_head import train_head

    with progress_bar() as bar:
        task = bar.add_task(title, total=recipe.epochs)
        return train_head(
            config,
            data,
            recipe=recipe,
            seed=seed,
            checkpoint=checkpoint,
            progress=lambda epoch, epochs, loss: bar.update(
                task, completed=epoch, description=f'{title} loss {loss:.3f}'
            ),
        )


def _expect_made_by(extractor: 'Bundle', data: 'FeatureSet', model: Path) -> None:
    """Refuse features of another extractor, on which the head would mean nothing."""
    if (data.facts.get('model'), data.facts.get('features')) != (extractor.id, 'm2r2'):
        made = ' of '.join(str(data.facts.get(k, 'unknown')) for k in ('features', 'model'))
        msg = f'{data.folder}: features are {made}, not those that {model} ({extractor.id}) makes'
        raise BundleError(msg)


def _behind(
    extractor: 'Bundle',
    head: 'Head',
    config: 'HeadConfig',
    facts: dict[str, Any],
    data: 'FeatureSet',
) -> 'Bundle':
    """Return the extractor's bundle with a head behind it."""
    from m2r2_ros.network.attach import attach_head

    training = {
        'extractor': {'model': extractor.id, **extractor.training},
        **facts,
        'recordings': [t.name for t in data.parts['train']],
    }
    bundle = attach_head(extractor, config, head)
    decoding, rules = _decoding(bundle, data)
    return replace(bundle, decoding=decoding, training={**training, 'rules': rules})


def _decoding(bundle: 'Bundle', data: 'FeatureSet') -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return how labels are decided, learnt from the validation part, and what was compared.

    What was learnt for other heads is gone, even where there is nothing to learn from.
    """
    from m2r2_ros.segmenters.decoding import Decoding
    from m2r2_ros.training.learn_decoding import compare_rules
    from m2r2_ros.training.posteriors import posteriors_of

    network = bundle.network
    found = posteriors_of(data.parts['val'], network.head, network.recording_head)
    compared = compare_rules(found, data.labels, data.frame_rate)
    options = replace(
        Decoding.from_dict(bundle.decoding),
        whole_temperature=compared.decoding.whole_temperature,
        whole_doubtful_below=compared.decoding.whole_doubtful_below,
        learnt=compared.decoding.learnt if network.head.online else (),
    )
    return options.to_dict(), compared.rows() if network.head.online else []


def _save(bundle: 'Bundle', data: 'FeatureSet', draft: Path) -> 'Bundle':
    """Save a bundle with the scores, on the test part, of its heads as they are saved."""
    from m2r2_ros.network.bundle import save_bundle

    shutil.rmtree(draft, ignore_errors=True)
    network = save_bundle(bundle, draft).network
    shutil.rmtree(draft)
    scores = _score(network.head, data)
    if network.offline_head is not None:
        scores['offline'] = _score(network.offline_head, data)
    tested = {'recordings': [t.name for t in data.parts['test']]}
    return save_bundle(replace(bundle, scores={**scores, **tested}), draft)


def _score(head: 'Head', data: 'FeatureSet') -> dict[str, Any]:
    from m2r2_ros.training.scoring import probabilities_of, score_labelling

    found = probabilities_of(head, data.parts['test'])
    return score_labelling(found, data.labels, data.frame_rate).to_dict()
