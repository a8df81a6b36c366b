# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Versions of our messages that recordings from before still hold."""

from functools import cache
from typing import TYPE_CHECKING, Final

from m2r2_ros.bags.labels.topics import LABEL, LABEL_SET
from m2r2_ros.readers.definitions import held_types, store_for
from m2r2_ros.readers.definitions import type_hash as todays_hash

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

_FIRST_LABEL: Final = """\
std_msgs/Header header
int32 label_id
string label
float32 confidence
float32[] probabilities
float32 boundary_score
uint32 segment_index
builtin_interfaces/Time segment_start
uint32 revision_lag
uint8 modality_mask
float32 latency
string model_id
"""
_FIRST_LABEL_SET: Final = """\
string[] names
string[] parents
std_msgs/ColorRGBA[] colours
string model_id
"""
#: Definitions by type. The first labels gave no reason, and masks of six bits that had no names.
_OLDER: Final = {
    LABEL: (_FIRST_LABEL, _FIRST_LABEL + 'string reason\n'),
    LABEL_SET: (_FIRST_LABEL_SET,),
}


def older_hashes(type_name: str) -> tuple[str, ...]:
    """Return the RIHS01 hashes of the older versions of a type that can be read."""
    return tuple(_stores(type_name))


def store_of(type_name: str, type_hash: str) -> 'Typestore':
    """Return the types to read messages of one hash with; today's where it is not an older one."""
    older = {} if type_hash == todays_hash(type_name) else _stores(type_name)
    return older.get(type_hash) or store_for(type_name)


@cache
def _stores(type_name: str) -> dict[str, 'Typestore']:
    from rosbags.typesys import get_types_from_msg

    stores = {}
    for text in _OLDER.get(type_name, ()):
        store = held_types()
        store.register(get_types_from_msg(text, type_name))
        stores[store.hash_rihs01(type_name)] = store
    return stores
