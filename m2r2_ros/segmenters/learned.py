# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The kind `learned`: a network with M2R2 features and an online head, an offline one, or both."""

from typing import Final

from m2r2_ros.core.errors import BundleError
from m2r2_ros.model.facts import BundleFacts, trained_modalities
from m2r2_ros.model.head_config import NoHeadConfig
from m2r2_ros.network.bundle import Bundle, load_bundle
from m2r2_ros.network.heads.no_head import NoHead
from m2r2_ros.network.torch_backend import TorchBackend
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.segmenters.network import NetworkSegmenter
from m2r2_ros.segmenters.offline import OfflineSegmenter
from m2r2_ros.segmenters.online import OnlineSegmenter


class LearnedKind:
    """Opens the bundle of a network."""

    def open(
        self, facts: BundleFacts, decoding: Decoding, device: str, *, live: bool
    ) -> NetworkSegmenter:
        """Return the segmenter; see Kind."""
        return segmenter_of(load_bundle(facts.folder), decoding, device, live=live)

    def expect_live(self, facts: BundleFacts) -> None:
        """Refuse offline heads; see Kind."""
        assert facts.network is not None
        head = facts.network.model.head
        if not head.online and not isinstance(head, NoHeadConfig):  # which `open` refuses
            msg = (
                f'the head {head.name} is offline: it labels whole recordings (m2r2 label), not '
                'frames as they come; train an online head for a live robot'
            )
            raise BundleError(msg)


KIND: Final = LearnedKind()


def segmenter_of(
    bundle: Bundle, decoding: Decoding | None = None, device: str = 'cpu', *, live: bool = False
) -> NetworkSegmenter:
    """Return the segmenter that a bundle is: the offline one where it has an offline head.

    Args:
        bundle: The bundle.
        decoding: Options of the decoder instead of the bundle's own.
        device: 'auto', 'cpu' or 'cuda'.
        live: Take the online head, even where there is an offline one too.

    Raises:
        BundleError: The bundle has no head, or no online one for live labels.
        ConfigError: An option of the decoder is out of range, or there is no such device.
    """
    network = bundle.network
    if isinstance(network.head, NoHead):
        network.head.refuse()
    online = live or network.recording_head.online
    kind = OnlineSegmenter if online else OfflineSegmenter
    return kind(
        bundle.labels,
        trained_modalities(bundle.model.modalities, bundle.topics, bundle.normalisation),
        bundle.normalisation,
        TorchBackend(network, device),
        Decoding.from_dict(bundle.decoding) if decoding is None else decoding,
        bundle.familiarity,
        bundle.windows.frame_rate,
    )
