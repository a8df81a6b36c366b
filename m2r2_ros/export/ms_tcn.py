# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A label for each frame, in the layout that MS-TCN and those after it read.

groundTruth/NAME.txt      one label a line
mapping.txt               'id label' a line
splits/PART.split1.bundle 'NAME.txt' a line, PART is train, test or val
features.yaml             the frame rate, and parents of labels: what the layout has no place for
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import yaml

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.files import atomic_write, write_text
from m2r2_ros.core.labels import LabelSet, label_at
from m2r2_ros.core.text import listed
from m2r2_ros.core.time import SECOND
from m2r2_ros.export.timed import TimedLabels

#: The label of frames without one.
BACKGROUND: Final = 'background'
#: Frames of a recording at most: days at a camera's rate.
_MOST_FRAMES: Final = 1 << 26
#: Frames that are labelled at once.
_BATCH: Final = 1 << 16


def write_frame_labels(path: Path, one: TimedLabels, rate: float) -> bool:
    """Write the label at each frame, the first at the start of the recording.

    Args:
        path: File to write.
        one: The recording and its labels.
        rate: Frames per second.

    Returns:
        Whether a frame has no label.

    Raises:
        LabelError: There are too many frames, or labels that the layout cannot hold.
        OutputError: The file cannot be written.
    """
    names = {
        '': BACKGROUND,
        **dict(zip(one.labelled.label_set.names, plain_names(one), strict=True)),
    }
    count = int((one.end - one.start) * rate / SECOND) + 1
    if count > _MOST_FRAMES:
        msg = (
            f'{one.labelled.recording}: {count} frames at {rate:g} per second, at most '
            f'{_MOST_FRAMES} are written: take a lower --fps'
        )
        raise LabelError(msg)
    unlabelled = False
    with atomic_write(path) as draft, draft.open('w', encoding='utf-8') as file:
        for first in range(0, count, _BATCH):
            frames = np.arange(first, min(first + _BATCH, count))
            stamps = one.start + np.round(frames * (SECOND / rate)).astype(np.int64)
            labels = label_at(one.labelled.segments, stamps)
            unlabelled |= '' in labels
            file.writelines(f'{names[label]}\n' for label in labels)
    return unlabelled


def plain_names(one: TimedLabels) -> list[str]:
    """Return labels without white space, by which the layout separates.

    Raises:
        LabelError: Two labels become one.
    """
    names = one.labelled.label_set.names
    plain = ['_'.join(name.split()) or '_' for name in names]
    if twice := sorted({name for name in plain if plain.count(name) > 1}):
        same = [name for name, other in zip(names, plain, strict=True) if other == twice[0]]
        msg = f'{one.labelled.source}: labels {listed(same)} would both be called {twice[0]}'
        raise LabelError(msg)
    return plain


def write_layout(
    folder: Path,
    label_set: LabelSet,
    parts: Mapping[str, Sequence[str]],
    rate: float,
    *,
    unlabelled: bool,
) -> None:
    """Write mapping, splits and facts, after the labels of all recordings.

    Args:
        folder: Where the layout is.
        label_set: Labels without white space, and their parents.
        parts: Names of recordings of train, val and test.
        rate: Frames per second.
        unlabelled: Whether a frame has no label.

    Raises:
        OutputError: A file cannot be written.
    """
    extra = [BACKGROUND] if unlabelled and BACKGROUND not in label_set.names else []
    names = [*label_set.names, *extra]
    write_text(folder / 'mapping.txt', ''.join(f'{k} {name}\n' for k, name in enumerate(names)))
    for part, recordings in parts.items():
        text = ''.join(f'{name}.txt\n' for name in recordings)
        write_text(folder / 'splits' / f'{part}.split1.bundle', text)
    facts = {
        'frame_rate': rate,
        'labels': {'names': list(label_set.names), 'parents': list(label_set.parents)},
    }
    text = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=100)
    write_text(folder / 'features.yaml', text)
