# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pretrain the extractor on windows of three actions (paper section III-D)."""

import hashlib
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from m2r2_ros import __version__
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.head_config import NoHeadConfig
from m2r2_ros.network.bundle import Bundle
from m2r2_ros.network.network import Network
from m2r2_ros.network.pretrained import Loaded, load_pretrained
from m2r2_ros.training.data import TrainingData, fingerprint
from m2r2_ros.training.parameter_groups import freeze_backbones
from m2r2_ros.training.pretraining.config import PretrainConfig
from m2r2_ros.training.pretraining.data import WindowSet
from m2r2_ros.training.pretraining.loop import PretrainingRun, run_epochs
from m2r2_ros.training.pretraining.module import Pretraining
from m2r2_ros.training.pretraining.sentences import make_text
from m2r2_ros.training.pretraining.state import Epoch, PretrainState
from m2r2_ros.windows.config import WindowConfig


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Extractors without a head.

    Attributes:
        last: After the last epoch.
        best: After the epoch that was best on validation; None without validation.
        history: All epochs.
    """

    last: Bundle
    best: Bundle | None
    history: tuple[Epoch, ...]


def headless(
    model: ModelConfig,
    windows: WindowConfig,
    config: PretrainConfig,
    *,
    image: Path | None = None,
    sound: Path | None = None,
) -> tuple[Network, Loaded]:
    """Return an extractor without a head, as pretraining starts from it.

    Args:
        model: Shapes of the network; the head is left out.
        windows: Shape of the windows.
        config: Options; here the seed and what is frozen matter.
        image: File or folder with CLIP or ActionCLIP.
        sound: File or folder with AST.

    Returns:
        The network, and where its weights came from.

    Raises:
        M2R2Error: Weights cannot be read or do not fit.
    """
    torch.manual_seed(config.seed)
    network = Network(replace(model, head=NoHeadConfig()), windows, 0, pretrained=True)
    loaded = load_pretrained(network.extractor, image=image, sound=sound)
    freeze_backbones(network, config.freeze)
    return network, loaded


def pretrain(
    network: Network,
    prepared: TrainingData,
    held_out: TrainingData | None,
    *,
    preset: str,
    model: ModelConfig,
    windows: WindowConfig,
    config: PretrainConfig,
    facts: Mapping[str, Any] | None = None,
    text_encoder: nn.Module | None = None,
    checkpoint: Path | None = None,
    log_dir: Path | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Pretrained:
    """Pretrain an extractor; the same seed and initial weights give the same result.

    Args:
        network: From `headless`; it is trained in place.
        prepared: What to learn from.
        held_out: What to validate on, with the labels and scales of `prepared`; never a test set,
            since the best epoch is chosen on it.
        preset: Name of the preset that `model` came from.
        model: Shapes of the network.
        windows: Shape of the windows.
        config: Options.
        facts: More to keep in the bundle.
        text_encoder: A `sentences.TextEncoder` with weights, for text 'clip'.
        checkpoint: File to keep the state in after each epoch, and to continue from.
        log_dir: Folder for TensorBoard event files.
        on_epoch: Called after each epoch.

    Raises:
        ConfigError: The extra `pretrain` is not installed, or an option does not fit.
    """
    run = _begin(network, prepared, held_out, model, config, text_encoder)
    run_epochs(run, checkpoint=checkpoint, log_dir=log_dir, on_epoch=on_epoch)
    state = run.state
    network.cpu().eval()
    training = {
        'recordings': [r.name for r in prepared.recordings],
        'frames': sum(map(len, prepared.recordings)),
        'options': config.to_dict(),
        'm2r2_ros': __version__,
        **(facts or {}),
    }
    shape = replace(model, head=NoHeadConfig())
    bundle = prepared.bundle(network, training, preset=preset, model=shape, windows=windows)
    best = _best(bundle, state)
    return Pretrained(
        _after(bundle, state.history[-1], held_out),
        _after(best, state.history[state.best_epoch - 1], held_out) if best else None,
        tuple(state.history),
    )


def _begin(
    network: Network,
    prepared: TrainingData,
    held_out: TrainingData | None,
    model: ModelConfig,
    config: PretrainConfig,
    text_encoder: nn.Module | None,
) -> PretrainingRun:
    """Put the modules of pretraining behind the extractor."""
    torch.manual_seed(config.seed)
    text = make_text(config.text, prepared.labels, model.width, text_encoder)
    module = Pretraining(network.extractor, text, model, config)
    validated = () if held_out is None else (fingerprint(held_out),)
    key = fingerprint(prepared, *validated, config.to_dict(), _digest(module))
    return PretrainingRun(
        module,
        WindowSet(prepared, config),
        None if held_out is None else WindowSet(held_out, config),
        PretrainState(module, config, key),
        config,
    )


def _best(bundle: Bundle, state: PretrainState) -> Bundle | None:
    """Return the bundle with the extractor of the best epoch, None without validation."""
    if not state.best_epoch:
        return None
    network = deepcopy(bundle.network)
    network.extractor.load_state_dict(state.best, strict=False)
    return replace(bundle, network=network)


def _after(bundle: Bundle, epoch: Epoch, held_out: TrainingData | None) -> Bundle:
    """Return the bundle with losses and scores of the epoch that it is from."""
    entries = asdict(epoch)
    validation = entries.pop('validation')
    scores = {}
    if held_out is not None:
        scores = {'pretraining': validation, 'recordings': [r.name for r in held_out.recordings]}
    return replace(bundle, training={**bundle.training, 'pretraining': entries}, scores=scores)


def _digest(module: nn.Module) -> str:
    """Return a hash of all weights."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
