# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 2 nodes: thin shells of parameters, topics, services and diagnostics around the rooms."""

import os

# Before numpy is imported: threads of OpenBLAS spin while they wait, for products so small that one
# core is quicker, and take the cores from those that have work to do.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
