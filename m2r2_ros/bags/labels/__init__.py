# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels, segments and ground truth: as topics of a bag, as CSV, merged into a recording.

`writer` puts them into a bag or onto live topics, `reader` gets them back.
"""
