# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of recordings handed to a writer of data sets, episode by episode."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.core.errors import BagError, M2R2Error, OutputError
from m2r2_ros.export.frames.episodes import (
    NO_EPISODE,
    EpisodeFacts,
    EpisodePlan,
    EpisodesOf,
    runs_of,
)
from m2r2_ros.export.frames.reader import FrameReader
from m2r2_ros.export.frames.rows import FrameRows, joined
from m2r2_ros.export.frames.schema import Schema, fitted_to, left_out, schema_of
from m2r2_ros.export.frames.sensors import MAX_RATE, USUAL_RATE, Chosen, camera_rate, choose
from m2r2_ros.export.labelled import Labelled
from m2r2_ros.readers.topics import TopicSpec

#: Counters that say nothing is wrong, and what others mean.
_USUAL: Final = ('samples', 'frames')
_WORDS: Final = {
    'incomplete': '{count} frames left out, from before every sensor had begun',
    'held': '{name}: nothing near {count} frames, which have the value before',
    'damaged': '{name}: {count} damaged images, which are those before',
    'jumps': 'the clock of its stamps jumps, {count} times',
    'not_finite': '{name}: {count} samples dropped, not finite or no rotation',
    'off_clock': '{name}: {count} samples dropped, far from the time of the others',
}


class EpisodeWriter(Protocol):
    """What writes a data set. An episode counts when its recording is complete.

    Attributes:
        damaged: Images that could not be decoded, by camera, since the last commit.
    """

    damaged: Counter[str]

    def begin(self, facts: EpisodeFacts) -> None:
        """Begin an episode."""
        ...  # pragma: no cover

    def add(self, rows: FrameRows, labels: Sequence[str], tasks: Sequence[str]) -> None:
        """Add frames to it, with label and task of each."""
        ...  # pragma: no cover

    def end(self) -> None:
        """End it."""
        ...  # pragma: no cover

    def commit(self) -> None:
        """Keep the episodes since the last time."""
        ...  # pragma: no cover

    def discard(self) -> None:
        """Forget the episodes since the last time."""
        ...  # pragma: no cover

    def finish(self, about: dict[str, Any]) -> None:
        """Write what the data set says of itself, and what else is to be kept."""
        ...  # pragma: no cover

    def close(self) -> None:
        """Let go of files and threads, whatever is in them."""
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class FrameOptions:
    """Which frames a data set has.

    Attributes:
        topics: Topics by name that are not to be guessed.
        fps: Frames per second; 0 for those of the camera.
        action: Topic of the command, NEXT_STATE, or '' for the only command there is.
        episodes: What an episode is of.
        task: What all recordings are for; '' takes the coarse label of each frame.
    """

    topics: Mapping[str, TopicSpec] = field(default_factory=dict)
    fps: int = 0
    action: str = ''
    episodes: EpisodesOf = EpisodesOf.RECORDING
    task: str = ''


@dataclass(frozen=True, slots=True)
class FramePlan:
    """What a data set has, and what of the recordings.

    Attributes:
        schema: Its sensors.
        fps: Frames per second.
        options: As they were given.
        commands: Topics that could be the action, where there are several.
    """

    schema: Schema
    fps: int
    options: FrameOptions
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fed:
    """What came of one recording.

    Attributes:
        recording: Where it is.
        episodes: How many were written.
        frames: Likewise.
        notes: What was held, left out or dropped.
        error: Why it failed; '' where it did not.
    """

    recording: Path
    episodes: int = 0
    frames: int = 0
    notes: tuple[str, ...] = ()
    error: str = ''


def plan_frames(recordings: Sequence[Path], options: FrameOptions) -> FramePlan:
    """Look at recordings and decide what a data set of them has.

    Args:
        recordings: Where they are; those that cannot be opened have no say.
        options: What is given.

    Raises:
        M2R2Error: None of them can be exported.
    """
    chosen: list[tuple[Path, Chosen]] = []
    problems: list[str] = []
    for path in recordings:
        try:
            chosen.append((path, choose(open_recording(path), options.topics, options.action)))
        except (M2R2Error, OSError) as error:
            problems.append(str(error))
    if not chosen:
        msg = 'none of the recordings can be exported'
        raise BagError(*([msg, *problems] if len(problems) > 1 else problems))
    schema = schema_of([one for _, one in chosen], options.action)
    commands = next((one.commands for _, one in chosen if one.commands), ())
    return FramePlan(schema, options.fps or _rate(chosen, schema), options, commands)


