#!/usr/bin/env bash
# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Trains the bundle that `m2r2 demo` labels with, on recordings of other seeds than the demo's.
# Usage: tools/train_demo_model.bash FOLDER, where recordings and the new bundle go.

set -euo pipefail
work=${1:?folder for recordings and bundle}
train=() validate=()
for seed in {0..15} {900..901}; do
  name=demo_$(printf %04d "$seed")
  [ -e "$work/recordings/$name" ] ||
    m2r2 demo --record-only --seed "$seed" --out "$work/recordings"
  if [ "$seed" -lt 900 ]; then train+=("$work/recordings/$name")
  else validate+=(--validate "$work/recordings/$name"); fi
done
m2r2 train "${train[@]}" "${validate[@]}" --preset proprio --epochs 20 --out "$work/demo"
