"""TaskBench's tools as a table of tasks to plan with.

`tool_desc.json`: `{"nodes": [{"id", "desc", "input-type": [kind], "output-type": [kind]}]}`. The kinds are text, image, audio and video.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from ...tools.hub_tasks import HUB_TASKS
from ...tools.task import HubTask, Kind, Port, Role, TaskTable, hub_spelling
from ..errors import DatasetError


class _Tool(BaseModel):
    id: Annotated[str, Field(min_length=1)]
    desc: str = ""
    takes: list[Kind] = Field(alias="input-type")
    gives: list[Kind] = Field(alias="output-type")


class _ToolFile(BaseModel):
    nodes: Annotated[list[_Tool], Field(min_length=1)]


def read_tools(path: Path) -> tuple[TaskTable, Mapping[str, str]]:
    """The table of tasks, and by tool the first of its output types (`none` where it has none), as TaskBench's scorer takes it.

    A port is named and has the role of the Hub task of the same name where that takes the same kinds (`Visual Question Answering`: an
    image and a question); else ports are named by kind, and a text beside a file is an instruction. A tool without an output type
    (Sentence Similarity) gives a number.

    Raises:
        DatasetError: the file is missing or of another form; TaskBench's Daily Life APIs, whose tools have parameters without kinds, are.
    """
    try:
        found = _ToolFile.model_validate(json.loads(path.read_bytes()))
    except OSError as e:
        raise DatasetError(f"The tool list {str(path)!r} cannot be read: {e.strerror}.") from e
    except (ValueError, RecursionError) as e:
        first = e.errors()[0] if isinstance(e, ValidationError) else None
        where = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else str(e)
        raise DatasetError(
            f"{str(path)!r} is not a list of TaskBench tools ({where}).",
            remedy='It needs {"nodes": [{"id", "desc", "input-type": [kind], "output-type": [kind]}]}.',
        ) from e
    tasks = [_task(tool) for tool in found.nodes]
    return TaskTable(tasks), {t.id: t.gives[0].value if t.gives else "none" for t in found.nodes}


def _task(tool: _Tool) -> HubTask:
    output = tool.gives[0] if tool.gives else Kind.NUMBER
    return HubTask(
        name=tool.id,
        summary=tool.desc or tool.id,
        inputs=_like_hub_task(tool) or _by_kind(tool.takes),
        outputs=(Port(name=output.value, kind=output, description=f"what {tool.id} gives"),),
    )


def _like_hub_task(tool: _Tool) -> tuple[Port, ...] | None:
    known = HUB_TASKS.get(hub_spelling(tool.id))
    if known is None:
        return None
    ports = tuple(p for p in known.inputs if p.required and not p.many)
    options = tuple(p for p in known.inputs if p.role is Role.OPTION and p.name.endswith("language"))
    return (*ports, *options) if Counter(p.kind for p in ports) == Counter(tool.takes) else None


def _by_kind(kinds: Sequence[Kind]) -> tuple[Port, ...]:
    has_file = any(k.is_media for k in kinds)
    ports: list[Port] = []
    for kind in kinds:
        n = sum(p.kind is kind for p in ports) + 1
        told = Role.INSTRUCTION if has_file and kind is Kind.TEXT else Role.CONTENT
        name = kind.value if n == 1 else f"{kind.value}_{n}"
        ports.append(Port(name=name, kind=kind, role=told, description=f"the {kind.value}" if n == 1 else f"{kind.value} number {n}"))
    return tuple(ports)
