# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The HDF5 files of the REASSEMBLE data set, opened as the recordings they once were.

`source` is what a recording reads; one module each makes vectors, sound, video and ground truth.
"""
