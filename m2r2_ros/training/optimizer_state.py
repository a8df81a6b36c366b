# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A module and its Adam between epochs, on disk as safetensors."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from m2r2_ros.core.files import atomic_write

MOMENTS = ('exp_avg', 'exp_avg_sq', 'step')


def save_state(
    path: Path,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    best: Mapping[str, Tensor],
    facts: dict[str, str],
) -> None:
    """Write weights, buffers, moments and the best weights so far, replacing the file at once."""
    tensors = {f'weights/{n}': t.contiguous() for n, t in module.state_dict().items()}
    tensors |= {f'best/{n}': t.contiguous() for n, t in best.items()}
    for name, parameter in module.named_parameters():
        for moment in MOMENTS:
            if parameter in optimizer.state:
                tensors[f'{moment}/{name}'] = optimizer.state[parameter][moment]
    with atomic_write(path) as draft:
        save_file(tensors, draft, metadata=facts)


def load_state(
    path: Path, module: nn.Module, optimizer: torch.optim.Optimizer, fingerprint: str
) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Go on from a file where it has this fingerprint; return its facts and best weights."""
    try:
        with safe_open(path, framework='pt') as file:
            facts: dict[str, str] = file.metadata() or {}
            if facts.get('fingerprint') != fingerprint:
                return {}, {}
            found: dict[str, Tensor] = {n: file.get_tensor(n) for n in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return {}, {}
    module.load_state_dict({n: found[f'weights/{n}'] for n in module.state_dict()})
    for name, parameter in module.named_parameters():
        moments = {m: found[f'{m}/{name}'] for m in MOMENTS if f'{m}/{name}' in found}
        for moment in moments.keys() & {'exp_avg', 'exp_avg_sq'}:
            moments[moment] = moments[moment].to(parameter.device)
        if moments:
            optimizer.state[parameter] = moments
    best = {n.removeprefix('best/'): t for n, t in found.items() if n.startswith('best/')}
    return facts, best
