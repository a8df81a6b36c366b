# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs of a bundle, loaded by ONNX Runtime."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import onnxruntime
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError, ConfigError
from m2r2_ros.core.text import excerpt
from m2r2_ros.model.devices import (
    CPU,
    DEVICES,
    DeviceFacts,
    find_device,
    missing_libraries,
    provider_options,
)

_FATAL: Final = 4
#: Option of a session: where weights lie that a graph refers to.
WEIGHT_FOLDER: Final = 'session.model_external_initializers_file_folder_path'

#: In its messages: which of its functions has raised what follows.
_PLACE: Final = re.compile(r'\S+\.(?:cc|h):\d+ (?:\w+ (?=[A-Z])|.{0,1500}?\)(?: const)? (?=[A-Z]))')
_CODE: Final = '[ONNXRuntimeError]'

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class GraphFile:
    """A graph, and where its weights are.

    Attributes:
        path: For messages.
        raw: The graph.
        weights: The file that it points into.
        precision: What arithmetic it asks for where a device has it.
        one_frame: Whether every call will be of one frame: shapes are then known beforehand.
    """

    path: Path
    raw: bytes
    weights: Path
    precision: str
    one_frame: bool


class GraphSession:
    """A graph on a device; one that fails there goes on, on the processor.

    Attributes:
        inputs: Type and shape of each input, by name; the number of frames is a text in it.
        outputs: The same of outputs.
    """

    def __init__(
        self, file: GraphFile, device: str, threads: int, warn: Callable[[str], None]
    ) -> None:
        """Load a graph.

        Args:
            file: The graph.
            device: One of DEVICES.
            threads: Of the processor; 0 for as many as this process may use.
            warn: Called with a text when the device has failed and the processor takes over.

        Raises:
            BundleError: ONNX Runtime cannot load it.
            ConfigError: There is no such device, it does not start, or cannot load the graph.
        """
        self._file, self._threads, self._warn = file, threads, warn
        self._device = find_device(device)
        self._session = self._load(self._device)
        self.inputs = {x.name: (x.type, tuple(x.shape)) for x in self._session.get_inputs()}
        self.outputs = {x.name: (x.type, tuple(x.shape)) for x in self._session.get_outputs()}
        self._options = onnxruntime.RunOptions()
        self._options.log_severity_level = _FATAL
        # Without the nodes that lead to other outputs.
        self._options.only_execute_path_to_fetches = True

    def run(self, outputs: Sequence[str], inputs: Arrays) -> list[NDArray[Any]]:
        """Return some of the outputs, in the order of their names.

        Raises:
            BundleError: The processor fails, too.
        """
        try:
            return self._run(outputs, inputs)
        except Exception as error:
            if self._device.name == CPU:
                raise self._unusable(error) from error
            self._warn(f'device {self._device.name} failed, the processor took over: {_why(error)}')
        self._device = DEVICES[CPU]
        self._session = self._load(self._device)
        try:
            return self._run(outputs, inputs)
        except Exception as error:
            raise self._unusable(error) from error

    def _run(self, outputs: Sequence[str], inputs: Arrays) -> list[NDArray[Any]]:
        found: list[NDArray[Any]] = self._session.run(outputs, inputs, self._options)
        return found

    def _load(self, device: DeviceFacts) -> Any:  # noqa: ANN401 - the library has no types
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _FATAL
        options.intra_op_num_threads = self._threads or len(os.sched_getaffinity(0))
        options.inter_op_num_threads = 1
        # Threads that spin while they wait take the cores from the drivers of the robot.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        options.add_session_config_entry('session.load_model_format', 'ONNX')
        # Links are followed here: the library takes a file that lies elsewhere for an attack.
        folder = str(self._file.weights.resolve().parent)
        options.add_session_config_entry(WEIGHT_FOLDER, folder)
        if self._file.precision == 'bf16':
            options.add_session_config_entry('mlas.enable_gemm_fastmath_arm64_bfloat16', '1')
        if self._file.one_frame:
            options.add_free_dimension_override_by_name('frames', 1)
        own = provider_options(device, self._file.precision, self._threads)
        providers: list[Any] = [(device.provider, own)]
        if device.needs:  # libraries that pip may have installed where nothing looks for them
            onnxruntime.preload_dlls()
        if device.name == 'tensorrt':  # takes what it can, and leaves the rest to CUDA
            providers.append(DEVICES['cuda'].provider)
        if device.name != CPU:
            providers.append(DEVICES[CPU].provider)
        try:
            session = onnxruntime.InferenceSession(
                self._file.raw, options, providers=providers, enable_fallback=False
            )
        except Exception as error:
            if device.name == CPU:
                raise self._unusable(error) from error
            self._load(DEVICES[CPU])  # or the graph is to blame
            msg = f'device {device.name} cannot load {self._file.path}: {_why(error)}; take cpu'
            raise ConfigError(msg) from error
        if device.provider not in session.get_providers():
            raise missing_libraries(device, session.get_providers())
        return session

    def _unusable(self, error: Exception) -> BundleError:
        return BundleError(
            f'{self._file.path}: ONNX Runtime {onnxruntime.__version__} cannot run this graph: '
            f'{_why(error)}; restore it, or write the graphs anew: m2r2 models --upgrade'
        )


def _why(error: Exception) -> str:
    """Return what ONNX Runtime says, in one line, without where in its sources it says so."""
    told = ' '.join(str(error).split()).rpartition(_CODE)[2]
    return excerpt(_PLACE.sub('', told).lstrip(' :0123456789'), 300)
