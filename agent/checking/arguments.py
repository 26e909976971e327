"""Arguments that fit the ports of a task."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches

from ...tools.parts import named_whole
from ...tools.task import Kind, Port
from ..plan import Argument, Ref
from .sheet import Sheet
from .wiring import bridge, only_source, worked_on

_FILE_NAME = re.compile(r"[^<>]*\.\w{2,5}")
_MAX_NAME = 100


def fit(sheet: Sheet, ident: str) -> None:
    """Repair the arguments of one task, whose parents are done; note what has no single repair, or leave the task out."""
    work = _Fitting(sheet, ident)
    for given, argument in sheet.planned[ident].arguments.items():
        work.read(given, argument)
    work.finish()


@dataclass(frozen=True, kw_only=True)
class _Fault:
    """What is wrong with a value.

    Attributes:
        text: a clause.
        dangling: it refers to a task that is not in the plan.
        replaceable: the port may take the only other thing there is instead.
    """

    text: str
    dangling: bool = False
    replaceable: bool = True


class _Fitting:
    def __init__(self, sheet: Sheet, ident: str) -> None:
        self._sheet = sheet
        self._id = ident
        self._task = sheet.planned[ident]
        self._hub = sheet.hub(ident)
        self._arguments: dict[str, Argument] = {}
        self._lost: dict[str, _Fault] = {}
        self._faulty: set[str] = set()

    def read(self, given: str, argument: Argument) -> None:
        """Take one argument, under the name that the planner gave its port."""
        port = self._port(given)
        if port is None:
            return
        if port.name in self._arguments or port.name in self._lost or port.name in self._faulty:
            self._refuse(port.name, f"task {self._id} ({self._hub.name}): the port {port.name} is given twice")
            return
        where = f"task {self._id} ({self._task.task}), port {port.name}"
        values = list(argument) if isinstance(argument, list | tuple) else [argument]
        listed = isinstance(argument, list | tuple)
        if listed and not port.many and port.kind not in (Kind.LABELS, Kind.JSON, Kind.TABLE):
            values = self._one_of(port, values, where)
            listed = False
            if not values:
                return
        if port.required and port.many and not values:
            self._give_up(port, [_Fault(text="an empty list")], where)
            return
        good: list[Argument] = []
        faults: list[_Fault] = []
        for value in values:
            read, fault = self._value(port, value)
            if fault is None:
                good.append(read)
            else:
                faults.append(fault)
        if faults and not (good and self._sheet.salvage):
            self._give_up(port, faults, where)
            return
        for fault in faults:
            self._sheet.repair(self._id, f"{where}: {fault.text}; left out")
        self._arguments[port.name] = good if listed or (port.many and not isinstance(good[0], Ref)) else good[0]

    def finish(self) -> None:
        """Fill required ports that have nothing; write the arguments down, or leave the task out."""
        for port in self._hub.inputs:
            if not port.required or port.name in self._arguments or port.name in self._faulty:
                continue
            lost = self._lost.get(port.name)
            filled = None if lost and not lost.replaceable else only_source(self._sheet, self._id, port, self._arguments)
            if filled is not None:
                what = f"the output of task {filled.task_id}" if isinstance(filled, Ref) else f"{filled!r}"
                why = f"{lost.text}; " if lost else ""
                self._sheet.repair(
                    self._id, f"{why}task {self._id}: its port {port.name} was filled with the only {port.kind} there is, {what}"
                )
                self._arguments[port.name] = [filled] if port.many else filled
                continue
            reason = (
                lost.text if lost else f"task {self._id} ({self._hub.name}) lacks its port {port.name} ({port.kind}): {port.description}"
            )
            if lost or self._sheet.salvage:
                self._sheet.leave_out(self._task, reason)
                return
            self._sheet.problems.append(reason)
        self._sheet.planned[self._id] = replace(self._task, arguments=self._arguments)
        self._sheet.fitted.add(self._id)

    def _port(self, given: str) -> Port | None:
        for port in self._hub.inputs:
            if port.name == given:
                return port
        names = [p.name for p in self._hub.inputs]
        near = get_close_matches(given[:_MAX_NAME].lower(), names, n=1, cutoff=0.6)
        name = near[0] if near else names[0] if len(names) == 1 else None
        if name is None or name in self._task.arguments:
            its = ", ".join(names) or "none"
            self._refuse(None, f"task {self._id} ({self._hub.name}) has no port {given[:60]!r}; its ports are {its}")
            return None
        self._sheet.repair(self._id, f"task {self._id}: the port {given[:60]!r} was read as {name}")
        return self._hub.input_port(name)

    def _refuse(self, port: str | None, text: str) -> None:
        if self._sheet.salvage:
            self._sheet.repair(self._id, f"{text}; left out")
        else:
            self._sheet.problems.append(text)
            self._faulty |= {port} if port is not None else set()

    def _one_of(self, port: Port, values: list[Argument], where: str) -> list[Argument]:
        """A list for a port that takes one: its only element; for salvage its first that is a reference or a file, else its first."""
        if len(values) == 1:
            self._sheet.repair(self._id, f"{where}: a list of one was read as its element")
            return values
        fault = _Fault(text=f"takes one {port.kind}, not a list of {len(values)}")
        if not values or not self._sheet.salvage:
            self._give_up(port, [fault], where)
            return []
        best = next((v for v in values if isinstance(v, Ref) or (isinstance(v, str) and v in self._sheet.files)), values[0])
        self._sheet.repair(self._id, f"{where}: {fault.text}; {_shown(best)} was taken, the rest left out")
        return [best]

    def _give_up(self, port: Port, faults: list[_Fault], where: str) -> None:
        """No value of a port can be used: the port is open again where that is allowed, else it is a problem."""
        text = f"{where}: {'; '.join(f.text for f in faults)}"
        if not self._sheet.salvage and not (port.required and all(f.dangling for f in faults) and not port.many):
            self._sheet.problems.extend(f"{where}: {f.text}" for f in faults)
            self._faulty.add(port.name)
        elif port.required:
            self._lost[port.name] = _Fault(text=text, replaceable=all(f.replaceable for f in faults))
        else:
            self._sheet.repair(self._id, f"{text}; left out")

    def _value(self, port: Port, value: Argument) -> tuple[Argument, _Fault | None]:
        """One value as the port can take it, or what is wrong with it."""
        if isinstance(value, Ref):
            return self._ref(port, value)
        file = self._sheet.files.get(value) if isinstance(value, str) else None
        if file is None and isinstance(value, str):
            file = self._sheet.files.get(named_whole(value))
            if file is not None and (port.kind is Kind.IMAGE or (port.kind is Kind.TEXT and file.fits(Kind.TEXT))):
                return value, None
        if file is not None:
            if file.fits(port.kind) or (port.kind is Kind.TABLE and file.kind is Kind.TEXT):
                return value, None
            bridged, more = bridge(self._sheet, self._id, port, value, file.kind)
            text = f"{file.name!r} is of kind {file.kind}, the port takes {port.kind}{more}"
            return bridged, None if bridged else _Fault(text=text, replaceable=False)
        text = ""
        if port.kind.is_media:
            if isinstance(value, str) and value.startswith("data:"):
                return value, None
            attached = f"; attached: {', '.join(self._sheet.files)}" if self._sheet.files else ""
            text = f"there is no attached file {value!r:.80}{attached}"
        elif port.kind is Kind.TEXT and not isinstance(value, str | int | float):
            text = f"takes text, not {value!r:.60}"
        elif port.kind is Kind.NUMBER and not _is_number(value):
            text = f"takes a number, not {value!r:.60}"
        named = isinstance(value, str) and _FILE_NAME.fullmatch(value[:_MAX_NAME]) is not None
        return value, _Fault(text=text, replaceable=not named) if text else None

    def _ref(self, port: Port, ref: Ref) -> tuple[Argument, _Fault | None]:
        sheet = self._sheet
        if ref.task_id not in sheet.planned or (sheet.salvage and ref.task_id == self._id):
            if sheet.salvage and (instead := worked_on(sheet, self._id, ref, port)) is not None:
                return self._instead(port, ref, instead), None
            why = "was left out" if ref.task_id in sheet.gone else "is this one" if ref.task_id == self._id else "is not in the plan"
            # what a lost task would have made of something is not that thing: only `worked_on` may say otherwise
            lost = ref.task_id in sheet.gone
            return None, _Fault(text=f"refers to a task {ref.task_id[:60]!r} that {why}", dangling=True, replaceable=not lost)
        source = sheet.hub(ref.task_id)
        names = [p.name for p in source.outputs]
        if ref.port != "output" and ref.port not in names:
            text = f"refers to an output {ref.port[:60]!r} that {source.name} does not have; it has {', '.join(names)}"
            if not sheet.salvage:
                return None, _Fault(text=text)
            sheet.repair(self._id, f"task {self._id}: {text}; {source.output.name} was taken")
            ref = replace(ref, port="output")
        given = source.output_port(ref.port)
        several = (given.many or ref.task_id in sheet.fanned) and not port.many and not ref.each
        if several and sheet.salvage:
            sheet.repair(self._id, f"task {self._id}, port {port.name}: {source.name} gives several; runs once for each")
            sheet.fanned.add(self._id)
            ref, several = replace(ref, each=True), False
        if not port.kind.accepts(given.kind):
            bridged, more = (None, "") if several else bridge(sheet, self._id, port, ref, given.kind)
            if bridged is None and sheet.salvage and (instead := worked_on(sheet, self._id, ref, port)) is not None:
                return self._instead(port, ref, instead), None
            return bridged, None if bridged else _Fault(text=f"takes {port.kind}, and {source.name} gives {given.kind}{more}")
        if several:
            return None, _Fault(text=f"takes one {port.kind}, and {source.name} gives several (say each: true to run once for each)")
        return ref, None

    def _instead(self, port: Port, ref: Ref, value: str | Ref) -> Argument:
        lost = f"task {self._id}, port {port.name}: instead of the output of task {ref.task_id[:60]}"
        self._sheet.repair(self._id, f"{lost}, what that works on was taken: {_shown(value)}")
        return value


def _shown(value: Argument) -> str:
    return f"the output of task {value.task_id}" if isinstance(value, Ref) else f"{value!r:.60}"


def _is_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    try:
        return math.isfinite(float(value if isinstance(value, int | float) else str(value)))
    except (ValueError, OverflowError):
        return False
