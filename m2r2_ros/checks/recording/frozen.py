# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What repeats itself although it ought to move."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.recording import Recording
from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.recording.options import ValueOptions
from m2r2_ros.checks.recording.readings import Readings, is_commanded
from m2r2_ros.checks.recording.signals import stacked
from m2r2_ros.checks.recording.stamp_place import SIZE, StampPlace, stamp_place
from m2r2_ros.checks.recording.stillness import Repetition, Stillness
from m2r2_ros.checks.recording.topic_times import TimeGrid
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.modalities import BUILTIN
from m2r2_ros.core.samples import SoundSamples, VectorSamples
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.guessing import MODALITY_TYPES

FROZEN: Final = 'value.frozen'
#: Sensors that say whether the arm moves, and those whose values change when it does. Forces need
#: not, in free space and to whole digits, nor joints, which may be of something else.
_WITNESSES: Final = ('pose', 'twist')
_MOVED: Final = ('pose', 'twist', 'imu')
#: Those that may be of something that stands: they froze only if they move at other times.
_STAND: Final = ('pose',)
#: Windows of a run in which the arm has to move, and their share.
_FEW, _SHARE = 2, 0.3


class ArmMotion:
    """When the arm moved, as its sensors of motion say."""

    def __init__(self, grid: TimeGrid, share: float) -> None:
        """Begin; the arm moves where it does so much of its greatest motion."""
        self._grid, self._share = grid, share
        self._speeds: dict[str, NDArray[np.float64]] = {}
        self._moving: dict[str, NDArray[np.bool_]] = {}
        self._words: dict[str, set[str]] = {}
        self.like: dict[str, str] = {}

    def add(self, name: str, like: str, samples: VectorSamples) -> None:
        """Take how fast a twist is; of poses, how far they go is known anyway."""
        self.like[name] = like
        if like != 'twist':
            return
        speeds = self._speeds.setdefault(name, np.full(self._grid.count, np.nan))
        fastest = np.abs(samples.values).max(1)
        finite = np.isfinite(fastest)
        np.fmax.at(speeds, self._grid.places(samples.stamps[finite]), fastest[finite])

    def close(self, name: str, topic: str, still: Stillness) -> None:
        """Take a sensor that was seen as a whole."""
        still.finish()
        self._words[name] = set(re.split('[^a-z0-9]+', topic.lower())) - {''}
        if self.like.get(name) not in _WITNESSES or is_commanded(topic):
            return
        moved = self._speeds.get(name, still.moved)
        known = moved[np.isfinite(moved)]
        most = float(known.max()) if len(known) else 0.0
        self._moving[name] = moved >= max(self._share * most, np.finfo(float).tiny)

    def during(self, run: Repetition, but: str) -> bool | None:
        """Return whether the arm moved in a run, by all sensors but one; None if none says."""
        moving = [self._moving[name] for name in self._witnesses(but)]
        if not moving:
            return None
        first, last = self._grid.places(np.array([run.start, run.end])).tolist()
        inside = slice(first + 1, last)
        for windows in moving:
            some = windows[inside]
            if some.sum() >= _FEW and some.mean() >= _SHARE:
                return True
        return False

    def speed(self, name: str) -> NDArray[np.float64] | None:
        """Return how fast a twist was in each window (windows,); None of other sensors."""
        return self._speeds.get(name)

    def _witnesses(self, of: str) -> list[str]:
        """Return the sensors that say whether what a sensor is of moves; all of them for ''.

        Of several poses or twists, which may be of several arms, those whose topic is called most
        like its own: what another arm does says nothing of this one.
        """
        shared = {n: len(self._words[n] & self._words.get(of, set())) for n in self._moving}
        alike = [[n for n in shared if self.like[n] == like] for like in _WITNESSES]
        if not of or all(len(names) < 2 for names in alike):
            return [name for name in shared if name != of]
        closest = [max((shared[n] for n in names), default=0) for names in alike]
        return [
            name
            for names, most in zip(alike, closest, strict=True)
            for name in names
            if name != of and shared[name] == most > 0
        ]


