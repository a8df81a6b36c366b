# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 topics`: a topic map of a recording, to edit."""

import re
from collections.abc import Iterator
from typing import Any, Final

import typer
import yaml

from m2r2_ros.bags.recording import Recording
from m2r2_ros.cli.console import console
from m2r2_ros.cli.inspect import Inspected, inspect
from m2r2_ros.cli.options import Bag
from m2r2_ros.core.errors import BagError, M2R2Error
from m2r2_ros.core.modalities import BUILTIN, VECTOR
from m2r2_ros.core.text import printable
from m2r2_ros.readers.resolve import resolve
from m2r2_ros.readers.topic_map import TopicMap
from m2r2_ros.readers.topics import TRANSFORMS, TopicSpec
from m2r2_ros.readers.transforms import seen_frames

#: Fields and frames that are listed of a topic, and topics in all.
_MOST_FIELDS: Final = 12
_MOST_FRAMES: Final = 40
_MOST_TOPICS: Final = 200
#: Types whose messages do not say how the sound in them is sampled.
_SILENT: Final = ('audio_common_msgs/msg/AudioData', 'audio_common_msgs/msg/AudioDataStamped')


def topics_command(
    bag: Bag,
) -> None:
    """Write a topic map of a recording: what is guessed, and in comments what else could serve.

    Edit it, and give it with --topics to the other commands.

    For example: m2r2 topics recording > topics.yaml
    """
    inspected = inspect(bag, TopicMap(), thoroughly=False)
    if not any(uses.modalities for uses in inspected.uses.values()):
        msg = f'{bag}: none of its topics holds images, sound or numbers that could serve'
        raise BagError(msg)
    for line in topic_map_lines(inspected):
        typer.echo(line)
    if not inspected.chosen:
        console.print('nothing is guessed: name what is to serve', soft_wrap=True)


def topic_map_lines(inspected: Inspected) -> Iterator[str]:
    """Yield a topic map with comments; without them it says what would be guessed."""
    recording = inspected.recording
    yield f'# Topics of {printable(recording.name)}. Each entry is an input of a model that is'
    yield '# trained with this file; remove what it is not to see. docs/bring_your_own_robot.md'
    yield '# says what can be declared.'
    for name, spec in inspected.chosen.items():
        yield ''
        yield f'# {spec.type}'
        yield from _dumped(name, _entry(recording, spec))
    for name, pose in inspected.derived.items():
        yield ''
        yield f'# {name} is made from {pose}; to do without it:'
        yield f'# {name}: null'
    others = [t for t in sorted(inspected.uses) if t not in inspected.serves]
    names = set(BUILTIN)
    for topic in [t for t in others if inspected.uses[t].modalities][:_MOST_TOPICS]:
        yield ''
        yield from _suggested(inspected, topic, names)


def _entry(recording: Recording, spec: TopicSpec) -> str | dict[str, Any]:
    """Return what is written of a topic that serves: its name, and what its messages leave open."""
    entry: dict[str, Any] = {'topic': spec.topic}
    if spec.type in _SILENT:
        return {**entry, 'rate': 16000, 'channels': 1, 'format': 'S16LE'}
    if spec.kind == VECTOR and spec.modality == 'joints':
        found = _resolved(recording, spec)
        entry |= {'fields': list(found.fields), 'joints': list(found.joints)}
    return {k: v for k, v in entry.items() if v} if len(entry) > 1 else spec.topic


def _resolved(recording: Recording, spec: TopicSpec) -> TopicSpec:
    """Return a spec with fields and joints of the first messages, as it is where there are none."""
    topic = recording.topics[spec.topic]
    blocks = (block for blocks in recording.blocks([spec.topic]) for block in blocks)
    try:
        return resolve(spec, topic.type_name, topic.definition, blocks)
    except M2R2Error:
        return spec


def _suggested(inspected: Inspected, topic: str, names: set[str]) -> Iterator[str]:
    """Yield an entry, in comments, of a topic that could serve."""
    uses, kind = inspected.uses[topic], inspected.recording.topics[topic].type_name
    why = f', {uses.why_not}' if uses.why_not else ''
    yield f'# {printable(kind)}{why}'
    like = uses.modalities[0]
    name = _name(topic, like, names)
    entry: dict[str, Any] = {'topic': topic}
    if like != VECTOR:
        entry = {'like': like, **entry}
    if kind == TRANSFORMS:
        frames = seen_frames(inspected.recording.blocks([topic, f'{topic}_static']))
        entry['frames'] = ['BASE', 'TOOL']
        more = ' ...' if len(frames) > _MOST_FRAMES else ''
        yield f'# frames: {printable(", ".join(frames[:_MOST_FRAMES]))}{more}'
    elif like == VECTOR:
        entry['fields'] = list(uses.fields[:1])
        more = ' ...' if len(uses.fields) > _MOST_FIELDS else ''
        yield f'# numbers: {", ".join(uses.fields[:_MOST_FIELDS])}{more}'
    for line in _dumped(name, entry):
        yield f'# {line}'


def _name(topic: str, like: str, names: set[str]) -> str:
    """Return a name for a modality that no other one has."""
    words = [word for word in re.split('[^a-z0-9]+', topic.lower()) if word]
    stem = '_'.join([*words[:2], *([] if like == VECTOR else [like])])[:36] or like
    stem = stem if stem[0].isalpha() else f'topic_{stem}'[:36]
    name = next(n for n in (stem, *(f'{stem}_{k}' for k in range(2, 9999))) if n not in names)
    names.add(name)
    return name


def _dumped(name: str, entry: str | dict[str, Any]) -> list[str]:
    """Return an entry as lines of YAML, lists on one line."""
    if isinstance(entry, str):
        return [f'{name}: {_flow(entry)}']
    return [f'{name}:', *(f'  {key}: {_flow(value)}' for key, value in entry.items())]


def _flow(value: object) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10**6)
    return text.removesuffix('...\n').strip()
