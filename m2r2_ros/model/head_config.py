# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of the segmentation heads, in one style; the `head` entry of a bundle's model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.options import between, check_options, is_kind, read_options, shown

#: What is said where a bundle without a head is asked for labels.
NO_HEAD: Final = (
    'the bundle is a pretrained extractor without a head: make features with it '
    '(m2r2 features) and train a head on them (m2r2 train-head)'
)
#: Most outputs for labels of earlier frames, and the longest lag, in frames.
MAX_OUTPUTS, MAX_LAG = 16, 1000


def count(default: int, low: int = 1, high: int = 4096) -> int:
    """Return a field that holds a whole number from low to high."""
    return between(default, low, high)


def number(default: float, low: float = 0.0, high: float = 1e3) -> float:
    """Return a field that holds a number from low to high."""
    return between(default, low, high)


@dataclass(frozen=True, slots=True)
class HeadConfig:
    """Options of a head; each kind adds its own.

    Attributes:
        name: Name of the kind, in bundles and on the command line.
        online: Whether it labels frames as they come.
    """

    name: ClassVar[str] = ''
    online: ClassVar[bool] = False

    @property
    def refusal(self) -> str:
        """What is said where an offline head is asked for labels of frames as they come."""
        return (
            f'the head {self.name} is offline: it labels whole recordings (m2r2 label), not '
            'frames as they come; train an online head for a live robot'
        )

    def __post_init__(self) -> None:
        check_options(self, f'model.head {self.name}')

    def to_dict(self) -> dict[str, Any]:
        """Return what `head_from_dict` reads."""
        return {'name': self.name, **asdict(self)}


@dataclass(frozen=True, slots=True)
class NoHeadConfig(HeadConfig):
    """A pretrained extractor alone."""

    name: ClassVar[str] = 'none'


@dataclass(frozen=True, slots=True)
class CausalTCNConfig(HeadConfig):
    """MS-TCN made causal, with a boundary output: the online head of the presets.

    Attributes:
        width: Feature maps (MS-TCN: 64).
        layers: Dilated layers of each stage; the last looks back 2 ** layers frames.
        stages: Stages; each one after the first refines the labels of the one before.
        lags: Frames back from the newest whose labels it has an output for, K, from 0 on:
            P(y_(t - k) | x_1 .. x_t) for each k of K.
    """

    name: ClassVar[str] = 'causal_tcn'
    online: ClassVar[bool] = True
    width: int = count(64)
    layers: int = count(8, high=16)
    stages: int = count(2, high=16)
    lags: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        HeadConfig.__post_init__(self)
        object.__setattr__(self, 'lags', _lags(self.lags))  # YAML and JSON know lists alone

    def to_dict(self) -> dict[str, Any]:
        """Return what `head_from_dict` reads."""
        return {**HeadConfig.to_dict(self), 'lags': list(self.lags)}


@dataclass(frozen=True, slots=True)
class MSTCNConfig(HeadConfig):
    """MS-TCN (CVPR 2019), offline.

    Attributes:
        stages, layers, width: As published.
        dropout: Behind the 1x1 convolution of each layer.
        smoothing: Weight of the truncated smoothing loss.
    """

    name: ClassVar[str] = 'ms_tcn'
    stages: int = count(4, high=16)
    layers: int = count(10, high=16)
    width: int = count(64)
    dropout: float = number(0.5, high=0.95)
    smoothing: float = number(0.15)


@dataclass(frozen=True, slots=True)
class ASRFConfig(HeadConfig):
    """ASRF (WACV 2021), offline: labels are voted for between the boundaries it finds.

    Attributes:
        stages: One head and stages - 1 that refine, for classes and for boundaries alike.
        layers, width, dropout: Of the stem and of each refining stage.
        smoothing: Weight of the Gaussian-similarity smoothing loss.
        boundary: Weight of the boundary loss.
        threshold: Least probability at which a local maximum is a boundary.
    """

    name: ClassVar[str] = 'asrf'
    stages: int = count(4, high=16)
    layers: int = count(10, high=16)
    width: int = count(64)
    dropout: float = number(0.5, high=0.95)
    smoothing: float = number(1.0)
    boundary: float = number(0.1)
    threshold: float = number(0.5, high=1.0)


@dataclass(frozen=True, slots=True)
class ASFormerConfig(HeadConfig):
    """ASFormer (BMVC 2021), offline.

    Attributes:
        decoders: Decoders behind the encoder.
        layers, width: Blocks of each, and their feature maps.
        reduction: Queries, keys and values have width / reduction maps (r1, r2).
        channel_mask: Share of input channels masked in training.
        smoothing: Weight of the truncated smoothing loss.
    """

    name: ClassVar[str] = 'asformer'
    decoders: int = count(3, high=8)
    layers: int = count(10, high=16)
    width: int = count(64)
    reduction: int = count(2, high=64)
    channel_mask: float = number(0.3, high=0.95)
    smoothing: float = number(0.15)


