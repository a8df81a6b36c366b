# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LeRobot datasets, version 3: Parquet, mp4 and metadata."""
