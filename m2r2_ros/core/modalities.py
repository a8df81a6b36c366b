# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a model takes in: modalities, declared one by one (paper section III-C, eq. 2)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.options import Section, between, check_options, one_of, shown
from m2r2_ros.core.text import excerpt

IMAGE, SOUND, VECTOR = KINDS = ('image', 'sound', 'vector')
#: Numbers of a vector, and seconds without a sample, at most.
MAX_DIMS: Final = 4096
MAX_AGE: Final = 3600.0
MAX_RATE: Final = 1e5
#: Modalities at most: a mask has a bit for each.
MAX_MODALITIES: Final = 32
#: Numbers of a pose as it enters a window: position (m) and the first two columns of the rotation
#: matrix. Unlike a quaternion, which changes sign at will, they are continuous, so that linear
#: interpolation between samples is always meaningful.
POSE_DIMS: Final = 9
#: What a modality may be called; names of files and of parts of a network are made of it.
_NAME: Final = re.compile(r'[a-z][a-z0-9_]{0,39}')
#: What x_i is called where parts of a model are named beside each other.
_TAKEN: Final = frozenset({'features'})


NAMES: Final = (
    f'a name of small letters, digits and underscores, and none of {", ".join(sorted(_TAKEN))}'
)


def is_name(name: object) -> bool:
    """Return whether a modality may be called so."""
    return isinstance(name, str) and bool(_NAME.fullmatch(name)) and name not in _TAKEN


@dataclass(frozen=True, slots=True)
class Modality:
    """One input of a model, a token of the modality transformer.

    Attributes:
        name: Its own name.
        kind: 'image', 'sound' or 'vector'.
        like: The built-in modality whose conventions it keeps, as 'left_wrench' those of 'wrench';
            '' for a vector of its own.
        dims: D_s, the numbers of a vector as it enters a window; 0 where they are not known yet,
            and for images and sound.
        unit: Of its numbers, as people write it; '' where they have several, or none.
        max_age: Age, s, of the newest sample from which on it is masked: a few periods of the
            slowest usual driver.
        min_rate: Messages per second below which its source is said to be slow; 0 for any.
        max_rate: Samples per second that are kept of a faster source; 0 for all.
        derived_from: The pose that a twist is made from where no topic has it.
        encoder: The modality whose encoder it shares; '' for an encoder of its own.
    """

    name: str
    kind: str = one_of(VECTOR, KINDS)
    like: str = ''
    dims: int = between(0, 0, MAX_DIMS)
    unit: str = ''
    max_age: float = between(0.2, 1e-3, MAX_AGE)
    min_rate: float = between(0.0, 0, MAX_RATE)
    max_rate: float = between(0.0, 0, MAX_RATE)
    derived_from: str = ''
    encoder: str = ''

    def __post_init__(self) -> None:
        if not is_name(self.name):
            msg = f'modality {excerpt(self.name)!r}: expected {NAMES}'
            raise ConfigError(msg)
        check_options(self, self.name)

    @property
    def is_pose(self) -> bool:
        """Whether it is read as position and quaternion, and enters windows as POSE_DIMS."""
        return self.like == 'pose'

    @property
    def read_dims(self) -> int:
        """How many numbers it is read as: those of a pose are a position and a quaternion."""
        return 7 if self.is_pose else self.dims

    @property
    def is_steady(self) -> bool:
        """Whether its numbers mean the same in every trial: the width of a gripper does."""
        return self.like == 'gripper'


#: The modalities by name, in token order; bit k of a modality mask stands for entry k.
Modalities = Mapping[str, Modality]

#: Modalities with usual message types and conventions. Drivers of grippers report at 15 Hz, of
#: cameras down to 5 Hz.
BUILTIN: Final[Modalities] = {
    m.name: m
    for m in (
        Modality('image', IMAGE, 'image', max_age=0.5),
        Modality('sound', SOUND, 'sound', max_age=0.3),
        Modality('wrench', VECTOR, 'wrench', 6, 'N, N m'),
        Modality('pose', VECTOR, 'pose', POSE_DIMS, 'm'),
        Modality('twist', VECTOR, 'twist', 6, 'm/s, rad/s', derived_from='pose'),
        Modality('gripper', VECTOR, 'gripper', 1, 'm', max_age=0.5),
        Modality('joints', VECTOR, 'joints', unit='rad, rad/s'),
        Modality('imu', VECTOR, 'imu', 6, 'rad/s, m/s^2'),
    )
}

#: The proprioceptive sensors of the paper's robot, and all of its modalities in token order. Bits
#: of masks are in this order where a label set names none.
SENSORS: Final = ('wrench', 'pose', 'twist', 'gripper')
MODALITIES: Final = (IMAGE, SOUND, *SENSORS)


