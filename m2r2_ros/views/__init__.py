# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images of labels and signals, and layouts that make viewers show them.

Nothing here decides about labels; it only shows what the other rooms found.
"""