@dataclass(frozen=True, slots=True)
class DiffActConfig(HeadConfig):
    """DiffAct (ICCV 2023), offline: labels are denoised, conditioned on the features.

    Attributes:
        encoder_layers, encoder_width, encoder_kernel: Of the encoder.
        decoder_layers, decoder_width, decoder_kernel: Of the decoder.
        time_width: Width of the embedding of the diffusion step.
        steps: Diffusion steps in training.
        sampling_steps: DDIM steps in use.
        snr_scale: Scale of the labels against the noise.
        dropout: Of the features' channels and frames, and in the encoder's layers.
        sigma: Width of the Gaussian that softens boundaries to learn from, frames.
        label_sigma: The same of labels.
        median: Width of the median filter over probabilities, frames; 1 leaves them as they are.
    """

    name: ClassVar[str] = 'diffact'
    encoder_layers: int = count(10, high=16)
    encoder_width: int = count(64)
    encoder_kernel: int = count(5, high=63)
    decoder_layers: int = count(8, high=16)
    decoder_width: int = count(24)
    decoder_kernel: int = count(7, high=63)
    time_width: int = count(512, low=4)
    steps: int = count(1000, high=10_000)
    sampling_steps: int = count(25, high=1000)
    snr_scale: float = number(0.5, low=0.01)
    dropout: float = number(0.5, high=0.95)
    sigma: float = number(1.0)
    label_sigma: float = number(1.4)
    median: int = count(1, high=1001)


@dataclass(frozen=True, slots=True)
class ProTASConfig(HeadConfig):
    """Causal MS-TCN with progress, online (ProTAS, CVPR 2024).

    Attributes:
        stages, layers, width, dropout: Of the causal MS-TCN.
        smoothing: Weight of the truncated smoothing loss.
        progress: Weight of the progress loss.
        task_graph: Also use the graph of which action comes before which, learned from the labels
            of the recordings trained on.
    """

    name: ClassVar[str] = 'protas'
    online: ClassVar[bool] = True
    stages: int = count(4, high=16)
    layers: int = count(10, high=16)
    width: int = count(64)
    dropout: float = number(0.5, high=0.95)
    smoothing: float = number(0.15)
    progress: float = number(1.0)
    task_graph: bool = False


@dataclass(frozen=True, slots=True)
class OnlineTASConfig(HeadConfig):
    """A memory of the past in front of a causal TCN, online (OnlineTAS, NeurIPS 2024).

    Attributes:
        window: Frames of a clip, w.
        iterations: Times that clip and memory attend to each other, I.
        width: Feature maps of attention, memory and TCN.
        layers, dropout: Of the causal TCN.
        smoothing: Weight of the truncated smoothing loss.
    """

    name: ClassVar[str] = 'online_tas'
    online: ClassVar[bool] = True
    window: int = count(64, low=4, high=1024)
    iterations: int = count(2, high=8)
    width: int = count(64)
    layers: int = count(10, high=16)
    dropout: float = number(0.5, high=0.95)
    smoothing: float = number(0.15)


def _lags(found: object) -> tuple[int, ...]:
    """Return lags in order, the first of them 0.

    Raises:
        ConfigError: They are something else.
    """
    whole = isinstance(found, list | tuple) and all(is_kind(k, int) for k in found)
    lags = tuple(found) if isinstance(found, list | tuple) and whole else ()
    ordered = list(lags) == sorted(set(lags))
    if not (lags and lags[0] == 0 and ordered and len(lags) <= MAX_OUTPUTS and lags[-1] <= MAX_LAG):
        msg = (
            f'model.head causal_tcn.lags: expected 0 and up to {MAX_OUTPUTS - 1} larger whole '
            f'numbers up to {MAX_LAG}, in order, found {shown(found)}'
        )
        raise ConfigError(msg)
    return lags


CONFIGS: dict[str, type[HeadConfig]] = {
    c.name: c
    for c in (
        CausalTCNConfig, ProTASConfig, OnlineTASConfig, MSTCNConfig, ASRFConfig, ASFormerConfig,
        DiffActConfig, NoHeadConfig,
    )
}  # fmt: skip


def head_from_dict(entries: object) -> HeadConfig:
    """Read a head's options, as in a bundle.

    Raises:
        ConfigError: The head is unknown, or an option is unknown or out of range.
    """
    if not isinstance(entries, Mapping) or not isinstance(entries.get('name'), str):
        msg = f'model.head: expected a name and its options, found {shown(entries)}'
        raise ConfigError(msg)
    options = dict(entries)
    name = options.pop('name')
    if name not in CONFIGS:
        msg = f'model.head {shown(name)} is unknown: expected one of {", ".join(CONFIGS)}'
        raise ConfigError(msg)
    return read_options(CONFIGS[name], options, f'model.head {name}')
