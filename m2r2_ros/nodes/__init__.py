# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 2 nodes: thin shells of parameters, topics, services and diagnostics around the rooms."""
