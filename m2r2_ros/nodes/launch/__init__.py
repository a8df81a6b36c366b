# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes that belong together as processes, for machines without `ros2 launch`.

`plans` has what the launch files have, `supervisor` runs it; neither needs rclpy itself.
"""
