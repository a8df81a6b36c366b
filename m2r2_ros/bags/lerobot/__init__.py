# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LeRobot datasets, v2.0 to v3, whose episodes are opened as recordings.

`dataset` finds the episodes, `source` opens one.
"""
