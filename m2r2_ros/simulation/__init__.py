# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An assembly cell in a physics simulation, and labelled recordings of what happens in it."""
