# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings in MCAP: chunks are indexed first, then read one by one, decoded in bulk.

`source` is what a recording reads, `repair` writes a damaged file anew; both stand on `records`.
"""
