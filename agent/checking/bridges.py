"""Tasks that turn one kind into another."""

from __future__ import annotations

from functools import cache

from ...tools.hub_tasks import HUB_TASKS
from ...tools.task import HubTask, Kind, Role, hub_spelling


@cache
def bridges(tasks: tuple[HubTask, ...], given: Kind, wanted: Kind) -> tuple[str, ...]:
    """Names of the tasks that need one thing of kind `given`, as content, and give one of kind `wanted`.

    A prompt is no content: a task that makes something up bridges nothing. Where several are left and each is a Hub task by name,
    the Hub's own ports decide: a table with coarser kinds may call labels a text.
    """
    found = tuple(t for t in tasks if _bridges(t, given, wanted))
    if len(found) > 1:
        rows = [HUB_TASKS.get(hub_spelling(t.name)) for t in found]
        exact = tuple(t for t, row in zip(found, rows, strict=True) if row is not None and _bridges(row, given, wanted))
        if None not in rows and len(exact) == 1:
            found = exact
    return tuple(t.name for t in found)


def _bridges(task: HubTask, given: Kind, wanted: Kind) -> bool:
    needed = [p for p in task.inputs if p.required]
    if len(needed) != 1 or task.output.kind is not wanted or task.output.many:
        return False
    return needed[0].kind is given and not needed[0].many and needed[0].role is Role.CONTENT
