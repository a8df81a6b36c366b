# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segmentation without labels: where segments begin, by what the robot's own signals show.

Each method (methods.py lists them) finds its parameters from recordings without labels, and makes a
detector of them, which says of each frame whether a segment begins there.
"""
