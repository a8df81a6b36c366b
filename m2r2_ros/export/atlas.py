# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels as ATLAS keeps them, and recordings as it opens them: rosbag2 folders of sqlite3."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.bags.rosbag2 import METADATA
from m2r2_ros.bags.source import Topic
from m2r2_ros.bags.writing.metadata import dump_yaml, normal_qos
from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.files import cannot_write, new_folder, write_text
from m2r2_ros.core.messages import in_order
from m2r2_ros.export.film import cameras_of
from m2r2_ros.export.timed import TimedLabels
from m2r2_ros.readers.definitions import type_hash

#: What ends the name of a file with annotations.
ANNOTATIONS_FILE: Final = '_annotations.json'
#: Types of which ATLAS draws the numbers.
_DRAWN: Final = (
    'geometry_msgs/msg/PoseStamped', 'geometry_msgs/msg/TwistStamped',
    'geometry_msgs/msg/WrenchStamped', 'sensor_msgs/msg/JointState',
)  # fmt: skip
#: Stands for the hash of a type of which nothing is known; the library wants one.
_NO_HASH: Final = f'RIHS01_{"0" * 64}'
#: Topics that are drawn at first.
_DRAWN_FIRST: Final = 2
_KEYS: Final = {
    'play': 'Space', 'previous_segment': 'Q', 'next_segment': 'E', 'toggle_annotation': 'S',
    'delete_last_annotation': 'Backspace', 'save_segment_annotation': 'P', 'fast_forward': 'D',
    'rewind': 'A', 'fast_forward_small': 'C', 'rewind_small': 'Z', 'jump_to_end': 'F',
}  # fmt: skip


def annotations_of_atlas(one: TimedLabels) -> dict[str, dict[str, Any]]:
    """Return the annotations of a recording by their numbers, as text.

    Times are seconds from the start of the recording; an outcome that is not known is null.
    """
    label_set = one.labelled.label_set
    colours = dict(zip(label_set.names, label_set.colours, strict=True))
    return {
        str(number): {
            'start': start,
            'end': end,
            'label': segment.label,
            'success': segment.success,
            'color': [*colours[segment.label], 1.0],
        }
        for number, (segment, start, end) in enumerate(one.spans())
    }


def write_atlas_config(
    path: Path, dataset: str, recordings: Sequence[TimedLabels], labels: Sequence[str], fps: float
) -> None:
    """Write a configuration with which ATLAS opens the copies, beside it, and their annotations.

    Args:
        path: File to write; annotations lie in `annotations` beside it.
        dataset: The name of all recordings together.
        recordings: Those that are opened.
        labels: To choose from.
        fps: Frames per second.

    Raises:
        BagError: A recording cannot be read.
        OutputError: The file cannot be written.
    """
    drawn: dict[str, None] = {}
    cameras: dict[str, None] = {}
    for one in recordings:
        recording = open_recording(one.labelled.recording)
        cameras.update(dict.fromkeys(cameras_of(recording)))
        found = (t.name for t in recording.topics.values() if t.type_name in _DRAWN and t.count)
        drawn.update(dict.fromkeys(sorted(found)))
    content = {
        'dataset_type': 'rosbag',
        'dataset_name': dataset,
        'fps': fps,
        'annotation_dir': str(path.parent.absolute() / 'annotations'),
        'annotation_group': 'low_level',
        'low_level_keys': list(drawn),
        'camera_keys': list(cameras),
        'color_format': 'BGR',
        'default_graphs': list(drawn)[:_DRAWN_FIRST],
        'keys': dict(_KEYS),
        'ff_value_big': 0.1,
        'ff_value_small': 0.01,
        'stream_mode': True,
        'frame_cache_size': 60,
        'action_map': dict(enumerate(labels, 1)),
    }
    write_text(path, dump_yaml(content))


def copy_to_sqlite(
    out: Path,
    recording: Recording,
    told: Callable[[float], None] = lambda share: None,
    *,
    overwrite: bool = False,
) -> None:
    """Write a copy of a recording as rosbag2 folder with a .db3; nothing but storage differs.

    Topics that cannot be read are left out.

    Args:
        out: The folder to write.
        recording: The recording.
        told: Called with the share that is done, 0..1.
        overwrite: Replace a copy that was made before.

    Raises:
        BagError: The recording cannot be read.
        OutputError: The folder is there already, or cannot be written.
    """
    import sqlite3

    from rosbags.rosbag2 import StoragePlugin, Writer, WriterError

    wanted = {name: recording.topics[name] for name in recording.readable}
    total = max(sum(topic.count for topic in wanted.values()), 1)
    done = 0
    if overwrite and _is_copy(out):
        shutil.rmtree(out)
    with new_folder(out) as draft:
        made = draft / out.name  # whose file is called after it
        try:
            with Writer(made, version=8, storage_plugin=StoragePlugin.SQLITE3) as writer:
                topics = {name: _connection(writer, topic) for name, topic in wanted.items()}
                for blocks in recording.blocks(wanted):
                    for log_time, name, raw in in_order(blocks):
                        writer.write(topics[name], log_time, raw.data)
                    done += sum(map(len, blocks))
                    told(done / total)
        except (sqlite3.Error, WriterError) as error:
            raise cannot_write(out, error) from error
        for file in sorted(made.iterdir()):
            shutil.move(file, draft / file.name)
        made.rmdir()


def _is_copy(out: Path) -> bool:
    """Return whether a folder holds what is written here, and nothing else."""
    own = {METADATA, f'{out.name}.db3'}
    return out.is_dir() and not out.is_symlink() and {path.name for path in out.iterdir()} == own


def _connection(writer: Any, topic: Topic) -> Any:  # noqa: ANN401 - of rosbags
    """Announce a topic."""
    from rosbags.rosbag2.metadata import parse_qos

    profiles = parse_qos(normal_qos(topic.qos)) if topic.qos else []
    hashed = topic.type_hash or _hash(topic)
    return writer.add_connection(
        topic.name,
        topic.type_name,
        msgdef=topic.definition,
        rihs01=hashed or _NO_HASH,
        offered_qos_profiles=profiles,
    )


def _hash(topic: Topic) -> str:
    """Return the hash of a topic's type; '' where nothing is known of it."""
    with suppress(MessageError):
        return type_hash(topic.type_name, topic.definition)
    return ''
