# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Put a head behind a bundle's extractor, beside the one of the other sort."""

from dataclasses import replace

from m2r2_ros.model.head_config import HeadConfig
from m2r2_ros.network.bundle import Bundle
from m2r2_ros.network.heads.base import Head
from m2r2_ros.network.heads.no_head import NoHead
from m2r2_ros.network.network import Network


def attach_head(bundle: Bundle, config: HeadConfig, head: Head) -> Bundle:
    """Return the bundle with a head behind its extractor, in place of one that is online as it is.

    An offline head goes beside an online one, and the other way round.

    Args:
        bundle: Its extractor made the features that the head was trained on.
        config: Shapes of the head.
        head: The head.
    """
    heads = {c.online: (c, h) for c, h in _heads(bundle)}
    heads[config.online] = config, head
    first = heads.get(True) or heads[False]
    second = heads[False] if len(heads) > 1 else None
    model = replace(bundle.model, head=first[0], offline_head=second and second[0])
    network = Network(model, bundle.windows, len(bundle.labels.names))
    network.extractor.load_state_dict(bundle.network.extractor.state_dict())
    network.head.load_state_dict(first[1].state_dict())
    if second and network.offline_head is not None:
        network.offline_head.load_state_dict(second[1].state_dict())
    return replace(bundle, model=model, network=network.eval())


def _heads(bundle: Bundle) -> list[tuple[HeadConfig, Head]]:
    """Return the heads of a bundle with their shapes."""
    model, network = bundle.model, bundle.network
    found = [] if isinstance(network.head, NoHead) else [(model.head, network.head)]
    if model.offline_head is not None and network.offline_head is not None:
        found.append((model.offline_head, network.offline_head))
    return found
