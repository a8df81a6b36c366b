# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a bundle says of its graphs; test/hostile/test_graphs.py has the attacks."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from safetensors.numpy import save_file

from m2r2_ros.core.errors import BundleError, ConfigError, M2R2Error
from m2r2_ros.core.options import Section
from m2r2_ros.model.graph_facts import PRECISIONS, GraphFacts, read_graph, read_graph_facts
from m2r2_ros.model.graph_names import NETWORK, RECORDING
from m2r2_ros.model.weight_header import read_layout

WEIGHTS = 'weights.safetensors'
GRAPH = onnx.ModelProto(ir_version=8).SerializeToString()


def facts_of(folder: Path) -> GraphFacts:
    """Write a graph and weights, and return what a bundle would say of them."""
    (folder / NETWORK).write_bytes(GRAPH)
    save_file({'a': np.ones((2, 3), np.float16), 'b': np.zeros(4, np.float32)}, folder / WEIGHTS)
    layout = read_layout(folder / WEIGHTS).digest
    return GraphFacts(17, 'float32', layout, {NETWORK: hashlib.sha256(GRAPH).hexdigest()})


@pytest.mark.parametrize('precision', PRECISIONS)
def test_facts_are_read_as_they_were_written(precision: str) -> None:
    facts = GraphFacts(17, precision, 'abc', {NETWORK: '1', RECORDING: '2'})
    assert read_graph_facts(Section(facts.to_dict(), 'graph')) == facts


@pytest.mark.parametrize(
    ('entry', 'wrong'),
    [
        ('opset', 17.5), ('opset', -1), ('precision', 'half'), ('layout', None), ('files', 'a'),
        ('files', {NETWORK: 3}), ('files', {'other.onnx': 'a'}), ('more', 1),
    ],
)  # fmt: skip
def test_wrong_entries_are_named(entry: str, wrong: Any) -> None:
    entries = {**GraphFacts(17, 'float32', 'abc', {NETWORK: '1'}).to_dict(), entry: wrong}
    with pytest.raises(M2R2Error, match=rf'graph.*{entry}'):
        read_graph_facts(Section(entries, 'graph'))


def test_a_missing_entry_is_named() -> None:
    with pytest.raises(ConfigError, match='precision'):
        read_graph_facts(Section({'opset': 17}, 'graph'))


def test_a_graph_is_read_beside_its_weights(tmp_path: Path) -> None:
    assert read_graph(tmp_path, facts_of(tmp_path), NETWORK, WEIGHTS) == GRAPH


def test_one_that_no_hash_is_known_of_is_not(tmp_path: Path) -> None:
    facts = facts_of(tmp_path)
    (tmp_path / RECORDING).write_bytes(GRAPH)
    with pytest.raises(BundleError, match=rf'{RECORDING}: is not the graph'):
        read_graph(tmp_path, facts, RECORDING, WEIGHTS)


def test_other_numbers_have_the_same_layout_and_other_names_another(tmp_path: Path) -> None:
    facts = facts_of(tmp_path)
    a, b = np.zeros((2, 3), np.float16), np.ones(4, np.float32)
    save_file({'a': a, 'b': b}, tmp_path / WEIGHTS)
    assert read_graph(tmp_path, facts, NETWORK, WEIGHTS)
    for other in (
        {'a': a, 'c': b},
        {'a': a.reshape(3, 2), 'b': b},
        {'a': a, 'b': b.view(np.int32)},
        {'a': a},
    ):
        save_file(other, tmp_path / WEIGHTS)
        with pytest.raises(BundleError, match='points into other weights'):
            read_graph(tmp_path, facts, NETWORK, WEIGHTS)
