# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.core.modalities import MODALITIES, declared
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.head_config import CausalTCNConfig
from m2r2_ros.network.network import Network
from m2r2_ros.network.tensors import InputTensors
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.loop import Progress, _crop, _step, augment, train_network
from m2r2_ros.training.state import TrainState
from test.training.trials import MODEL, QUICK, equal, fitted, network, trial, weights


def accuracy(net: Network, recording: CachedRecording, *trained: CachedRecording) -> float:
    inputs = InputTensors.of(recording.inputs(0, len(recording), fitted(*trained)))
    probabilities = net.head.predict(net.features(inputs)).probabilities
    return float(np.mean(probabilities.argmax(-1).numpy() == recording.targets))


def test_what_is_separable_is_learned() -> None:
    recordings = [trial(120, seed) for seed in range(3)]
    config = TrainConfig(epochs=30, crop=60, learning_rate=1e-2, offset=0.1, averaging=0.9)
    net = network()
    before = accuracy(net, trial(90, 7), *recordings)
    losses: list[float] = []
    train_network(
        net, recordings, fitted(*recordings), config, progress=lambda p: losses.append(p.loss)
    )
    assert accuracy(net, trial(90, 7), *recordings) > 0.95 > before
    assert losses[-1] < 0.3 * losses[0]
    assert not net.training


def test_seeds_determine_everything() -> None:
    recordings = [trial(50, 1), trial(30, 2)]

    def train(seed: int) -> dict[str, torch.Tensor]:
        net = network(0)
        train_network(net, recordings, fitted(*recordings), replace(QUICK, seed=seed))
        return weights(net)

    first = train(1)
    # What others drew from torch in between does not matter.
    torch.rand(17)
    assert equal(first, train(1))
    assert not equal(first, train(2))


def test_training_continues_from_a_checkpoint_bit_for_bit(tmp_path: Path) -> None:
    recordings = [trial(50, 1), trial(30, 2)]
    scales = fitted(*recordings)
    whole, half = network(), network()
    train_network(whole, recordings, scales, QUICK)
    file = tmp_path / 'checkpoint.safetensors'

    def stop(progress: Progress) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt

    def train(net: Network, on_epoch: Callable[[Progress], None]) -> None:
        train_network(
            net, recordings, scales, QUICK, checkpoint=file, fingerprint='x', progress=on_epoch
        )

    told: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        train(half, stop)
    # A new process has other weights until it reads the checkpoint.
    again = network(5)
    train(again, lambda p: told.append(p.epoch))
    assert told == [3]
    assert equal(weights(whole), weights(again))
    # Done already: nothing is left to do, and the result is the same.
    train(half, lambda p: told.append(p.epoch))
    assert told == [3]
    assert equal(weights(whole), weights(half))


def test_another_training_begins_anew(tmp_path: Path) -> None:
    recordings = [trial(30)]
    file = tmp_path / 'checkpoint.safetensors'
    told: list[int] = []
    for fingerprint in ('one', 'other'):
        train_network(
            network(),
            recordings,
            fitted(*recordings),
            QUICK,
            checkpoint=file,
            fingerprint=fingerprint,
            progress=lambda p: told.append(p.epoch),
        )
    assert told == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize(
    'model',
    [
        MODEL,
        ModelConfig(
            declared(('sound', 'wrench', 'gripper')),
            **{k: getattr(MODEL, k) for k in ('width', 'heads', 'feedforward', 'mlp')},
            sound_width=64,
            sound_layers=1,
            head=CausalTCNConfig(width=16, layers=2),
        ),
    ],
)
def test_the_gradient_reaches_every_parameter(model: ModelConfig) -> None:
    recording = trial(40, sound=True)
    net = network(0, model)
    net.train()
    config = replace(QUICK, modality_dropout=0.0)
    state = TrainState(net, config, 1, '')
    loss = _step(net, state, recording, (0, 40), fitted(recording))
    assert np.isfinite(loss)
    assert loss > 0
    lost = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # Softmax does not see what it adds to all keys alike.
    assert [n for n in lost if 'key.bias' not in n] == []


