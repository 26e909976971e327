"""What can feed a port that has nothing fitting: the only thing there is, the only task that bridges, what a lost task worked on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...tools.task import Kind, Port, Role
from ..plan import Argument, PlannedTask, Ref
from .bridges import bridges
from .sheet import Sheet


def only_source(sheet: Sheet, ident: str, port: Port, taken: Mapping[str, Argument]) -> Argument | None:
    """What alone could feed a required port that has nothing: an attached file, or one output of an earlier task.

    Things that nothing else uses come first; if there are none, a file that is the only thing of its kind may serve twice. A text
    port takes no file by itself, since a request mentions text files in many ways; words that instruct are never made up.

    Args:
        sheet: the plan.
        ident: the task that has the port.
        port: the port.
        taken: what the task's other ports take.
    """
    if port.role is not Role.CONTENT:
        return None
    arguments = [a for t in sheet.planned.values() for a in t.arguments.values()]
    values = [v for a in (*arguments, *taken.values()) for v in _listed(a)]
    busy = {v.task_id for v in values if isinstance(v, Ref)}
    named = {
        f.id: n
        for n, f in sheet.files.items()
        if (f.kind is port.kind or (port.kind.is_media and f.fits(port.kind))) and port.kind is not Kind.TEXT
    }
    read = {sheet.files[v].id for v in values if isinstance(v, str) and v in sheet.files}
    made = list(_earlier(sheet, ident, port))
    free: list[Argument] = [n for f, n in named.items() if f not in read]
    free += [Ref(task_id=d) for d in made if d not in busy]
    if not free and len(named) == 1 and not made:
        free = list(named.values())
    return free[0] if len(free) == 1 else None


def _earlier(sheet: Sheet, ident: str, port: Port) -> Iterator[str]:
    for other in sheet.planned:
        if other == ident:
            return
        if other in sheet.fitted and other not in sheet.fanned:
            output = sheet.hub(other).output
            if port.kind.accepts(output.kind) and not output.many:
                yield other


def bridge(sheet: Sheet, ident: str, port: Port, value: str | Ref, given: Kind) -> tuple[Ref | None, str]:
    """The output of the only task that turns what a port is given into what it takes; that task is put into the plan.

    Args:
        sheet: the plan.
        ident: the task that has the port.
        port: takes another kind than `given`.
        value: a file's name, or a reference.
        given: kind of the value.

    Returns:
        The reference, or None; and a clause for a message where several tasks could do it.
    """
    names = bridges(tuple(sheet.tasks.values()), given, port.kind)
    if len(names) != 1:
        return None, f"; several tasks turn {given} into {port.kind} ({', '.join(names)}): plan one of them" if names else ""
    task = sheet.tasks[names[0]]
    each = isinstance(value, Ref) and value.each
    content = next(p.name for p in task.inputs if p.required)
    wanted = {content: value}
    same = next(
        (t.id for t in sheet.planned.values() if t.task == task.name and dict(t.arguments) == wanted and t.id in sheet.fitted), None
    )
    new = same or sheet.free_id(f"{ident}-{port.kind}")
    where = f"task {ident} ({sheet.planned[ident].task}), port {port.name}: takes {port.kind}, not {given}"
    if same:
        sheet.repair(ident, f"{where}; the {port.kind} of task {same} ({task.name}) was taken")
    else:
        sheet.insert(ident, PlannedTask(id=new, task=task.name, arguments=wanted))
        sheet.repair(ident, f"{where}; {task.name} was put between, as task {new}")
    if each:
        sheet.fanned.add(new)
    return Ref(task_id=new, each=each), ""


def worked_on(sheet: Sheet, ident: str, ref: Ref, port: Port) -> str | Ref | None:
    """The only medium that a task worked on, for a port that the task's own output does not fit, or is not there for.

    For salvage: `depth-estimation` of what `object-detection` gives is that of the picture. Without a task that is not in the table,
    what it worked on is taken, through the only task that bridges where the port takes another kind; but never a text for what that
    task would have made of it.
    """
    lost = ref.task_id in sheet.gone
    found: list[tuple[str | Ref, Kind]] = []
    look, seen = [ref.task_id], set[str]()
    while look:
        other = look.pop()
        task = sheet.planned.get(other) or sheet.gone.get(other)
        if task is None or other in seen:
            continue
        seen.add(other)
        for value in (v for a in task.arguments.values() for v in _listed(a)):
            if isinstance(value, Ref) and value.task_id in sheet.gone:
                look.append(value.task_id)
            elif (kind := _medium(sheet, value)) is not None:
                found.append((value, kind))
    fitting = [value for value, kind in found if port.kind.accepts(kind)]
    if len(set(fitting)) == 1:
        return fitting[0]
    if lost and not fitting and len({value for value, _ in found}) == 1:
        return bridge(sheet, ident, port, *found[0])[0]
    return None


def _medium(sheet: Sheet, value: Argument) -> Kind | None:
    """The kind of a picture, recording or film that is one; None for anything else."""
    kind = None
    if isinstance(value, Ref):
        if value.task_id in sheet.fitted and not value.each and value.task_id not in sheet.fanned:
            hub = sheet.hub(value.task_id)
            output = next((p for p in hub.outputs if p.name == value.port), hub.output)
            kind = None if output.many else output.kind
    elif isinstance(value, str) and value in sheet.files:
        kind = sheet.files[value].kind
    return kind if kind is not None and kind.is_media else None


def _listed(argument: Argument) -> list[Argument]:
    return list(argument) if isinstance(argument, list | tuple) else [argument]
