# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Streams in, frame windows out (design contracts 1 to 3)."""

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import MODALITIES, SENSOR_DIMS
from m2r2_ros.core.samples import Samples, SoundSamples
from m2r2_ros.core.time import SECOND, to_ns
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.windows.buffer import ColumnBuffer
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.fill import Filler
from m2r2_ros.windows.gate import TimeGate
from m2r2_ros.windows.kinematics import TwistFromPose
from m2r2_ros.windows.prepare import PreparedSamples, prepare
from m2r2_ros.windows.stream import NEVER, SampleStream
from m2r2_ros.windows.ticks import CameraClock, FixedClock, FrameClock, window_starts


class WindowAssembler:
    """Turns samples into frame windows, the same ones however the samples are handed over.

    What a window holds depends only on stamps and on the order of arrival: not on how samples are
    grouped into calls, not on the wall clock, and not on what came before the window looks back.

    Attributes:
        counters: Windows, masks and drops by '<modality>.<reason>' and 'windows'.
    """

    def __init__(self, config: WindowConfig, modalities: Collection[str]) -> None:
        """Make an assembler.

        Args:
            config: Rates, context, ages and deadlines.
            modalities: What the windows shall hold; what never comes is masked.
        """
        self._config = config
        self._modalities = tuple(m for m in MODALITIES if m in modalities)
        self._streams = {m: self._make_stream(m) for m in self._modalities}
        self._gate = TimeGate(len(MODALITIES), to_ns(config.max_gap))
        self._twist: TwistFromPose | None = None
        self._filler = Filler(config, self._streams)
        self.counters: Counter[str] = Counter()
        self._waited = np.zeros(len(MODALITIES), np.bool_)
        self._begin()

    def _begin(self) -> None:
        """Start over, as at the first sample."""
        c = self._config
        self._frames: FrameClock = (
            CameraClock(c.period, to_ns(c.max_age['image']))
            if 'image' in self._modalities
            else FixedClock(c.period)
        )
        for stream in self._streams.values():
            stream.clear()
        if self._twist is not None:
            self._twist.reset()
        self._clock = ColumnBuffer(arrival=(np.int64, ()), clock=(np.int64, ()))
        self._released = ColumnBuffer(tick=(np.int64, ()), limit=(np.int64, ()))
        self._waited = np.array([m in self._modalities for m in MODALITIES])
        self._restart = True
        self._now: int | None = None

    @property
    def derives_twist(self) -> bool:
        """Whether the twist is made from the pose; for robots without a twist topic."""
        return self._twist is not None

    @derives_twist.setter
    def derives_twist(self, derives: bool) -> None:
        if derives and self._twist is None:
            self._twist = TwistFromPose(to_ns(self._config.max_age['pose']))
        elif not derives:
            self._twist = None

    def push(self, samples: Mapping[str, Samples]) -> FrameWindows:
        """Add samples that arrived after all before, and return the windows they complete.

        Args:
            samples: By modality; arrival ranks are shared by all.
        """
        prepared: dict[str, PreparedSamples] = {}
        for modality, group in samples.items():
            if isinstance(group, SoundSamples) and len(group.chunks):
                self._filler.rate = group.rate
            prepared[modality] = prepare(modality, group)
            for reason, n in prepared[modality].dropped.items():
                self.counters[f'{modality}.{reason}'] += n
        return self._admit(prepared)

    @property
    def clock(self) -> int | None:
        """The data clock: the newest believed stamp, nanoseconds; None before the first."""
        return self._now

    @property
    def upcoming(self) -> int | None:
        """About when the next window ends, nanoseconds; None before the first.

        Before that time there is little use in pushing samples one by one.
        """
        return None if self._now is None else self._frames.upcoming

    @property
    def awaited(self) -> set[str]:
        """The modalities that the next window waits for: pushing others alone completes nothing."""
        tick = self.upcoming
        if tick is None:
            return set(self._modalities)
        alive = (m for m in self._modalities if self._waited[MODALITIES.index(m)])
        late = {m for m in alive if not self._streams[m].reaches(tick)}
        return late | {'pose'} if self._twist is not None and 'twist' in late else late

    def flush(self) -> FrameWindows:
        """Return the windows up to the newest sample without waiting for any stream."""
        return self._join(self._release(self._now, final=True))

    def _admit(self, prepared: Mapping[str, PreparedSamples]) -> FrameWindows:
        """Judge samples in their order of arrival, and take them in run by run between resets."""
        groups = {m: p for m, p in prepared.items() if len(p.stamps)}
        if not groups:
            return self._filler.empty()
        arrival = np.concatenate([p.arrival for p in groups.values()])
        order = np.argsort(arrival, kind='stable')
        arrival = arrival[order]
        stamps = np.concatenate([p.stamps for p in groups.values()])[order]
        ids = [np.full(len(p.stamps), MODALITIES.index(m)) for m, p in groups.items()]
        verdict = self._gate.admit(stamps, np.concatenate(ids)[order])
        for (stream, reason), n in verdict.dropped.items():
            self.counters[f'{MODALITIES[stream]}.{reason}'] += n
        windows: list[FrameWindows] = []
        edges = sorted({0, *verdict.resets, len(order)})
        for lo, hi in pairwise(edges):
            if lo in verdict.resets:
                windows += self._release(self._now, final=True)
                self.counters['clock.resets'] += 1
                self._begin()
            if self._now is None:
                self._frames.begin(int(stamps[lo]))
            run = {}
            for m, p in groups.items():
                rank = np.searchsorted(arrival, p.arrival)
                chosen = (rank >= lo) & (rank < hi) & verdict.accepted[rank]
                run[m] = p.pick(chosen)
                self._append(m, run[m], verdict.clock[rank[chosen]])
            self._clock.append(arrival=arrival[lo:hi], clock=verdict.clock[lo:hi])
            self._now = int(verdict.clock[hi - 1])
            windows += self._release(self._now, final=False)
            self._count_late(run)
        return self._join(windows)

    def _append(self, modality: str, p: PreparedSamples, clock: NDArray[np.int64]) -> None:
        if modality == 'pose' and self._twist is not None and len(p.stamps):
            known, twists = self._twist(p.stamps, p.payload)
            if 'twist' in self._streams:
                self._streams['twist'].append(
                    p.stamps[known], p.ends[known], p.arrival[known], twists[known]
                )
        if modality == 'image':
            for stamp, seen in zip(p.stamps.tolist(), clock.tolist(), strict=True):
                self._frames.see(stamp, seen)
        if modality in self._streams:
            self._streams[modality].append(p.stamps, p.ends, p.arrival, p.payload)

    def _release(self, clock: int | None, *, final: bool) -> list[FrameWindows]:
        """Return the windows that are complete, or overdue, or (final) up to the clock."""
        runs: list[FrameWindows] = []
        if clock is None:
            return runs
        while len(ticks := self._frames.due(clock)):
            run = self._next_run(ticks, final=final)
            if run is None:
                break
            runs.append(run)
        self._forget()
        return runs

    def _next_run(self, ticks: NDArray[np.int64], *, final: bool) -> FrameWindows | None:
        """Return windows up to the first after which other streams are waited for."""
        limits = self._limits(ticks)
        n = len(ticks) if final else int(np.searchsorted(limits, NEVER))
        if not n:
            return None
        ticks, limits = ticks[:n], limits[:n]
        counts = {m: s.counts(ticks, limits) for m, s in self._streams.items()}
        present = np.zeros((n, len(MODALITIES)), np.bool_)
        for m, stream in self._streams.items():
            present[:, MODALITIES.index(m)] = stream.fresh(ticks, counts[m])
        changed = np.flatnonzero((present != self._waited).any(axis=1))
        if len(changed):
            n = int(changed[0]) + 1
        self._waited = present[n - 1].copy()
        starts = window_starts(self._frames.previous, ticks[:n])
        counts = {m: c[:n] for m, c in counts.items()}
        windows = self._filler.fill(starts, ticks[:n], counts, present[:n], restart=self._restart)
        self._restart = False
        self._released.append(tick=ticks[:n], limit=limits[:n])
        self._frames.take(n)
        self.counters['windows'] += n
        for m in self._modalities:
            self.counters[f'{m}.masked'] += int((~present[:n, MODALITIES.index(m)]).sum())
        return windows

    def _limits(self, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the arrival at which each tick's window is released, NEVER where not yet.

        That is when every stream that was alive in the window before has passed the tick, or
        when the data clock has passed its deadline.
        """
        late = np.searchsorted(
            self._clock['clock'], ticks + to_ns(self._config.deadline), side='right'
        )
        limits = np.append(self._clock['arrival'], NEVER)[late]
        waited = [self._streams[m] for m in self._modalities if self._waited[MODALITIES.index(m)]]
        if waited:
            limits = np.minimum(limits, np.max([s.passed(ticks) for s in waited], axis=0))
        return limits

    def _count_late(self, run: Mapping[str, PreparedSamples]) -> None:
        """Count the samples just taken in that came too late for their window."""
        ticks, limits = self._released['tick'], self._released['limit']
        if not len(ticks):
            return
        for m, p in run.items():
            window = np.searchsorted(ticks, p.stamps, side='right')
            past = window < len(ticks)
            late = p.arrival[past] > limits[window[past]]
            self.counters[f'{m}.late'] += int(late.sum())
        horizon = to_ns(self._config.max_gap)
        self._released.trim(int(np.searchsorted(ticks, ticks[-1] - horizon)))

    def _forget(self) -> None:
        back = to_ns(self._config.audio_context) + SECOND
        oldest = self._frames.previous - back
        for stream in self._streams.values():
            stream.forget(oldest)
        self._clock.trim(int(np.searchsorted(self._clock['clock'], oldest)))

    def _make_stream(self, modality: str) -> SampleStream:
        age = to_ns(self._config.max_age[modality])
        if modality in SENSOR_DIMS:
            return SampleStream(np.float64, (SENSOR_DIMS[modality],), age, inclusive=False)
        return SampleStream(object, (), age, inclusive=modality == 'image')

    def _join(self, runs: list[FrameWindows]) -> FrameWindows:
        return FrameWindows.join(runs) if runs else self._filler.empty()
