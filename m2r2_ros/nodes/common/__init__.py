# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What nodes share: parameters, lifecycle, subscriptions, diagnostics, a clean end.

Nothing here knows what a node is for.
"""
