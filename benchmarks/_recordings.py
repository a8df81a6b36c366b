# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings and bundles to measure speed on: the rates are real, the contents are noise."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.tables.spec import JOINTS, POSE, TWIST, WRENCH
from m2r2_ros.bags.templates import message_template
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.modalities import BUILTIN, SENSORS
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.normalisation import Normalisation, SoundScale

START = 1_760_000_000_000_000_000
RATE = 1000
LABELS = 13
_SECOND = 1_000_000_000
#: Topic, type, numbers of a message, and how long after the full millisecond it is stamped, ns.
_TOPICS = (
    ('/ft_sensor/wrench', WRENCH, 6, 0),
    ('/current_pose', POSE, 7, 200_000),
    ('/current_twist', TWIST, 6, 400_000),
    ('/gripper/joint_states', JOINTS, 2, 600_000),
)


def write_recording(path: Path, minutes: float) -> None:
    """Write wrench, pose, twist and gripper at 1 kHz each."""
    rng = np.random.default_rng(0)
    with BagWriter(path) as bag:
        for topic, type_name, _, _ in _TOPICS:
            bag.add_topic(topic, type_name)
        for second in range(round(minutes * 60)):
            for log_time, topic, raw in _second_of_messages(second, rng):
                bag.write(topic, raw, log_time)


def random_bundle(folder: Path, name: str = 'proprio') -> None:
    """Write a bundle of a preset that has learned nothing; it is as fast as any other."""
    import torch

    from m2r2_ros.model.config import preset
    from m2r2_ros.network.bundle import Bundle, save_bundle
    from m2r2_ros.network.network import Network

    torch.manual_seed(0)
    windows, model = WindowConfig(), preset(name)
    scales = Normalisation(
        {name: np.zeros(BUILTIN[name].dims) for name in SENSORS},
        {name: np.ones(BUILTIN[name].dims) for name in SENSORS},
        {'sound': SoundScale.of_range(-100.0, 50.0)},
    )
    labels = LabelSet.of(f'action {k}' for k in range(LABELS))
    network = Network(model, windows, LABELS)
    save_bundle(Bundle(name, labels, windows, model, scales, network), folder)


def _second_of_messages(
    second: int, rng: np.random.Generator
) -> Iterator[tuple[int, str, NDArray[np.uint8]]]:
    """Yield log time, topic and CDR bytes in order of time."""
    beats = START + second * _SECOND + np.arange(RATE) * (_SECOND // RATE)
    blocks = [
        (topic, beats + phase, _fill(topic, type_name, width, beats + phase, rng))
        for topic, type_name, width, phase in _TOPICS
    ]
    for k in range(RATE):
        for topic, stamps, rows in blocks:
            yield int(stamps[k]), topic, rows[k]


def _fill(
    topic: str, type_name: str, width: int, stamps: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return messages as rows of bytes: slow waves with noise on them."""
    seconds = (stamps - START)[:, None] * 1e-9
    waves = np.sin(seconds * (1 + np.arange(width)) / 3)
    values = waves + rng.normal(0, 0.01, (len(stamps), width))
    if type_name == POSE:
        values[:, 3:] /= np.linalg.norm(values[:, 3:], axis=1, keepdims=True)
    joints = ('finger_left', 'finger_right') if type_name == JOINTS else ()
    template = message_template(type_name, width, 'base', joints, ('position',) if joints else ())
    return template.fill(stamps, values)
