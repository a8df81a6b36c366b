# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One command over many recordings, by many processes on one machine or on several."""
