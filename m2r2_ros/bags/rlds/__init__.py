# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""RLDS datasets, as TFDS writes them in TFRecords, whose episodes are opened as recordings.

`dataset` finds the episodes, `source` opens one; TensorFlow is not needed.
"""
