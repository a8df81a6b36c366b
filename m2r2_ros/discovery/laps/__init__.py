# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LAPS: segments are where latent motion changes (arXiv 2511.21428).

A tokenizer that was trained on the recordings themselves turns motion into quantised vectors; how
fast they change says when a primitive begins and when it ends. The primitives are embedded,
clustered, judged and exported. Written from the paper and from facts about its code, not from it.
"""
