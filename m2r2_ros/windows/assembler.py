# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Streams in, frame windows out (design contracts 1 to 3)."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import reduce
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import (
    BUILTIN,
    IMAGE,
    VECTOR,
    Modalities,
    declared,
    of_kind,
)
from m2r2_ros.core.samples import Samples, SoundSamples
from m2r2_ros.core.time import SECOND, to_ns
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.windows.buffer import ColumnBuffer
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.fill import Filler
from m2r2_ros.windows.gate import TimeGate
from m2r2_ros.windows.kinematics import TwistFromPose
from m2r2_ros.windows.masks import every
from m2r2_ros.windows.prepare import PreparedSamples, prepare
from m2r2_ros.windows.stream import NEVER, SampleStream, arrival_or_never
from m2r2_ros.windows.ticks import CameraClock, FixedClock, FrameClock, window_starts


class WindowAssembler:
    """Turns samples into frame windows, the same ones however the samples are handed over.

    What a window holds depends only on stamps and on the order of arrival: not on how samples are
    grouped into calls, not on the wall clock, and not on what came before the window looks back.

    Attributes:
        counters: Windows, masks and drops by '<modality>.<reason>' and 'windows'.
    """

    def __init__(self, config: WindowConfig, modalities: Modalities | Collection[str]) -> None:
        """Make an assembler.

        Args:
            config: Rates, context and deadlines.
            modalities: What the windows shall hold; what never comes is masked.
        """
        self._config = config
        self._modalities = declared(modalities)
        # A pose may come only for the twist to be made from.
        poses = {m.derived_from for m in self._modalities.values()} & BUILTIN.keys()
        self._known = {**{name: BUILTIN[name] for name in sorted(poses)}, **self._modalities}
        self._ranks = {name: rank for rank, name in enumerate(self._known)}
        self._streams = {m: self._make_stream(m) for m in self._modalities}
        self._gate = TimeGate(len(self._known), to_ns(config.max_gap))
        self._twists: dict[str, TwistFromPose] = {}
        self._filler = Filler(config, self._modalities, self._streams)
        self.counters: Counter[str] = Counter()
        self._begin()

    def _begin(self) -> None:
        """Start over, as at the first sample."""
        cameras = of_kind(self._modalities, IMAGE)
        #: The camera whose frames are labelled: the first one that is declared.
        self._camera = cameras[0] if cameras else ''
        self._frames: FrameClock = (
            CameraClock(self._config.period, to_ns(self._modalities[self._camera].max_age))
            if cameras
            else FixedClock(self._config.period)
        )
        for stream in self._streams.values():
            stream.clear()
        for twist in self._twists.values():
            twist.reset()
        self._clock = ColumnBuffer(arrival=(np.int64, ()), clock=(np.int64, ()))
        self._released = ColumnBuffer(tick=(np.int64, ()), limit=(np.int64, ()))
        self._waited = np.ones(len(self._modalities), np.bool_)
        self._cells: dict[str, int] = {}
        self._restart = True
        self._now: int | None = None

    @property
    def derived(self) -> tuple[str, ...]:
        """The twists that are made from poses; for robots without a twist topic."""
        return tuple(self._twists)

    @derived.setter
    def derived(self, twists: Collection[str]) -> None:
        self._twists = {
            twist: self._twists.get(twist)
            or TwistFromPose(to_ns(self._known[self._modalities[twist].derived_from].max_age))
            for twist in twists
        }

    def push(self, samples: Mapping[str, Samples]) -> FrameWindows:
        """Add samples that arrived after all before, and return the windows they complete.

        Args:
            samples: By modality; arrival ranks are shared by all.
        """
        prepared: dict[str, PreparedSamples] = {}
        for modality, group in samples.items():
            if isinstance(group, SoundSamples) and len(group.chunks):
                self._filler.rates[modality] = group.rate
            prepared[modality] = prepare(self._known[modality], group)
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
        alive = zip(self._modalities, self._waited, strict=True)
        late = {m for m, waited in alive if waited and not self._streams[m].reaches(tick)}
        return late | {self._modalities[m].derived_from for m in late & self._twists.keys()}

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
        # One message may give samples of several modalities, so ranks are no search of arrivals.
        ranks = np.empty(len(order), np.intp)
        ranks[order] = np.arange(len(order))
        sizes = [len(p.stamps) for p in groups.values()]
        edge = [0, *accumulate(sizes)]
        own = {m: ranks[edge[k] : edge[k + 1]] for k, m in enumerate(groups)}
        stamps = np.concatenate([p.stamps for p in groups.values()])[order]
        ids = np.repeat([self._ranks[m] for m in groups], sizes)
        verdict = self._gate.admit(stamps, ids[order])
        names = tuple(self._known)
        for (stream, reason), n in verdict.dropped.items():
            self.counters[f'{names[stream]}.{reason}'] += n
        windows: list[FrameWindows] = []
        edges = sorted({0, *verdict.resets, len(order)})
        simple = not verdict.resets and every(verdict.accepted)
        for lo, hi in pairwise(edges):
            if lo in verdict.resets:
                windows += self._release(self._now, final=True)
                self.counters['clock.resets'] += 1
                self._begin()
            if self._now is None:
                self._frames.begin(int(stamps[lo]))
            run = {}
            for m, p in groups.items():
                rank = own[m]
                if not simple:
                    chosen = (rank >= lo) & (rank < hi) & verdict.accepted[rank]
                    p, rank = p.pick(chosen), rank[chosen]
                run[m] = p
                self._append(m, p, verdict.clock, rank)
            self._clock.append(arrival=arrival[lo:hi], clock=verdict.clock[lo:hi])
            self._now = int(verdict.clock[hi - 1])
            windows += self._release(self._now, final=False)
            self._count_late(run)
        return self._join(windows)

    def _append(
        self,
        modality: str,
        p: PreparedSamples,
        clock: NDArray[np.int64],
        rank: NDArray[np.intp],
    ) -> None:
        """Add believed samples; the data clock was clock[rank] after each."""
        for twist, derive in self._twists.items():
            if modality == self._modalities[twist].derived_from and len(p.stamps):
                known, twists = derive(p.stamps, p.payload)
                self._store(twist, replace(p, payload=twists).pick(known))
        if modality in self._streams:
            kept = self._store(modality, p)
            if modality == self._camera:
                seen = clock[rank][kept].tolist()
                for stamp, then in zip(p.stamps[kept].tolist(), seen, strict=True):
                    self._frames.see(stamp, then)

    def _store(self, modality: str, p: PreparedSamples) -> NDArray[np.bool_] | slice:
        """Store at most one sample in each cell of the grid of the highest rate; return which."""
        kept: NDArray[np.bool_] | slice = slice(None)
        rate = self._modalities[modality].max_rate
        if rate and len(p.stamps):
            cells = p.stamps // to_ns(1 / rate)
            kept = np.diff(cells, prepend=self._cells.get(modality, -1)) > 0
            self._cells[modality] = int(cells[-1])
            self.counters[f'{modality}.thinned'] += int((~kept).sum())
            p = p.pick(kept)
        self._streams[modality].append(p.stamps, p.ends, p.arrival, p.payload)
        return kept

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
        if runs:
            self._forget()
        return runs

    def _next_run(self, ticks: NDArray[np.int64], *, final: bool) -> FrameWindows | None:
        """Return windows up to the first after which other streams are waited for."""
        limits = self._limits(ticks)
        n = len(ticks) if final else int(limits.searchsorted(NEVER))
        if not n:
            return None
        ticks, limits = ticks[:n], limits[:n]
        counts = {m: s.counts(ticks, limits) for m, s in self._streams.items()}
        present = np.stack([s.fresh(ticks, counts[m]) for m, s in self._streams.items()], axis=1)
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
        for m, seen in zip(
            self._modalities, np.count_nonzero(windows.present, axis=0).tolist(), strict=True
        ):
            self.counters[f'{m}.masked'] += n - seen
        return windows

    def _limits(self, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the arrival at which each tick's window is released, NEVER where not yet.

        That is when every stream that was alive in the window before has passed the tick, or
        when the data clock has passed its deadline.
        """
        late = self._clock['clock'].searchsorted(ticks + to_ns(self._config.deadline), side='right')
        limits = arrival_or_never(self._clock['arrival'], late)
        waited = [s for s, alive in zip(self._streams.values(), self._waited, strict=True) if alive]
        if waited:
            passed = reduce(np.maximum, [s.passed(ticks) for s in waited])
            limits = np.minimum(limits, passed)
        return limits

    def _count_late(self, run: Mapping[str, PreparedSamples]) -> None:
        """Count the samples just taken in that came too late for their window."""
        ticks, limits = self._released['tick'], self._released['limit']
        if not len(ticks):
            return
        for m, p in run.items():
            window = ticks.searchsorted(p.stamps, side='right')
            past = window < len(ticks)
            late = p.arrival[past] > limits[window[past]]
            self.counters[f'{m}.late'] += int(late.sum())
        horizon = to_ns(self._config.max_gap)
        self._released.trim(int(ticks.searchsorted(ticks[-1] - horizon)))

    def _forget(self) -> None:
        back = to_ns(self._config.audio_context) + SECOND
        oldest = self._frames.previous - back
        for stream in self._streams.values():
            stream.forget(oldest)
        self._clock.trim(int(self._clock['clock'].searchsorted(oldest)))

    def _make_stream(self, modality: str) -> SampleStream:
        m = self._modalities[modality]
        if m.kind == VECTOR:
            return SampleStream(np.float64, (m.dims,), to_ns(m.max_age), inclusive=False)
        return SampleStream(object, (), to_ns(m.max_age), inclusive=m.kind == IMAGE)

    def _join(self, runs: list[FrameWindows]) -> FrameWindows:
        return FrameWindows.join(runs) if runs else self._filler.empty()
