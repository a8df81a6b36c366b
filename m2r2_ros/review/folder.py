# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recordings that are reviewed, by number, and how far each is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Event, Lock, Thread
from typing import Any, Final

from m2r2_ros.bags.labels.topics import SEGMENT_TOPIC
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.core.labels import MAX_LABELS, LabelSet, chosen_colours
from m2r2_ros.core.palette import UNKNOWN_COLOUR, hex_colour
from m2r2_ros.core.time import SECOND
from m2r2_ros.pages.document import label_entries, palette
from m2r2_ros.review.finding import Reviewed, holds_labels_alone
from m2r2_ros.review.progress import (
    STATES,
    TODO,
    UNREADABLE,
    Layers,
    Said,
    read_labels,
    read_layers,
    state_of,
)

#: Seconds for which an answer waits until all recordings have been looked at.
_PATIENCE: Final = 1.0


@dataclass(slots=True)
class _Entry:
    """What is known of a recording; until it has been looked at, that there is nothing to say."""

    reviewed: Reviewed
    looked_at: bool = False
    is_recording: bool = True
    problem: str = ''
    duration: float | None = None
    labels: Said = field(default_factory=Said)
    layers: Layers = field(default_factory=Layers)

    @property
    def state(self) -> str:
        if self.problem:
            return UNREADABLE
        return state_of(self.layers, self.labels) if self.looked_at else TODO

    def as_json(self, number: int) -> dict[str, Any]:
        said = self.layers.said if self.layers.newest else self.labels
        return {
            'id': number,
            'name': self.reviewed.name,
            'state': self.state,
            'problem': self.problem,
            'segments': said.segments,
            'doubtful': said.doubtful,
            'layers': self.layers.count,
            'duration': self.duration,
        }


class ReviewFolder:
    """The recordings that are reviewed. A thread looks at each once; several may ask meanwhile."""

    def __init__(self, reviewed: Sequence[Reviewed], name: str, offered: LabelSet | None) -> None:
        """Look at nothing yet.

        Args:
            reviewed: The recordings; the place of each is its number.
            name: What they are called together.
            offered: Labels to choose from; None takes those that labels have.
        """
        self._entries = [_Entry(one) for one in reviewed]
        self._name, self._offered = name, offered
        self._lock = Lock()
        self._all_seen = Event()

    def __getitem__(self, number: int) -> Reviewed:
        return self._entries[number].reviewed

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def least(self) -> float:
        """How short a suggestion may be, s, by what people have made; 0 before they have."""
        with self._lock:
            known = [e.layers.said.shortest for e in self._entries if e.layers.said.segments]
        return median(known) if known else 0.0

    def look(self) -> None:
        """Look at all recordings, in a thread."""
        Thread(target=self._look_at_all, name='folder', daemon=True).start()

    def look_again(self, number: int) -> None:
        """Read the layers of a recording anew, however shortly ago one was added."""
        with self._lock:
            entry = self._entries[number]
            entry.layers = read_layers(entry.reviewed.path)

    def as_json(self, annotator: str) -> dict[str, Any]:
        """Return the list as the page has it; soon, even if not all has been looked at.

        Args:
            annotator: Who is asked for, unless the page knows better.
        """
        self._all_seen.wait(_PATIENCE)
        with self._lock:
            for entry in self._entries:
                if entry.looked_at and not entry.problem:
                    entry.layers = read_layers(entry.reviewed.path, entry.layers)
            shown = [e.as_json(k) for k, e in enumerate(self._entries) if e.is_recording]
            seen = sum(entry.looked_at for entry in self._entries)
            labels = self._labels()
        counts = Counter(entry['state'] for entry in shown)
        return {
            'annotator': annotator,
            'folder': self._name,
            'labels': label_entries(labels),
            'palette': palette(),
            'unknown': hex_colour(UNKNOWN_COLOUR),
            'recordings': shown,
            'counts': {state: counts[state] for state in STATES},
            'progress': seen / len(self._entries),
        }

    def _labels(self) -> LabelSet:
        """Return the labels to choose from."""
        if self._offered is not None:
            return self._offered
        parents: dict[str, str] = {}
        said = [s for e in self._entries for s in (e.layers.said.label_set, e.labels.label_set)]
        label_sets = [label_set for label_set in said if label_set is not None]
        for label_set in label_sets:
            for name, parent in zip(label_set.names, label_set.parents, strict=True):
                parents[name] = parents.get(name) or parent
        pairs = list(parents.items())[:MAX_LABELS]
        labels = LabelSet(tuple(name for name, _ in pairs), tuple(parent for _, parent in pairs))
        return labels.coloured(chosen_colours(label_sets))

    def _look_at_all(self) -> None:
        try:
            for entry in self._entries:
                self._look(entry)
        finally:
            self._all_seen.set()

    def _look(self, entry: _Entry) -> None:
        path = entry.reviewed.path
        labels, layers, duration, problem, is_recording = Said(), Layers(), None, '', True
        try:
            recording = open_recording(path)
            is_recording = not holds_labels_alone(recording.topics)
            duration = (recording.end - recording.start) / SECOND
            labels = read_labels([*entry.reviewed.labels, *_own_labels(recording)])
            layers = read_layers(path)
        except (M2R2Error, OSError) as error:
            problem = str(error)
        with self._lock:
            entry.labels, entry.layers = labels, layers
            entry.duration, entry.problem = duration, problem
            entry.is_recording, entry.looked_at = is_recording, True


def _own_labels(recording: Recording) -> list[Path]:
    return [recording.path] if SEGMENT_TOPIC in recording.topics else []
