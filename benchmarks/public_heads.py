# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ASFormer, DiffAct and ProTAS beside their public code, with the same weights in both.

    python benchmarks/public_heads.py FEATURES --asformer DIR --diffact DIR --protas DIR

FEATURES is a folder that m2r2 features wrote; each DIR a checkout of ChinaYi/ASFormer,
Finspire13/DiffAct or Yuhan-Shen/ProTAS. The public weights are loaded into our head; then both see
the same recordings, without dropout, and take a step of Adam after each. Prints how far outputs,
losses and weights are apart. Losses of ASFormer and ProTAS are ours in both cases, since the public
ones are part of their training loops; that of DiffAct is its own.
"""

import argparse
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from m2r2_ros.model.head_config import ASFormerConfig, DiffActConfig, ProTASConfig
from m2r2_ros.network.heads.asformer import ASFormer
from m2r2_ros.network.heads.diffact import DiffAct
from m2r2_ros.network.heads.diffact_losses import MASKS, smoothed_boundaries
from m2r2_ros.network.heads.protas import ProTAS, progress_loss
from m2r2_ros.network.losses import classification_loss, smoothing_loss
from m2r2_ros.training.feature_set import FeatureTrack, read_feature_set

STEPS = 5


class ASFormerPair:
    """Ours and the public one."""

    def __init__(self, code: Any, width: int, classes: int) -> None:  # noqa: ANN401
        config = ASFormerConfig()
        rates = (2, 2, config.width, width, classes, config.channel_mask)
        self.public: Any = code.MyTransformer(config.decoders, config.layers, *rates).eval()
        self.head: Any = ASFormer(config, width, classes).eval()
        self._smoothing = config.smoothing

    def layers(self) -> Iterator[tuple[nn.Module, nn.Module]]:
        """Yield layers of ours and of the public one that are the same."""
        public, head = self.public, self.head
        coders = zip(
            [head.encoder, *head.decoders], [public.encoder, *public.decoders], strict=True
        )
        for own, other in coders:
            yield own.enter, other.conv_1x1
            yield own.leave, other.conv_out
            for a, b in zip(own.blocks, other.layers, strict=True):
                yield a.taps, b.feed_forward.layer[0]
                yield a.mix, b.conv_1x1
                for name, theirs in (('query', 'query_conv'), ('key', 'key_conv')):
                    yield getattr(a.attention, name), getattr(b.att_layer, theirs)
                yield a.attention.value, b.att_layer.value_conv
                yield a.attention.leave, b.att_layer.conv_out

    def outputs(self, x: Tensor) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        """Return what both say, float32 (N, ...) each."""
        found = self.public(x.t()[None], torch.ones(1, 1, len(x)))
        return self.head(x), [logits[0].t() for logits in found]

    def losses(self, x: Tensor, y: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Return the loss of both."""
        _, found = self.outputs(x)
        each = [classification_loss(p, y) + self._smoothing * smoothing_loss(p) for p in found]
        return self.head.loss(x, y), torch.stack(each).sum()


