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

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.files import sync
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.modalities import Modalities, check_modalities, declared, from_entries
from m2r2_ros.core.options import Section
from m2r2_ros.core.reading import check_file, naming, reading
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.graph_facts import GraphFacts, read_graph_facts
from m2r2_ros.model.weight_header import read_header
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.normalisation import Normalisation

#: Format of new bundles, and those that can be read: up to 2, modalities were names only; up to 3,
#: networks had no graphs.
FORMAT: Final = 4
_READABLE: Final = (2, 3, 4)
YAML: Final = 'bundle.yaml'
WEIGHTS: Final = 'weights.safetensors'
#: The kind of a network with M2R2 features, and of every bundle that does not name its kind.
LEARNED: Final = 'learned'
#: Last names of tensors that are not parameters: statistics of layers and of labels.
_BUFFERS: Final = frozenset(
    {'running_mean', 'running_var', 'num_batches_tracked'}
    | {'graph', 'class_weights', 'boundary_weight'}
)
#: In front of the names of tensors that describe the training set.
FAMILIARITY: Final = 'familiarity.'
_SEAL: Final = 'bundle_yaml_sha256'
#: Keeps the place of a seal in weights that are written before bundle.yaml is.
NO_SEAL: Final = {_SEAL: '0' * 64}


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What only the bundle of a network says.

    Attributes:
        preset: Name of the preset it was trained from.
        model: Shapes of the network.
        normalisation: Scales of the training set.
        graphs: What a robot runs; None in bundles of older versions.
    """

    preset: str
    model: ModelConfig
    normalisation: Normalisation
    graphs: GraphFacts | None = None


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """What is known of a model of any kind before it is opened.

    Attributes:
        folder: Where the bundle lies.
        kind: What opens it (segmenters.kinds).
        labels: The labels that it can give.
        windows: The windows that it takes.
        modalities: What the windows hold: what the model looks at and was trained on.
        network: Sections of a network; None for other kinds.
        options: Options of any other kind; empty for a network.
        decoding: Default options of the decoder (segmenters.decoding).
        topics: Topics of the training set by modality, each with `topic`, `type` and what else
            it takes to read it (readers.topics).
        training: How it was trained and on what.
        scores: What it scored on recordings that it was not trained on.
        id: Hash of its files; travels in every label.
        parameters: How many the weights hold; 0 without weights.
        familiarity: What a network knows of its training set (model.familiarity), without the
            tensors; None where it was not measured.
    """

    folder: Path
    kind: str
    labels: LabelSet
    windows: WindowConfig
    modalities: Modalities
    network: NetworkFacts | None
    options: Mapping[str, Any]
    decoding: Mapping[str, Any]
    topics: Mapping[str, Mapping[str, Any]]
    training: Mapping[str, Any]
    scores: Mapping[str, Any]
    id: str
    parameters: int
    familiarity: Mapping[str, Any] | None = None


def read_facts(folder: Path) -> BundleFacts:
    """Read bundle.yaml and the header of the weights, which must belong together.

    Raises:
        BundleError: A file is missing, was edited, or does not fit the other.
    """
    path = folder / YAML
    file = Section.read(path, f'a bundle, which is a folder with {YAML} and {WEIGHTS}', BundleError)
    if (found := file.get('format', (int,))) not in _READABLE:
        first, last = _READABLE[0], _READABLE[-1]
        msg = (
            f'{path}: format {found}: this m2r2_ros reads formats {first} to {last}; a newer one '
            'may read it'
        )
        raise BundleError(msg)
    kind = file.text('kind', LEARNED)
    with naming(path, BundleError):
        facts = _read_sections(file, folder, kind)
    file.close()
    weighty = kind == LEARNED or (folder / WEIGHTS).exists()
    parameters = _count_parameters(folder / WEIGHTS) if weighty else 0
    return replace(facts, id=bundle_id(folder), parameters=parameters)


def _read_sections(file: Section, folder: Path, kind: str) -> BundleFacts:
    labels = file.section('labels')
    network, options = None, {}
    topics = _topics(file.section('topics'))
    windows = dict(file.section('windows').entries)
    ages = _old_ages(windows)
    if kind == LEARNED:
        model = ModelConfig.from_dict(file.section('model').entries)
        model = replace(model, modalities=_aged(model.modalities, ages))
        scales = Normalisation.from_dict(file.section('normalisation').entries, model.modalities)
        graphs = read_graph_facts(file.section('graph')) if file.has('graph') else None
        network = NetworkFacts(file.text('preset'), model, scales, graphs)
        modalities = trained_modalities(model.modalities, topics, scales)
    else:
        modalities = _aged(_modalities(file), ages)
        options = file.section('options').entries
    return BundleFacts(
        folder=folder,
        kind=kind,
        labels=LabelSet(labels.texts('names'), _parents(labels)),
        windows=WindowConfig.from_dict(windows),
        modalities=modalities,
        network=network,
        options=options,
        decoding=file.section('decoding').entries,
        topics=topics,
        training=file.section('training').entries,
        scores=file.section('scores').entries,
        id='',
        parameters=0,
        familiarity=file.section('familiarity').entries if file.has('familiarity') else None,
    )


def trained_modalities(
    modalities: Modalities,
    topics: Mapping[str, Mapping[str, Any]],
    normalisation: Normalisation,
) -> Modalities:
    """Return the modalities that a network has learnt from.

    What no recording of the training set had went through random weights only: it is not looked at.

    Args:
        modalities: What the network has encoders for.
        topics: Of the training set, by modality; empty where they are not known.
        normalisation: Its scales. A twist that was made from the pose has no topic.
    """
    derived = {
        name
        for name, m in modalities.items()
        if m.derived_from in topics and (normalisation.std[name] != 1).any()
    }
    return {n: m for n, m in modalities.items() if not topics or n in topics or n in derived}


def _parents(labels: Section) -> tuple[str, ...]:
    expected = 'a list of names, empty where a label has no parent'
    found = labels.get('parents', (list,), expected=expected)
    if not all(isinstance(parent, str) for parent in found):
        labels.refuse('parents', expected, found)
    return tuple(found)


def _modalities(file: Section) -> Modalities:
    """Return the modalities of a model that is no network: declarations, or built-in names."""
    found = file.get('modalities', (dict, list), expected='names, or a mapping of declarations')
    if isinstance(found, dict):
        modalities = from_entries(file.section('modalities'))
    else:
        modalities = declared(file.texts('modalities'))
    check_modalities(modalities, 'modalities.')
    return modalities


def _old_ages(windows: dict[str, Any]) -> dict[str, float]:
    """Take the ages of masks out of the windows, where older bundles have them."""
    section = Section(windows.pop('max_age', {}), 'windows.max_age')
    return {name: section.number(name) for name in section.entries}


def _aged(modalities: Modalities, ages: Mapping[str, float]) -> Modalities:
    return {n: replace(m, max_age=ages.get(n, m.max_age)) for n, m in modalities.items()}


def _topics(section: Section) -> dict[str, dict[str, Any]]:
    topics = {}
    for modality in section.entries:
        entry = section.section(modality)
        topics[modality] = {**entry.entries, **{k: entry.text(k) for k in ('topic', 'type')}}
    return topics


def write_yaml(folder: Path, sections: Mapping[str, Any]) -> dict[str, str]:
    """Write bundle.yaml into a folder, made where it is missing.

    Args:
        folder: Of the bundle.
        sections: All but `format`, which comes first.

    Returns:
        The metadata that seals the weights beside it; as long as that of NO_SEAL.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = {'format': FORMAT, **sections}
    text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=100)
    (folder / YAML).write_text(text, encoding='utf-8')
    sync(folder / YAML)
    return {_SEAL: _hash(folder / YAML)}


def expect_free(folder: Path) -> None:
    """Refuse a folder for a bundle that holds something already.

    Raises:
        BundleError: It does.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f'{folder}: exists already; choose another folder or remove it'
        raise BundleError(msg)


def bundle_id(folder: Path) -> str:
    """Return the hash of a bundle's files, 16 hexadecimal digits."""
    return _hash(*(folder / name for name in (YAML, WEIGHTS) if (folder / name).is_file()))[:16]


def _hash(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with reading(path, 'a file of a bundle', BundleError), path.open('rb') as file:
            while part := file.read(1 << 20):
                digest.update(part)
    return digest.hexdigest()


def _count_parameters(path: Path) -> int:
    """Return how many parameters the weights hold; refuse them beside another YAML file."""
    check_file(path, 'the weights, without which the bundle is incomplete', BundleError)
    header = read_header(path)
    if header.metadata.get(_SEAL) != _hash(path.with_name(YAML)):
        msg = f'{path.with_name(YAML)}: was edited after training; restore it, or train anew'
        raise BundleError(msg)
    return sum(
        math.prod(tensor.shape)
        for name, tensor in header.tensors.items()
        if name.rpartition('.')[2] not in _BUFFERS and not name.startswith(FAMILIARITY)
    )
