# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The M2R2 feature extractor F_m: one frame's modalities to x_i (paper section III-C)."""

import torch
from torch import Tensor, nn

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import IMAGE, SOUND, Modality
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.relative_pose import relative_name
from m2r2_ros.network.image import make_image_encoder
from m2r2_ros.network.proprioception import SensorEncoder
from m2r2_ros.network.sound import make_sound_encoder
from m2r2_ros.network.tensors import InputTensors


class Extractor(nn.Module):
    """tok = [I, A, S^1 .. S^Ns] through one self-attention layer, concatenated, MLP to x_i.

    A masked modality is not attended to, and its place in the concatenation holds zeros. In
    training, modalities are masked at random, which is what makes a dying sensor survivable.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        points: int,
        mel_frames: int,
        new_columns: int,
        pretrained: bool = False,
    ) -> None:
        """Make an extractor.

        Args:
            config: Modalities and shapes.
            points: T_s, grid points of each sensor in a window.
            mel_frames: Columns of the log-mel spectrogram.
            new_columns: Those of them that are new with each frame.
            pretrained: Begin with the image encoder's packaged weights.
        """
        super().__init__()
        d = config.width
        self.modalities = config.modalities
        self.relative = config.relative_pose

        def make(m: Modality) -> nn.Module:
            if m.kind == IMAGE:
                return make_image_encoder(config.image_encoder, d, pretrained=pretrained)
            if m.kind == SOUND:
                return make_sound_encoder(config, mel_frames, new_columns)
            return SensorEncoder((1 + self.is_relative(m)) * m.dims, points, d)

        #: One for each modality that does not share that of another.
        self.encoders = nn.ModuleDict()
        for name, m in config.modalities.items():
            if name not in self.encoders and hasattr(self.encoders, name):
                msg = f'modality {name!r}: torch has another use for this name; choose another one'
                raise ConfigError(msg)
            if not m.encoder:
                self.encoders[name] = make(m)
        self.token_norm = nn.LayerNorm(d)
        self.modality_transformer = nn.TransformerEncoderLayer(
            d, config.heads, config.feedforward, config.dropout, batch_first=True
        )
        self.mlp = nn.Sequential(
            nn.Linear(d * len(config.modalities), config.mlp),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.mlp, d),
        )

    def forward(self, inputs: InputTensors) -> Tensor:
        """Map N frames to x_i, float32 (N, D_e)."""
        present = self._present(inputs)
        if bool(present.all()):
            tokens = [self.encoder(name)(self._readings(name, inputs)) for name in self.modalities]
            slots = self.modality_transformer(self.token_norm(torch.stack(tokens, dim=1)))
        else:
            slots = self._mix_present(inputs, present)
        features: Tensor = self.mlp(slots.flatten(1))
        return features

    def encoder(self, name: str) -> nn.Module:
        """Return the encoder of a modality, its own or another's."""
        return self.encoders[self.modalities[name].encoder or name]

    def is_relative(self, modality: Modality) -> bool:
        """Return whether the encoder of a modality is given relative poses, too."""
        return modality.is_pose and self.relative

    def _present(self, inputs: InputTensors) -> Tensor:
        """Return which frames have which of the modalities of this network, bool (N, M)."""
        names = tuple(inputs.modalities)
        if names == tuple(self.modalities):
            return inputs.present
        none = torch.zeros_like(inputs.present[:, 0])
        columns = [
            inputs.present[:, names.index(m)] if m in names else none for m in self.modalities
        ]
        return torch.stack(columns, dim=1)

    def _mix_present(self, inputs: InputTensors, present: Tensor) -> Tensor:
        """Mix the tokens that are there; float32 (N, modalities, D_e), zero where one is not."""
        n, d = len(present), self.token_norm.normalized_shape[0]
        slots = torch.zeros(n, len(self.modalities), d, device=present.device)
        # Modalities that are absent from the whole batch cost nothing.
        used = [k for k, some in enumerate(present.any(dim=0).tolist()) if some]
        if used:
            names = tuple(self.modalities)
            tokens = [self._encode(names[k], inputs, present[:, k]) for k in used]
            there = present[:, used]
            # A frame without any modality attends to its own zeros instead of to nothing.
            blind = ~there & there.any(dim=1, keepdim=True)
            mixed = self.modality_transformer(
                self.token_norm(torch.stack(tokens, dim=1)),
                src_key_padding_mask=blind if bool(blind.any()) else None,
            )
            slots[:, used] = (mixed * there.unsqueeze(-1)).float()  # of half precision
        return slots

    def _readings(self, name: str, inputs: InputTensors) -> Tensor:
        """Return what the encoder of a modality takes."""
        if self.is_relative(self.modalities[name]):
            return torch.cat([inputs.data[name], inputs.data[relative_name(name)]], dim=-1)
        return inputs.data[name]

    def _encode(self, name: str, inputs: InputTensors, there: Tensor) -> Tensor:
        """Return the tokens of one modality, float32 (N, D_e), zero where it is masked."""
        data = self._readings(name, inputs)
        if bool(there.all()):
            token: Tensor = self.encoder(name)(data)
            return token
        tokens = torch.zeros(len(data), self.token_norm.normalized_shape[0], device=data.device)
        tokens[there] = self.encoder(name)(data[there]).float()  # of half precision
        return tokens


def drop_modalities(inputs: InputTensors, share: float) -> InputTensors:
    """Mask each modality over the whole run with probability `share`, but never the last one."""
    present = inputs.present.clone()
    for k in torch.randperm(present.shape[1]).tolist():
        dropped = bool(torch.rand(()) < share)
        if dropped and bool((present.sum(dim=1) > present[:, k].int()).all()):
            present[:, k] = False
    return InputTensors(inputs.data, present, inputs.modalities)
