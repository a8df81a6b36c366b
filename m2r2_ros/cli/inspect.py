# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 inspect`: what a recording holds."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import typer

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.bags.source import Topic
from m2r2_ros.bags.statistics import TopicStatistics, topic_statistics
from m2r2_ros.cli.common import given_map, say_passed_over
from m2r2_ros.cli.console import stdout
from m2r2_ros.cli.options import AsJson, Bags, Topics
from m2r2_ros.core.errors import BagError, M2R2Error
from m2r2_ros.core.modalities import BUILTIN
from m2r2_ros.readers.guessing import guess_topics
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topic_map import TopicMap
from m2r2_ros.readers.topics import TopicSpec, fitted, topics_of
from m2r2_ros.readers.uses import Uses, uses_of
from m2r2_ros.replay.driver import derived_twists

#: Nobody reads of more topics.
MOST_ROWS: Final = 1000
#: Columns of numbers behind the names.
_TITLES: Final = f'{"messages":>9} {"Hz":>8} {"gaps":>5} {"longest s":>9}'
_NARROWEST: Final = 20


def inspect_command(
    bags: Bags,
    topics: Topics = None,
    as_json: AsJson = False,
) -> None:
    """Show the topics of a recording, their rates and gaps, and what each serves or could serve.

    Of several recordings each gets a line.

    For example: m2r2 inspect recordings
    """
    given = given_map(topics)
    found = []
    failed = []
    paths = find_recordings(bags, say_passed_over)
    for path in paths:
        try:
            inspected = inspect(path, given)
        except (M2R2Error, OSError) as error:
            failed.append(str(error))
            continue
        if as_json:
            found.append(inspected.entries())
        else:
            shown = inspected.lines() if len(paths) == 1 else [inspected.line()]
            for line in [*shown, *inspected.notes(brief=len(paths) > 1)]:
                stdout.print(line, soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    elif len(paths) > 1:
        stdout.print('m2r2 inspect RECORDING shows its topics', soft_wrap=True)
    if failed:
        count = f'{len(failed)} of {len(paths)} recordings cannot be read'
        raise BagError(*([count, *failed] if len(paths) > 1 else failed))


@dataclass(frozen=True, slots=True)
class Inspected:
    """What is known of a recording.

    Attributes:
        recording: It.
        chosen: Topics by modality, given or guessed.
        derived: The poses that twists would be made from.
        uses: By topic, what it could serve.
        statistics: By topic; empty where they were not measured.
    """

    recording: Recording
    chosen: Mapping[str, TopicSpec]
    derived: Mapping[str, str]
    uses: Mapping[str, Uses]
    statistics: Mapping[str, TopicStatistics]

    @property
    def serves(self) -> dict[str, list[str]]:
        """The modalities that each topic serves."""
        found: dict[str, list[str]] = {}
        for modality, spec in self.chosen.items():
            for topic in topics_of(spec):
                found.setdefault(topic, []).append(modality)
        return found

    @property
    def absent(self) -> dict[str, str]:
        """The topics that were named but are not there, by modality."""
        topics = self.recording.topics
        return {m: s.topic for m, s in self.chosen.items() if s.topic not in topics}

    def line(self) -> str:
        """Return the recording on one line."""
        r = self.recording
        there = [m for m in self.chosen if m not in self.absent]
        cut = '; TRUNCATED' if r.truncated else ''
        return (
            f'{r.name}: {_seconds(r):.1f} s from {_date(r.start)}, {r.message_count} messages; '
            f'{", ".join(there) or "no topic serves anything"}{cut}'
        )

    def lines(self) -> Iterator[str]:
        """Yield the recording and its topics, names as they are."""
        r = self.recording
        cut = '; TRUNCATED: m2r2 repair recovers what is there' if r.truncated else ''
        yield f'{r.name}: {_seconds(r):.1f} s, {r.message_count} messages{cut}'
        yield f'  start {_date(r.start)} ({r.start * 1e-9:.3f} s)'
        yield f'  end   {_date(r.end)} ({r.end * 1e-9:.3f} s)'
        serves, shown = self.serves, self._shown
        width = max([_NARROWEST, *map(len, shown)])
        yield f'{"topic":<{width}} {_TITLES}  serves'
        for name in shown:
            s, readable = self.statistics[name], name in self.uses
            rate = f'{s.rate:.1f}' if s.rate else '-'
            gaps = f'{s.gaps:>5} {s.longest_gap:>9.3f}' if readable else f'{"?":>5} {"?":>9}'
            why = f'cannot be read: {r.unreadable.get(name, "")}'
            served = ', '.join(serves.get(name, ())) if readable else why
            yield f'{name:<{width}} {s.count:>9} {rate:>8} {gaps}  {served}'.rstrip()
            yield f'  {r.topics[name].type_name}{self._could(name)}'

    def notes(self, *, brief: bool = False) -> list[str]:
        """Return what else there is to say, a sentence each."""
        r = self.recording
        notes = list(r.notes)
        if not brief and (hidden := len(r.topics) - len(self._shown)):
            notes.append(f'{hidden} more topics: --json lists them all')
        notes += [f'no topic {topic} for {m}' for m, topic in self.absent.items()]
        notes += [
            f'{twist} would be made from {self.chosen[pose].topic}'
            for twist, pose in self.derived.items()
            if not brief
        ]
        return [f'  {note}' for note in notes]

    def entries(self) -> dict[str, Any]:
        """Return the same for a program."""
        r, serves = self.recording, self.serves
        return {
            'name': r.name,
            'path': str(r.path),
            'start_ns': r.start,
            'end_ns': r.end,
            'start': _date(r.start),
            'end': _date(r.end),
            'duration_s': _seconds(r),
            'messages': r.message_count,
            'truncated': r.truncated,
            'absent_topics': self.absent,
            'derived': dict(self.derived),
            'notes': list(r.notes),
            'topics': {
                name: {
                    'type': topic.type_name,
                    'serves': serves.get(name, []),
                    'could_serve': list(self.uses[name].modalities) if name in self.uses else [],
                    'why_not': r.unreadable.get(name) or self.uses[name].why_not,
                    **asdict(self.statistics[name]),
                }
                for name, topic in r.topics.items()
            },
        }

    @property
    def _shown(self) -> list[str]:
        """The topics of the table: of many the first, and those that serve."""
        topics = self.recording.topics
        serving = {spec.topic for spec in self.chosen.values()} & topics.keys()
        return sorted({*sorted(topics)[:MOST_ROWS], *serving})

    def _could(self, name: str) -> str:
        """Return what a topic could serve and does not, and why."""
        if name not in self.uses:
            return ''
        uses = self.uses[name]
        others = [m for m in uses.modalities if m not in self.serves.get(name, ())]
        if not uses.modalities:
            return f': {uses.why_not}'
        why = f' ({uses.why_not})' if uses.why_not else ''
        return f': could serve {" or ".join(others)}{why}' if others else ''


def inspect(path: Path, given: TopicMap, *, thoroughly: bool = True) -> Inspected:
    """Look at a recording.

    Args:
        path: The recording.
        given: What the user declares.
        thoroughly: Measure every topic, for which all of the recording is read.

    Raises:
        M2R2Error: It cannot be read, or a given topic cannot serve what it is given for.
    """
    recording = open_recording(path)
    available = recording.types({spec.topic for spec in given.topics.values()})
    chosen = guess_topics(available, given.topics)
    modalities = {**BUILTIN, **given.modalities}
    for modality in given.topics.keys() & chosen.keys():
        spec = chosen[modality]
        if spec.topic in recording.topics:
            topic = recording.topics[spec.topic]
            make_reader(fitted(spec, modalities[modality]), topic.type_name, topic.definition)
    there = {m: s for m, s in chosen.items() if s.topic in recording.topics}
    twists = derived_twists(modalities, given.topics, there)
    return Inspected(
        recording,
        chosen,
        {twist: pose for twist, pose in twists.items() if pose in there},
        {name: _uses(recording.topics[name]) for name in recording.readable},
        topic_statistics(recording) if thoroughly else {},
    )


def _uses(topic: Topic) -> Uses:
    """Return what a topic could serve; one without messages is not guessed."""
    uses = uses_of(topic.name, topic.type_name, topic.definition)
    return uses if topic.count else replace(uses, why_not=uses.why_not or 'no messages')


def _seconds(recording: Recording) -> float:
    return (recording.end - recording.start) * 1e-9


def _date(stamp: int) -> str:
    """Return a time as people write it, UTC; '-' for one that no calendar has."""
    try:
        when = datetime.fromtimestamp(stamp // 10**9, timezone.utc)
    except (OverflowError, OSError, ValueError):
        return '-'
    return when.strftime('%Y-%m-%d %H:%M:%S UTC')
