# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was found in recordings without labels, as a bundle holds it: methods and clusters."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.options import Section, is_kind
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.clusters import Clusters
from m2r2_ros.discovery.consensus import Consensus
from m2r2_ros.discovery.describers import DESCRIBED, LATENTS, SIGNALS, Describer, make_describer
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
        by: What segments are described by: 'signals' or 'latents'.
        seed: Of all random numbers.
    """

    methods: Mapping[str, Calibration]
    reference: SegmentReference
    clusters: Clusters
    by: str = SIGNALS
    seed: int = 0

    def finder(self, setting: Setting) -> 'Finder':
        """Return what finds segments and describes them.

        Raises:
            ConfigError: An option is unknown, of another kind or out of range.
            BundleError: A tensor is missing or of another shape.
        """
        return Finder.of(self.methods, self.by, self.reference, setting)

    def options(self) -> dict[str, Any]:
        """Return what YAML can hold; `tensors` is the rest."""
        reference = asdict(self.reference)
        return {
            'methods': {name: plain(c.options) for name, c in self.methods.items()},
            'reference': plain(reference),
            'clusters': len(self.clusters),
            'described_by': self.by,
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
        by = section.choice('described_by', DESCRIBED, SIGNALS)
        count, cosine = section.count('clusters'), by == LATENTS
        clusters = Clusters.from_tensors(tensors, count, cosine=cosine)
        seed = section.get('seed', (int,), 0)
        section.close()
        return cls(methods, found, clusters, by, seed)


@dataclass(frozen=True, slots=True)
class Finder:
    """What finds segments and describes them, run by run.

    Attributes:
        detector: Finds where they begin.
        describer: Describes them; takes frames after the detector.
    """

    detector: Detector
    describer: Describer

    @classmethod
    def of(
        cls,
        methods: Mapping[str, Calibration],
        by: str,
        reference: SegmentReference,
        setting: Setting,
    ) -> 'Finder':
        """Open methods; see Discovered."""
        detectors = {name: find_method(name).open(c, setting) for name, c in methods.items()}
        return cls(together(detectors, setting), make_describer(by, setting, reference, detectors))

    def reset(self) -> None:
        """Begin a run of frames."""
        self.detector.reset()
        self.describer.reset()

    def extend(self, windows: FrameWindows) -> NDArray[np.float32]:
        """Take the next windows; return the scores of the frames that are decided now."""
        scores = self.detector.extend(windows)
        self.describer.add(windows)
        return scores


def together(detectors: Mapping[str, Detector], setting: Setting) -> Detector:
    """Return the only detector, or the consensus of several."""
    if len(detectors) == 1:
        return next(iter(detectors.values()))
    return Consensus(list(detectors.values()), setting.frame_rate)


def detector_of(methods: Mapping[str, Calibration], setting: Setting) -> Detector:
    """Return the detector of one method, or the consensus of several; see Discovered."""
    return together({n: find_method(n).open(c, setting) for n, c in methods.items()}, setting)


def plain(value: Any) -> Any:  # noqa: ANN401 - any tree of YAML
    """Return a value of which YAML makes the same: tuples become lists."""
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    return value


def _under(tensors: Tensors, prefix: str) -> Tensors:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
