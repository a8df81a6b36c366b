# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bags that the recorder makes, and what stops it from making them."""

import shutil
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy

from m2r2_ros.bags.mcap.leftovers import finish_leftover
from m2r2_ros.bags.writing.snapshot import Entry, Snapshot
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError, ConfigError, M2R2Error, MessageError
from m2r2_ros.core.files import cannot_write, partial_path
from m2r2_ros.nodes.common import graph
from m2r2_ros.nodes.common.intake import Inlet
from m2r2_ros.nodes.common.parameters import Parameters

_MB: Final = 1_000_000
#: What is appended to the name of a bag.
_DATE: Final = '%Y-%m-%d_%H-%M-%S'
#: Bytes of a name that may be used up by date, number, and what files are called meanwhile.
_APPENDED: Final = 60
#: Bytes of the longest name that file systems have.
_LONGEST: Final = 255


def check_name(name: str) -> None:
    """Refuse what cannot be the beginning of a bag's name.

    Raises:
        ConfigError: It is empty, holds a separator or control characters, or is too long.
    """
    most = _LONGEST - _APPENDED
    if not name.strip() or name in {'.', '..'} or '/' in name:
        expected = 'the name of a folder, without /'
    elif not name.isprintable():
        expected = 'a name of printable characters'
    elif len(name.encode()) > most:
        expected = f'at most {most} bytes, since date and number are appended'
    else:
        return
    shown = name if len(name) <= most else f'{name[:20]}... ({len(name)} characters)'
    msg = f'name is {shown!r}; expected {expected}'
    raise ConfigError(msg)


