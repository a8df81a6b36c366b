# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The learning rate over a training."""

import torch


def one_cycle(share: float, warm_up: float = 0.1) -> float:
    """Return the learning rate's share of its peak: up in a line, down in a cosine.

    Args:
        share: Share of all steps that are done, 0..1.
        warm_up: Share of all steps after which the rate is at its peak.
    """
    if share < warm_up:
        return 0.04 + 0.96 * share / warm_up
    return float((1 + torch.cos(torch.tensor((share - warm_up) / (1 - warm_up) * torch.pi))) / 2)
