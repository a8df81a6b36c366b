# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Robot-side temporal action segmentation with M2R2 on ROS 2."""

from pkgutil import extend_path

# From a checkout, this folder would hide the generated `m2r2_ros.msg` of a built workspace.
__path__ = extend_path(__path__, __name__)

__version__ = '0.1.0'
