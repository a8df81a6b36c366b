# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node `sim`: the simulated assembly cell as a live robot.

The cell itself is the room `simulation`; here it gets topics and a clock.
"""
