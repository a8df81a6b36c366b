# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segmentation heads: features x_1 .. x_T to frame labels (paper: F_seg)."""
