# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The executor of our nodes: whatever is raised, callbacks go on and services answer."""

import threading
from collections.abc import Awaitable, Callable
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.callback_groups import CallbackGroup
from rclpy.context import Context
from rclpy.exceptions import InvalidHandle
from rclpy.executors import SingleThreadedExecutor
from rclpy.service import Service
from rclpy.subscription import Subscription
from rclpy.timer import Timer

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.nodes.common.faults import Faults, describe, sendable

#: Whatever has a callback, and what services take and give: rclpy has no common classes for them.
_Entity = Any
_Message = Any
#: What the executor runs once it has taken what came; None where nothing did.
_Work = Callable[[], Awaitable[None]] | None


class Apart(CallbackGroup):
    """Services that take long: one at a time in a thread of its own, while all others go on."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        super().__init__()
        self._busy = threading.Lock()

    def can_execute(self, entity: _Entity) -> bool:
        """Return whether no service of the group is being answered."""
        return not self._busy.locked()

    def beginning_execution(self, entity: _Entity) -> bool:
        """Take the group, if it is free."""
        return self._busy.acquire(blocking=False)

    def ending_execution(self, entity: _Entity) -> None:
        """Do nothing: the thread goes on, and lets go of the group itself."""

    def end(self) -> None:
        """Let go of the group."""
        self._busy.release()


class Executor(SingleThreadedExecutor):
    """Runs the callbacks of one node.

    Every exception is noted, those of rclpy's own services and subscriptions too. rclpy leaves a
    client waiting whose request failed, and never again runs a callback of the default group once
    a message could not be taken.
    """

    def __init__(self, context: Context, faults: Faults) -> None:
        """Begin without a node."""
        super().__init__(context=context)
        self._faults = faults
        self._threads: set[threading.Thread] = set()

    def join(self) -> None:
        """Return once no service is being answered any more."""
        for thread in list(self._threads):
            thread.join()

    def _make_handler(
        self, entity: _Entity, node: _Entity, take_from_wait_list: Callable[[_Entity], _Work]
    ) -> _Entity:
        where = _name(entity)

        def take(entity: _Entity) -> _Work:
            try:
                work = take_from_wait_list(entity)
            except Exception as error:
                self._faults.note(where, error)
                return None
            return work and self._guarded(where, work)

        return super()._make_handler(entity, node, take)

    def _guarded(self, where: str, work: Callable[[], Awaitable[None]]) -> _Work:
        async def run() -> None:
            with self._faults.caught(where):
                await work()

        return run

    def _take_service(self, srv: 'Service[Any, Any]') -> _Work:
        group, header = srv.callback_group, None
        try:
            with srv.handle:
                request, header = srv.handle.service_take_request(srv.srv_type.Request)
        except InvalidHandle:  # it has just been destroyed
            pass
        finally:
            if header is None and isinstance(group, Apart):
                group.end()
        if header is None:
            return None

        async def answer() -> None:
            if isinstance(group, Apart):
                thread = threading.Thread(
                    target=self._answer_apart, args=(srv, request, header, group), name='answer'
                )
                self._threads.add(thread)
                thread.start()
            else:
                self._answer(srv, request, header)

        return answer

    def _answer_apart(
        self, srv: _Entity, request: _Message, header: _Message, group: Apart
    ) -> None:
        try:
            with self._faults.caught(_name(srv)):
                self._answer(srv, request, header)
        finally:
            group.end()
            self._threads.discard(threading.current_thread())
            self.wake()

    def _answer(self, srv: _Entity, request: _Message, header: _Message) -> None:
        response = srv.srv_type.Response()
        try:
            srv.send_response(srv.callback(request, response), header)
        except M2R2Error as error:
            self._faults.logger.error(sendable(f'{_name(srv)}: {error}'))
            srv.send_response(_refusal(request, response, str(error)), header)
        except Exception as error:
            self._faults.note(_name(srv), error)
            reason = f'{describe(error)} (unexpected: the log of the node has the traceback)'
            srv.send_response(_refusal(request, response, reason), header)


def _refusal(request: _Message, response: _Message, reason: str) -> _Message:
    """Return an answer that says why there is none."""
    refused = SetParametersResult(successful=False, reason=sendable(reason))
    if isinstance(response, SetParameters.Response):
        missing = len(request.parameters) - len(response.results)
        response.results = [*response.results, *[refused] * missing]
    elif isinstance(response, SetParametersAtomically.Response):
        response.result = refused
    if hasattr(response, 'success'):
        response.success = False
    if hasattr(response, 'message'):
        response.message = sendable(reason)
    return response


def _name(entity: _Entity) -> str:
    """Return what diagnostics call something that has a callback."""
    if isinstance(entity, Service):
        return f'service {entity.service_name}'
    if isinstance(entity, Subscription):
        return f'topic {entity.topic_name}'
    if isinstance(entity, Timer):
        return f'timer {getattr(entity.callback, "__name__", "")}'
    return type(entity).__name__
