# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The kind `discovered`: segments found without labels, each labelled with its cluster."""

from typing import Final

import numpy as np
from safetensors import safe_open

from m2r2_ros.core.errors import BundleError, ConfigError
from m2r2_ros.core.reading import naming, reading
from m2r2_ros.discovery.found import Discovered
from m2r2_ros.discovery.method import Setting
from m2r2_ros.discovery.methods import METHODS, find_method
from m2r2_ros.model.devices import Placement
from m2r2_ros.model.facts import WEIGHTS, YAML, BundleFacts
from m2r2_ros.model.weight_header import EXPECTED, read_header
from m2r2_ros.segmenters.clustering import ClusterSegmenter
from m2r2_ros.segmenters.decoding import Decoding


class DiscoveredKind:
    """Opens the bundle that `m2r2 discover` wrote."""

    def open(
        self, facts: BundleFacts, decoding: Decoding, placement: Placement, *, live: bool
    ) -> ClusterSegmenter:
        """Return the segmenter; see Kind."""
        del placement  # everything is small enough for one core
        if decoding != Decoding():
            msg = (
                f'{facts.folder}: labels of a discovered model begin where its methods find a '
                'boundary: it takes no lag, min_confidence or min_duration'
            )
            raise ConfigError(msg)
        found = read_discovered(facts)
        if len(found.clusters) != len(facts.labels.names):
            msg = (
                f'{facts.folder / YAML}: {len(facts.labels.names)} labels for '
                f'{len(found.clusters)} clusters'
            )
            raise BundleError(msg)
        setting = Setting(facts.modalities, facts.windows.frame_rate, found.seed)
        with naming(facts.folder, BundleError):
            return ClusterSegmenter(facts.labels, setting, found, whole=not live)

    def expect_live(self, facts: BundleFacts) -> None:
        """Refuse methods that need the whole recording; see Kind."""
        names = list(facts.options.get('methods', {}))
        if late := [n for n in names if n in METHODS and not find_method(n).causal]:
            live = ', '.join(n for n in METHODS if find_method(n).causal)
            msg = (
                f'{facts.folder}: {", ".join(late)} needs the whole recording: it labels '
                f'recordings (m2r2 label), not frames as they come; methods that do are {live}'
            )
            raise BundleError(msg)


KIND: Final = DiscoveredKind()


def read_discovered(facts: BundleFacts) -> Discovered:
    """Read methods and clusters out of a bundle.

    Raises:
        BundleError: An entry or a tensor is missing, unknown or of another kind.
    """
    path = facts.folder / WEIGHTS
    sizes = read_header(path).tensors
    if others := [n for n, tensor in sizes.items() if tensor.kind != 'F32']:
        msg = f'{path}: tensor {others[0]}: expected F32, found {sizes[others[0]].kind}'
        raise BundleError(msg)
    with reading(path, EXPECTED, BundleError), safe_open(path, framework='np') as file:
        tensors = {name: np.asarray(file.get_tensor(name)) for name in sizes}
    with naming(facts.folder, BundleError):
        return Discovered.read(facts.options, tensors)