def test_unlabelled_frames_teach_no_label() -> None:
    """What their targets would have been makes no difference, and all unlabelled is no step."""
    recording = trial(40)
    hidden = np.where(np.arange(40) < 20, recording.targets, UNKNOWN)
    assert (hidden >= 0).any()
    net = network()
    before = weights(net)
    state = TrainState(net, QUICK, 1, '')
    nothing = replace(recording, targets=np.full(40, UNKNOWN))
    assert _step(net, state, nothing, (0, 40), fitted(recording)) == 0
    assert _step(net, state, replace(recording, targets=hidden), (20, 40), fitted(recording)) == 0
    assert equal(weights(net), before)
    assert _step(net, state, replace(recording, targets=hidden), (0, 40), fitted(recording)) > 0
    assert not equal(weights(net), before)


@pytest.mark.parametrize('frames', [1, 2, 5, 21])
def test_recordings_of_any_length_keep_weights_finite(frames: int) -> None:
    recordings = [trial(30), trial(frames, 3)]
    net = network()
    train_network(net, recordings, fitted(*recordings), QUICK)
    assert all(torch.isfinite(p).all() for p in net.parameters())


@given(frames=st.integers(1, 500), crop=st.integers(1, 100), seed=st.integers(0, 99))
def test_crops_lie_in_the_recording(frames: int, crop: int, seed: int) -> None:
    config = replace(QUICK, crop=crop)
    for first in range(0, frames, crop):
        lo, hi = _crop(frames, first, config, np.random.default_rng(seed))
        assert 0 <= lo < hi <= frames
        assert hi - lo <= crop
        assert first or (lo, hi) == (0, min(frames, crop))


def test_crops_come_from_all_over() -> None:
    rng = np.random.default_rng(0)
    spans = [_crop(200, 20, QUICK, rng) for _ in range(500)]
    seen = np.zeros(200, np.int64)
    for lo, hi in spans:
        seen[lo:hi] += 1
    assert (seen > 0).all()


def test_augmentation_shakes_sensors_by_its_options() -> None:
    recording = trial(200, sound=True)
    inputs = InputTensors.of(recording.inputs(0, 200, fitted(recording)))
    still = TrainConfig(noise=0.0, offset=0.0, gain=0.0, modality_dropout=0.0)

    def shaken(**options: Any) -> tuple[torch.Tensor, torch.Tensor]:
        torch.manual_seed(3)
        out = augment(inputs, replace(still, **options))
        assert torch.equal(out.data['sound'], inputs.data['sound'])
        # How far the fingers are apart is the same in every trial.
        assert options.get('noise') or torch.equal(out.data['gripper'], inputs.data['gripper'])
        return out.data['wrench'], inputs.data['wrench']

    new, old = shaken()
    assert torch.equal(new, old)
    new, old = shaken(noise=0.3)
    assert float((new - old).std()) == pytest.approx(0.3, rel=0.05)
    new, old = shaken(offset=0.6)
    assert torch.allclose((new - old), (new - old)[0, 0], atol=1e-5)
    assert (new != old).all()
    new, old = shaken(gain=0.2)
    assert torch.allclose(new, old * (new / old)[0, 0], atol=1e-4)
    torch.manual_seed(3)
    masked = [augment(inputs, replace(still, modality_dropout=0.5)).present for _ in range(200)]
    columns = [MODALITIES.index(m) for m in ('sound', 'wrench', 'gripper')]
    for present in masked:
        # A modality goes for the whole sequence, and one always stays.
        assert (present == present[0]).all()
        assert present.any()
    share = np.mean([bool(p[0, k]) for p in masked for k in columns])
    assert 0.4 < share < 0.8
