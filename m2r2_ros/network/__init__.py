# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network in PyTorch, for training: encoders, fusion, heads, and the graph made of them."""
