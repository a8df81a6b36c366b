#!/usr/bin/env bash
# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Trains the bundle that `m2r2 demo` labels with, on simulated episodes of other seeds than the
# demo's. Usage: tools/train_cell_model.bash FOLDER, where episodes and the new bundle go; given
# again, it goes on where it was interrupted.

set -euo pipefail
mkdir -p "${1:?folder for episodes and bundle}"
cd "$1"
m2r2 simulate --episodes 72 --seed 0 --out train
m2r2 simulate --episodes 12 --seed 700 --out val
m2r2 train train --validate val --preset proprio --no-relative-pose --out cell --note \
    'tools/train_cell_model.bash: m2r2 simulate --episodes 72 --seed 0 --out train; m2r2 simulate --episodes 12 --seed 700 --out val; m2r2 train train --validate val --preset proprio --no-relative-pose --out cell'
