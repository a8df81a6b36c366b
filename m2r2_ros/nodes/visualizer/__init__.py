# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node `visualizer`: labels as markers, as an image, and as messages that viewers know.

Nothing is drawn that no viewer subscribes to.
"""
