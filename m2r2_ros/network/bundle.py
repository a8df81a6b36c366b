# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A trained network on disk: bundle.yaml, graphs and weights.safetensors (design contract 7)."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import safe_open

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.files import Claim, disk_errors, partial_path
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.reading import reading
from m2r2_ros.core.text import listed
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.facts import (
    FAMILIARITY,
    LEARNED,
    NO_SEAL,
    WEIGHTS,
    YAML,
    BundleFacts,
    expect_free,
    read_facts,
    write_yaml,
)
from m2r2_ros.model.familiarity import Familiarity
from m2r2_ros.model.familiarity_file import promised_tensors, read_familiarity
from m2r2_ros.model.graph_facts import FULL, GraphFacts
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.model.weight_header import EXPECTED, read_header, read_layout
from m2r2_ros.network.graph.compare import compare
from m2r2_ros.network.graph.trace import OPSET
from m2r2_ros.network.graph.weights import write_graphs
from m2r2_ros.network.network import Network
from m2r2_ros.network.weight_files import write_tensors
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.normalisation import Normalisation

#: Types of tensors as safetensors names them; weights are saved as half precision.
_REAL: Final = ('F16', 'BF16', 'F32')
_WHOLE: Final = ('I64', 'BOOL')


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
        topics: Topics of the training set by modality; see BundleFacts.
        training: How it was trained and on what.
        scores: What it scored on recordings that it was not trained on.
        familiarity: What it knows of its training set; None where that was not measured.
        id: Hash of bundle.yaml and weights; travels in every label. Empty before it was saved.
    """

    preset: str
    labels: LabelSet
    windows: WindowConfig
    model: ModelConfig
    normalisation: Normalisation
    network: Network
    decoding: Mapping[str, Any] = field(default_factory=dict)
    topics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    familiarity: Familiarity | None = None
    id: str = ''


def save_bundle(bundle: Bundle, folder: Path, examples: Inputs | None = None) -> Bundle:
    """Write a bundle into a folder that holds none yet, and return it as it was written.

    Weights are stored as float16: half the size, and far finer than the noise of training. The
    graphs are made of the network as it was written, and must say what it says. The folder has its
    name when it is complete.

    Args:
        bundle: The bundle.
        folder: Where it goes.
        examples: Windows of recordings, on which network and graphs are compared; see
            network.graph.compare.

    Raises:
        BundleError: The folder holds something already, or the graphs say something else.
        OutputError: It cannot be written, or another run is writing it.
    """
    draft = partial_path(folder)
    with disk_errors(folder), Claim(folder):
        expect_free(folder)
        shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed
        try:
            saved = _write(bundle, draft)
            compare(draft, saved.network, examples)
            draft.rename(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return saved


def _write(bundle: Bundle, draft: Path) -> Bundle:
    """Write weights, then the graphs that point into them, then what describes both."""
    draft.mkdir(parents=True)
    tensors = _tensors(bundle)
    write_tensors(draft / WEIGHTS, tensors, NO_SEAL)
    layout = read_layout(draft / WEIGHTS).digest
    graphs = write_graphs(_as_written(bundle), draft)
    facts = GraphFacts(OPSET, FULL, layout, graphs)
    write_tensors(draft / WEIGHTS, tensors, write_yaml(draft, _sections(bundle, facts)))
    return load_bundle(draft)


def _as_written(bundle: Bundle) -> Network:
    """Return the network with weights as they are stored."""
    network = Network(bundle.model, bundle.windows, len(bundle.labels.names))
    state = bundle.network.state_dict()
    network.load_state_dict({n: _stored(t).to(t.dtype) for n, t in state.items()})
    return network.eval()


def _stored(tensor: torch.Tensor) -> torch.Tensor:
    return (tensor.half() if tensor.is_floating_point() else tensor).contiguous()


def _tensors(bundle: Bundle) -> dict[str, torch.Tensor]:
    tensors = {name: _stored(t).cpu() for name, t in bundle.network.state_dict().items()}
    if bundle.familiarity is not None:  # small, and compared with: stored as it is
        for name, array in bundle.familiarity.tensors().items():
            tensors[FAMILIARITY + name] = torch.from_numpy(array).contiguous()
    return tensors


def _sections(bundle: Bundle, graphs: GraphFacts) -> dict[str, Any]:
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
        'graph': graphs.to_dict(),
    }
    if bundle.familiarity is not None:
        sections['familiarity'] = bundle.familiarity.to_dict()
    return sections


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
    if facts.network.graphs is not None and facts.network.graphs.precision != FULL:
        origin = facts.training.get('compressed', {}).get('from', 'another')
        msg = (
            f'{folder}: was compressed to {facts.network.graphs.precision}: it labels, but '
            f'training goes on from the bundle that it was made of, model {origin}'
        )
        raise BundleError(msg)
    _expect_shapes(facts, facts.network.model)
    network = _network(facts, facts.network.model)
    _load_weights(network, folder / WEIGHTS)
    familiarity = read_familiarity(facts)
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
        familiarity=familiarity,
        id=facts.id,
    )


def _network(facts: BundleFacts, model: ModelConfig) -> Network:
    with reading(facts.folder / YAML, 'shapes of which a network can be made', BundleError):
        return Network(model, facts.windows, len(facts.labels.names))


def _expect_shapes(facts: BundleFacts, model: ModelConfig) -> None:
    """Compare the weights with a network that takes no memory; name the tensor that does not fit.

    So that no more is ever set aside than the file is long.
    """
    path = facts.folder / WEIGHTS
    found = dict(read_header(path).tensors)
    with torch.device('meta'):
        meta = _network(facts, model)
        known = {n: torch.empty(s) for n, s in promised_tensors(facts).items()}
        expected = {**meta.state_dict(), **known}
    for name, tensor in expected.items():
        shape = tuple(tensor.shape)
        own = found.pop(name, None)
        if own is None:
            msg = f'{path}: tensor {name} {shape} is missing'
            raise BundleError(msg)
        if own.shape != shape:
            msg = f'{path}: tensor {name}: expected {shape}, found {own.shape}'
            raise BundleError(msg)
        kinds = _REAL if tensor.is_floating_point() else _WHOLE
        if own.kind not in kinds:
            msg = f'{path}: tensor {name}: expected {" or ".join(kinds)}, found {own.kind}'
            raise BundleError(msg)
    if found:
        names = listed(sorted(found))
        msg = f'{path}: unknown tensors {names}; {YAML} describes another model'
        raise BundleError(msg)


def _load_weights(network: Network, path: Path) -> None:
    """Load weights that fit, one tensor at a time."""
    with reading(path, EXPECTED, BundleError), safe_open(path, framework='pt') as file:
        for name, own in network.state_dict().items():
            own.copy_(file.get_tensor(name))
            if not torch.isfinite(own).all():
                msg = f'{path}: tensor {name} holds values that are not finite'
                raise BundleError(msg)
