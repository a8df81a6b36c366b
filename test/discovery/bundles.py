# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles of what was found in the work of a made-up arm."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.event_rule import EventOptions
from m2r2_ros.discovery.found import Discovered, Finder
from m2r2_ros.discovery.method import Calibration
from m2r2_ros.discovery.methods import find_method
from m2r2_ros.training.discover import (
    RecordingWindows,
    UnlabelledSource,
    cluster,
    find_segments,
    reference_of,
    save_discovered,
)
from m2r2_ros.windows.config import WindowConfig
from test.discovery.arm import SETTING, worker

WINDOWS = worker(times=4).windows()


class InMemory(RecordingWindows):
    """Windows that need no file."""

    name = 'made up'

    def __iter__(self) -> Iterator[FrameWindows]:
        yield WINDOWS


def discovered_bundle(
    folder: Path,
    *methods: str,
    by: str = 'signals',
    given: Mapping[str, Calibration] | None = None,
) -> Path:
    """Write a bundle of some methods, found in what the arm does, and of others that are given."""
    recording = InMemory(Path('made up'), WindowConfig(), SETTING.modalities, {})
    source = UnlabelledSource((recording,), SETTING, WindowConfig(), {})
    found = {n: find_method(n).calibrate([[WINDOWS]], SETTING) for n in methods}
    found |= given or {}
    thresholds = EventOptions(**find_method('events').calibrate([[WINDOWS]], SETTING).options)
    reference = reference_of(thresholds)
    finder = Finder.of(found, by, reference, SETTING)
    segments = find_segments(recording, finder, reference)
    count = 4 if methods == ('events',) else 0
    clusters, _ = cluster(segments, source, reference, count, by)
    save_discovered(Discovered(found, reference, clusters, by), source, folder, {})
    return folder
