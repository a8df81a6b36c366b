# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images and sound of a recording at any time, without reading what lies before it."""