def frozen(
    name: str, topic: str, still: Stillness, motion: ArmMotion, options: ValueOptions
) -> Iterator[Finding]:
    """Yield when a sensor froze.

    It did where it says the same although another sensor says that the arm moves, or although its
    noise never lets it do so at rest.
    """
    like = motion.like[name]
    if is_commanded(topic):  # a command is the same until the next
        return
    moved = still.moved
    moves_at_all = like not in _STAND or bool((moved[np.isfinite(moved)] > 0).any())
    noisy = still.share < options.noise and still.noisy_at_rest(motion.speed(name))
    told = 0
    for run in still.runs:
        moves = like in _MOVED and moves_at_all and bool(motion.during(run, name))
        if not noisy and not moves:
            continue
        told += 1
        if told > options.most:
            return
        why = 'while the arm moves' if moves else 'which it never is otherwise, not even at rest'
        yield _finding(topic, run, still, why)


def _finding(topic: str, run: Repetition, still: Stillness, why: str) -> Finding:
    seconds = (run.end - run.start) / SECOND
    return Finding(
        FROZEN, Severity.WARNING, f'exactly the same for {seconds:.4g} s, {why}', topic, run.start,
        run.end, seconds, still.least, 's',
    )  # fmt: skip


@dataclass(slots=True)
class _Medium:
    """What is kept of a camera or a microphone."""

    topic: str
    still: Stillness
    place: StampPlace | None = None
    last: NDArray[np.generic] | None = None


class FrozenMedia:
    """Images and chunks of sound that are, byte for byte, the one before."""

    def __init__(
        self, recording: Recording, readings: Readings, grid: TimeGrid, options: ValueOptions
    ) -> None:
        """Begin."""
        self._options, self._grid = options, grid
        self._cameras: dict[str, _Medium] = {}
        self._microphones: dict[str, _Medium] = {}
        age = BUILTIN['image'].max_age * options.frozen
        for name in recording.readable:
            topic = recording.topics[name]
            if topic.type_name in MODALITY_TYPES['image']:
                place = stamp_place(topic.type_name, topic.definition)
                self._cameras[name] = _Medium(name, Stillness(age, grid), place)
        age = BUILTIN['sound'].max_age * options.frozen
        for name, spec in readings.specs.items():
            if spec.kind == 'sound':
                self._microphones[name] = _Medium(spec.topic, Stillness(age, grid))

    def images(self, block: MessageBlock) -> None:
        """Take messages, of which images are compared."""
        camera = self._cameras.get(block.topic)
        if camera is None:
            return
        skip = camera.place.at + SIZE if camera.place else 0
        same = np.zeros(len(block), np.bool_)
        for k in range(len(block)):
            raw = block.message(k)[skip:]
            last = camera.last
            # Images that are compressed are rarely of one length, unless they are the same.
            same[k] = last is not None and len(last) == len(raw) and bool((last == raw).all())
            camera.last = raw
        camera.last = None if camera.last is None else camera.last.copy()
        camera.still.repeats(same, block.log_times)

    def sound(self, name: str, samples: SoundSamples) -> None:
        """Take chunks of sound; silence, which is the same by nature, counts as change."""
        microphone = self._microphones[name]
        for stamps, chunks in stacked(samples):
            same = np.zeros(len(chunks), np.bool_)
            same[1:] = (chunks[1:] == chunks[:-1]).all(1)
            if microphone.last is not None:
                same[0] = np.array_equal(microphone.last, chunks[0])
            for k in np.flatnonzero(same).tolist():
                same[k] = bool(np.ptp(chunks[k]))
            microphone.last = chunks[-1].copy()
            microphone.still.repeats(same, stamps)

    def finish(self, motion: ArmMotion) -> Iterator[Result]:
        """Yield what froze."""
        for microphone in self._microphones.values():
            microphone.still.finish()
            for run in microphone.still.runs[: self._options.most]:
                yield _finding(microphone.topic, run, microphone.still, 'chunk by chunk')
        for camera in self._cameras.values():
            camera.still.finish()
            yield from self._camera(camera, motion)

    def _camera(self, camera: _Medium, motion: ArmMotion) -> Iterator[Result]:
        told = 0
        for run in camera.still.runs:
            moves = motion.during(run, '')
            if moves is None:
                yield NotRun(
                    FROZEN, 'images repeat, but no pose or twist says whether the arm moves',
                    camera.topic,
                )  # fmt: skip
                return
            if moves and told < self._options.most:
                told += 1
                yield _finding(camera.topic, run, camera.still, 'while the arm moves')
