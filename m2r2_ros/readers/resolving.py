# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a declaration leaves open, as the first messages of a recording answer it."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Final

import numpy as np

from m2r2_ros.core.errors import ConfigError, MessageError
from m2r2_ros.core.messages import MessageBlock, single_message
from m2r2_ros.core.reading import naming
from m2r2_ros.readers.fields import FieldReader
from m2r2_ros.readers.topics import TRANSFORMS, TopicSpec
from m2r2_ros.readers.types import message_type
from m2r2_ros.readers.usual import place, usual_fields

#: Messages that are looked at: the first may be of another publisher.
_LOOKS: Final = 50


def resolve(
    spec: TopicSpec, type_name: str, definition: str, blocks: Iterable[MessageBlock]
) -> TopicSpec:
    """Return a spec with the fields, joints and number of numbers of the first good message.

    Usual fields that a message leaves empty or without numbers, as many leave velocity and effort,
    are left out; fields that were given have to be there.

    Args:
        spec: Of a vector.
        type_name: Type of the messages.
        definition: ros2msg text of the type; '' for a type that is known here.
        blocks: Messages of the topic.

    Raises:
        MessageError: None of the first messages can be read, or the type holds nothing of the kind.
        ConfigError: A field is not in the type.
    """
    if type_name == TRANSFORMS or spec.frames:
        return spec
    with naming(place(spec), MessageError):
        root = message_type(type_name, definition)
    usual = spec.fields or usual_fields(spec, root)
    choices = [usual]
    if not spec.fields:
        choices += [fields for n in range(len(usual) - 1, 0, -1) if (fields := usual[:n])]
    first = list(islice(_messages(blocks), _LOOKS))
    reasons: dict[str, None] = {}
    for fields in choices:
        wanted = replace(spec, fields=fields)
        for block in first:
            try:
                reader = FieldReader(wanted, type_name, definition)
            except ConfigError:
                if fields == choices[-1]:
                    raise
                break
            found = reader.decode(block)
            reasons |= dict.fromkeys(found.dropped)
            if len(found.stamps) and np.isfinite(found.values).all():
                joints = spec.joints or reader.joints
                return replace(spec, fields=fields, joints=joints, dims=reader.dims)
    why = ', '.join(reasons) or ('NaN' if first else 'there is none')
    msg = (
        f'{place(spec)}: none of its first {len(first)} messages holds {", ".join(usual)} '
        f'({why}); name what they hold in {spec.modality}.fields, or set it to null'
    )
    raise MessageError(msg)


def _messages(blocks: Iterable[MessageBlock]) -> Iterable[MessageBlock]:
    """Yield messages one by one."""
    for block in blocks:
        for k in range(len(block)):
            yield single_message(
                block.topic,
                block.message(k).tobytes(),
                int(block.log_times[k]),
                int(block.arrival[k]),
            )
