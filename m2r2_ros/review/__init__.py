# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A page on which people correct labels: a small server for one person on one machine.

It shows recordings and their labels, and writes annotation layers; nothing else is ever changed.
"""
