# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags as they are written: an MCAP file that grows, split files and metadata.yaml.

Outputs are written under a name of their own and take their place when they are complete.
"""