class RecordingSession:
    """The bag that is being recorded, if any, and the newest messages, if they are kept.

    Not thread-safe.

    Attributes:
        bag: What is written to; None while nothing is recorded.
        latest: The last bag that was begun.
        ring: The newest messages; None where they are not kept.
        fault: Why recording ended without a request to; '' otherwise.
    """

    def __init__(self, node: Node, parameters: Parameters) -> None:
        """Begin without a bag."""
        self._node, self._parameters = node, parameters
        self.bag: BagWriter | None = None
        self.latest: BagWriter | None = None
        self.fault = ''
        seconds = parameters['snapshot_seconds']
        size = parameters['snapshot_size_mb'] * _MB
        self.ring = Snapshot(seconds, size) if seconds else None
        self._latched: set[str] = set()

    @property
    def needed(self) -> bool:
        """Whether messages are wanted at all at present."""
        return self.bag is not None or self.ring is not None

    @property
    def free_mb(self) -> float:
        """What is left on the disk, MB."""
        folder = self.folder
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free / _MB

    def begin(self, inlets: Iterable[Inlet], now: int) -> Path:
        """Begin to record.

        Args:
            inlets: Topics that are received already.
            now: Log time of what latched topics published before, nanoseconds.

        Returns:
            The bag.

        Raises:
            BagError: There is one already, or it cannot be made.
        """
        if self.bag is not None:
            msg = f'{self.bag.path} is being recorded already: stop it first'
            raise BagError(msg)
        p = self._parameters
        self.bag = self.latest = BagWriter(
            self._prepared(p['name']),
            flush_interval=p['flush_interval'],
            fsync=p['fsync'],
            max_size=p['max_size_mb'] * _MB,
            max_duration=p['max_duration'],
        )
        self.fault = ''
        for inlet in inlets:
            self.add(inlet)
        if self.ring is not None:
            self._append(self.ring.latched(now))
        return self.latest.path

    def add(self, inlet: Inlet) -> None:
        """Announce a topic before its first message."""
        if inlet.qos.durability == DurabilityPolicy.TRANSIENT_LOCAL:
            self._latched.add(inlet.topic)
        if self.bag is not None:
            try:
                _announce(self.bag, inlet)
            except BagError as error:
                self.fail(str(error))

    def write(self, entries: Sequence[Entry]) -> None:
        """Append messages of topics that were announced."""
        if self.ring is not None:
            for entry in entries:
                self.ring.add(entry, latched=entry[1] in self._latched)
        self._append(entries)

    def check(self) -> None:
        """End the recording where the disk is full or almost full."""
        if self.bag is None:
            return
        try:
            self.bag.check()
            self._expect_space()
        except (BagError, OSError) as error:
            self.fail(str(error))

    def detach(self) -> BagWriter:
        """Return the bag to be closed; from now on nothing is recorded.

        Raises:
            BagError: Nothing is being recorded.
        """
        if self.bag is None:
            msg = f'nothing is being recorded{": " * bool(self.fault)}{self.fault}'
            raise BagError(msg)
        bag, self.bag = self.bag, None
        return bag

    def fail(self, reason: str) -> None:
        """End the recording against the user's will; what was written stays."""
        bag = self.detach()
        with suppress(BagError):
            bag.close()
        self.fault = reason
        if bag.partial.exists():
            self.fault += f'; what was written is in {bag.partial}, m2r2 repair makes it whole'
        self._node.get_logger().error(f'recording stopped: {self.fault}')

    def save(self, entries: Sequence[Entry], inlets: Iterable[Inlet]) -> Path:
        """Write messages to a bag of their own; meanwhile `write` may go on in another thread.

        Raises:
            BagError: It cannot be written.
        """
        path = self._prepared(f'{self._parameters["name"]}_snapshot')
        with BagWriter(path) as bag:
            for inlet in inlets:
                _announce(bag, inlet)
            for log_time, topic, raw in entries:
                bag.write(topic, raw, log_time)
        return path

    def _append(self, entries: Sequence[Entry]) -> None:
        if self.bag is None:
            return
        try:
            for log_time, topic, raw in entries:
                self.bag.write(topic, raw, log_time)
        except BagError as error:
            self.fail(str(error))

    def finish_leftovers(self, partials: Iterable[Path]) -> None:
        """Complete the recordings that killed recorders left; may run in a thread of its own."""
        log = self._node.get_logger()
        for partial in partials:
            try:
                done = finish_leftover(partial)
            except M2R2Error as error:
                log.warning(f'{partial} is not finished: {error}')
                continue
            except Exception as error:  # the others are finished all the same
                log.error(f'{partial} is not finished: {error!r}; m2r2 repair may read it')
                continue
            if done.path is None:
                log.info(f'{partial}, which a killed recorder left, held no message: removed')
                continue
            log.info(f'{done.path}, which a killed recorder left: {done.messages} messages')
            if done.damaged:
                log.warning(f'{done.path}: the end of {", ".join(done.damaged)} could not be read')

    @property
    def folder(self) -> Path:
        """Where bags are made.

        Raises:
            BagError: It cannot be told, since there is no such user.
        """
        given = self._parameters['path']
        try:
            return Path(given).expanduser().absolute()
        except RuntimeError as error:
            msg = f'path is {given!r}: {error}; give the folder itself'
            raise BagError(msg) from error

    def _prepared(self, name: str) -> Path:
        """Return where the next bag goes, once there is room for it.

        Raises:
            BagError: There is none, or the folder cannot be looked at.
        """
        try:
            self._expect_space()
            return self._new_path(name)
        except OSError as error:
            raise BagError(str(cannot_write(self.folder, error))) from error

    def _new_path(self, name: str) -> Path:
        stem = f'{name}_{time.strftime(_DATE)}'
        path, number = self.folder / stem, 1
        # A leftover may be given its name between the two looks.
        while partial_path(path).exists() or path.exists():
            number += 1
            path = path.with_name(f'{stem}_{number}')
        return path

    def _expect_space(self) -> None:
        wanted = self._parameters['min_free_mb']
        if wanted and self.free_mb < wanted:
            msg = (
                f'{self.folder} has {self.free_mb:.0f} MB free, less than the {wanted} MB that '
                'min_free_mb keeps: make room and start again, or set path to another disk'
            )
            raise BagError(msg)


def _announce(bag: BagWriter, inlet: Inlet) -> None:
    """Add an inlet's topic to a bag, with all that the graph knows about it."""
    hashes = [str(p.topic_type_hash) for p in inlet.publishers if p.topic_type == inlet.type_name]
    type_hash = next((h for h in hashes if h.startswith('RIHS')), None)
    definition = graph.installed_definition(inlet.type_name) or None
    qos = graph.offered_qos(inlet.publishers)
    name, kind = inlet.topic, inlet.type_name
    try:
        bag.add_topic(name, kind, definition=definition, type_hash=type_hash, qos=qos)
    except MessageError:  # Messages that cannot be read today are worth keeping all the same.
        bag.add_topic(name, kind, definition='', type_hash=type_hash, qos=qos)
