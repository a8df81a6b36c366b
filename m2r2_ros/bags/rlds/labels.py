# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an RLDS episode says was done: subtasks or instructions of its steps, and success."""

from collections.abc import Sequence
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.rlds.dataset import RldsDataset
from m2r2_ros.bags.rlds.example import FLOATS, INTS, Example
from m2r2_ros.bags.rlds.features import NUMBERS, STEPS, TEXT
from m2r2_ros.bags.steps.kept import refined
from m2r2_ros.bags.steps.truth import COARSE, NO_LABEL, StepLabels, step_labels, with_outcomes
from m2r2_ros.core.errors import BagError

#: Texts of steps: those that are labels, and those that are tasks and stand above.
_SUBTASKS: Final = ('subtask', 'observation/subtask', 'language_subtask')
_TASKS: Final = (
    'language_instruction',
    'observation/language_instruction',
    'observation/natural_language_instruction',
    'natural_language_instruction',
    'instruction',
    'task',
)
LABELS: Final = (*_SUBTASKS, *_TASKS)
_SUCCESS: Final = ('episode_metadata/success', 'success')
#: Bytes of a text.
_LONGEST: Final = 1 << 16


def rlds_labels(
    dataset: RldsDataset,
    example: Example,
    file: BinaryIO,
    stamps: NDArray[np.int64],
    edges: NDArray[np.int64],
    number: int,
) -> dict[str, StepLabels]:
    """Return the labels of an episode, by what their topics have behind GROUND_TRUTH.

    It is {} where the episode says nothing of what was done.

    Args:
        dataset: The dataset.
        example: The episode.
        file: The file that it lies in.
        stamps: int64 (n,), of the steps, nanoseconds.
        edges: int64 (n + 1,), the stamps and the end of the last step.
        number: Of the episode in its split.

    Raises:
        BagError: A text is not UTF-8.
    """
    subtasks, tasks = (
        _texts(dataset, example, file, names, len(stamps)) for names in (_SUBTASKS, _TASKS)
    )
    lanes = {'': subtasks, COARSE: tasks} if any(subtasks) else {'': tasks}
    found = {below: _lane(said, edges) for below, said in lanes.items() if any(said)}
    if any(subtasks):
        found[''] = refined(dataset.path, found[''], stamps, number)
    succeeded = _success(dataset, example, file)
    if succeeded is None:
        return found
    last = np.zeros(len(stamps), bool)
    last[-1] = succeeded
    return {below: with_outcomes(labels, last, stamps) for below, labels in found.items()}


def _lane(said: Sequence[str], edges: NDArray[np.int64]) -> StepLabels:
    """Return the labels of steps by their texts; '' is none."""
    places = {text: k for k, text in enumerate(dict.fromkeys(filter(str.strip, said)))}
    codes = np.array([places.get(text, NO_LABEL) for text in said], np.int64)
    return step_labels(codes, {k: text for text, k in places.items()}, edges)


def _texts(
    dataset: RldsDataset, example: Example, file: BinaryIO, names: tuple[str, ...], steps: int
) -> list[str]:
    """Return the texts of the first of some features that is there, [] without one."""
    for name in (STEPS + short for short in names):
        feature, values = dataset.features.get(name), example.values.get(name)
        if feature and values and feature.kind == TEXT and len(values.places) == steps:
            return [_text(example, file, name, k) for k in range(steps)]
    return []


def _text(example: Example, file: BinaryIO, name: str, k: int) -> str:
    try:
        return example.data(file, name, k, _LONGEST).decode()
    except UnicodeDecodeError as error:
        msg = f'{example.path}: {name}: text {k} is not UTF-8'
        raise BagError(msg) from error


def _success(dataset: RldsDataset, example: Example, file: BinaryIO) -> bool | None:
    """Return whether the episode succeeded: as it says, or as its last reward lets one think."""
    for name in _SUCCESS:
        found = _numbers(dataset, example, file, name)
        if len(found) == 1:  # below 0 where it is not known, as our export writes it
            return bool(found[0] > 0) if found[0] >= 0 else None
    rewards = _numbers(dataset, example, file, f'{STEPS}reward')
    terminal = _numbers(dataset, example, file, f'{STEPS}is_terminal')
    # An episode that was cut off ends without a reward, too.
    return True if len(terminal) and terminal[-1] and len(rewards) and rewards[-1] > 0 else None


def _numbers(
    dataset: RldsDataset, example: Example, file: BinaryIO, name: str
) -> NDArray[np.float64] | NDArray[np.int64]:
    """Return the numbers of a feature, none where there is no such."""
    feature, values = dataset.features.get(name), example.values.get(name)
    if feature and values and feature.kind == NUMBERS and values.kind in (FLOATS, INTS):
        return example.numbers(file, name)
    return np.empty(0)
