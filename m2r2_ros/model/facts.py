# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a bundle says about itself, read without the network (design contract 7)."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml
from safetensors import SafetensorError, safe_open

from m2r2_ros.core.errors import BundleError, ConfigError, LabelError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.modalities import MODALITIES
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.normalisation import Normalisation

FORMAT: Final = 2
YAML: Final = 'bundle.yaml'
WEIGHTS: Final = 'weights.safetensors'
#: The kind of a network with M2R2 features, and of every bundle that does not name its kind.
LEARNED: Final = 'learned'
#: Sections that every bundle has; `kind` is optional.
COMMON: Final = ('format', 'labels', 'windows', 'decoding', 'topics', 'training', 'scores')
#: Sections of a network, and of any other kind.
NETWORK: Final = ('preset', 'model', 'normalisation')
OTHER: Final = ('modalities', 'options')
#: Last names of tensors that are not parameters: statistics of layers and of labels.
_BUFFERS: Final = frozenset(
    {'running_mean', 'running_var', 'num_batches_tracked'}
    | {'graph', 'class_weights', 'boundary_weight'}
)
_SEAL: Final = 'bundle_yaml_sha256'


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What only the bundle of a network says.

    Attributes:
        preset: Name of the preset it was trained from.
        model: Shapes of the network.
        normalisation: Scales of the training set.
    """

    preset: str
    model: ModelConfig
    normalisation: Normalisation


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """What is known of a model of any kind before it is opened.

    Attributes:
        folder: Where the bundle lies.
        kind: What opens it (segmenters.kinds).
        labels: The labels that it can give.
        windows: The windows that it takes.
        modalities: What the windows hold.
        network: Shapes and scales of a network; None for other kinds.
        options: Options of any other kind; empty for a network.
        decoding: Default options of the decoder (segmenters.decoding).
        topics: Expected topics by modality, each with `topic` and `type`.
        training: How it was trained and on what.
        scores: What it scored on recordings that it was not trained on.
        id: Hash of its files; travels in every label.
        parameters: How many the weights hold; 0 without weights.
    """

    folder: Path
    kind: str
    labels: LabelSet
    windows: WindowConfig
    modalities: tuple[str, ...]
    network: NetworkFacts | None
    options: Mapping[str, Any]
    decoding: Mapping[str, float]
    topics: Mapping[str, Mapping[str, str]]
    training: Mapping[str, Any]
    scores: Mapping[str, Any]
    id: str
    parameters: int


def read_facts(folder: Path) -> BundleFacts:
    """Read bundle.yaml and the header of the weights, which must belong together.

    Raises:
        BundleError: A file is missing, was edited, or does not fit the other.
    """
    path = folder / YAML
    entries, text = _read_yaml(path)
    kind = entries.get('kind', LEARNED)
    try:
        facts = BundleFacts(
            folder=folder,
            kind=kind,
            labels=LabelSet(tuple(entries['labels']['names']), tuple(entries['labels']['parents'])),
            windows=WindowConfig.from_dict(entries['windows']),
            modalities=_modalities(entries, kind),
            network=_network(entries) if kind == LEARNED else None,
            options={} if kind == LEARNED else dict(entries['options']),
            **{name: entries[name] for name in ('decoding', 'topics', 'training', 'scores')},
            id='',
            parameters=0,
        )
    except (BundleError, ConfigError, LabelError) as error:
        msg = f'{path}: {error}'
        raise BundleError(msg) from error
    except (KeyError, TypeError) as error:
        msg = f'{path}: {type(error).__name__} {error}: not a bundle that m2r2 wrote'
        raise BundleError(msg) from error
    weighty = kind == LEARNED or (folder / WEIGHTS).exists()
    parameters = _read_header(folder / WEIGHTS, text) if weighty else 0
    return replace(facts, id=bundle_id(folder), parameters=parameters)


def write_yaml(folder: Path, sections: Mapping[str, Any]) -> dict[str, str]:
    """Write bundle.yaml into a folder that is empty or missing.

    Args:
        folder: Of the bundle.
        sections: All but `format`, which comes first.

    Returns:
        The metadata that seals the weights beside it.

    Raises:
        BundleError: The folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f'{folder}: exists already; choose another folder or remove it'
        raise BundleError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    entries = {'format': FORMAT, **sections}
    text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=100)
    (folder / YAML).write_text(text, encoding='utf-8')
    return {_SEAL: hashlib.sha256(text.encode()).hexdigest()}


def bundle_id(folder: Path) -> str:
    """Return the hash of a bundle's files, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for name in (YAML, WEIGHTS):
        if (folder / name).is_file():
            digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]


def _own_sections(kind: str) -> tuple[str, ...]:
    return NETWORK if kind == LEARNED else OTHER


def _network(entries: Mapping[str, Any]) -> NetworkFacts:
    return NetworkFacts(
        entries['preset'],
        ModelConfig.from_dict(entries['model']),
        Normalisation.from_dict(entries['normalisation']),
    )


def _modalities(entries: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    if kind == LEARNED:
        return ModelConfig.from_dict(entries['model']).modalities
    found = entries['modalities']
    if not isinstance(found, list) or not found or found != [m for m in MODALITIES if m in found]:
        msg = f'modalities: expected some of {", ".join(MODALITIES)}, in this order'
        raise ConfigError(msg)
    return tuple(found)


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
    kind = entries.get('kind', LEARNED) if isinstance(entries, dict) else LEARNED
    expected = (*COMMON, *_own_sections(kind))
    if not isinstance(entries, dict) or set(entries) - {'kind'} != set(expected):
        found = ', '.join(map(str, entries)) if isinstance(entries, dict) else type(entries)
        msg = f'{path}: expected the sections {", ".join(expected)}; found {found}'
        raise BundleError(msg)
    if entries['format'] != FORMAT:
        msg = f'{path}: format {entries["format"]}: this m2r2_ros reads format {FORMAT}'
        raise BundleError(msg)
    return entries, text


def _read_header(path: Path, text: str) -> int:
    """Return how many parameters the weights hold; refuse them beside another YAML file."""
    if not path.is_file():
        msg = f'{path}: no such file; the bundle is incomplete'
        raise BundleError(msg)
    try:
        with safe_open(path, framework='numpy') as file:
            seal = (file.metadata() or {}).get(_SEAL)
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 no dict
    except (SafetensorError, OSError) as error:
        msg = f'{path}: not a safetensors file, or cut short: {error}'
        raise BundleError(msg) from error
    if seal != hashlib.sha256(text.encode()).hexdigest():
        msg = f'{path.with_name(YAML)}: was edited after training; restore it, or train anew'
        raise BundleError(msg)
    return sum(
        math.prod(shape)
        for name, shape in shapes.items()
        if name.rpartition('.')[2] not in _BUFFERS
    )
