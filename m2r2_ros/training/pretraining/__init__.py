# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pretraining of the extractor on windows of three actions (paper sections III-C and III-D)."""
