# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from m2r2_ros.core.errors import BundleError, ConfigError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.model.head_config import NoHeadConfig
from m2r2_ros.network.bundle import load_bundle, save_bundle
from m2r2_ros.network.tensors import InputTensors
from m2r2_ros.training.data import TrainingData
from m2r2_ros.training.pretraining.config import PretrainConfig
from m2r2_ros.training.pretraining.contrastive import shared_meaning
from m2r2_ros.training.pretraining.data import WindowSet, join
from m2r2_ros.training.pretraining.loop import order
from m2r2_ros.training.pretraining.module import Pretraining
from m2r2_ros.training.pretraining.pretrain import Pretrained, headless, pretrain
from m2r2_ros.training.pretraining.sentences import make_text
from m2r2_ros.training.pretraining.state import Epoch
from m2r2_ros.training.pretraining.validation import validate
from m2r2_ros.windows.normalisation import Normalisation
from test.training.trials import MODEL, WINDOWS, equal, fitted, trial, weights

LABELS = LabelSet.of(('pick_usb', 'insert_usb', 'no_action'))
SHAPE = replace(MODEL, dropout=0.0)
QUICK = PretrainConfig(epochs=3, points=20, padding=5, batch_size=4, learning_rate=3e-3)
CALM = replace(QUICK, offset=0.0, gain=0.0, modality_dropout=0.0)


@pytest.fixture(autouse=True)
def fresh_accelerator() -> Iterator[None]:
    """One process has one precision, unless it is made to forget."""
    torch.set_num_threads(1)
    AcceleratorState._reset_state()
    yield
    AcceleratorState._reset_state()


def prepared(*seeds: int, scales: Normalisation | None = None, sound: bool = False) -> TrainingData:
    recordings = tuple(trial(80, seed, sound=sound) for seed in seeds)
    return TrainingData(recordings, LABELS, scales or fitted(*recordings), {}, (), {})


TRAINED = prepared(0, 1, 2)
HELD_OUT = prepared(10, 11, scales=TRAINED.normalisation)


def run(
    config: PretrainConfig,
    *,
    trained: TrainingData = TRAINED,
    held_out: TrainingData | None = HELD_OUT,
    checkpoint: Path | None = None,
    log_dir: Path | None = None,
    stop_after: int = 10**9,
) -> Pretrained:
    def interrupt(epoch: Epoch) -> None:
        if epoch.epoch == stop_after:
            raise KeyboardInterrupt

    return pretrain(
        headless(SHAPE, WINDOWS, config)[0],
        trained,
        held_out,
        preset='proprio',
        model=SHAPE,
        windows=WINDOWS,
        config=config,
        checkpoint=checkpoint,
        log_dir=log_dir,
        on_epoch=interrupt,
    )


def module(config: PretrainConfig) -> Pretraining:
    network, _ = headless(SHAPE, WINDOWS, config)
    return Pretraining(network.extractor, make_text(config.text, LABELS, 16), SHAPE, config)


def test_a_batch_holds_the_frames_its_windows_were_drawn_from() -> None:
    config = replace(QUICK, padding=0)
    windows = WindowSet(TRAINED, config)
    batch = windows.batch([0, 3], np.random.default_rng(0), augmented=False)
    recording = TRAINED.recordings[0]
    everything = InputTensors.of(recording.inputs(0, 80, TRAINED.normalisation)).data['wrench']
    drawn = batch.inputs.data['wrench'].unflatten(0, (2, 20))
    for k in range(2):
        found = [
            int(torch.nonzero((everything == row).all(dim=2).all(dim=1)).squeeze())
            for row in drawn[k]
        ]
        assert found == sorted(found)
        labels = batch.sentences[k].labels
        for frame, place in zip(found, batch.places[k].tolist(), strict=True):
            assert place == -1 or recording.targets[frame] == labels[place]


