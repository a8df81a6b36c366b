# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A training between two epochs, on disk: weights, optimiser and facts in one safetensors file.

weights/NAME              what is trained, and buffers; frozen parameters are not kept
exp_avg/NAME, ...         moments of Adam
GROUP/NAME                more tensors, such as the best weights so far
metadata                  `fingerprint` of data and options, `facts` in JSON
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.files import atomic_write
from m2r2_ros.core.reading import reading
from m2r2_ros.model.weight_header import read_header
from m2r2_ros.network.weight_files import write_tensors

WEIGHTS = 'weights'
MOMENTS = ('exp_avg', 'exp_avg_sq', 'step')


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file holds besides weights and optimiser.

    Attributes:
        facts: As they were saved.
        groups: More tensors, by group and name.
    """

    facts: dict[str, Any]
    groups: dict[str, dict[str, Tensor]]


def save_checkpoint(
    path: Path,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    fingerprint: str,
    facts: Mapping[str, Any],
    groups: Mapping[str, Mapping[str, Tensor]],
) -> None:
    """Write a training's state, replacing the file in one step.

    Args:
        path: The file.
        module: What is trained; parameters that are frozen are not written.
        optimizer: An Adam over its parameters.
        fingerprint: Of data and options; the state is of no use to a training with another one.
        facts: What JSON can hold.
        groups: More tensors, by group and name.

    Raises:
        OutputError: It cannot be written; the file is what it was.
    """
    named: dict[str, Mapping[str, Tensor]] = {WEIGHTS: _learnt(module), **groups}
    for moment in MOMENTS:
        named[moment] = {
            name: optimizer.state[parameter][moment]
            for name, parameter in module.named_parameters()
            if parameter in optimizer.state
        }
    tensors = {f'{g}/{n}': t.contiguous() for g, group in named.items() for n, t in group.items()}
    with atomic_write(path) as draft:
        metadata = {'fingerprint': fingerprint, 'facts': json.dumps(facts)}
        write_tensors(draft, tensors, metadata)


def load_checkpoint(
    path: Path, module: nn.Module, optimizer: torch.optim.Optimizer, *, fingerprint: str
) -> Checkpoint | None:
    """Continue from a file: load weights and moments in place, and return the rest.

    Args:
        path: The file.
        module: What is trained, with what is frozen frozen and as it was.
        optimizer: An Adam over its parameters.
        fingerprint: Of data and options.

    Returns:
        None, with nothing changed, where there is no file, it cannot be read, or it belongs to
        another training.
    """
    try:
        metadata = read_header(path).metadata
        if metadata.get('fingerprint') != fingerprint:
            return None
        with reading(path, 'a checkpoint', BundleError), safe_open(path, framework='pt') as file:
            facts: dict[str, Any] = json.loads(metadata['facts'])
            found: dict[str, Tensor] = {n: file.get_tensor(n) for n in file.keys()}  # noqa: SIM118
    except BundleError:
        return None
    groups: dict[str, dict[str, Tensor]] = {}
    for key, tensor in found.items():
        group, _, name = key.partition('/')
        groups.setdefault(group, {})[name] = tensor
    weights = groups.pop(WEIGHTS, {})
    moments = {moment: groups.pop(moment, {}) for moment in MOMENTS}
    if not _fits(module, weights, moments):
        return None
    module.load_state_dict({**module.state_dict(), **weights})
    for name, parameter in module.named_parameters():
        if name in moments['step']:
            optimizer.state[parameter] = {
                # Adam keeps its count of steps on the CPU.
                m: own[name] if m == 'step' else own[name].to(parameter.device)
                for m, own in moments.items()
            }
    return Checkpoint(facts, groups)


def _fits(
    module: nn.Module, weights: Mapping[str, Tensor], moments: Mapping[str, Mapping[str, Tensor]]
) -> bool:
    """Return whether tensors of a file, which may be damaged, are those of the module."""
    own = {name: tensor.shape for name, tensor in module.state_dict().items()}
    named = [moments[moment].keys() for moment in MOMENTS]
    return all(own.get(name) == tensor.shape for name, tensor in weights.items()) and all(
        names == named[0]
        and all(own.get(n) == t.shape or moment == 'step' for n, t in moments[moment].items())
        for moment, names in zip(MOMENTS, named, strict=True)
    )


def _learnt(module: nn.Module) -> dict[str, Tensor]:
    """Return buffers and the parameters that are not frozen."""
    frozen = {n for n, p in module.named_parameters() if not p.requires_grad}
    return {n: t for n, t in module.state_dict().items() if n not in frozen}
