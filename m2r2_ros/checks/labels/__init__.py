# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of labels, by themselves, by what others of their kind are like, and by what was sensed.

`gathering` collects what is looked at, `event_observer` the events of a recording, `reference` what
is usual, and `results` runs the checks.
"""
