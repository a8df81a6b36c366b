# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was found in recordings without labels, as a bundle holds it: methods and clusters."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.options import Section, is_kind
from m2r2_ros.discovery.clusters import Clusters
from m2r2_ros.discovery.consensus import Consensus
from m2r2_ros.discovery.descriptor import SegmentReference
from m2r2_ros.discovery.method import Calibration, Detector, Setting, Tensors
from m2r2_ros.discovery.methods import METHODS, find_method

#: The kind of such bundles.
DISCOVERED: Final = 'discovered'


@dataclass(frozen=True, slots=True)
class Discovered:
    """Methods, calibrated, and the clusters of the segments that they found.

    Attributes:
        methods: Calibrations by name of the method; several decide together.
        reference: What descriptions of segments are made with.
        clusters: Of these descriptions.
        seed: Of all random numbers.
    """

    methods: Mapping[str, Calibration]
    reference: SegmentReference
    clusters: Clusters
    seed: int = 0

    def detector(self, setting: Setting) -> Detector:
        """Return what finds the boundaries.

        Raises:
            ConfigError: An option is unknown, of another kind or out of range.
            BundleError: A tensor is missing or of another shape.
        """
        return detector_of(self.methods, setting)

    def options(self) -> dict[str, Any]:
        """Return what YAML can hold; `tensors` is the rest."""
        reference = asdict(self.reference)
        return {
            'methods': {name: plain(c.options) for name, c in self.methods.items()},
            'reference': plain(reference),
            'clusters': len(self.clusters),
            'seed': self.seed,
        }

    def tensors(self) -> dict[str, Any]:
        """Return weights and clusters, float32, by name."""
        weights = {f'{n}.{k}': v for n, c in self.methods.items() for k, v in c.tensors.items()}
        return {**weights, **self.clusters.tensors()}

    @classmethod
    def read(cls, options: Mapping[str, Any], tensors: Tensors) -> 'Discovered':
        """Read what `options` and `tensors` return.

        Raises:
            BundleError: An entry or a tensor is missing, unknown or of another kind.
        """
        section = Section(options, 'options', error=BundleError)
        entries = section.section('methods')
        names = list(entries.entries)
        if unknown := [n for n in names if n not in METHODS] or not names:
            entries.refuse('', f'some of {", ".join(METHODS)}', unknown)
        methods = {
            n: Calibration(entries.section(n).entries, _under(tensors, f'{n}.')) for n in names
        }
        reference = section.section('reference')
        free = reference.get('free_force', (list,), [], expected='a list of numbers')
        if not all(is_kind(value, float) for value in free):
            reference.refuse('free_force', 'a list of numbers', free)
        found = SegmentReference(
            reference.number('gripper_step'), tuple(free), reference.number('free_range')
        )
        reference.close()
        clusters = Clusters.from_tensors(tensors, section.count('clusters'))
        seed = section.get('seed', (int,), 0)
        section.close()
        return cls(methods, found, clusters, seed)


def detector_of(methods: Mapping[str, Calibration], setting: Setting) -> Detector:
    """Return the detector of one method, or the consensus of several; see Discovered."""
    detectors = [find_method(name).open(c, setting) for name, c in methods.items()]
    return detectors[0] if len(detectors) == 1 else Consensus(detectors, setting.frame_rate)


def plain(value: Any) -> Any:  # noqa: ANN401 - any tree of YAML
    """Return a value of which YAML makes the same: tuples become lists."""
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    return value


def _under(tensors: Tensors, prefix: str) -> Tensors:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
