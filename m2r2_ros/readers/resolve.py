# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A declaration made complete by the first messages of its topic."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError, MessageError
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.modalities import BUILTIN
from m2r2_ros.core.text import listed
from m2r2_ros.readers.cdr import Unusable
from m2r2_ros.readers.fields import by_name
from m2r2_ros.readers.layout import MessageLayout
from m2r2_ros.readers.paths import Path, every_path
from m2r2_ros.readers.selection import FieldSelection
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.readers.types import Many, Message, Number, message_type
from m2r2_ros.readers.usual import place
from m2r2_ros.readers.walk import Found

#: Messages that are looked at: a topic may have several publishers, and numbers that come late.
_PROBED: Final = 64


@dataclass(frozen=True, slots=True)
class _Probed:
    """A message that was looked at."""

    block: MessageBlock
    index: int
    found: Found


def resolve(
    spec: TopicSpec, type_name: str, definition: str, blocks: Iterable[MessageBlock]
) -> TopicSpec:
    """Fill in the fields, the joints and the number of numbers of a vector.

    Usual fields that are empty, or NaN in every message, are left out; robots publish joint states
    without velocities.

    Args:
        spec: The declaration as it was given.
        type_name: Type of the messages.
        definition: ros2msg text of the type; '' for one that is known here.
        blocks: Messages of the topic from the beginning; those of others are passed over.

    Raises:
        MessageError: The type holds nothing of what is wanted, or no message can be read.
        ConfigError: The declaration does not fit the type, or what the messages hold.
    """
    if spec.frames:
        return replace(spec, dims=BUILTIN['pose'].read_dims)
    selection = FieldSelection(spec, message_type(type_name, definition))
    probed = _probe(spec, selection, blocks)
    probed, names = _joint_names(selection, probed)
    _expect_joints(spec, names)
    counts: dict[str, int] = {}
    for k, path in enumerate(selection.paths):
        lack, count = _lack(spec, selection, probed, k)
        if not lack:
            counts[path.text] = count
        elif spec.fields:
            raise ConfigError(_refusal(spec, selection, path, lack, definition, probed[0]))
    if not counts:
        path = selection.paths[0]
        lack, _ = _lack(spec, selection, probed, 0)
        raise MessageError(_refusal(spec, selection, path, lack, definition, probed[0]))
    dims = 1 if selection.adds else selection.checked(sum(counts.values()))
    # What is added up is the same in any order, and another gripper has other names.
    keep = not spec.joints and not selection.adds and len(set(names)) == len(names)
    return replace(
        spec,
        fields=spec.fields or tuple(counts),
        joints=names if keep else spec.joints,
        dims=dims,
    )


def _probe(
    spec: TopicSpec, selection: FieldSelection, blocks: Iterable[MessageBlock]
) -> list[_Probed]:
    """Walk the first messages."""
    probed: list[_Probed] = []
    every = ((b, k) for b in blocks if b.topic == spec.topic for k in range(len(b)))
    looked_at = 0
    for block, k in islice(every, _PROBED):
        looked_at += 1
        try:
            probed.append(_Probed(block, k, selection.walk(block.message(k))))
        except Unusable:
            continue
    if not probed:
        what = (
            f'none of its first {looked_at} messages is one of type {selection.root.name}: they '
            f'were cut short, or made by another version of the type'
            if looked_at
            else 'it has no messages, of which the first would say what they hold'
        )
        msg = f'{place(spec)}: {what}; leave {spec.modality} out, or give another topic'
        raise MessageError(msg)
    return probed


def _joint_names(
    selection: FieldSelection, probed: list[_Probed]
) -> tuple[list[_Probed], tuple[str, ...]]:
    """Return the longest list of names, and the messages that have it: others publish here too."""
    slots = [slot for slot in selection.names if slot is not None]
    if not slots:
        return probed, ()
    lists = [tuple(message.found.texts.get(slots[0], ())) for message in probed]
    longest = max(lists, key=len)
    kept = [m for m, names in zip(probed, lists, strict=True) if names == longest]
    return kept, longest


def _expect_joints(spec: TopicSpec, names: tuple[str, ...]) -> None:
    """Refuse joints that the messages do not have."""
    missing = [joint for joint in spec.joints if names and joint not in names]
    if missing:
        near = get_close_matches(missing[0], names, 1)
        hint = f'; did you mean {near[0]}?' if near else ''
        msg = (
            f'{spec.modality}.joints: topic {spec.topic}: {listed(missing)} not found; its '
            f'messages name {listed(names, 30)}{hint}'
        )
        raise ConfigError(msg)


def _lack(
    spec: TopicSpec, selection: FieldSelection, probed: list[_Probed], k: int
) -> tuple[str, int]:
    """Return what is wrong with a path in the messages, '' if nothing, and its numbers."""
    path, slot = selection.paths[k], selection.names[k]
    first = probed[0].found
    runs = first.runs.get(k, [])
    count = sum(run.count for run in runs)
    if not count:
        return 'is empty', 0
    if path.count is not None and count != path.count:
        return f'has other numbers than the {path.count} that are asked for', 0
    if slot is not None:
        names = first.texts.get(slot, [])
        try:
            count = sum(run.count for run in by_name(runs, names, spec.joints))
        except Unusable:
            return f'has {count} numbers for {len(names) or len(spec.joints)} joints', 0
    if all(np.isnan(_values(message, k)).any() for message in probed):
        return 'is NaN', 0
    return '', count


def _values(message: _Probed, k: int) -> NDArray[np.float64]:
    """Return the numbers that a path leads to in a message."""
    raw = message.block.message(message.index)
    layout = MessageLayout(message.found, raw, message.found.runs.get(k, []))
    return layout.values(message.block, np.array([message.index]))


def _refusal(
    spec: TopicSpec,
    selection: FieldSelection,
    path: Path,
    lack: str,
    definition: str,
    message: _Probed,
) -> str:
    """Return what to say of a path that leads to nothing, and what the message has."""
    root = selection.root
    lists = [text for text, node in every_path(root) if _is_numbers(node)][:20]
    every = FieldSelection(replace(spec, fields=tuple(lists) or spec.fields, joints=()), root)
    found = every.walk(message.block.message(message.index))
    sizes = [
        f'{text} {sum(run.count for run in found.runs.get(k, []))}' for k, text in enumerate(lists)
    ]
    has = f'; numbers in it: {listed(sizes, 20)}' if sizes else ''
    return (
        f'{place(spec)}: {path.text or "it"} of type {root.name} {lack} in the first message{has}; '
        f'correct {spec.modality}.fields'
    )


def _is_numbers(node: Message | Number | Many | object) -> bool:
    return isinstance(node, Many) and isinstance(node.item, Number)
