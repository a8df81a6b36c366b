# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What bundle.yaml says about the graphs beside it, and whether they are still those."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.options import Section
from m2r2_ros.core.reading import check_file, reading
from m2r2_ros.core.text import excerpt
from m2r2_ros.model.graph_names import NETWORK, RECORDING
from m2r2_ros.model.graph_places import entries_of
from m2r2_ros.model.weight_header import read_layout

#: How weights are stored, and what arithmetic a graph asks for where a device has it.
FULL: Final = 'float32'
PRECISIONS: Final = (FULL, 'bf16', 'int8')
#: Bytes of a graph without its weights, at most: one of CLIP and AST has under a megabyte.
MOST_GRAPH: Final = 64 << 20
#: The operator that stands for programs of a device, in the graph or in any file beside it.
_COMPILED: Final = b'EPContext'


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """The `graph` section of bundle.yaml.

    Attributes:
        opset: Version of ONNX's operators.
        precision: One of PRECISIONS; float32 unless the bundle was compressed.
        layout: Of the weights that the graphs point into (model.weight_header).
        files: SHA-256 of each graph, by the name of its file.
    """

    opset: int
    precision: str
    layout: str
    files: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return what `read_graph_facts` reads."""
        return {
            'opset': self.opset,
            'precision': self.precision,
            'layout': self.layout,
            'files': dict(self.files),
        }


def read_graph_facts(section: Section) -> GraphFacts:
    """Read the section.

    Raises:
        BundleError: An entry is missing, unknown or of another kind.
    """
    precision = section.text('precision')
    if precision not in PRECISIONS:
        section.refuse('precision', f'one of {", ".join(PRECISIONS)}', precision)
    files = section.section('files')
    hashes = {name: files.text(name) for name in (NETWORK, RECORDING) if files.has(name)}
    files.close()
    found = GraphFacts(section.count('opset'), precision, section.text('layout'), hashes)
    section.close()
    return found


def read_graph(folder: Path, facts: GraphFacts, name: str, weights: str) -> bytes:
    """Return a graph of a bundle, once it is sure to be the one that was saved.

    Args:
        folder: Of the bundle.
        facts: What bundle.yaml says.
        name: The graph's file.
        weights: The file of the weights.

    Raises:
        BundleError: It is missing, was edited, holds programs, or the weights are not those that it
            points into.
    """
    path = folder / name
    expected = 'a graph, without which the bundle is incomplete'
    check_file(path, expected, BundleError, most=MOST_GRAPH)
    with reading(path, expected, BundleError):
        raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != facts.files.get(name):
        msg = (
            f'{path}: is not the graph that was saved with the bundle; restore it, or write the '
            'graphs anew: m2r2 models --upgrade'
        )
        raise BundleError(msg)
    if _COMPILED in raw:
        msg = (
            f'{path}: holds what was compiled for a device, which could be any code: expected none'
        )
        raise BundleError(msg)
    if read_layout(folder / weights).digest != facts.layout:
        msg = (
            f'{path}: points into other weights than {weights}; restore both, or write the graphs '
            'anew: m2r2 models --upgrade'
        )
        raise BundleError(msg)
    _expect_places(path, raw, folder / weights)
    return raw


def _expect_places(path: Path, raw: bytes, weights: Path) -> None:
    """Refuse a graph that looks for weights elsewhere than in the file of the weights."""
    with reading(path, 'a graph of ONNX', BundleError):
        size = weights.stat().st_size
        for key, value in entries_of(raw):
            if key == 'location' and value != weights.name:
                msg = (
                    f'{path}: looks for weights in {excerpt(value)}: expected {weights.name} alone'
                )
                raise BundleError(msg)
            if key in ('offset', 'length') and not 0 <= int(value) <= size:
                msg = f'{path}: looks for weights at {key} {excerpt(value)} of {size} bytes'
                raise BundleError(msg)
