# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs on devices that fail: at the start an error, later the processor takes over."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.core.errors import BundleError, ConfigError
from m2r2_ros.core.labels import FrameLabel
from m2r2_ros.model.devices import Placement
from m2r2_ros.model.sessions import GraphFile, GraphSession
from m2r2_ros.network.bundle import save_bundle
from m2r2_ros.nodes.segmenter.labelling import Labelling
from m2r2_ros.nodes.segmenter.live_windows import LiveWindows
from m2r2_ros.nodes.segmenter.status import failings
from m2r2_ros.segmenters.kinds import open_model
from m2r2_ros.segmenters.model import Model
from test.network.networks import make_bundle, make_windows

CPU, CUDA = 'CPUExecutionProvider', 'CUDAExecutionProvider'
Runtime = onnxruntime.InferenceSession


class Device:
    """A session on a device that is not there: the processor's, until it fails."""

    #: Calls until it fails, of all such sessions.
    left = 0
    #: What the sessions that were made were asked to run on.
    made: list[str]

    def __init__(self, raw: bytes, options: Any, *, providers: Sequence[Any], **_: Any) -> None:
        self._asked = [p if isinstance(p, str) else p[0] for p in providers]
        Device.made.append(self._asked[0])
        self._session = Runtime(raw, options, providers=[CPU])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def get_providers(self) -> list[str]:
        return self._asked

    def run(self, *given: Any) -> Any:
        if self._asked[0] == CUDA:
            Device.left -= 1
            if Device.left < 0:
                raise RuntimeError('CUDA failure 700:\n an illegal memory access')
        return self._session.run(*given)


@pytest.fixture(scope='module')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('sessions') / 'model'
    save_bundle(make_bundle(), folder)
    return folder


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> type[Device]:
    """A device `cuda` that computes as the processor does, and fails when it is told to."""
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, 'InferenceSession', Device)
    monkeypatch.setattr(Device, 'left', 10**6)
    monkeypatch.setattr(Device, 'made', [], raising=False)
    return Device


