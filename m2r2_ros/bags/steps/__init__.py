# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings made of episodes of steps: rows of numbers and images of one rate, with labels.

What the formats of learning have in common; `source` joins the streams of an episode.
"""
