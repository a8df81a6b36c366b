# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How well methods segment recordings without labels, against ground truth that they never see."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError, LabelError
from m2r2_ros.core.labels import Segment, label_at
from m2r2_ros.core.options import is_kind
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.found import detector_of
from m2r2_ros.discovery.method import Calibration, Detector, Setting, detect
from m2r2_ros.discovery.methods import find_method
from m2r2_ros.evaluation.score import Scores, score
from m2r2_ros.evaluation.sequence import ScoredSequence
from m2r2_ros.training.discover import RecordingWindows

#: Tolerances of the boundary F1, s; tuning looks at one of them.
TOLERANCES: Final = (0.5, 1.0, 2.0, 5.0)
TUNED_AT: Final = 1.0


@dataclass(frozen=True, slots=True)
class TrueRecording:
    """A recording with its ground truth.

    Attributes:
        windows: Its windows.
        truth: Its true segments.
    """

    windows: RecordingWindows
    truth: Sequence[Segment]


@dataclass(frozen=True, slots=True)
class MethodRun:
    """What a detector made of a recording.

    Attributes:
        name: Of the recording.
        stamps: int64 (n,), frame stamps.
        begins: bool (n,), frames where segments begin.
        truth: True segments; those that hold no frame are left out, since no label of a frame can
            tell them.
        seconds: Time that the detector took.
    """

    name: str
    stamps: NDArray[np.int64]
    begins: NDArray[np.bool_]
    truth: Sequence[Segment]
    seconds: float


@dataclass(frozen=True, slots=True)
class MethodScores:
    """Scores of a method.

    Attributes:
        boundaries: With each segment by itself: boundary F1, detection rates.
        labelled: With each segment called as most of its frames are in truth (M2R2, section IV).
        segments: How many were found.
        true_segments: How many there are.
        ms_per_frame: Time of the detector alone, ms a frame.
        lag: Frames that it waits for; None: for the end of the recording.
    """

    boundaries: Scores
    labelled: Scores
    segments: int
    true_segments: int
    ms_per_frame: float
    lag: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures under flat names."""
        b, labelled = self.boundaries, self.labelled
        return {
            **{f'boundary_f1@{k:g}s': value for k, value in b.boundary_f1.items()},
            'dr': b.dr,
            'dr_one_to_one': b.dr_one_to_one,
            'segments': self.segments,
            'true_segments': self.true_segments,
            'oracle_accuracy': labelled.accuracy,
            'oracle_edit': labelled.edit,
            **{f'oracle_f1@{k}': value for k, value in labelled.f1.items()},
            'ms_per_frame': self.ms_per_frame,
            'lag_frames': self.lag,
        }


def run(recording: TrueRecording, detector: Detector) -> MethodRun:
    """Let a detector segment a recording.

    Raises:
        LabelError: No frame lies in a true segment.
    """
    detector.reset()
    stamps: list[NDArray[np.int64]] = []
    timed = _Timed(detector)
    scores = np.concatenate([*detect(timed, _noted(recording.windows, stamps))])
    when = np.concatenate([*stamps, np.zeros(0, np.int64)])
    truth = [s for s in recording.truth if _frames(s, when)]
    if not truth:
        msg = f'{recording.windows.path}: no frame lies in a segment of its ground truth'
        raise LabelError(msg)
    return MethodRun(recording.windows.name, when, scores > 0, truth, timed.seconds)


def _noted(
    parts: Iterable[FrameWindows], stamps: list[NDArray[np.int64]]
) -> Iterator[FrameWindows]:
    for part in parts:
        stamps.append(part.stamps)
        yield part


class _Timed:
    """A detector, and the seconds that it takes."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.seconds = 0.0

    @property
    def lag(self) -> int | None:
        return self._detector.lag

    def reset(self) -> None:
        self._detector.reset()

    def extend(self, windows: FrameWindows) -> NDArray[np.float32]:
        began = time.perf_counter()
        scores = self._detector.extend(windows)
        self.seconds += time.perf_counter() - began
        return scores

    def finish(self) -> NDArray[np.float32]:
        began = time.perf_counter()
        scores = self._detector.finish()
        self.seconds += time.perf_counter() - began
        return scores


def _frames(segment: Segment, stamps: NDArray[np.int64]) -> int:
    first, last = np.searchsorted(stamps, [segment.start, segment.end])
    return int(last - first)


