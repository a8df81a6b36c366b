# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starting a training from CLIP's and AST's weights, in files that the user provides."""

from dataclasses import dataclass
from pathlib import Path

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import IMAGE, SOUND
from m2r2_ros.network.ast_weights import ast_tensors
from m2r2_ros.network.clip_weights import clip_tensors
from m2r2_ros.network.extractor import Extractor
from m2r2_ros.network.image import ClipImageEncoder
from m2r2_ros.network.sound import SoundEncoder
from m2r2_ros.network.weight_files import fit_weights, read_weights

#: Width and layers of AST-base, the only shape with published AudioSet weights.
AST_BASE = (768, 12)


@dataclass(frozen=True, slots=True)
class Loaded:
    """Where the weights of the encoders came from.

    Attributes:
        origins: By kind of modality, name and hash of the file; to be kept in the bundle.
        random: Kinds whose encoder needs pretrained weights, but was given none.
    """

    origins: dict[str, str]
    random: tuple[str, ...]

    @property
    def warning(self) -> str:
        """A notice for the user; empty if there is none."""
        if not self.random:
            return ''
        options = ' and '.join(f'--{name}-weights' for name in self.random)
        return (
            f'{" and ".join(self.random)}: training starts from random weights; such large '
            f'encoders need pretrained ones, given with {options}'
        )


def load_pretrained(
    extractor: Extractor, *, image: Path | None = None, sound: Path | None = None
) -> Loaded:
    """Load pretrained weights into the backbones of an extractor.

    Args:
        extractor: Its image and sound encoder are changed in place.
        image: File or folder with CLIP, OpenAI's, Hugging Face's or ActionCLIP's.
        sound: File or folder with AST, the original or Hugging Face's.

    Raises:
        ConfigError: The model has no encoder that takes such weights.
        BundleError: A file cannot be read or does not fit.
    """
    origins: dict[str, str] = {}
    encoders = dict(extractor.encoders.items())
    owners = {name: extractor.modalities[name].kind for name in encoders}
    # All cameras have an encoder of one kind, and so have all microphones.
    seeing = [encoders[name] for name, kind in owners.items() if kind == IMAGE]
    hearing = [encoders[name] for name, kind in owners.items() if kind == SOUND]
    large = {
        IMAGE: any(isinstance(encoder, ClipImageEncoder) for encoder in seeing),
        SOUND: any(map(_is_base, hearing)),
    }
    if image is not None:
        if not large[IMAGE]:
            msg = f'image weights {image}: only the image encoder clip_vit_b16 takes them'
            raise ConfigError(msg)
        file = read_weights(image)
        for encoder in seeing:
            assert isinstance(encoder, ClipImageEncoder)
            fit_weights(encoder.backbone, clip_tensors(file, 'vision'), file.path)
        origins[IMAGE] = file.origin
    if sound is not None:
        if not hearing:
            msg = f'sound weights {sound}: the model has no sound among its modalities'
            raise ConfigError(msg)
        if not isinstance(hearing[0], SoundEncoder):
            msg = f'sound weights {sound}: only the sound encoder ast takes them (preset full)'
            raise ConfigError(msg)
        file = read_weights(sound)
        for encoder in hearing:
            assert isinstance(encoder, SoundEncoder)
            fit_weights(encoder.ast, ast_tensors(file, encoder.ast.config), file.path)
        origins[SOUND] = file.origin
    return Loaded(
        origins, tuple(m for m, is_large in large.items() if is_large and m not in origins)
    )


def _is_base(encoder: object) -> bool:
    if not isinstance(encoder, SoundEncoder):
        return False
    shape = encoder.ast.config
    return (shape.hidden_size, shape.num_hidden_layers) == AST_BASE
