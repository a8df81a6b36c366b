# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of a recording: its signals, its labels and what is to be said of them, put together."""

from collections.abc import Collection, Sequence
from datetime import datetime, timezone
from typing import Any, Final

from m2r2_ros.bags.labels.clock import RecordingClock
from m2r2_ros.bags.recording import Recording
from m2r2_ros.core.labels import UNKNOWN_LABEL, LabelSet, chosen_colours
from m2r2_ros.core.palette import UNKNOWN_COLOUR, colour_of, hex_colour
from m2r2_ros.core.time import SECOND
from m2r2_ros.pages.container import Container
from m2r2_ros.pages.lanes import LabelLane
from m2r2_ros.pages.overview import duration_of

#: Colours that a page knows; further labels begin again with the first.
_PLACES: Final = 256


def page_json(
    recording: Recording,
    clock: RecordingClock,
    lanes: Sequence[LabelLane],
    offered: LabelSet | None = None,
    out: Container | None = None,
) -> dict[str, Any]:
    """Return what a page says of a recording and its labels; signals are left to an Overview.

    Args:
        recording: The recording.
        clock: When it was made.
        lanes: Its lanes.
        offered: Labels that there are to choose from, which come first.
        out: Takes the arrays; without it, probabilities are left out.
    """
    labels = labels_of(lanes, offered)
    numbers = {name: k for k, name in enumerate(labels.names)}
    return {
        'name': recording.name,
        'start_ns': str(clock.start),
        'start_utc': _utc(clock.start),
        'duration': duration_of(clock),
        'progress': 1.0,
        'labels': label_entries(labels),
        'palette': palette(),
        'unknown': hex_colour(UNKNOWN_COLOUR),
        'lanes': [lane.pack(clock.start, numbers, out) for lane in lanes],
        'signals': [],
        'cameras': [],
        'spectrogram': None,
        'events': [],
        'scores': [],
        'facts': [],
    }


def labels_of(lanes: Collection[LabelLane], offered: LabelSet | None = None) -> LabelSet:
    """Return all labels of a page: those offered, of the lanes' label sets, and others they use.

    Their colours are those that were chosen, or go by their places, so that those of the first
    label set are as everywhere.
    """
    parents: dict[str, str] = {}
    label_sets = [offered, *(lane.label_set for lane in lanes)]
    for label_set in label_sets:
        if label_set is not None:
            for name, parent in zip(label_set.names, label_set.parents, strict=True):
                parents[name] = parents.get(name) or parent
    used = {s.label for lane in lanes for s in lane.segments}
    parents |= dict.fromkeys(sorted(used - parents.keys() - {'', UNKNOWN_LABEL}), '')
    labels = LabelSet(tuple(parents), tuple(parents.values()))
    return labels.coloured(chosen_colours(label_sets))


def label_entries(labels: LabelSet) -> list[dict[str, str]]:
    """Return labels with their colours, as pages have them."""
    return [
        {'name': name, 'parent': parent, 'colour': hex_colour(colour)}
        for name, parent, colour in zip(labels.names, labels.parents, labels.colours, strict=True)
    ]


def palette() -> list[str]:
    """Return the colours of the first labels of a set, for labels that a page adds."""
    return [hex_colour(colour_of(place)) for place in range(_PLACES)]


def _utc(stamp: int) -> str:
    try:
        return datetime.fromtimestamp(stamp / SECOND, timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
    except (OverflowError, OSError, ValueError):
        return ''
