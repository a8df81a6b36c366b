# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is in labelled recordings, before anything is learnt from them."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import UNKNOWN, LabelSet
from m2r2_ros.core.text import listed
from m2r2_ros.evaluation.runs import runs_of
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.training.recordings import LabelledRecordings


@dataclass(frozen=True, slots=True)
class RecordingKind:
    """Recordings in which the same labels follow on each other.

    Attributes:
        labels: Of its first recording, one for each segment that has a frame.
        recordings: Their names.
    """

    labels: tuple[str, ...]
    recordings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """What is in labelled recordings.

    Attributes:
        frames: Frames of each label.
        segments: Segments of each label that have at least one frame.
        without: By label, recordings that have no frame of it though others have.
        too_short: Segments that hold no frame, as `recording: label at s`, from its first frame.
        kinds: Kinds of recordings, the most frequent first; a single one where nearly every
            recording is of a kind of its own.
        missing: Modalities that the model looks at and no recording has.
        sometimes_missing: By modality, the share of frames without it, where some have it.
    """

    frames: dict[str, int]
    segments: dict[str, int]
    without: dict[str, tuple[str, ...]]
    too_short: tuple[str, ...]
    kinds: tuple[RecordingKind, ...]
    missing: tuple[str, ...]
    sometimes_missing: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return what YAML can hold."""
        plain = asdict(self)
        return {
            **plain,
            'without': {label: list(names) for label, names in self.without.items()},
            'too_short': list(self.too_short),
            'kinds': [
                {'labels': list(k.labels), 'recordings': list(k.recordings)} for k in self.kinds
            ],
            'missing': list(self.missing),
        }

    def lines(self) -> list[str]:
        """Return what a user should know before training, a fact a line."""
        total = sum(len(kind.recordings) for kind in self.kinds)
        said = [
            'frames (segments): '
            + ', '.join(f'{k} {n} ({self.segments[k]})' for k, n in self.frames.items())
        ]
        if never := [label for label, n in self.frames.items() if not n]:
            said.append(f'labels without a frame in any recording: {listed(never)}')
        said += [
            f'{label}: no frame in {len(names)} of {total} recordings ({listed(names)})'
            for label, names in self.without.items()
            if 2 * len(names) <= total
        ]
        if self.too_short:
            count = len(self.too_short)
            said.append(f'{count} segments are shorter than a frame: {listed(self.too_short)}')
        if len(self.kinds) > 1:
            said.append(f'{len(self.kinds)} kinds of recordings:')
            said += [
                f'  {len(k.recordings)} of {total}: {", ".join(k.labels)} ({listed(k.recordings)})'
                for k in self.kinds
            ]
        if self.missing:
            said.append(f'no recording has {", ".join(self.missing)}: the model does without')
        for name, share in self.sometimes_missing.items():
            said.append(f'{name} is missing in {100 * share:.1f} % of the frames')
        return said


def survey(
    recordings: Sequence[CachedRecording],
    labelled: LabelledRecordings,
    labels: LabelSet,
    modalities: Collection[str],
) -> Survey:
    """Look at recordings as they will be trained on.

    Args:
        recordings: Their frames.
        labelled: The same recordings with their ground truth.
        labels: What the ids of targets mean.
        modalities: What the model looks at.
    """
    counts = [Counter(r.targets.tolist()) for r in recordings]
    runs = [Counter(sequence_of(r.targets)) for r in recordings]
    without = {
        name: tuple(r.name for r, own in zip(recordings, counts, strict=True) if not own[k])
        for k, name in enumerate(labels.names)
    }
    there = np.concatenate([r.present for r in recordings]).mean(axis=0)
    own = tuple(recordings[0].modalities)
    shares = {m: float(1 - there[own.index(m)]) for m in modalities}
    return Survey(
        frames={n: sum(own[k] for own in counts) for k, n in enumerate(labels.names)},
        segments={n: sum(own[k] for own in runs) for k, n in enumerate(labels.names)},
        without={n: r for n, r in without.items() if 0 < len(r) < len(recordings)},
        too_short=_too_short(recordings, labelled),
        kinds=tuple(
            RecordingKind(
                tuple(labels.names[k] for k in sequence_of(recordings[members[0]].targets)),
                tuple(recordings[k].name for k in members),
            )
            for members in kinds_of([r.targets for r in recordings])
        ),
        missing=tuple(m for m, share in shares.items() if share == 1),
        sometimes_missing={m: round(s, 4) for m, s in shares.items() if 0 < s < 1},
    )


def sequence_of(targets: NDArray[np.int64]) -> list[int]:
    """Return the label of each run of equal targets, without UNKNOWN."""
    return [int(k) for k in runs_of(targets, [UNKNOWN]).ids]


def kinds_of(targets: Sequence[NDArray[np.int64]]) -> list[list[int]]:
    """Group recordings in which the same labels follow on each other, however often.

    Args:
        targets: For each recording int64 (T,), label ids.

    Returns:
        Numbers of recordings, the largest group first. One group of all where more than half of the
        recordings would be alone: then the order of labels tells no kinds.
    """
    groups: dict[frozenset[tuple[int, ...]], list[int]] = {}
    for k, own in enumerate(targets):
        sequence = sequence_of(own)
        follows = frozenset([*pairwise(sequence), *((label,) for label in sequence)])
        groups.setdefault(follows, []).append(k)
    alone = sum(len(members) == 1 for members in groups.values())
    if len(targets) > 2 and 2 * alone > len(targets):
        return [list(range(len(targets)))]
    return sorted(groups.values(), key=len, reverse=True)


def _too_short(
    recordings: Sequence[CachedRecording], labelled: LabelledRecordings
) -> tuple[str, ...]:
    """Return the segments that no frame lies in, of those between first and last frame."""
    found = []
    for cached, (_, truth) in zip(recordings, labelled.pairs, strict=True):
        stamps = np.asarray(cached.stamps)
        for segment in truth.segments:
            first, last = np.searchsorted(stamps, [segment.start, segment.end])
            if first == last and stamps[0] <= segment.start <= stamps[-1]:
                seconds = (segment.start - stamps[0]) * 1e-9
                found.append(f'{cached.name}: {segment.label} at {seconds:.2f} s')
    return tuple(found)
