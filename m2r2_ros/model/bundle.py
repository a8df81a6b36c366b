# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A trained network on disk: bundle.yaml and weights.safetensors (design contract 7)."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.files import Claim, disk_errors, partial_path
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.facts import LEARNED, WEIGHTS, YAML, expect_free, read_facts, write_yaml
from m2r2_ros.model.network import Network
from m2r2_ros.model.weight_files import write_tensors
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.normalisation import Normalisation


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model with all that is needed to run it.

    Attributes:
        preset: Name of the preset it was trained from.
        labels: The labels that it can give.
        windows: The windows that it was trained on.
        model: Shapes of the network.
        normalisation: Scales of the training set.
        network: The network, ready to evaluate.
        decoding: Default options of the decoder (segmenters.decoding).
        topics: Expected topics by modality, each with `topic` and `type`.
        training: How it was trained and on what.
        scores: What it scored on recordings that it was not trained on.
        id: Hash of both files; travels in every label. Empty before the bundle was saved.
    """

    preset: str
    labels: LabelSet
    windows: WindowConfig
    model: ModelConfig
    normalisation: Normalisation
    network: Network
    decoding: Mapping[str, float] = field(default_factory=dict)
    topics: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    id: str = ''


def save_bundle(bundle: Bundle, folder: Path) -> Bundle:
    """Write a bundle into a folder that holds none yet, and return it as it was written.

    Weights are stored as float16: half the size, and far finer than the noise of training. The
    folder has its name when it is complete.

    Raises:
        BundleError: The folder holds something already.
        OutputError: It cannot be written, or another run is writing it.
    """
    sections = {
        'kind': LEARNED,
        'preset': bundle.preset,
        'labels': {'names': list(bundle.labels.names), 'parents': list(bundle.labels.parents)},
        'windows': bundle.windows.to_dict(),
        'model': bundle.model.to_dict(),
        'normalisation': bundle.normalisation.to_dict(),
        'decoding': dict(bundle.decoding),
        'topics': {m: dict(t) for m, t in bundle.topics.items()},
        'training': dict(bundle.training),
        'scores': dict(bundle.scores),
    }
    tensors = {
        name: (t.half() if t.is_floating_point() else t).contiguous()
        for name, t in bundle.network.state_dict().items()
    }
    draft = partial_path(folder)
    with disk_errors(folder), Claim(folder):
        expect_free(folder)
        for name in (YAML, WEIGHTS):  # of a run that was killed
            (draft / name).unlink(missing_ok=True)
        try:
            seal = write_yaml(draft, sections)
            write_tensors(draft / WEIGHTS, tensors, seal)
            draft.rename(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return load_bundle(folder)


def load_bundle(folder: Path) -> Bundle:
    """Read the bundle of a network, checking every entry and every shape.

    Raises:
        BundleError: A file is missing, was edited, or does not fit the other; or the bundle is of
            another kind.
    """
    facts = read_facts(folder)
    if facts.network is None:
        msg = (
            f'{folder}: is a model of kind {facts.kind}, which has no network to extract features '
            'with or to train further; m2r2 label opens it'
        )
        raise BundleError(msg)
    network = Network(facts.network.model, facts.windows, len(facts.labels.names))
    _load_weights(network, _read_weights(folder / WEIGHTS), folder / WEIGHTS)
    return Bundle(
        preset=facts.network.preset,
        labels=facts.labels,
        windows=facts.windows,
        model=facts.network.model,
        normalisation=facts.network.normalisation,
        network=network.eval(),
        decoding=facts.decoding,
        topics=facts.topics,
        training=facts.training,
        scores=facts.scores,
        id=facts.id,
    )


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    try:
        with safe_open(path, framework='pt') as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 no dict
    except (SafetensorError, OSError) as error:
        msg = f'{path}: not a safetensors file, or cut short: {error}'
        raise BundleError(msg) from error


def _load_weights(network: Network, found: Mapping[str, torch.Tensor], path: Path) -> None:
    """Load weights into the network; name the tensor that does not fit."""
    expected = network.state_dict()
    for name, tensor in expected.items():
        if name not in found:
            msg = f'{path}: tensor {name} {tuple(tensor.shape)} is missing'
            raise BundleError(msg)
        if found[name].shape != tensor.shape:
            shapes = f'expected {tuple(tensor.shape)}, found {tuple(found[name].shape)}'
            msg = f'{path}: tensor {name}: {shapes}'
            raise BundleError(msg)
        if not torch.isfinite(found[name]).all():
            msg = f'{path}: tensor {name} holds values that are not finite'
            raise BundleError(msg)
    if unknown := sorted(set(found) - set(expected)):
        msg = f'{path}: unknown tensors {", ".join(unknown)}; {YAML} describes another model'
        raise BundleError(msg)
    network.load_state_dict({name: t.to(expected[name].dtype) for name, t in found.items()})
