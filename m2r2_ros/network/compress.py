# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles whose graphs hold smaller numbers, for robots; training goes on from the original."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from safetensors import safe_open

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.files import Claim, disk_errors, partial_path
from m2r2_ros.core.options import Section
from m2r2_ros.core.reading import reading
from m2r2_ros.model.facts import (
    FAMILIARITY,
    NO_SEAL,
    WEIGHTS,
    YAML,
    BundleFacts,
    expect_free,
    read_facts,
    write_yaml,
)
from m2r2_ros.model.graph_facts import FULL, GraphFacts, read_graph
from m2r2_ros.model.graph_names import NETWORK
from m2r2_ros.model.weight_header import EXPECTED, read_layout
from m2r2_ros.network.graph.inline import move_out, read_inline, write_outside
from m2r2_ros.network.graph.quantise import Feed, to_bf16, to_int8
from m2r2_ros.network.graph.trace import OPSET
from m2r2_ros.network.weight_files import write_tensors

#: What a bundle says of how it was compressed, under `training`.
COMPRESSED = 'compressed'


def compress(
    folder: Path,
    out: Path,
    precision: str,
    feeds: Sequence[Feed],
    check: Callable[[Path], Mapping[str, Any]],
) -> BundleFacts:
    """Write a bundle with the graphs of another one in a smaller precision.

    Args:
        folder: Of the bundle to compress.
        out: Folder for the new one, which must not exist yet.
        precision: 'int8' or 'bf16'.
        feeds: What goes into the graph at some frames of recordings.
        check: Called with the new bundle before it has its name; returns what it found, to be kept
            in the bundle, or raises.

    Raises:
        BundleError: It is no bundle of a network with graphs in full precision.
        OutputError: It cannot be written.
    """
    facts = read_facts(folder)
    graphs = _smaller(facts, precision, feeds)
    tensors = {**_known_tensors(facts)}
    for name, graph in graphs.items():
        tensors |= move_out(graph, Path(name).stem)
    sections = dict(Section.read(folder / YAML, 'a bundle', BundleError).entries)
    del sections['format']
    draft = partial_path(out)
    with disk_errors(out), Claim(out):
        expect_free(out)
        shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed
        try:
            draft.mkdir(parents=True)
            write_tensors(draft / WEIGHTS, tensors, NO_SEAL)
            layout = read_layout(draft / WEIGHTS).digest
            hashes = write_outside(graphs, draft)
            sections['graph'] = GraphFacts(OPSET, precision, layout, hashes).to_dict()
            told = {'from': facts.id, 'precision': precision}
            _describe(draft, sections, facts, told, tensors)
            # What is found of the bundle is kept in it.
            _describe(draft, sections, facts, {**told, **check(draft)}, tensors)
            draft.rename(out)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return read_facts(out)


def _describe(
    draft: Path,
    sections: Mapping[str, Any],
    facts: BundleFacts,
    told: Mapping[str, Any],
    tensors: Mapping[str, torch.Tensor],
) -> None:
    """Write bundle.yaml, and the weights with its seal."""
    training = {**facts.training, COMPRESSED: dict(told)}
    seal = write_yaml(draft, {**sections, 'training': training})
    write_tensors(draft / WEIGHTS, tensors, seal)


def _smaller(
    facts: BundleFacts, precision: str, feeds: Sequence[Feed]
) -> dict[str, onnx.ModelProto]:
    """Return the graphs of a bundle in a smaller precision, their weights inside.

    In 8 bits, an offline head stays as it is: its matrices are small.

    Raises:
        BundleError: It is no network, has no graphs, or was compressed already.
    """
    network = facts.network
    if network is None or network.graphs is None or network.graphs.precision != FULL:
        found = network.graphs.precision if network and network.graphs else 'none'
        msg = (
            f'{facts.folder}: expected the bundle of a network with graphs in {FULL}, found '
            f'{found}; compress the bundle that m2r2 train wrote'
        )
        raise BundleError(msg)
    graphs = {name: _graph(facts.folder, network.graphs, name) for name in network.graphs.files}
    if precision == 'bf16':
        return {name: to_bf16(graph) for name, graph in graphs.items()}
    return {**graphs, NETWORK: to_int8(graphs[NETWORK], feeds)}


def _graph(folder: Path, graphs: GraphFacts, name: str) -> onnx.ModelProto:
    """Return a graph that is the one that was saved."""
    read_graph(folder, graphs, name, WEIGHTS)
    with reading(folder / name, 'a graph of ONNX', BundleError):
        return read_inline(folder, name)


def _known_tensors(facts: BundleFacts) -> dict[str, torch.Tensor]:
    """Return what a bundle knows of its training set, as it is stored."""
    path = facts.folder / WEIGHTS
    with reading(path, EXPECTED, BundleError), safe_open(path, framework='pt') as file:
        names = [name for name in file.keys() if name.startswith(FAMILIARITY)]  # noqa: SIM118
        return {name: file.get_tensor(name) for name in names}
