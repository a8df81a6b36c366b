# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A segmenter together with what is needed to feed it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from m2r2_ros.core.modalities import Modalities
from m2r2_ros.segmenters.base import Segmenter
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.fit import Expectations


@dataclass(frozen=True, slots=True)
class Model:
    """A model of any kind, open.

    Attributes:
        segmenter: What labels.
        windows: The windows that it takes.
        modalities: What the windows hold.
        topics: Topics that it was trained on, by modality; see BundleFacts.
        expectations: What the inputs looked like in training.
        id: Of the bundle, with '-offline' behind it where labels come from an offline head; travels
            in every label.
        kind: What opened it.
    """

    segmenter: Segmenter
    windows: WindowConfig
    modalities: Modalities
    topics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    expectations: Expectations = field(default_factory=Expectations)
    id: str = ''
    kind: str = ''
