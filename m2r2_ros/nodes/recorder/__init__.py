# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node `recorder`: topics as they are, raw, into rosbag2 folders with MCAP.

`node` has parameters and services, `session` the bag that is being recorded.
"""
