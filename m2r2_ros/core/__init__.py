# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Value objects that every other room speaks in, and the one error family."""