def test_augmentation_differs_from_window_to_window() -> None:
    windows = WindowSet(TRAINED, replace(QUICK, noise=0.0, gain=0.0, modality_dropout=0.0))
    plain, shifted = (
        windows.batch([0, 0], np.random.default_rng(0), augmented=a).inputs.data['wrench']
        for a in (False, True)
    )
    shift = (shifted - plain).unflatten(0, (2, 20))
    assert torch.allclose(shift[0], shift[0, :1], atol=1e-4)
    assert not torch.allclose(shift[0, 0], shift[1, 0], atol=1e-2)


def test_recordings_without_a_modality_are_masked_in_a_batch() -> None:
    loud, quiet = trial(20, 0, sound=True), trial(30, 1)
    scales = fitted(loud, quiet)
    both = join(
        [InputTensors.of(quiet.inputs(0, 4, scales)), InputTensors.of(loud.inputs(0, 3, scales))]
    )
    assert both.data['sound'].shape[0] == len(both) == 7
    assert not both.data['sound'][:4].any()
    assert both.present[:, 1].tolist() == [False] * 4 + [True] * 3


def test_every_window_is_seen_and_all_batches_are_full() -> None:
    config = replace(QUICK, batch_size=4, accumulation=2)
    batches = order(21, config, 2, np.random.default_rng(0))
    assert batches.shape == (2, 2, 2, 4)
    counts = np.bincount(batches.ravel(), minlength=21)
    assert set(counts.tolist()) == {1, 2}
    assert order(3, config, 1, np.random.default_rng(0)).shape == (1, 1, 2, 4)


@pytest.mark.parametrize('text', ['labels', 'scratch'])
def test_gradients_reach_every_parameter(text: str) -> None:
    config = replace(QUICK, text=text, per_action=1.0, batch_size=8)
    torch.manual_seed(0)
    net = module(config)
    windows = WindowSet(TRAINED, config)
    for k in range(4):
        chosen = [(5 * k + j) % len(windows) for j in range(8)]
        action, boundary, _ = net(windows.batch(chosen, np.random.default_rng(k), augmented=False))
        (action + boundary).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.abs().sum() > 0), name


def test_per_action_sentences_are_contrasted_place_by_place() -> None:
    config = replace(QUICK, per_action=0.5)
    net = module(config).eval()
    windows = WindowSet(TRAINED, config)
    batch = windows.batch([0, 4, 9], np.random.default_rng(0), augmented=False)
    # A window of one action has no second and third.
    one = tuple([*row[:2], None if place else row[2]] for place, row in enumerate(batch.actions))
    batch = replace(batch, actions=one)
    enhanced = net.fusion(net.extractor(batch.inputs).unflatten(0, (-1, 20)))
    losses = []
    for place in range(3):
        rows = [k for k in range(3) if one[place][k] is not None]
        means = [enhanced[k][batch.places[k] == place].mean(dim=0) for k in rows]
        told = [s for s in one[place] if s is not None]
        target = shared_meaning(told)
        losses.append(net.contrastive(torch.stack(means), net.text(told), target))
    whole = net.contrastive(
        enhanced.mean(dim=1), net.text(batch.sentences), shared_meaning(batch.sentences)
    )
    action, _, embedded = net(batch)
    assert torch.allclose(action, whole + 0.5 * torch.stack(losses).mean(), atol=1e-5)
    assert torch.allclose(embedded, enhanced.mean(dim=1), atol=1e-6)


def test_pretraining_lowers_both_losses_and_finds_sentences() -> None:
    """Scored on other points of the windows that it learns: there are too few for new ones."""
    config = replace(CALM, epochs=25, points=30, batch_size=8, learning_rate=5e-3)
    history = run(config, held_out=TRAINED).history
    first, last = history[0], history[-1]
    assert last.action < 0.3 * first.action
    assert last.boundary < 0.9 * first.boundary
    assert first.validation
    assert last.validation
    assert last.validation.total < 0.5 * first.validation.total
    assert last.validation.retrieval > 0.8 > 0.4 > first.validation.retrieval


