# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 compress`: smaller bundles that label alike, or none."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from m2r2_ros.bags.labels.reader import read_label_track
from m2r2_ros.core.files import Claim
from m2r2_ros.core.share import share_path
from m2r2_ros.model.facts import read_facts
from m2r2_ros.model.graph_names import NETWORK
from m2r2_ros.network import compress as module
from m2r2_ros.training.compress import compress_checked
from test.cli.run import digest, done, m2r2

CELL = share_path('models', 'cell')


@pytest.fixture(scope='module')
def small(robots: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model in 8 bits."""
    out = tmp_path_factory.mktemp('small') / 'small'
    before = digest([CELL, robots])
    result = done('compress', CELL, '--out', out, '--check', robots / 'first')
    assert digest([CELL, robots]) == before
    assert '100.00% of 79 frames' in ' '.join(result.out.split())
    assert read_facts(out).id in result.out
    return out


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_large_matrices_are_whole_numbers(small: Path) -> None:
    graph = onnx.load(str(small / NETWORK)).graph
    kinds = [node.op_type for node in graph.node]
    assert kinds.count('MatMulInteger') == 10
    assert 'float32' not in (small / 'bundle.yaml').read_text()
    assert size(small) < 0.75 * size(CELL)


def test_it_labels_like_the_original(small: Path, robots: Path, tmp_path: Path) -> None:
    for model, out in ((CELL, tmp_path / 'full'), (small, tmp_path / 'small')):
        m2r2('label', robots / 'second', '--model', model, '--out', out, '--as-live')
    full, own = (read_label_track(tmp_path / n / 'second_labels') for n in ('full', 'small'))
    assert own.labels == full.labels
    assert own.model_id == read_facts(small).id != full.model_id


def test_it_says_what_it_was_made_of_and_how_well(small: Path) -> None:
    facts = read_facts(small)
    told = facts.training['compressed']
    assert told['from'] == read_facts(CELL).id
    assert told['precision'] == 'int8'
    assert told['recordings'] == ['first']
    assert told['agreement'] == {'as live': 1.0, 'whole recording': 1.0}
    assert facts.network is not None
    assert facts.network.graphs is not None
    assert facts.network.graphs.precision == 'int8'


def test_training_goes_on_from_the_original_alone(
    small: Path, robots: Path, tmp_path: Path
) -> None:
    error = m2r2('train', robots, '--resume-from', small, '--out', tmp_path / 'x').error
    assert 'was compressed to int8' in error
    assert read_facts(CELL).id in error
    again = m2r2('compress', small, '--out', tmp_path / 'y', '--check', robots / 'first').error
    assert 'found int8' in again


def test_bfloat16_is_kept_as_such(bundle: Path, robots: Path, tmp_path: Path) -> None:
    out = tmp_path / 'bf16'
    done('compress', bundle, '--precision', 'bf16', '--out', out, '--check', robots / 'first')
    graph = onnx.load(str(out / NETWORK)).graph
    stored = [t for t in graph.initializer if t.name.endswith('.stored')]
    assert len(stored) > 20
    assert {t.data_type for t in stored} == {onnx.TensorProto.BFLOAT16}


def test_one_that_labels_otherwise_is_not_written(
    bundle: Path, robots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_weights(graph: onnx.ModelProto, feeds: object) -> onnx.ModelProto:
        for tensor in graph.graph.initializer:
            if 'mlp' in tensor.name:
                zeros = np.zeros_like(numpy_helper.to_array(tensor))
                tensor.CopyFrom(numpy_helper.from_array(zeros, tensor.name))
        return graph

    monkeypatch.setattr(module, 'to_int8', without_weights)
    out = tmp_path / 'out'
    error = m2r2('compress', bundle, '--out', out, '--check', robots / 'first').error
    assert 'under the 99.5% wanted' in error
    assert list(tmp_path.iterdir()) == []
    found = compress_checked(bundle, out, 'int8', [robots / 'first'], least=0.0)
    (way,) = found.ways
    assert way.agreement < 0.9
    before, after = way.scores['accuracy']
    assert before > 0.8 > after


def test_two_do_not_write_one_bundle(bundle: Path, robots: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    command = ('compress', bundle, '--out', out, '--check', robots / 'first')
    with Claim(out):
        assert 'another run' in m2r2(*command).error
    done(*command)
    before = digest(out)
    assert 'exists already' in m2r2(*command).error
    assert digest(out) == before


def test_what_is_no_bundle_of_a_network_is_refused(robots: Path, tmp_path: Path) -> None:
    error = m2r2('compress', robots, '--out', tmp_path / 'x', '--check', robots / 'first').error
    assert 'bundle.yaml' in error
