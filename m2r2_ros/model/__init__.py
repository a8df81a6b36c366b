# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""M2R2 encoders and fusion, the online head, and the bundle that they are kept in."""
