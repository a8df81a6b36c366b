# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node `player`: a recording as a live robot.

`node` has parameters and services, `playback` publishes each message when it is due.
"""