class ProTASPair:
    """Ours and the public one, causal and without a task graph."""

    def __init__(self, code: Any, width: int, classes: int) -> None:  # noqa: ANN401
        self._config = config = ProTASConfig()
        sizes = (config.stages, config.layers, config.width, width, classes)
        self.public: Any = code.MultiStageModel(*sizes, causal=True, use_graph=False).eval()
        self.head: Any = ProTAS(config, width, classes).eval()

    def layers(self) -> Iterator[tuple[nn.Module, nn.Module]]:
        """Yield layers of ours and of the public one that are the same."""
        for a, b in zip(self.head.stages, [self.public.stage1, *self.public.stages], strict=True):
            yield a.enter, b.conv_1x1
            yield a.classes, b.conv_out
            yield a.progress, b.conv_app
            yield a.fuse, b.prob_fusion.conv
            yield a.memory, b.gru_app
            for own, other in zip(a.layers, b.layers, strict=True):
                yield own.taps, other.conv_dilated
                yield own.mix, other.conv_1x1

    def outputs(self, x: Tensor) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        """Return what both say, float32 (N, ...) each."""
        found = self.public(x.t()[None], torch.ones(1, 1, len(x)))
        logits, progress, _ = self.head(x, self.head.initial_state())
        return [*logits, *progress], [y[0].t() for part in found for y in part]

    def losses(self, x: Tensor, y: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Return the loss of both."""
        _, found = self.outputs(x)
        logits, progress = found[: self._config.stages], found[self._config.stages :]
        labels = [
            classification_loss(p, y) + self._config.smoothing * smoothing_loss(p) for p in logits
        ]
        ongoing = [progress_loss(p, y) for p in progress]
        whole = torch.stack(labels).sum() + self._config.progress * torch.stack(ongoing).sum()
        return self.head.loss(x, y), whole


class DiffActPair:
    """Ours and the public one, where the decoder is shown the whole condition."""

    def __init__(self, code: Any, width: int, classes: int) -> None:  # noqa: ANN401
        self._config, self._classes = DiffActConfig(), classes
        c = self._config
        encoder = {
            'num_layers': c.encoder_layers, 'num_f_maps': c.encoder_width, 'input_dim': width,
            'kernel_size': c.encoder_kernel, 'normal_dropout_rate': c.dropout,
            'channel_dropout_rate': c.dropout, 'temporal_dropout_rate': c.dropout,
            'feature_layer_indices': [5, 7, 9], 'use_instance_norm': False,
        }  # fmt: skip
        decoder = {
            'num_layers': c.decoder_layers, 'num_f_maps': c.decoder_width,
            'time_emb_dim': c.time_width, 'kernel_size': c.decoder_kernel, 'dropout_rate': 0.1,
        }  # fmt: skip
        diffusion = {
            'timesteps': c.steps, 'sampling_timesteps': c.sampling_steps, 'ddim_sampling_eta': 1.0,
            'snr_scale': c.snr_scale, 'cond_types': ['full'], 'detach_decoder': False,
        }  # fmt: skip
        device = torch.device('cpu')
        self.public: Any = code.ASDiffusionModel(encoder, decoder, diffusion, classes, device)
        self.public.eval()
        self.head: Any = DiffAct(c, width, classes).eval()

    def layers(self) -> Iterator[tuple[nn.Module, nn.Module]]:
        """Yield layers of ours and of the public one that are the same."""
        own, other = self.head.encoder, self.public.encoder
        yield own.enter, other.conv_in
        yield own.leave, other.conv_out
        yield from self._mixed(own.layers, other.encoder.layers)
        own, other = self.head.decoder, self.public.decoder
        yield own.time[0], other.time_in[0]
        yield own.time[2], other.time_in[1]
        yield own.time_leave, other.module.time_proj
        yield own.enter, other.conv_in
        yield own.leave, other.conv_out
        yield from self._mixed(own.layers, other.module.layers)

    @staticmethod
    def _mixed(own: Any, other: Any) -> Iterator[tuple[nn.Module, nn.Module]]:  # noqa: ANN401
        for a, b in zip(own, other, strict=True):
            yield a.taps, b.conv_block[0]
            yield a.attend.query, b.att_linear_q
            yield a.attend.key, b.att_linear_k
            yield a.attend.value, b.att_linear_v
            yield a.spread, b.ffn_block[0]
            yield a.mix, b.ffn_block[2]

    def outputs(self, x: Tensor) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        """Return encoder, condition and decoder of both, float32 (N, ...) each."""
        noised = torch.rand(1, self._classes, len(x))
        logits, condition = self.head.encoder(x.t()[None])
        found, shown = self.public.encoder(x.t()[None], get_features=True)
        step = self._config.steps // 2
        own = (logits, condition, self.head.decoder(noised, step, condition))
        other = (found, shown, self.public.decoder(shown, torch.tensor([step]), noised))
        return [y[0].t() for y in own], [y[0].t() for y in other]

    def losses(self, x: Tensor, y: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Return the loss of both, with the same step and noise."""
        seed = next(s for s in range(1000 * seed, 1000 * seed + 999) if self._shows_all(s, len(x)))
        torch.manual_seed(seed)
        own = self.head.loss(x, y)
        torch.manual_seed(seed)
        weights = {'ce': 0.5, 'mse': 0.1, 'boundary': 0.1}
        each = nn.CrossEntropyLoss(reduction='none'), nn.MSELoss(reduction='none')
        criteria = (*each, nn.BCELoss(reduction='none'))
        boundaries = smoothed_boundaries(y, self._config.sigma)[None, None]
        one_hot = nn.functional.one_hot(y, self._classes).t()[None]
        found = self.public.get_training_loss(
            x.t()[None], one_hot, boundaries, *criteria, *criteria, self._config.label_sigma
        )
        return own, sum(weights[name.split('_')[1]] * loss for name, loss in found.items())

    def _shows_all(self, seed: int, frames: int) -> bool:
        """Return whether our loss draws the mask that hides nothing, as the public one does."""
        torch.manual_seed(seed)
        torch.randint(self._config.steps, ())
        torch.randn(1, self._classes, frames)
        return MASKS[int(torch.randint(len(MASKS), ()))] == 'full'


PAIRS: dict[str, Any] = {'asformer': ASFormerPair, 'diffact': DiffActPair, 'protas': ProTASPair}


@contextmanager
def public_code(folder: Path) -> Iterator[Any]:
    """Import the module `model` of a checkout, without what ASFormer draws pictures with."""
    pictures: Any = ModuleType('eval')
    pictures.segment_bars_with_confidence = None
    sys.modules['eval'] = pictures
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module('model')
    finally:
        sys.path.remove(str(folder))
        for name in ('model', 'eval'):
            sys.modules.pop(name, None)


def load(own: nn.Module, other: nn.Module) -> None:
    """Load the weights of a public layer; where ours has no bias, it changes nothing."""
    theirs = dict(other.named_parameters())
    for name, tensor in own.named_parameters():
        tensor.data.copy_(flat(theirs[name].data, tensor))


def flat(theirs: Tensor, own: Tensor) -> Tensor:
    """Return convolution weights (outputs, inputs, taps) as those of a linear layer over taps."""
    if theirs.ndim > own.ndim:
        theirs = theirs.transpose(1, 2).flatten(1)
    return theirs


def apart(own: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    """Return the largest distance of two lists of tensors."""
    return max(float((a - b).detach().abs().max()) for a, b in zip(own, other, strict=True))


def compare(name: str, pair: Any, tracks: Sequence[FeatureTrack]) -> None:  # noqa: ANN401
    """Print how far a pair is apart."""
    for own, other in pair.layers():
        load(own, other)
    recipe = pair.head.recipe
    optimizers = [
        torch.optim.Adam(net.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
        for net in (pair.head, pair.public)
    ]
    distance = apart(*pair.outputs(tracks[0].features))
    print(f'{name}: outputs of {len(tracks[0])} frames {distance:.1e}')
    for k, track in enumerate(tracks):
        losses = pair.losses(track.features, track.labels, k)
        for loss, optimizer in zip(losses, optimizers, strict=True):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        own, other = (loss.item() for loss in losses)
        print(f'  step {k + 1}: losses {own:.6f} and {other:.6f}')
    weights = [
        (tensor, flat(dict(other.named_parameters())[part], tensor))
        for own, other in pair.layers()
        for part, tensor in own.named_parameters()
    ]
    ours, theirs = (torch.cat([w[k].detach().flatten() for w in weights]) for k in (0, 1))
    distances = (ours - theirs).abs()
    print(
        f'  weights after {len(tracks)} steps: median {float(distances.median()):.1e}, '
        f'99.9th percentile {float(distances.sort().values[int(0.999 * len(distances))]):.1e}'
    )


def main() -> None:
    """Compare the heads whose public code is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('features', type=Path)
    for name in PAIRS:
        parser.add_argument(f'--{name}', type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    features = read_feature_set(arguments.features)
    tracks = features.parts['train'][:STEPS]
    for name, kind in PAIRS.items():
        folder = getattr(arguments, name)
        if folder is not None:
            torch.manual_seed(0)
            with public_code(folder) as code:
                compare(name, kind(code, features.width, len(features.labels.names)), tracks)


if __name__ == '__main__':
    main()
