# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lifecycle nodes whose transitions say why they fail."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.nodes.common.executor import Apart
from m2r2_ros.nodes.common.faults import Faults, sendable
from m2r2_ros.nodes.common.parameters import Parameter, Parameters
from m2r2_ros.nodes.common.stop import Stop

AUTOSTART: Final = Parameter(
    'autostart', True, 'Configure and activate on start, without a lifecycle manager.'
)

#: What every managed node answers.
LIFECYCLE: Final = (
    '~/change_state',
    '~/get_state',
    '~/get_available_states',
    '~/get_available_transitions',
    '~/get_transition_graph',
)


class ManagedNode(LifecycleNode):
    """A lifecycle node. Subclasses override configure, activate, deactivate and cleanup.

    A transition that raises is logged and fails, and can be tried again: rclpy itself would swallow
    the exception.
    """

    def __init__(
        self,
        name: str,
        table: Sequence[Parameter],
        stop: Stop,
        *,
        arguments: Sequence[str] = (),
        on_change: Callable[[Any], None] = lambda changed: None,
    ) -> None:
        """Declare parameters and make the lifecycle services.

        Args:
            name: Name of the node.
            table: Its parameters, without `autostart`.
            stop: Ends the process.
            arguments: ROS arguments for this node alone, in addition to those of the process.
            on_change: See Parameters.

        Raises:
            ConfigError: A parameter was given with the wrong type or out of range.
        """
        super().__init__(name, cli_args=list(arguments))
        self.stop, self.faults = stop, Faults(self.get_logger())
        self._failure: M2R2Error | None = None
        self.parameters = Parameters(
            self, [AUTOSTART, *table], on_change=on_change, fixed=lambda: self.state != UNCONFIGURED
        )
        # Configuring takes as long as loading a model does.
        self.apart = Apart()
        service = self._service_change_state
        service.callback_group = self.apart
        self._change_state, service.callback = service.callback, self._change_state_if_any

    @property
    def state(self) -> str:
        """Name of the lifecycle state."""
        return str(self._state_machine.current_state[1])

    def configure(self) -> None:
        """Take parameters up and load what is needed."""

    def activate(self) -> None:
        """Begin to work."""

    def deactivate(self) -> None:
        """Stop working, keep what was loaded."""

    def cleanup(self) -> None:
        """Let go of what was loaded."""

    def start(self) -> None:
        """Configure and activate, if asked to.

        Raises:
            M2R2Error: Why the transition failed.
        """
        if not self.parameters['autostart']:
            return
        for transition in (self.trigger_configure, self.trigger_activate):
            if transition() != TransitionCallbackReturn.SUCCESS:
                raise self._failure or M2R2Error(f'{self.get_name()} could not be started')

    def close(self) -> None:
        """Deactivate and clean up."""
        if self.state == 'active':
            self.trigger_deactivate()
        if self.state == 'inactive':
            self.trigger_cleanup()

    def destroy_node(self) -> None:
        """Take the node down with its lifecycle services, which rclpy leaves behind."""
        super().destroy_node()
        self._state_machine.destroy_when_not_in_use()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Configure; see rclpy."""
        return self._attempt(self.configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Activate; see rclpy."""
        return self._attempt(self.activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Deactivate; see rclpy."""
        return self._attempt(self.deactivate)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Clean up; see rclpy."""
        return self._attempt(self.cleanup)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop in whatever state; see rclpy."""
        steps = {'active': [self.deactivate, self.cleanup], 'inactive': [self.cleanup]}
        for step in steps.get(state.label, []):
            self._attempt(step)
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to unconfigured; see rclpy."""
        return TransitionCallbackReturn.SUCCESS

    def _attempt(self, step: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            step()
        except M2R2Error as error:
            self._failure = error
            self.get_logger().error(sendable(f'cannot {step.__name__}: {error}'))
            return TransitionCallbackReturn.FAILURE
        except Exception as error:
            self.faults.note(step.__name__, error)
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    def _change_state_if_any(self, request: Any, response: Any) -> Any:  # noqa: ANN401 - generated
        """Refuse a transition that the present state does not have."""
        try:
            return self._change_state(request, response)
        except Exception as error:  # of C++
            msg = f'there is no such transition from {self.state}: {error}'
            raise M2R2Error(msg) from error


UNCONFIGURED: Final = 'unconfigured'
