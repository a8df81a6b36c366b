# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Segmenter protocol and everything that keeps it; `open_model` opens a model of any kind."""

from m2r2_ros.segmenters.kinds import open_model
from m2r2_ros.segmenters.model import Model

__all__ = ['Model', 'open_model']
