# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels, and what was sensed under them, in the formats of other tools."""
