"""Which port an argument belongs to that came without a port's name, or under a name that the task does not have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

from ....tools.task import HubTask, Kind, Port, Role
from ...plan import Argument, Ref

_MAX_NAME = 100


class Placing:
    """Gives values to the free ports of one task.

    Args:
        hub: the task.
        kind_of: the kind of a value; None where it is not known.
        arguments: values by port; new ones are added.

    Attributes:
        repairs: what was read, a clause each.
        unplaced: values for which there is no port, a clause each.
    """

    def __init__(self, hub: HubTask, kind_of: Callable[[Argument], Kind | None], arguments: dict[str, Argument]) -> None:
        self._hub = hub
        self._kind_of = kind_of
        self._arguments = arguments
        self.repairs: list[str] = []
        self.unplaced: list[str] = []

    def place(self, values: Sequence[tuple[str | None, Argument]], *, first: bool = False) -> None:
        """Place (name, value) pairs: first what fits by kind, outputs before words; then what is left over where one port is:
        an output in a port of another kind, for the checker to bridge; words that come last in the only option.

        Args:
            values: the name is None where the model gave none.
            first: of several outputs that are left over, the first is placed.
        """
        ordered = values if any(p.many for p in self._hub.inputs) else sorted(values, key=lambda v: not isinstance(v[1], Ref))
        left = [(name, value) for name, value in ordered if not self._place(name, value) and not self._add_words(name, value)]
        wired = [(name, value) for name, value in left if self._is_wire(value)]
        free = [p for p in self._hub.inputs if p.required and p.name not in self._arguments]
        if len(free) == 1 and (len(wired) == 1 or (wired and first)):
            self._give(free[0], *wired[0])
            left.remove(wired[0])
        elif len(left) == 1 and self._closing_words(left[0], values[-1]):
            options = [p for p in self._hub.inputs if p.role is Role.OPTION and p.kind is Kind.TEXT]
            if len(options) == 1 and options[0].name not in self._arguments:
                self._give(options[0], *left.pop())
        names = ", ".join(p.name for p in self._hub.inputs) or "none"
        for name, value in left:
            what = f"no port {name[:60]!r} for" if name is not None else "no port takes"
            self.unplaced.append(f"{what} {_shown(value)}; its ports are {names}")

    def place_linked(self, refs: Sequence[Ref]) -> None:
        """Give the only required port that is free to the only output of these that fits it."""
        free = [p for p in self._hub.inputs if p.required and p.name not in self._arguments and p.role is Role.CONTENT]
        if len(free) != 1:
            return
        fitting = [r for r in refs if (kind := self._kind_of(r)) is not None and free[0].kind.accepts(kind)]
        if len(fitting) == 1:
            self._arguments[free[0].name] = [fitting[0]] if free[0].many else fitting[0]
            self.repairs.append(f"its port {free[0].name} takes what the plan's links say: {_shown(fitting[0])}")

    def _place(self, name: str | None, value: Argument) -> bool:
        kind = self._kind_of(value)
        if kind is None:
            return False
        ports = [p for p in self._hub.inputs if p.role is not Role.OPTION and p.kind.accepts(kind)]
        free = [p for p in ports if p.name not in self._arguments or p.many]
        if not free:
            return False
        wanted = Role.CONTENT if self._is_wire(value) else Role.INSTRUCTION
        best = min(free, key=lambda p: (not p.required, p.role is not wanted))
        self._give(best, name, value, told=name is not None or len(ports) > 1)
        return True

    def _add_words(self, name: str | None, value: Argument) -> bool:
        """Several pieces of an instruction are one: `"car", "blue"`."""
        told = [p for p in self._hub.inputs if p.role is Role.INSTRUCTION and p.kind is Kind.TEXT and not p.many]
        if name is not None or not isinstance(value, str) or self._is_wire(value) or len(told) != 1:
            return False
        words = self._arguments.get(told[0].name)
        if not isinstance(words, str) or self._is_wire(words):
            return False
        self._arguments[told[0].name] = f"{words}, {value}"
        self.repairs.append(f"{_shown(value)} was added to its port {told[0].name}")
        return True

    def _closing_words(self, left: tuple[str | None, Argument], last: tuple[str | None, Argument]) -> bool:
        name, value = left
        return value is last[1] and name is None and isinstance(value, str) and not self._is_wire(value)

    def _give(self, port: Port, name: str | None, value: Argument, *, told: bool = True) -> None:
        if port.many:
            self._arguments[port.name] = flat([*flat([self._arguments.get(port.name, [])]), value])
            return
        self._arguments[port.name] = value
        if not told:
            return
        called = f" called {name[:60]!r}" if name is not None else ""
        self.repairs.append(f"{_shown(value)}{called} was given to its port {port.name}")

    def _is_wire(self, value: Argument) -> bool:
        """Whether a value is an output or a file rather than words."""
        return isinstance(value, Ref) or self._kind_of(value) not in (Kind.TEXT, Kind.NUMBER, Kind.JSON)


def flat(values: Sequence[Any]) -> list[Any]:
    """Lists among the values, opened."""
    return [v for value in values for v in (value if isinstance(value, list) else [value])]


def known_port(hub: HubTask | None, name: str) -> Port | None:
    """The port that a written name means: the same or nearly the same."""
    if hub is None:
        return None
    ports = {p.name: p for p in hub.inputs}
    near = [name] if name in ports else get_close_matches(name[:_MAX_NAME].lower(), ports, n=1, cutoff=0.6)
    return ports[near[0]] if near else None


def _shown(value: Argument) -> str:
    return f"the output of task {value.task_id[:60]}" if isinstance(value, Ref) else f"{value!r:.80}"
