# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Chooses how MuJoCo draws before the tests of this folder import it."""

from m2r2_ros.simulation.cameras import choose_backend

choose_backend()
