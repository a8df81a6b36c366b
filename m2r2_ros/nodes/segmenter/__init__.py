# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node `segmenter`: labels what a robot is doing, live.

`node` has parameters and services, `worker` the one thread that takes messages and labels.
"""