def feed(
    labelled: Sequence[Labelled],
    plan: FramePlan,
    writer: EpisodeWriter,
    progress: Callable[[Path, float], None] = lambda path, share: None,
) -> Iterator[Fed]:
    """Hand the frames of recordings to a writer; yields what came of each.

    Args:
        labelled: The recordings and their labels.
        plan: What the data set has.
        writer: Takes the episodes.
        progress: Called with a recording and the share of it that is done.

    Raises:
        OutputError: The data set cannot be written.
    """
    for one in labelled:
        show = partial(progress, one.recording)
        show(0.0)
        try:
            fed = _feed_one(one, plan, writer, show)
        except OutputError:
            raise  # the next one would not fit on the disk either
        except (M2R2Error, OSError) as error:
            writer.discard()
            yield Fed(one.recording, error=str(error))
            continue
        writer.commit()
        damaged = Counter({f'{name}.damaged': n for name, n in writer.damaged.items()})
        yield replace(fed, notes=(*fed.notes, *_notes(damaged)))


def _rate(chosen: Sequence[tuple[Path, Chosen]], schema: Schema) -> int:
    """Return the rate of the camera of the first recording, rounded."""
    if not schema.cameras:
        return USUAL_RATE
    path, one = next(c for c in chosen if schema.cameras[0] in c[1].cameras)
    found = camera_rate(open_recording(path), one.cameras[schema.cameras[0]])
    return min(max(round(found), 1), MAX_RATE) if found else USUAL_RATE


def _feed_one(
    labelled: Labelled, plan: FramePlan, writer: EpisodeWriter, progress: Callable[[float], None]
) -> Fed:
    recording = open_recording(labelled.recording)
    available = choose(recording, plan.options.topics, plan.options.action)
    reader = FrameReader(recording, fitted_to(recording, available, plan.schema), plan.fps)
    cut = EpisodePlan(labelled, plan.options.episodes, plan.options.task)
    current, episodes, frames = NO_EPISODE, 0, 0
    for number, rows in _in_episodes(reader, cut, plan.schema.acting):
        if number != current:
            if current != NO_EPISODE:
                writer.end()
            writer.begin(cut.facts(number))
            current, episodes = number, episodes + 1
        writer.add(rows, *cut.labels_at(rows.stamps))
        frames += len(rows)
        progress(reader.progress)
    if current == NO_EPISODE:
        raise BagError(_nothing(recording, plan.options.episodes))
    writer.end()
    lost = [f'not exported: {topic}' for topic in left_out(available, plan.schema)]
    cut_short = ['it is truncated'] if recording.truncated else []
    notes = (*cut_short, *recording.notes, *_notes(reader.counters), *lost)
    return Fed(labelled.recording, episodes, frames, notes)


def _in_episodes(
    reader: FrameReader, cut: EpisodePlan, acting: Sequence[str]
) -> Iterator[tuple[int, FrameRows]]:
    """Yield the frames of episodes, each with its number.

    Args:
        reader: The frames.
        cut: The episodes.
        acting: Sensors whose next values are the action; none where there is a command.
    """
    last: tuple[int, FrameRows] | None = None
    for rows in reader:
        for number, start, end in runs_of(cut.episodes_at(rows.stamps)):
            here = rows.between(start, end)
            if last is not None and last[0] != number:
                yield _staying(*last, acting)
                last = None
            if number == NO_EPISODE:
                continue
            if not acting:
                yield number, here
                continue
            # The action of a frame is known when the next one is.
            here = here if last is None else joined([last[1], here])
            if len(here) > 1:
                following = here.numbers(acting)[1:]
                yield number, here.between(0, len(here) - 1).with_action(following)
            last = number, here.between(len(here) - 1, len(here))
    if last is not None:
        yield _staying(*last, acting)


def _staying(number: int, rows: FrameRows, acting: Sequence[str]) -> tuple[int, FrameRows]:
    """Return the last frame of an episode, after which the robot is to stay where it is."""
    return number, rows.with_action(rows.numbers(acting))


def _nothing(recording: Recording, of: EpisodesOf) -> str:
    what = {
        EpisodesOf.RECORDING: 'no frame of it has all that the data set has',
        EpisodesOf.SEGMENT: 'no frame lies in a segment of its labels',
        EpisodesOf.SUCCESS: 'no frame lies in a segment of which the labels say that it succeeded',
    }[of]
    return f'{recording.path}: nothing to export: {what}'


def _notes(counters: Counter[str]) -> list[str]:
    """Return in words what was held, left out or dropped."""
    found = []
    for key, count in sorted(counters.items()):
        name, _, reason = key.rpartition('.')
        if count and reason not in _USUAL:
            text = _WORDS.get(reason, f'{{name}}: {{count}} samples dropped, {reason}')
            found.append(text.format(name=name, count=count))
    return found
