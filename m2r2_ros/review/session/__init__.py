# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is open: recordings that are looked at, and how what people say of them is saved."""
