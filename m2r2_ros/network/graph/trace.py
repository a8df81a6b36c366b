# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a module of PyTorch to an ONNX graph."""

import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Final

import onnx
import torch
from torch import Tensor, nn

#: LayerNormalization is an operator of its own since this one; all runtimes of today have it.
OPSET: Final = 17


def trace(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    frames: Mapping[str, int],
) -> onnx.ModelProto:
    """Return the graph of a module's forward, whose arithmetic may not depend on values.

    PyTorch's exporter by tracing takes half a second; the one by `torch.export` takes eight, and
    its graphs are no faster. What is traced wrongly is found when a bundle is saved
    (network.graph.compare).

    Args:
        module: In evaluation mode; its parameters keep their names.
        inputs: Examples of what forward takes, in order, by the names they get.
        outputs: Names of what it returns, in order.
        frames: Which axis of inputs and outputs counts frames, and may have any length; the axis
            is called `frames`.
    """
    file = io.BytesIO()
    # Fused attention exists in PyTorch alone.
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of tracing, and that the other exporter is preferred
            torch.onnx.export(
                module,
                tuple(inputs.values()),
                file,  # type: ignore[arg-type] # as this exporter takes it
                input_names=list(inputs),
                output_names=list(outputs),
                opset_version=OPSET,
                dynamic_axes={name: {axis: 'frames'} for name, axis in frames.items()},
                do_constant_folding=False,  # weights keep their names; runtimes fold when they load
                dynamo=False,
            )
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return onnx.load_from_string(file.getvalue())