def doubled(path: Path, *, precision: str = 'float32', one_frame: bool = False) -> GraphFile:
    """Return a graph that doubles rows."""
    rows = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ['frames', 2]) for n in 'xy']
    node = helper.make_node('Add', ['x', 'x'], ['y'])
    graph = helper.make_graph([node], 'g', rows[:1], rows[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    raw = model.SerializeToString()
    return GraphFile(path / 'g.onnx', raw, path / 'weights', precision, one_frame)


def test_a_device_that_cannot_load_a_graph_is_to_blame_unless_the_graph_is(
    tmp_path: Path, device: type[Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(raw: bytes, options: Any, *, providers: Sequence[Any], **given: Any) -> Device:
        if providers[0][0] == CUDA:
            raise RuntimeError('out of memory')
        return Device(raw, options, providers=providers, **given)

    monkeypatch.setattr(onnxruntime, 'InferenceSession', full)
    with pytest.raises(ConfigError, match=r'device cuda cannot load .*: out of memory; take cpu'):
        GraphSession(doubled(tmp_path), 'cuda', 1, print)
    noise = GraphFile(tmp_path / 'g.onnx', b'x', tmp_path / 'weights', 'float32', False)
    with pytest.raises(BundleError, match='cannot run this graph'):
        GraphSession(noise, 'cuda', 1, print)


def ones(n: int) -> dict[str, np.ndarray]:
    return {'x': np.ones((n, 2), np.float32)}


@pytest.mark.parametrize('precision', ['float32', 'bf16', 'int8'])
@pytest.mark.parametrize('threads', [0, 1, 2])
def test_a_graph_runs_on_the_processor(tmp_path: Path, precision: str, threads: int) -> None:
    warned: list[str] = []
    session = GraphSession(doubled(tmp_path, precision=precision), 'cpu', threads, warned.append)
    assert session.inputs == {'x': ('tensor(float)', ('frames', 2))}
    assert session.outputs == {'y': ('tensor(float)', ('frames', 2))}
    for n in (0, 1, 5):
        (found,) = session.run(['y'], ones(n))
        assert np.array_equal(found, np.full((n, 2), 2, np.float32))
    assert not warned


def test_shapes_of_one_frame_are_known_beforehand(tmp_path: Path) -> None:
    session = GraphSession(doubled(tmp_path, one_frame=True), 'cpu', 1, print)
    assert session.inputs['x'][1] == (1, 2)
    with pytest.raises(BundleError, match=r'g\.onnx: ONNX Runtime .* Expected: 1'):
        session.run(['y'], ones(2))


@pytest.mark.parametrize('raw', [b'', b'x', b'\xff' * 1000])
def test_what_is_no_graph_is_named_in_one_line(tmp_path: Path, raw: bytes) -> None:
    file = GraphFile(tmp_path / 'g.onnx', raw, tmp_path / 'weights', 'float32', False)
    with pytest.raises(BundleError, match=r'^\S+g\.onnx: ONNX Runtime [\d.]+ cannot run .*$'):
        GraphSession(file, 'cpu', 1, print)


def test_errors_leave_out_where_the_library_raised_them(tmp_path: Path) -> None:
    file = doubled(tmp_path)
    graph = onnx.load_from_string(file.raw)
    graph.ir_version = 99
    file = GraphFile(file.path, graph.SerializeToString(), file.weights, 'float32', False)
    with pytest.raises(BundleError) as raised:
        GraphSession(file, 'cpu', 1, print)
    assert 'IR version: 99' in str(raised.value)
    assert 'onnxruntime::' not in str(raised.value)


def test_a_provider_that_does_not_start_is_an_error_about_its_libraries(
    tmp_path: Path, device: type[Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, 'get_providers', lambda self: [CPU])
    with pytest.raises(ConfigError, match=r'device cuda: .* CUDA and cuDNN are missing'):
        GraphSession(doubled(tmp_path), 'cuda', 1, print)


@pytest.mark.parametrize('name', ['cuda', 'tensorrt', 'openvino'])
def test_one_that_is_not_installed_is_an_error_before_the_graph_is_looked_at(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: [CPU])
    with pytest.raises(ConfigError, match='pip install onnxruntime-'):
        GraphSession(doubled(tmp_path), name, 1, print)


def test_the_processor_takes_over_from_a_device_that_fails(
    tmp_path: Path, device: type[Device]
) -> None:
    warned: list[str] = []
    session = GraphSession(doubled(tmp_path), 'cuda', 1, warned.append)
    device.left = 1
    for _ in range(4):
        (found,) = session.run(['y'], ones(3))
        assert np.array_equal(found, np.full((3, 2), 2, np.float32))
    assert device.made == [CUDA, CPU]
    assert warned == [
        'device cuda failed, the processor took over: CUDA failure 700: an illegal memory access'
    ]


def test_what_the_processor_cannot_do_either_is_an_error(
    tmp_path: Path, device: type[Device]
) -> None:
    warned: list[str] = []
    session = GraphSession(doubled(tmp_path), 'cuda', 1, warned.append)
    with pytest.raises(BundleError, match='cannot run this graph'):
        session.run(['y'], {'x': np.ones((3, 7), np.float32)})


def labels_of(model: Model) -> list[FrameLabel]:
    found: list[FrameLabel] = []
    for k, windows in enumerate(make_windows(12)[i : i + 1] for i in range(12)):
        if k == 6:
            Device.left = 0
        found += model.segmenter.extend(windows)
    return found + model.segmenter.finish()


def working(model: Model) -> Labelling:
    """Return what a node does with a model."""
    windows = LiveWindows(model.windows, model.modalities)
    return Labelling(model, windows, LabelWriter(Nowhere()), lambda: 0)


class Nowhere:
    """Where labels are published to."""

    def add_topic(self, name: str, type_name: str, **_: Any) -> None: ...

    def write(self, topic: str, raw: bytes, log_time: int) -> None: ...


@pytest.mark.parametrize('live', [True, False])
def test_labels_go_on_as_if_nothing_had_happened(
    bundle: Path, device: type[Device], live: bool
) -> None:
    usual = open_model(bundle, live=live)
    other = open_model(bundle, placement=Placement('cuda', 1), live=live)
    assert device.made[-1] == CUDA
    assert not other.segmenter.warnings
    for a, b in zip(labels_of(usual), labels_of(other), strict=True):
        assert (a.stamp, a.label, a.reason) == (b.stamp, b.label, b.reason)
        np.testing.assert_allclose(a.probabilities, b.probabilities, atol=1e-6)
    (warning,) = other.segmenter.warnings
    assert warning.startswith('device cuda failed, the processor took over')
    (status,) = failings(working(other))
    assert (status.name, status.message) == ('device', warning)
    assert not failings(working(usual))
