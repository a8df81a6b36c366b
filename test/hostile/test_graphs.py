# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A graph runs, or ends in a BundleError that names it, whatever is in it."""

import os
import shutil
import struct
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from m2r2_ros.core.errors import BundleError
from m2r2_ros.model.devices import Placement
from m2r2_ros.model.facts import WEIGHTS, YAML
from m2r2_ros.model.graph_facts import MOST_GRAPH
from m2r2_ros.model.graph_names import BOUNDARIES, LOGITS, NETWORK, RECORDING
from m2r2_ros.model.head_config import MSTCNConfig
from m2r2_ros.network.bundle import save_bundle
from m2r2_ros.nodes.segmenter.loading import load_model
from m2r2_ros.segmenters.kinds import open_model
from test.cli.run import m2r2
from test.hostile.bundle_files import edited, swapped
from test.hostile.graph_files import (
    CHANGES,
    ELSEWHERE,
    LATE,
    GraphChange,
    added,
    asking_memory,
    cut,
    pointing_at,
    regraphed,
    rehash,
)
from test.hostile.memory import MB, memory_of
from test.network.networks import SENSING, make_bundle, make_windows
from test.replay.recordings import robot_bag

OFFLINE = replace(SENSING, offline_head=MSTCNConfig(stages=1, layers=2, width=8))
SENSOR = 'extractor.encoders.wrench.projection.weight'


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('graphs')
    save_bundle(make_bundle(OFFLINE), folder / 'model')
    robot_bag(folder / 'robot', 1.0)
    return folder / 'model'


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """A copy to do harm to."""
    return Path(shutil.copytree(whole, tmp_path / 'model'))


def labelled(folder: Path, *, live: bool = False) -> int:
    """Label some windows; return of how many the label is finite."""
    placement = Placement(one_frame=live)
    segmenter = open_model(folder, placement=placement, live=live).segmenter
    found = segmenter.extend(make_windows(5)) + segmenter.finish()
    return sum(label.is_finite for label in found)


def refusal(folder: Path, *, live: bool = False) -> str:
    """Return the error that labelling ends in."""
    with pytest.raises(BundleError) as raised:
        labelled(folder, live=live)
    told = str(raised.value)
    assert told.startswith(str(folder))
    assert len(told) < 1000
    return told


@pytest.mark.parametrize('name', CHANGES)
def test_a_graph_that_is_not_the_models_is_refused(bundle: Path, name: str) -> None:
    change, expected = CHANGES[name]
    regraphed(change)(bundle)
    for live in (False, True):
        told = refusal(bundle, live=live)
        assert told.startswith(f'{bundle / NETWORK}')
        assert expected.replace('frames', '1') in told.replace('frames', '1')


@pytest.mark.parametrize('name', LATE)
def test_outputs_of_another_shape_are_refused_in_the_first_call(bundle: Path, name: str) -> None:
    change, expected = LATE[name]
    regraphed(change)(bundle)
    assert expected in refusal(bundle, live=True)
    with pytest.raises(BundleError, match='output'):
        load_model(str(bundle))


@pytest.mark.parametrize(('name', 'axis'), [(LOGITS, 0), (LOGITS, 1), (BOUNDARIES, 0)])
def test_so_are_those_of_an_offline_head(bundle: Path, name: str, axis: int) -> None:
    regraphed(partial(cut, name, axis, 1), RECORDING)(bundle)
    assert f'{RECORDING}: output {name}: expected' in refusal(bundle)


@pytest.mark.parametrize('name', ['an output less', 'logits as doubles', 'an input more'])
def test_an_offline_head_is_compared_too(bundle: Path, name: str) -> None:
    regraphed(CHANGES[name][0], RECORDING)(bundle)
    assert refusal(bundle).startswith(f'{bundle / RECORDING}: ')
    assert labelled(bundle, live=True)  # which does not need it


@pytest.mark.parametrize('name', [NETWORK, RECORDING])
def test_a_graph_that_was_edited_is_not_the_one_that_was_saved(bundle: Path, name: str) -> None:
    raw = (bundle / name).read_bytes()
    (bundle / name).write_bytes(raw + b'\0')
    told = refusal(bundle)
    assert f'{name}: is not the graph that was saved' in told
    assert 'm2r2 models --upgrade' in told


@pytest.mark.parametrize('name', [NETWORK, RECORDING])
@pytest.mark.parametrize(
    ('make', 'expected'),
    [
        (lambda path: None, 'no such file'),
        (os.mkfifo, 'is a pipe'),
        (Path.mkdir, 'is a folder'),
        (lambda path: path.symlink_to('/dev/zero'), 'is a device'),
        (lambda path: path.symlink_to(path), 'cannot be read'),
        (Path.touch, 'is not the graph'),
    ],
)
def test_what_is_no_file_is_not_opened(
    bundle: Path, name: str, make: Callable[[Path], object], expected: str
) -> None:
    swapped(name, make)(bundle)
    assert expected in refusal(bundle)


def test_a_huge_graph_is_not_read(bundle: Path) -> None:
    os.truncate(bundle / NETWORK, MOST_GRAPH + 1)
    assert f'has {MOST_GRAPH + 1} bytes, at most {MOST_GRAPH} are read' in refusal(bundle)


@pytest.mark.parametrize('name', ELSEWHERE)
def test_weights_lie_in_no_pipe_and_nowhere_else(bundle: Path, name: str) -> None:
    pointing_at(ELSEWHERE[name])(bundle)
    assert 'looks for weights in elsewhere' in refusal(bundle)


