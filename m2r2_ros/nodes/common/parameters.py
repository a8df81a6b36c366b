# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of nodes: one table for declaration, description, ranges and documentation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from m2r2_ros.core.errors import ConfigError, M2R2Error
from m2r2_ros.nodes.common.checks import file_path, topic_name

Value = bool | int | float | str | tuple[str, ...]

_TYPES: Final = {
    bool: RosParameter.Type.BOOL,
    int: RosParameter.Type.INTEGER,
    float: RosParameter.Type.DOUBLE,
    str: RosParameter.Type.STRING,
    tuple: RosParameter.Type.STRING_ARRAY,
}
_TYPE_NAMES: Final = {bool: 'bool', int: 'int', float: 'double', str: 'string', tuple: 'string[]'}
#: What is said of parameters that are dynamic.
AT_RUN_TIME: Final = 'can be changed at run time'


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a node.

    Attributes:
        name: Its name.
        default: Its default, which also determines its type; a tuple of strings is a string array.
        description: One line, with the unit.
        low: Smallest value of a number.
        high: Largest value of a number; needs `low`.
        choices: The only values that a string may have; () allows any.
        dynamic: It can be changed while the node works.
        kind: What a string is: the name of a 'topic', the path of a 'file', or any 'text'; '' is
            accepted in any case.
    """

    name: str
    default: Value
    description: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    dynamic: bool = False
    kind: Literal['text', 'topic', 'file'] = 'text'

    @property
    def type_name(self) -> str:
        """Its type as ROS writes it: bool, int, double, string or string[]."""
        return _TYPE_NAMES[type(self.default)]

    @property
    def literal(self) -> str:
        """Its default in YAML."""
        return _literal(self.default)

    def limits(self) -> list[str]:
        """Return in words what the description leaves out: range, choices, when it can change."""
        limits = []
        if self.low is not None and self.high is not None:
            limits.append(f'{self.low:.15g} to {self.high:.15g}')
        if self.choices:
            limits.append('one of ' + ', '.join(self.choices))
        if self.dynamic:
            limits.append(AT_RUN_TIME)
        return limits


class Parameters:
    """The declared parameters of a node, by name.

    Values are checked against their types, ranges and choices when the node starts and whenever
    they are set; those that are not dynamic are read-only, or can be set while `fixed()` is false.
    """

    def __init__(
        self,
        node: Node,
        table: Sequence[Parameter],
        *,
        on_change: Callable[[Mapping[str, Any]], None] = lambda changed: None,
        fixed: Callable[[], bool] | None = None,
    ) -> None:
        """Declare the parameters.

        Args:
            node: The node that has them.
            table: What to declare.
            on_change: Called with the values by name before they change; an M2R2Error that it
                raises refuses the change.
            fixed: Whether parameters that are not dynamic are in use; without it they always are.

        Raises:
            ConfigError: A parameter was given at the start with the wrong type or out of range.
        """
        self._table = {p.name: p for p in table}
        self._node, self._on_change, self._fixed = node, on_change, fixed
        for parameter in table:
            try:
                node.declare_parameter(
                    parameter.name,
                    # The type of an empty list would be unknown otherwise.
                    list(parameter.default) or _TYPES[tuple]
                    if isinstance(parameter.default, tuple)
                    else parameter.default,
                    _descriptor(parameter, read_only=fixed is None and not parameter.dynamic),
                )
            except ParameterException as error:
                msg = f'{node.get_fully_qualified_name()}: parameter {parameter.name}: {error}'
                raise ConfigError(msg) from error
            if reason := self._refusal(parameter, self[parameter.name]):
                raise ConfigError(f'{node.get_fully_qualified_name()}: {reason}')  # noqa: EM102
        node.add_on_set_parameters_callback(self._check)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - of the type of the default
        """Return the present value; a string array as a tuple."""
        if isinstance(self._table[name].default, tuple):
            empty = RosParameter(name, _TYPES[tuple], [])
            return tuple(self._node.get_parameter_or(name, empty).value or ())
        return self._node.get_parameter(name).value

    def _check(self, changes: list[RosParameter]) -> SetParametersResult:
        ours = {c.name: c.value for c in changes if c.name in self._table}
        for name, value in ours.items():
            parameter = self._table[name]
            reason = self._refusal(parameter, value)
            if not reason and not parameter.dynamic and self._fixed and self._fixed():
                reason = f'{name} is in use: give it at the start, or while the node is idle'
            if reason:
                return SetParametersResult(successful=False, reason=reason)
        if ours:
            try:
                self._on_change(ours)
            except M2R2Error as error:
                return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _refusal(self, parameter: Parameter, value: Any) -> str:  # noqa: ANN401 - of its type
        """Return why a value cannot be had, '' where it can; rclpy looks at types and ranges."""
        if parameter.choices and value not in parameter.choices:
            names = ', '.join(map(repr, parameter.choices))
            return f'{parameter.name} is {value!r}; expected one of {names}'
        try:
            if value and parameter.kind == 'topic':
                topic_name(self._node, value, parameter.name)
            elif value and parameter.kind == 'file':
                file_path(value, parameter.name)
        except ConfigError as error:
            return str(error)
        return ''


def _descriptor(parameter: Parameter, *, read_only: bool) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        description=parameter.description,
        read_only=read_only,
        additional_constraints=f'one of {", ".join(map(repr, parameter.choices))}'
        if parameter.choices
        else '',
    )
    if parameter.low is not None and parameter.high is not None:
        low, high = parameter.low, parameter.high
        if isinstance(parameter.default, int):
            span = IntegerRange(from_value=int(low), to_value=int(high), step=1)
            descriptor.integer_range = [span]
        else:
            span = FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)
            descriptor.floating_point_range = [span]
    return descriptor


def _literal(value: Value) -> str:
    """Return a value in YAML."""
    if isinstance(value, tuple):
        return f'[{", ".join(_literal(item) for item in value)}]'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'{}'".format(value.replace("'", "''"))
    return str(value)
