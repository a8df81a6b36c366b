# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of LAPS that need PyTorch: training of its tokenizer, and networks that look at images.

discovery.with_torch imports them for the methods of the room `discovery`.
"""
