# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a network can run: ONNX Runtime's execution providers under short names."""

import json
from dataclasses import dataclass
from typing import Any, Final

from m2r2_ros.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """A device.

    Attributes:
        name: What the user calls it.
        provider: ONNX Runtime's name of it.
        wheel: The build of ONNX Runtime that has it, to be installed instead of `onnxruntime`.
        needs: What else has to be there.
    """

    name: str
    provider: str
    wheel: str
    needs: str


DEVICES: Final[dict[str, DeviceFacts]] = {
    d.name: d
    for d in (
        DeviceFacts('cpu', 'CPUExecutionProvider', 'onnxruntime', ''),
        DeviceFacts('cuda', 'CUDAExecutionProvider', 'onnxruntime-gpu', 'CUDA and cuDNN'),
        DeviceFacts(
            'tensorrt', 'TensorrtExecutionProvider', 'onnxruntime-gpu', 'CUDA and TensorRT'
        ),
        DeviceFacts('openvino', 'OpenVINOExecutionProvider', 'onnxruntime-openvino', ''),
    )
}
CPU: Final = 'cpu'


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how a network runs.

    Attributes:
        device: One of DEVICES.
        threads: Of the processor; 0 for as many as this process may use.
        one_frame: Whether frames come one by one, as on a robot: calls are of one frame then, whose
            shapes are known beforehand.
    """

    device: str = CPU
    threads: int = 0
    one_frame: bool = False


def installed_devices() -> dict[str, bool]:
    """Return for each device whether the installed build of ONNX Runtime has its provider."""
    import onnxruntime  # takes a third of a second

    there = onnxruntime.get_available_providers()
    return {name: device.provider in there for name, device in DEVICES.items()}


def find_device(name: str) -> DeviceFacts:
    """Return a device that the installed build of ONNX Runtime has.

    Raises:
        ConfigError: It is unknown or not installed; the message says what to install.
    """
    if name not in DEVICES:
        msg = f'device {name!r} is unknown: expected {", ".join(DEVICES)}'
        raise ConfigError(msg)
    there = installed_devices()
    if not there[name]:
        device = DEVICES[name]
        usable = ', '.join(n for n, yes in there.items() if yes)
        needs = f' ({device.needs} must be there)' if device.needs else ''
        msg = (
            f'device {name}: the installed ONNX Runtime has no {device.provider}, but only '
            f'{usable}. It comes with another build: pip uninstall onnxruntime, then pip install '
            f'{device.wheel}{needs}'
        )
        raise ConfigError(msg)
    return DEVICES[name]


def missing_libraries(device: DeviceFacts, found: list[str]) -> ConfigError:
    """Return the error for a provider that is installed, but that could not be started.

    Args:
        device: What was asked for.
        found: Providers that a session came to use.
    """
    needs = device.needs or 'its libraries'
    return ConfigError(
        f'device {device.name}: {device.provider} could not be started (in use: '
        f'{", ".join(found)}): {needs} are missing or of another version; see m2r2 models --devices'
    )


def provider_options(device: DeviceFacts, precision: str, threads: int) -> dict[str, Any]:
    """Return options of a provider that a bundle's precision asks for.

    Args:
        device: What the provider belongs to.
        precision: Of the bundle.
        threads: Of the processor; 0 for as many as the provider likes.
    """
    if device.name == 'openvino':
        # Left alone, it computes in half precision wherever the processor can, on all cores.
        own = {'INFERENCE_PRECISION_HINT': 'bf16' if precision == 'bf16' else 'f32'}
        if threads:
            own['INFERENCE_NUM_THREADS'] = str(threads)
        return {'device_type': 'CPU', 'load_config': json.dumps({'CPU': own})}
    return {}
