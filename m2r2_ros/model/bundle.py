# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A trained model on disk: bundle.yaml and weights.safetensors (design contract 7)."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from m2r2_ros.core.errors import BundleError, ConfigError, LabelError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.network import Network
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.normalisation import Normalisation

FORMAT = 2
YAML = 'bundle.yaml'
WEIGHTS = 'weights.safetensors'
SECTIONS = (
    'format', 'preset', 'labels', 'windows', 'model', 'normalisation', 'decoding', 'topics',
    'training', 'scores',
)  # fmt: skip


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

    Weights are stored as float16: half the size, and far finer than what training settles to.

    Raises:
        BundleError: The folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f'{folder}: exists already; choose another folder or remove it'
        raise BundleError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    entries = {
        'format': FORMAT,
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
    text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=100)
    (folder / YAML).write_text(text, encoding='utf-8')
    tensors = {
        name: (t.half() if t.is_floating_point() else t).contiguous()
        for name, t in bundle.network.state_dict().items()
    }
    seal = {'bundle_yaml_sha256': hashlib.sha256(text.encode()).hexdigest()}
    save_file(tensors, folder / WEIGHTS, metadata=seal)
    return load_bundle(folder)


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle, checking every entry and every shape.

    Raises:
        BundleError: A file is missing, was edited, or does not fit the other.
    """
    entries, text = _read_yaml(folder / YAML)
    try:
        labels = LabelSet(tuple(entries['labels']['names']), tuple(entries['labels']['parents']))
        windows = WindowConfig.from_dict(entries['windows'])
        model = ModelConfig.from_dict(entries['model'])
        normalisation = Normalisation.from_dict(entries['normalisation'])
    except (ConfigError, BundleError, LabelError) as error:
        msg = f'{folder / YAML}: {error}'
        raise BundleError(msg) from error
    except (KeyError, TypeError) as error:
        msg = f'{folder / YAML}: {type(error).__name__} {error}: not a bundle that m2r2 wrote'
        raise BundleError(msg) from error
    tensors = _read_weights(folder / WEIGHTS, hashlib.sha256(text.encode()).hexdigest())
    network = Network(model, windows, len(labels.names))
    _load_weights(network, tensors, folder / WEIGHTS)
    return Bundle(
        preset=entries['preset'],
        labels=labels,
        windows=windows,
        model=model,
        normalisation=normalisation,
        network=network.eval(),
        decoding=entries['decoding'],
        topics=entries['topics'],
        training=entries['training'],
        scores=entries['scores'],
        id=bundle_id(folder),
    )


def bundle_id(folder: Path) -> str:
    """Return the hash of a bundle's two files, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for name in (YAML, WEIGHTS):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]


def _read_yaml(path: Path) -> tuple[dict[str, Any], str]:
    if not path.is_file():
        msg = f'{path}: no such file; a bundle is a folder with {YAML} and {WEIGHTS}'
        raise BundleError(msg)
    try:
        text = path.read_text(encoding='utf-8')
        entries = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f'{path}: not YAML: {error}'
        raise BundleError(msg) from error
    if not isinstance(entries, dict) or set(entries) != set(SECTIONS):
        found = ', '.join(map(str, entries)) if isinstance(entries, dict) else type(entries)
        msg = f'{path}: expected the sections {", ".join(SECTIONS)}; found {found}'
        raise BundleError(msg)
    if entries['format'] != FORMAT:
        msg = f'{path}: format {entries["format"]}: this m2r2_ros reads format {FORMAT}'
        raise BundleError(msg)
    return entries, text


def _read_weights(path: Path, yaml_hash: str) -> dict[str, torch.Tensor]:
    """Read all tensors; refuse them where the YAML beside them is not the one they came with."""
    if not path.is_file():
        msg = f'{path}: no such file; the bundle is incomplete'
        raise BundleError(msg)
    try:
        with safe_open(path, framework='pt') as file:
            seal = (file.metadata() or {}).get('bundle_yaml_sha256')
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 no dict
    except (SafetensorError, OSError) as error:
        msg = f'{path}: not a safetensors file, or cut short: {error}'
        raise BundleError(msg) from error
    if seal != yaml_hash:
        msg = f'{path.with_name(YAML)}: was edited after training; restore it, or train anew'
        raise BundleError(msg)
    return found


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


def parameter_count(network: Network) -> int:
    """Return the number of parameters."""
    return sum(math.prod(p.shape) for p in network.parameters())
