# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text tables as recordings, described by a specification in YAML.

`spec` reads the specification, `text` the tables, `importer` writes the bag.
"""
