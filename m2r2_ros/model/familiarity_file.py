# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a bundle knows of its training set, read from its two files."""

import numpy as np
from safetensors import safe_open

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.modalities import IMAGE, of_kind
from m2r2_ros.core.reading import naming, reading
from m2r2_ros.model.config import IMAGE_FEATURES, ModelConfig
from m2r2_ros.model.describe import described_widths
from m2r2_ros.model.facts import FAMILIARITY, WEIGHTS, YAML, BundleFacts
from m2r2_ros.model.familiarity import FEATURES, Familiarity, familiarity_shapes
from m2r2_ros.model.weight_header import EXPECTED, read_header


def promised_tensors(facts: BundleFacts) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor, by its name among the weights, that the section promises.

    Raises:
        BundleError: An entry of the section is not one that training writes.
    """
    if facts.familiarity is None or facts.network is None:
        return {}
    widths = {**_widths(facts.network.model), FEATURES: facts.network.model.width}
    with naming(facts.folder / YAML, BundleError):
        shapes = familiarity_shapes(facts.familiarity, widths)
    return {
        f'{FAMILIARITY}{part}.{name}': shape
        for part, tensors in shapes.items()
        for name, shape in tensors.items()
    }


def read_familiarity(facts: BundleFacts) -> Familiarity | None:
    """Return what a network knows of its training set; None where that was not measured.

    Raises:
        BundleError: A tensor is missing, of another shape or type, or not finite.
    """
    if facts.familiarity is None or facts.network is None:
        return None
    path, arrays = facts.folder / WEIGHTS, {}
    there = read_header(path).tensors
    promised = promised_tensors(facts)
    for name, shape in promised.items():
        if name not in there:
            msg = f'{path}: tensor {name} {shape} is missing'
            raise BundleError(msg)
        if there[name].shape != shape or there[name].kind not in ('F16', 'F32'):
            found = f'{there[name].kind} {there[name].shape}'
            msg = f'{path}: tensor {name}: expected F32 {shape}, found {found}'
            raise BundleError(msg)
    with reading(path, EXPECTED, BundleError), safe_open(path, framework='numpy') as file:
        for name in promised:
            array = np.asarray(file.get_tensor(name), np.float32)
            if not np.isfinite(array).all():
                msg = f'{path}: tensor {name} holds values that are not finite'
                raise BundleError(msg)
            arrays[name.removeprefix(FAMILIARITY)] = array
    with naming(facts.folder / YAML, BundleError):
        return Familiarity.from_dict(facts.familiarity, arrays, facts.network.model.modalities)


def _widths(model: ModelConfig) -> dict[str, int]:
    cameras = of_kind(model.modalities, IMAGE)
    images = dict.fromkeys(cameras, IMAGE_FEATURES.get(model.image_encoder, 0))
    return described_widths(model.modalities, images)