def test_boundaries_can_be_learnt() -> None:
    """Far better than the best constant, which knows how many there are but not where."""
    torch.manual_seed(0)
    net = module(CALM)
    batch = WindowSet(TRAINED, CALM).batch(range(6), np.random.default_rng(0), augmented=False)
    optimizer = torch.optim.AdamW(net.parameters(), 5e-3)
    for _ in range(200):
        _, boundary, _ = net(batch)
        optimizer.zero_grad()
        boundary.backward()
        optimizer.step()
    assert float(boundary.detach()) < 0.3 * float(batch.boundaries.var())


def test_the_same_seed_gives_the_same_weights_and_another_does_not() -> None:
    one, same, other = (run(replace(QUICK, seed=s), held_out=None) for s in (1, 1, 2))
    assert one.best is None
    assert equal(weights(one.last.network), weights(same.last.network))
    assert not equal(weights(one.last.network), weights(other.last.network))


def test_validation_changes_nothing_but_what_is_chosen() -> None:
    assert equal(weights(run(QUICK).last.network), weights(run(QUICK, held_out=None).last.network))


def test_an_interrupted_pretraining_continues_bit_for_bit(tmp_path: Path) -> None:
    config = replace(QUICK, epochs=5)
    whole = run(config)
    path = tmp_path / 'c.safetensors'
    with pytest.raises(KeyboardInterrupt):
        run(config, checkpoint=path, stop_after=2)
    resumed = run(config, checkpoint=path)
    assert resumed.history == whole.history
    assert equal(weights(resumed.last.network), weights(whole.last.network))
    assert resumed.best
    assert whole.best
    assert equal(weights(resumed.best.network), weights(whole.best.network))
    # It is done: nothing is left but to read it. Another seed begins anew.
    assert run(config, checkpoint=path, stop_after=5).history == whole.history
    other = run(replace(config, seed=3), checkpoint=path)
    assert other.history[0] != whole.history[0]


def test_the_best_epoch_is_kept_next_to_the_last() -> None:
    config = replace(QUICK, epochs=6, learning_rate=0.1)
    outcome = run(config)
    totals = [e.validation.total for e in outcome.history if e.validation]
    best = int(np.argmin(totals))
    assert best < 5, 'at this rate the last epoch is not the best'
    assert outcome.best
    assert outcome.best.training['pretraining']['epoch'] == best + 1
    assert outcome.last.training['pretraining']['epoch'] == 6
    assert outcome.best.scores['pretraining']['action'] == outcome.history[best].validation.action  # type: ignore[union-attr]
    shorter = run(replace(config, patience=2))
    assert len(shorter.history) == _stops(totals, 2)


def _stops(totals: list[float], patience: int) -> int:
    """Return the epochs after which there was none better for so many."""
    for n in range(1, len(totals)):
        if n - (1 + int(np.argmin(totals[:n]))) >= patience:
            return n
    return len(totals)


def test_validation_is_the_same_every_time_and_leaves_training_on() -> None:
    torch.manual_seed(0)
    net = module(CALM).train()
    windows = WindowSet(HELD_OUT, QUICK)
    first = validate(net, windows, QUICK, torch.device('cpu'))
    torch.manual_seed(5)
    assert validate(net, windows, QUICK, torch.device('cpu')) == first
    assert net.training
    assert 0 <= first.retrieval <= 1


def test_retrieval_counts_windows_nearest_to_their_own_sentence() -> None:
    """Windows that are all alike are all nearest to one sentence."""
    net = module(QUICK)
    windows = WindowSet(HELD_OUT, QUICK)
    own = [
        windows.batch([k], np.random.default_rng(0), augmented=False).sentences[0].labels
        for k in range(len(windows))
    ]
    with torch.no_grad():
        for parameter in net.extractor.parameters():
            parameter.zero_()
    scores = validate(net, windows, QUICK, torch.device('cpu'))
    shares = {own.count(labels) / len(own) for labels in own}
    assert any(scores.retrieval == pytest.approx(share) for share in shares)


