# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segmenter that a bundle will be, run by PyTorch: the yardstick of benchmarks and tests."""

from m2r2_ros.model.facts import trained_modalities
from m2r2_ros.network.bundle import Bundle
from m2r2_ros.network.heads.no_head import NoHead
from m2r2_ros.network.torch_backend import TorchBackend
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.segmenters.network import NetworkSegmenter
from m2r2_ros.segmenters.offline import OfflineSegmenter
from m2r2_ros.segmenters.online import OnlineSegmenter


def segmenter_of(
    bundle: Bundle, decoding: Decoding | None = None, *, live: bool = False
) -> NetworkSegmenter:
    """Return the segmenter of a bundle: the offline one where it has an offline head.

    Args:
        bundle: The bundle.
        decoding: Options of the decoder instead of the bundle's own.
        live: Take the online head, even where there is an offline one too.

    Raises:
        BundleError: The bundle has no head, or no online one for live labels.
        ConfigError: An option of the decoder is out of range.
    """
    network = bundle.network
    if isinstance(network.head, NoHead):
        network.head.refuse()
    online = live or network.recording_head.online
    return (OnlineSegmenter if online else OfflineSegmenter)(
        bundle.labels,
        trained_modalities(bundle.model.modalities, bundle.topics, bundle.normalisation),
        bundle.normalisation,
        TorchBackend(network),
        Decoding.from_dict(bundle.decoding) if decoding is None else decoding,
        bundle.familiarity,
        bundle.windows.frame_rate,
    )
