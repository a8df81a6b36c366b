# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import torch

from m2r2_ros.discovery.laps.shape import TokenizerConfig, TokenizerSchedule
from m2r2_ros.training.laps.train_tokenizer import train_tokenizer

CONFIG = TokenizerConfig(inputs=6, axes=1, hidden=32, heads=2, enc_layers=1, bins=7)
REACH = np.array([1, 1, 1, 1, 1, 0], np.float32)


def windows() -> np.ndarray:
    rng = np.random.default_rng(0)
    phase = rng.uniform(0, 6, (96, 1, 1)) + np.arange(7)[None, :, None]
    return np.sin(phase + np.arange(6)).astype(np.float32)


def test_training_learns_where_things_go() -> None:
    losses: list[float] = []
    schedule = TokenizerSchedule(steps=80, batch=16, learning_rate=3e-3)
    train_tokenizer(windows(), REACH, CONFIG, schedule, lambda step, loss: losses.append(loss))
    assert len(losses) == 80
    assert np.mean(losses[-5:]) < 0.6 * losses[0]


def test_the_seed_decides_and_nothing_else() -> None:
    def train(seed: int) -> dict[str, np.ndarray]:
        torch.rand(3)  # what others drew before
        schedule = TokenizerSchedule(steps=5, batch=16, seed=seed)
        return dict(train_tokenizer(windows(), REACH, CONFIG, schedule))

    first, again, other = train(1), train(1), train(2)
    assert all(np.array_equal(first[k], again[k]) for k in first)
    assert not np.array_equal(first['project.weight'], other['project.weight'])
    assert np.array_equal(first['reach'], REACH)