def test_accumulated_batches_make_one_step_of_their_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """All batches are the same here, of every frame of one window: so is each step's gradient."""
    norms: list[float] = []

    def note(self: Accelerator, parameters: Iterator[torch.nn.Parameter], bound: float) -> None:
        norms.append(float(torch.nn.utils.clip_grad_norm_(parameters, bound)))

    monkeypatch.setattr(Accelerator, 'clip_grad_norm_', note)
    recording = trial(30, 0)
    one_window = TrainingData((recording,), LABELS, fitted(recording), {}, (), {})
    config = replace(CALM, epochs=1, noise=0.0, points=30, padding=0)
    for accumulation in (1, 3):
        run(replace(config, accumulation=accumulation), trained=one_window, held_out=None)
    assert len(norms) == 2
    assert norms[0] > 0
    assert norms[1] == pytest.approx(norms[0], rel=1e-3)


def test_half_precision_trains_and_fp16_asks_for_a_device() -> None:
    config = replace(QUICK, epochs=2)
    full = run(config).history[-1]
    AcceleratorState._reset_state()
    half = run(replace(config, precision='bf16'))
    assert half.history[-1].action == pytest.approx(full.action, rel=0.1)
    assert half.history[-1] != full
    assert all(p.dtype == torch.float32 for p in half.last.network.parameters())
    if not torch.cuda.is_available():
        AcceleratorState._reset_state()
        with pytest.raises(ConfigError, match='fp16 needs a CUDA device'):
            run(replace(QUICK, precision='fp16'))


def test_event_files_hold_the_losses(tmp_path: Path) -> None:
    from tensorboardX.proto.event_pb2 import Event

    outcome = run(QUICK, log_dir=tmp_path)
    (file,) = tmp_path.iterdir()
    raw, found = file.read_bytes(), {}
    while raw:
        length = int.from_bytes(raw[:8], 'little')
        event = Event.FromString(raw[12 : 12 + length])
        raw = raw[16 + length :]
        for value in event.summary.value:
            found[value.tag, event.step] = value.simple_value
    assert {tag for tag, _ in found} == {
        'train/action',
        'train/boundary',
        'validation/action',
        'validation/boundary',
        'validation/retrieval',
    }
    for epoch in outcome.history:
        assert found['train/action', epoch.epoch] == pytest.approx(epoch.action)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        'm2r2_ros.training.pretraining.loop.find_spec',
        lambda name: None if name == 'accelerate' else real(name),
    )
    with pytest.raises(ConfigError, match=r"needs accelerate: pip install 'm2r2_ros\[pretrain\]'"):
        run(QUICK)


def test_bundles_have_no_head_and_say_so(tmp_path: Path) -> None:
    outcome = run(QUICK)
    saved = save_bundle(outcome.last, tmp_path / 'last')
    assert load_bundle(tmp_path / 'last').id == saved.id
    assert isinstance(saved.model.head, NoHeadConfig)
    assert saved.labels == LABELS
    assert saved.training['options'] == QUICK.to_dict()
    assert saved.scores['recordings'] == ['trial10', 'trial11']
    x = InputTensors.of(TRAINED.recordings[0].inputs(0, 7, saved.normalisation))
    assert saved.network.features(x).shape == (7, 16)
    with pytest.raises(BundleError, match='without a head'):
        saved.network.head.predict(torch.zeros(7, 16))


@pytest.mark.parametrize(
    ('entry', 'value'),
    [
        ('batch_size', 1),
        ('points', 2),
        ('sigma', 0.0),
        ('text', 'words'),
        ('precision', 'fp8'),
        ('padding', -1),
        ('learning_rate', float('nan')),
        ('layer_decay', 0.0),
    ],
)
def test_options_out_of_range_are_named(entry: str, value: object) -> None:
    with pytest.raises(ConfigError, match=entry):
        PretrainConfig(**{entry: value})  # type: ignore[arg-type]


def test_what_cannot_be_frozen_is_named() -> None:
    with pytest.raises(ConfigError, match='freeze: wrench has no backbone'):
        run(replace(QUICK, freeze=('wrench',)))
