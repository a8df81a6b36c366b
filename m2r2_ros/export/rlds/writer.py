# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Episodes as an RLDS data set, without TensorFlow."""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from m2r2_ros.core.errors import BagError, MessageError
from m2r2_ros.core.files import disk_errors
from m2r2_ros.core.labels import UNKNOWN_LABEL
from m2r2_ros.export.frames.episodes import EpisodeFacts
from m2r2_ros.export.frames.feed import FramePlan
from m2r2_ros.export.frames.folder import EPISODES, write_made_by
from m2r2_ros.export.frames.images import ImageFiles
from m2r2_ros.export.frames.rows import FrameRows
from m2r2_ros.export.rlds.example import EpisodeExample
from m2r2_ros.export.rlds.features import (
    FLAGS,
    METADATA,
    SPLIT,
    STAMP,
    SUCCESS,
    TEXTS,
    features_of,
    info_of,
)
from m2r2_ros.export.rlds.shards import MOST_BYTES, Shards

#: Bytes of an episode; readers of protocol buffers take no more.
MOST_OF_EPISODE: Final = (1 << 31) - 1
_STEPS: Final = 'steps/'


class RldsWriter:
    """Writes a data set into a folder; see frames.feed.EpisodeWriter.

    Attributes:
        damaged: Images that could not be decoded, by camera, since the last commit.
    """

    def __init__(
        self,
        folder: Path,
        plan: FramePlan,
        name: str,
        *,
        per_sensor: bool = False,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Begin without episodes.

        Args:
            folder: An empty folder.
            plan: What the frames have.
            name: Of the data set, small letters, digits and underscores.
            per_sensor: Each sensor has a feature of its own besides the state.
            most_bytes: A file that has so many takes no further episode.
        """
        self.damaged: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._folder, self._plan, self._name = folder, plan, name
        self._per_sensor = per_sensor
        self._shards = Shards(folder, most_bytes)
        self._drafts = folder / 'drafts'
        with disk_errors(self._drafts):
            self._drafts.mkdir()
        self._example = EpisodeExample(self._drafts)
        self._files: dict[str, ImageFiles] = {}
        self._images: dict[str, tuple[int, int, str]] = {}
        self._facts: EpisodeFacts | None = None
        self._lines: list[dict[str, Any]] = []
        self._episodes = self._steps = 0
        self._stamps = (0, 0)

    def begin(self, facts: EpisodeFacts) -> None:
        """Begin an episode."""
        self._facts, self._steps = facts, 0
        self._example = EpisodeExample(self._drafts)
        self._files = {name: ImageFiles() for name in self._plan.schema.cameras}

    def add(self, rows: FrameRows, labels: Sequence[str], tasks: Sequence[str]) -> None:
        """Add frames to it.

        Raises:
            MessageError: The first image of a camera cannot be decoded, or their size changes.
            OutputError: The disk refuses.
        """
        example = self._example
        with disk_errors(self._folder):
            for name, images in rows.images.items():
                files = self._files[name]
                payloads = (files.payload(image) for image in images)
                example.add_bytes(f'{_STEPS}observation/{name}', payloads)
            if rows.vectors:
                example.add_floats(f'{_STEPS}observation/state', rows.state.astype(np.float32))
            for name, values in rows.vectors.items() if self._per_sensor else ():
                example.add_floats(f'{_STEPS}observation/{name}', values.astype(np.float32))
            if rows.action is not None:
                example.add_floats(f'{_STEPS}action', rows.action.astype(np.float32))
            for key, texts in zip(TEXTS, (labels, tasks), strict=True):
                example.add_texts(_STEPS + key, texts)
            example.add_integers(_STEPS + STAMP, rows.stamps.tolist())
        first = self._stamps[0] if self._steps else int(rows.stamps[0])
        self._stamps = first, int(rows.stamps[-1])
        self._steps += len(rows)

    def end(self) -> None:
        """End it.

        Raises:
            MessageError: Its images have another size than those of the recordings before.
            BagError: It is too large.
            OutputError: The disk refuses.
        """
        assert self._facts is not None
        recording = self._facts.source.recording
        for name, files in self._files.items():
            found = (*files.size, 'jpeg' if files.is_jpeg else 'png')
            known = self._images.setdefault(name, found)
            if known[:2] != found[:2]:
                msg = (
                    f'{recording}: the images of {name} have {found[1]} by {found[0]} pixels, '
                    f'those of other recordings {known[1]} by {known[0]}: export it by itself'
                )
                raise MessageError(msg)
        line = self._facts.to_dict(self._stamps)
        with disk_errors(self._folder):
            self._complete(line)
            length = len(self._example)
            if length > MOST_OF_EPISODE:
                msg = (
                    f'{recording}: an episode of it has {length} bytes, TFDS reads at most '
                    f'{MOST_OF_EPISODE}: make shorter episodes (--episodes segment), or fewer '
                    'frames (--fps)'
                )
                raise BagError(msg)
            self._shards.append(length, self._example.parts())
        self._lines.append(line)
        self._lost.update({name: files.damaged for name, files in self._files.items()})
        self._example.close()

    def commit(self) -> None:
        """Keep the episodes since the last time.

        Raises:
            OutputError: The disk refuses.
        """
        self.damaged, self._lost = self._lost, Counter()
        self._shards.mark()
        path = self._folder / EPISODES
        with disk_errors(path), path.open('a', encoding='utf-8') as file:
            for line in self._lines:
                entry = {'episode_index': self._episodes, **line}
                file.write(json.dumps(entry, ensure_ascii=False) + '\n')
                self._episodes += 1
        self._lines.clear()

    def discard(self) -> None:
        """Forget the episodes since the last time."""
        self._example.close()
        self._lines.clear()
        self._lost.clear()
        self._shards.take_back()
        if not self._episodes:
            self._images.clear()

    def finish(self, about: dict[str, Any]) -> None:
        """Write what the data set says of itself.

        Args:
            about: What else is to be kept.

        Raises:
            OutputError: The disk refuses.
        """
        lengths, size = self._shards.finish(f'{self._name}-{SPLIT}.tfrecord')
        schema = self._plan.schema
        text = f'{sum(lengths)} episodes at {self._plan.fps} steps per second. State: '
        text += f'{", ".join(schema.state)}. Action: {", ".join(schema.action) or "none"}.'
        with disk_errors(self._folder):
            shutil.rmtree(self._drafts)
            features = features_of(schema, self._images, per_sensor=self._per_sensor)
            _write_json(self._folder / 'features.json', features)
            info = info_of(self._name, lengths, size, text)
            _write_json(self._folder / 'dataset_info.json', info)
            write_made_by(self._folder, about)

    def close(self) -> None:
        """Let go of files, whatever is in them."""
        self._example.close()
        self._shards.close()

    def _complete(self, line: dict[str, Any]) -> None:
        """Add what is known of an episode when it has ended."""
        example, count, success = self._example, self._steps, line['success']
        last = np.zeros(count, np.int64)
        last[-1] = 1
        first = last[::-1]
        for key, flags in zip(FLAGS, (first, last, last), strict=True):
            example.add_integers(_STEPS + key, flags.tolist())
        rewards = last * float(success is True)
        example.add_floats(f'{_STEPS}reward', rewards.astype(np.float32))
        example.add_floats(f'{_STEPS}discount', np.ones(count, np.float32))
        labels = line['labels'] or {'origin': UNKNOWN_LABEL, 'by': ''}
        texts = (line['recording'], labels['origin'], labels['by'])
        for key, text in zip(METADATA, texts, strict=True):
            example.add_texts(f'episode_metadata/{key}', [text])
        number = -1 if success is None else int(success)
        example.add_integers(f'episode_metadata/{SUCCESS}', [number])


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=4, ensure_ascii=False) + '\n', encoding='utf-8')
