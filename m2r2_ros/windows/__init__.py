# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From samples to frame windows: clocks, watermarks, 300 Hz resampling, sound, normalisation."""
