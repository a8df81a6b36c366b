# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Devices that are there, and what is said of those that are not."""

import json
from pathlib import Path

import onnxruntime
import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.share import share_path
from m2r2_ros.model.devices import (
    DEVICES,
    find_device,
    installed_devices,
    missing_libraries,
    provider_options,
)
from m2r2_ros.nodes.segmenter.loading import load_model
from test.cli.run import m2r2
from test.replay.recordings import robot_bag


def test_the_processor_is_always_there() -> None:
    assert installed_devices()['cpu']
    assert find_device('cpu') is DEVICES['cpu']


@pytest.mark.parametrize('name', [n for n in DEVICES if n != 'cpu'])
def test_what_is_not_there_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: ['CPUExecutionProvider'])
    with pytest.raises(ConfigError) as raised:
        find_device(name)
    told = str(raised.value)
    assert told.startswith(f'device {name}: the installed ONNX Runtime has no ')
    assert f'pip uninstall onnxruntime, then pip install {DEVICES[name].wheel}' in told
    assert 'but only cpu' in told
    assert DEVICES[name].needs in told


def test_a_device_that_nobody_knows_is_named() -> None:
    with pytest.raises(ConfigError, match=r"device 'npu' is unknown: expected cpu, cuda"):
        find_device('npu')


def test_one_that_does_not_start_says_what_may_be_missing() -> None:
    told = str(missing_libraries(DEVICES['cuda'], ['CPUExecutionProvider']))
    assert 'could not be started (in use: CPUExecutionProvider): CUDA and cuDNN are missing' in told
    assert 'its libraries are missing' in str(missing_libraries(DEVICES['openvino'], []))


@pytest.mark.parametrize(
    ('precision', 'threads', 'expected'),
    [
        ('float32', 0, {'INFERENCE_PRECISION_HINT': 'f32'}),
        ('int8', 0, {'INFERENCE_PRECISION_HINT': 'f32'}),
        ('bf16', 2, {'INFERENCE_PRECISION_HINT': 'bf16', 'INFERENCE_NUM_THREADS': '2'}),
    ],
)
def test_openvino_is_told_how_exact_to_be_and_on_how_many_cores(
    precision: str, threads: int, expected: dict[str, str]
) -> None:
    options = provider_options(DEVICES['openvino'], precision, threads)
    assert options['device_type'] == 'CPU'
    assert json.loads(options['load_config']) == {'CPU': expected}


def test_others_get_no_options() -> None:
    assert not provider_options(DEVICES['cuda'], 'bf16', 1)


def test_commands_and_nodes_say_so_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: ['CPUExecutionProvider'])
    model, bag = share_path('models', 'cell'), robot_bag(tmp_path / 'robot', 1.0)
    options = ('--model', model, '--out', tmp_path / 'out', '--device', 'cuda')
    told = ' '.join(m2r2('label', bag, *options).error.split())
    assert 'pip install onnxruntime-gpu' in told
    with pytest.raises(ConfigError, match='pip install onnxruntime-openvino'):
        load_model(str(model), device='openvino')
