# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 inspect`: what a recording holds."""

import json
from dataclasses import asdict

import typer
from rich.table import Table
from rich.text import Text

from m2r2_ros.bags.recording import Recording, find_recordings, open_recording
from m2r2_ros.bags.statistics import TopicStatistics, topic_statistics
from m2r2_ros.cli.common import given_topics, say_passed_over
from m2r2_ros.cli.console import stdout
from m2r2_ros.cli.options import AsJson, Bags, Topics
from m2r2_ros.core.errors import BagError, M2R2Error
from m2r2_ros.core.text import printable
from m2r2_ros.readers.guessing import guess_topics
from m2r2_ros.readers.topics import TopicSpec

#: A table of more topics takes long to lay out, and nobody reads it.
MOST_ROWS = 1000


def inspect_command(
    bags: Bags,
    topics: Topics = None,
    as_json: AsJson = False,
) -> None:
    """Show the topics of recordings, their rates and gaps, and which modality each would serve."""
    given = given_topics(topics)
    found = []
    failed = []
    paths = find_recordings(bags, say_passed_over)
    for path in paths:
        try:
            recording = open_recording(path)
            available = {name: recording.topics[name].type_name for name in recording.readable}
            chosen = guess_topics(available, given)
            statistics = topic_statistics(recording)
        except (M2R2Error, OSError) as error:
            failed.append(str(error))
            continue
        if as_json:
            found.append(_entries(recording, statistics, chosen))
        else:
            table = _table(recording, statistics, chosen)
            table.caption = _notes(recording, chosen, given)
            stdout.print(table)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    if failed:
        count = f'{len(failed)} of {len(paths)} recordings cannot be read'
        raise BagError(*([count, *failed] if len(paths) > 1 else failed))


def _entries(
    recording: Recording,
    statistics: dict[str, TopicStatistics],
    chosen: dict[str, TopicSpec],
) -> dict[str, object]:
    modality = {spec.topic: m for m, spec in chosen.items()}
    return {
        'name': recording.name,
        'path': str(recording.path),
        'duration_s': (recording.end - recording.start) * 1e-9,
        'messages': recording.message_count,
        'truncated': recording.truncated,
        'absent_topics': _absent(recording, chosen),
        'notes': list(recording.notes),
        'topics': {
            name: {
                'type': topic.type_name,
                'modality': modality.get(name),
                **asdict(statistics[name]),
            }
            for name, topic in recording.topics.items()
        },
    }


def _table(
    recording: Recording,
    statistics: dict[str, TopicStatistics],
    chosen: dict[str, TopicSpec],
) -> Table:
    seconds = (recording.end - recording.start) * 1e-9
    cut = '; TRUNCATED: m2r2 repair recovers what is there' if recording.truncated else ''
    table = Table(
        title=f'{recording.name}: {seconds:.1f} s, {recording.message_count} messages{cut}'
    )
    table.add_column('topic', overflow='fold')
    table.add_column('type', overflow='fold')
    for title in ('messages', 'Hz', 'gaps', 'longest s'):
        table.add_column(title, justify='right')
    table.add_column('serves')
    modality = {spec.topic: m for m, spec in chosen.items()}
    readable_topics = set(recording.readable)
    for name in _shown(recording, chosen):
        topic, s = recording.topics[name], statistics[name]
        readable = name in readable_topics
        table.add_row(
            name,
            topic.type_name,
            str(s.count),
            f'{s.rate:.1f}' if s.rate else '-',
            str(s.gaps) if readable else '?',
            f'{s.longest_gap:.3f}' if readable else '?',
            modality.get(name, '') if readable else 'cannot be read: not CDR',
        )
    return table


def _shown(recording: Recording, chosen: dict[str, TopicSpec]) -> list[str]:
    """Return the topics of the table: of many the first, and those that serve."""
    serving = {spec.topic for spec in chosen.values()} & recording.topics.keys()
    return sorted({*sorted(recording.topics)[:MOST_ROWS], *serving})


def _notes(
    recording: Recording, chosen: dict[str, TopicSpec], given: dict[str, TopicSpec]
) -> Text | None:
    notes = list(recording.notes)
    if hidden := len(recording.topics) - len(_shown(recording, chosen)):
        notes.append(f'{hidden} more topics: --json lists them all')
    notes += [f'no topic {topic} for {m}' for m, topic in _absent(recording, chosen).items()]
    if 'twist' not in {*chosen, *given} and 'pose' in chosen:
        notes.append(f'twist would be made from {chosen["pose"].topic}')
    return Text('\n'.join(map(printable, notes)), 'table.caption') if notes else None


def _absent(recording: Recording, chosen: dict[str, TopicSpec]) -> dict[str, str]:
    """Return the topics that were named but are not there, by modality."""
    return {m: s.topic for m, s in chosen.items() if s.topic not in recording.topics}
