# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What checks found, as a table, JSON, a page, SARIF or JUnit."""
