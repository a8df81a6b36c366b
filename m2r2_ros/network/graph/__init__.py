# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network as an ONNX graph: what a robot runs, without PyTorch."""