def score_runs(runs: Sequence[MethodRun], lag: int | None) -> MethodScores:
    """Score what a detector made of recordings."""
    frames = sum(len(r.stamps) for r in runs)
    own = [ScoredSequence(r.name, r.stamps, _numbered(r.begins), r.truth) for r in runs]
    oracle = [ScoredSequence(r.name, r.stamps, _oracle(r), r.truth) for r in runs]
    return MethodScores(
        boundaries=score(own, boundary_tolerances_s=TOLERANCES),
        labelled=score(oracle),
        segments=sum(1 + int(r.begins[1:].sum()) for r in runs),
        true_segments=sum(len(r.truth) for r in runs),
        ms_per_frame=1e3 * sum(r.seconds for r in runs) / max(frames, 1),
        lag=lag,
    )


def _numbered(begins: NDArray[np.bool_]) -> list[str]:
    """Return a label of its own for each segment."""
    return [str(k) for k in np.cumsum(begins).tolist()]


def _oracle(found: MethodRun) -> list[str]:
    """Return the label that most frames of each segment truly have, for each frame."""
    true = label_at(found.truth, found.stamps)
    of_segment = np.cumsum(found.begins).tolist()
    counts: dict[int, Counter[str]] = {}
    for k, label in zip(of_segment, true, strict=True):
        counts.setdefault(k, Counter())[label] += bool(label)
    return [counts[k].most_common(1)[0][0] for k in of_segment]


def score_methods(
    methods: Mapping[str, Calibration], recordings: Sequence[TrueRecording], setting: Setting
) -> MethodScores:
    """Score methods together: one, or the consensus of several."""
    detector = detector_of(methods, setting)
    lag = detector.lag
    return score_runs([run(recording, detector) for recording in recordings], lag)


def tune(
    name: str,
    calibration: Calibration,
    recordings: Sequence[TrueRecording],
    setting: Setting,
) -> Calibration:
    """Choose factors of a method's options by the boundary F1 of training recordings.

    One option after another is tried with each factor of its grid, the best one kept.

    Args:
        name: Of the method.
        calibration: What it found without labels.
        recordings: To tune on, never those that are scored.
        setting: What the windows hold.
    """
    best = calibration
    reached = _reached(name, best, recordings, setting)
    for option, factors in find_method(name).grid.items():
        start = best
        for trial in _trials(start, option, factors):
            try:
                found = _reached(name, trial, recordings, setting)
            except ConfigError:  # beyond what the option may be
                continue
            if found > reached:
                best, reached = trial, found
    return best


def _trials(
    calibration: Calibration, option: str, factors: Sequence[float]
) -> Iterator[Calibration]:
    value = calibration.options.get(option)
    if not is_kind(value, float) or not value:
        return
    for factor in factors:
        changed = value * factor
        if is_kind(value, int):
            changed = max(1, round(changed))
        if changed != value:
            yield replace(calibration, options={**calibration.options, option: changed})


def _reached(
    name: str, calibration: Calibration, recordings: Sequence[TrueRecording], setting: Setting
) -> float:
    scores = score_methods({name: calibration}, recordings, setting)
    return scores.boundaries.boundary_f1[TUNED_AT] or 0.0


def elapsed(train: Sequence[TrueRecording], test: Sequence[TrueRecording]) -> MethodScores:
    """Score boundaries at the median times that those of training recordings have.

    What is done at the same times in every recording can be guessed from the clock alone: a score
    beside which others should be read.
    """
    times: list[list[float]] = []
    for recording in train:
        stamps = np.concatenate([part.stamps for part in recording.windows])
        shown = [s for s in recording.truth if _frames(s, stamps)]
        for k, segment in enumerate(shown[1:]):
            times += [[]] if k == len(times) else []
            times[k].append((segment.start - int(stamps[0])) * 1e-9)
    most = [np.median(own) for own in times if 2 * len(own) > len(train)]
    return score_runs([run(r, _Clock(np.sort(most))) for r in test], 0)


class _Clock:
    """Begins segments at given times from the first frame, s."""

    lag = 0

    def __init__(self, times: NDArray[np.float64]) -> None:
        self._times = times
        self.reset()

    def reset(self) -> None:
        self._start: int | None = None
        self._due = 0

    def extend(self, windows: FrameWindows) -> NDArray[np.float32]:
        if self._start is None and len(windows):
            self._start = int(windows.stamps[0])
        seconds = (windows.stamps - (self._start or 0)) * 1e-9
        passed = np.searchsorted(self._times, seconds, side='right')
        begins = np.diff(passed, prepend=self._due) > 0
        self._due = int(passed[-1]) if len(passed) else self._due
        found: NDArray[np.float32] = begins.astype(np.float32)
        return found

    def finish(self) -> NDArray[np.float32]:
        self.reset()
        return np.zeros(0, np.float32)