def declared(modalities: Modalities | Collection[str]) -> Modalities:
    """Return declarations by name; names alone stand for built-in modalities, in their order.

    Raises:
        ConfigError: A name is not that of a built-in modality.
    """
    if isinstance(modalities, Mapping):
        return modalities
    if unknown := sorted(set(modalities) - BUILTIN.keys()):
        msg = f'modalities: {", ".join(unknown)} unknown; expected some of {", ".join(BUILTIN)}'
        raise ConfigError(msg)
    return {name: modality for name, modality in BUILTIN.items() if name in modalities}


def check_modalities(modalities: Modalities, place: str) -> None:
    """Check what no declaration can say by itself.

    Args:
        modalities: The declarations.
        place: What stands before their names in messages, such as 'model.modalities.'.

    Raises:
        ConfigError: There are too many or none, or one refers to another that does not fit.
    """
    if not 0 < len(modalities) <= MAX_MODALITIES:
        msg = f'{place}{len(modalities)} modalities, expected 1 to {MAX_MODALITIES}'
        raise ConfigError(msg)
    for name, m in modalities.items():
        owner = modalities.get(m.encoder, m)
        same = (owner.kind, owner.dims, owner.is_pose) == (m.kind, m.dims, m.is_pose)
        if m.encoder and (m.encoder not in modalities or owner.encoder or not same):
            msg = (
                f'{place}{name}.encoder: expected a modality of the same kind and size with an '
                f'encoder of its own, found {shown(m.encoder)}'
            )
            raise ConfigError(msg)
        source = modalities.get(m.derived_from) or BUILTIN.get(m.derived_from)
        if m.derived_from and not (m.like == 'twist' and source and source.is_pose):
            msg = (
                f'{place}{name}.derived_from: expected a pose that a twist is made from, '
                f'found {shown(m.derived_from)}'
            )
            raise ConfigError(msg)


def of_kind(modalities: Modalities, kind: str) -> tuple[str, ...]:
    """Return the names of the modalities of a kind, in token order."""
    return tuple(name for name, modality in modalities.items() if modality.kind == kind)


def column(modalities: Modalities, name: str) -> int:
    """Return the place of a modality in token order."""
    return tuple(modalities).index(name)


def modality_names(mask: int, names: Collection[str] = MODALITIES) -> tuple[str, ...]:
    """Return the modalities whose bit is set in `mask`, in token order."""
    return tuple(name for k, name in enumerate(names) if mask >> k & 1)


def to_entries(modalities: Modalities) -> dict[str, dict[str, Any]]:
    """Return what `from_entries` reads."""
    return {
        name: {k: v for k, v in asdict(m).items() if k != 'name'} for name, m in modalities.items()
    }


def from_entries(section: Section) -> Modalities:
    """Read declarations as `to_entries` gives them.

    Raises:
        ConfigError: An entry is unknown, of another kind or out of range.
    """
    found = {}
    for name in section.entries:
        entry = section.section(name)
        found[name] = read_modality(entry, name)
        entry.close()
    return found


def read_modality(section: Section, name: str) -> Modality:
    """Read one declaration; what it leaves out is as in the built-in modality that it is like.

    Args:
        section: Its entries; others than those of a declaration are left to the caller.
        name: Of the modality.

    Raises:
        ConfigError: An entry is of another kind or out of range.
    """
    kind = section.choice('kind', KINDS, '') if section.has('kind') else ''
    media = kind if kind != VECTOR else ''  # images are like the built-in one, and so is sound
    like = section.text('like', '') or (name if name in BUILTIN else media)
    if like and like not in BUILTIN:
        section.refuse('like', f'one of {", ".join(BUILTIN)}', like)
    usual = replace(BUILTIN[like], name=name) if like else Modality(name)
    found = Modality(
        name,
        kind or usual.kind,
        like,
        section.count('dims', usual.dims),
        section.text('unit', usual.unit),
        section.number('max_age', usual.max_age),
        section.number('min_rate', usual.min_rate),
        section.number('max_rate', usual.max_rate),
        # A twist of another name may be of another arm than the built-in pose.
        section.text('derived_from', usual.derived_from if name in BUILTIN else ''),
        section.text('encoder', ''),
    )
    if like and found.kind != usual.kind:
        section.refuse('kind', f'{usual.kind}, as {like} is', found.kind)
    if found.kind != VECTOR and found.dims:
        section.refuse(
            'dims', f'nothing, since it is for vectors and this is {found.kind}', found.dims
        )
    if found.kind == SOUND and found.max_rate:
        section.refuse('max_rate', 'nothing, since sound has no sample to spare', found.max_rate)
    if like and usual.dims and found.dims != usual.dims:
        section.refuse('dims', f'{usual.dims}, as {like} has', found.dims)
    return found