def test_weights_may_be_a_link(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / 'linked').mkdir()
    for path in bundle.iterdir():
        (tmp_path / 'linked' / path.name).symlink_to(path)
    assert labelled(tmp_path / 'linked') == 5


@pytest.mark.parametrize('names', [[], ['a'], ['a', 'b', 'c', 'd']])
def test_a_graph_of_other_labels_is_refused(bundle: Path, names: list[str]) -> None:
    labels = {'names': names, 'parents': [''] * len(names)}
    edited(lambda e: e.update(labels=labels))(bundle)
    assert f'output logits: expected tensor(float) (frames, 1, {len(names)})' in refusal(bundle)


def test_memory_that_is_not_there_is_an_error(
    bundle: Path, tmp_path: Path, processes: ProcessPoolExecutor
) -> None:
    changes: list[GraphChange] = [partial(asking_memory, n) for n in (2**31, 2**40)]
    changes.append(CHANGES['a huge state'][0])
    bundles = [Path(shutil.copytree(bundle, tmp_path / f'{k}')) for k in range(len(changes))]
    for path, change in zip(bundles, changes, strict=True):
        regraphed(change)(path)
    assert processes.submit(memory_of, refusal, bundles).result() < 200 * MB


@pytest.mark.parametrize('name', [LOGITS, BOUNDARIES])
@pytest.mark.parametrize('flags', [(), ('--as-live',)])
def test_labels_that_are_not_numbers_are_not_written(
    bundle: Path, whole: Path, tmp_path: Path, name: str, flags: tuple[str, ...]
) -> None:
    graph = NETWORK if flags else RECORDING
    # Boundaries of most offline heads are changes of labels.
    regraphed(partial(added, name if flags else LOGITS, np.nan), graph)(bundle)
    robot = whole.with_name('robot')
    told = m2r2('label', robot, '--model', bundle, '--out', tmp_path / 'out', *flags).error
    assert 'gives NaN instead of probabilities; train it again' in ' '.join(told.split())
    assert not [*(tmp_path / 'out').rglob('*.mcap')]


def test_weights_that_are_not_numbers_are_found_live(bundle: Path) -> None:
    with safe_open(bundle / WEIGHTS, framework='numpy') as file:
        seal = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 no dict
    tensors[SENSOR][:] = np.nan
    save_file(tensors, bundle / WEIGHTS, seal)
    with pytest.raises(BundleError, match=r'gives NaN instead of probabilities'):
        load_model(str(bundle))
    assert labelled(bundle, live=True) == 0


def test_other_numbers_in_the_same_places_are_another_model(bundle: Path, whole: Path) -> None:
    raw = bytearray((bundle / WEIGHTS).read_bytes())
    (size,) = struct.unpack('<Q', raw[:8])
    for at in range(8 + size + 1, len(raw), 2):
        raw[at] ^= 0x80  # the sign of a half
    (bundle / WEIGHTS).write_bytes(raw)
    one, other = open_model(whole), open_model(bundle)
    assert one.id != other.id
    a, b = (m.segmenter.segment(make_windows(20)) for m in (one, other))
    assert not np.allclose([x.probabilities for x in a], [x.probabilities for x in b])


def test_weights_of_another_layout_do_not_fit(bundle: Path, tmp_path: Path) -> None:
    save_bundle(make_bundle(replace(OFFLINE, mlp=16)), tmp_path / 'other')
    for name in (WEIGHTS, YAML):
        shutil.copy(tmp_path / 'other' / name, bundle)
    assert 'is not the graph that was saved' in refusal(bundle)
    rehash(bundle)
    rehash(bundle, RECORDING)
    edited(lambda e: e['graph'].update(layout='0' * 64))(bundle)
    assert f'points into other weights than {WEIGHTS}' in refusal(bundle)


@pytest.mark.parametrize('number', [2, 3])
def test_bundles_of_older_formats_say_what_to_do(bundle: Path, number: int) -> None:
    def older(entries: dict[str, object]) -> None:
        del entries['graph']
        entries['format'] = number

    edited(older)(bundle)
    assert f'm2r2 models --upgrade {bundle}' in refusal(bundle)


@pytest.mark.parametrize(
    ('entry', 'wrong'),
    [('opset', 'x'), ('precision', 'fp4'), ('layout', 3), ('files', []), ('more', 1)],
)
def test_entries_about_graphs_are_checked(bundle: Path, entry: str, wrong: object) -> None:
    edited(lambda e: e['graph'].update({entry: wrong}))(bundle)
    told = refusal(bundle)
    assert told.startswith(f'{bundle / YAML}: graph')
    assert entry in told


def test_graphs_are_refused_without_a_traceback(bundle: Path, whole: Path, tmp_path: Path) -> None:
    regraphed(CHANGES['an unknown operator'][0])(bundle)
    robot, out = whole.with_name('robot'), tmp_path / 'out'
    assert 'elsewhere:Steal' in m2r2('label', robot, '--model', bundle, '--out', out).error
    regraphed(lambda graph: onnx.ModelProto().SerializeToString())(bundle)
    assert NETWORK in m2r2('label', robot, '--model', bundle, '--out', out).error


def test_a_whole_bundle_labels(whole: Path) -> None:
    assert labelled(whole) == labelled(whole, live=True) == 5
