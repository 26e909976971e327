"""What the LLM planner is told: the table of tasks, files, history, examples. The words stand in the .md files of this folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as package_files
from typing import TYPE_CHECKING, Any

from ....tools.task import HubTask, Port, Role, TaskTable
from ...chat import cut, delimited, fill, one_line
from ...plan import Plan, PlannedTask, Ref
from .demonstrations import Demo

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from ....tools.artifacts import Artifact
    from ...request import Made, Request, Turn

MAX_TURN_CHARACTERS = 800
MAX_ENUM = 200  # names of tasks up to which the schema lists them
MAX_ANSWER_CHARACTERS = 8_000


@cache
def _read(name: str) -> str:
    return (package_files(__package__ or "") / name).read_text(encoding="utf-8").strip()


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a prompt shows besides the rules, the request and its files.

    Attributes:
        tasks: the table, or what there is room for, in its order.
        demos: demonstrations, the most similar first.
        turns: positions in the request's history of the turns whose words are shown, in order.
        made: ids of earlier files that are shown; with their turn where it is shown.
    """

    tasks: TaskTable
    demos: tuple[Demo, ...] = ()
    turns: tuple[int, ...] = ()
    made: frozenset[str] = frozenset()


def plan_messages(request: Request, shown: Shown, *, structured: bool) -> list[BaseMessage]:
    """System message (rules, table, examples) and the request.

    Args:
        request: what is to be planned.
        shown: table, demonstrations and history.
        structured: whether the answer's form is enforced by a schema; else the form is described for plain text.
    """
    from langchain_core.messages import HumanMessage, SystemMessage

    system = fill(
        _read("plan.md"),
        tasks="\n".join(task_line(t) for t in shown.tasks.values()),
        format=_read("format_structured.md" if structured else "format_text.md"),
        examples="\n\n".join(demo_text(d, structured=structured) for d in reversed(shown.demos)) or "(none)",
    )
    return [SystemMessage(system), HumanMessage(_asked(request, shown))]


def repair_messages(answer: str, problems: Sequence[str], started: Sequence[PlannedTask]) -> list[BaseMessage]:
    """The model's answer, and what is wrong with it.

    Args:
        answer: what the model wrote.
        problems: the faults, one clause each.
        started: tasks that run already and must stay as they are.
    """
    from langchain_core.messages import AIMessage, HumanMessage

    shown = json.dumps([t.as_json() for t in started], ensure_ascii=False)
    text = fill(
        _read("repair.md"),
        problems="\n".join(f"- {one_line(p, 400)}" for p in problems[:20]),
        started=f"\n\nThese tasks have started; repeat them unchanged: {shown}" if started else "",
    )
    return [AIMessage(cut(answer, MAX_ANSWER_CHARACTERS) or "(nothing)"), HumanMessage(text)]


def task_line(task: HubTask) -> str:
    """`name(port: kind, port?: kind[] = description) -> port: kind — summary`."""
    inputs = ", ".join(_port(p, described=p.role is not Role.CONTENT) for p in task.inputs)
    outputs = ", ".join(_port(p, described=False) for p in task.outputs)
    return f"- {task.name}({inputs}) -> {outputs} — {one_line(task.summary, 300)}"


def _port(port: Port, *, described: bool) -> str:
    head = f"{port.name}{'' if port.required else '?'}: {port.kind}{'[]' if port.many else ''}"
    return f"{head} = {one_line(port.description, 120)}" if described and port.description else head


def _asked(request: Request, shown: Shown) -> str:
    parts: list[str] = []
    if shown.turns:
        parts.append(delimited("earlier", "\n".join(turn_text(request.history[i], shown.made) for i in shown.turns)))
    rest = [m for i, turn in enumerate(request.history) if i not in shown.turns for m in turn.made if m.artifact.id in shown.made]
    if rest:
        parts.append(delimited("earlier-files", "\n".join(made_text(m) for m in rest)))
    parts.append(delimited("files", "\n".join(_file(request.name_of(f), f) for f in request.files) or "(none)"))
    parts.append(delimited("request", request.text))
    return "\n\n".join(parts)


def turn_text(turn: Turn, made: frozenset[str]) -> str:
    """An earlier message, and those of its files that are shown."""
    lines = [f"{turn.role}: {one_line(turn.text, MAX_TURN_CHARACTERS)}"]
    return "\n".join([*lines, *(made_text(m) for m in turn.made if m.artifact.id in made)])


def made_text(made: Made) -> str:
    """An earlier file, by the id by which a plan means it."""
    whence = f"made by {made.task}" if made.task else "attached"
    return f"{_file(made.artifact.id, made.artifact)}, {whence}, called {json.dumps(one_line(made.artifact.name, 120), ensure_ascii=False)}"


def _file(name: str, file: Artifact) -> str:
    return f"- {json.dumps(name, ensure_ascii=False)}: {file.kind}, {file.media_type}"


def demo_text(demo: Demo, *, structured: bool) -> str:
    """A demonstration in the form in which the model is to answer."""
    files = "\n".join(f"- {json.dumps(f.name)}: {f.kind}, {f.media_type}" for f in demo.files) or "(none)"
    answer = json.dumps(answer_json(demo.as_plan(), demo.question, structured=structured), ensure_ascii=False)
    return f"{delimited('files', files)}\n{delimited('request', demo.request)}\nAnswer: {answer}"


def answer_json(plan: Plan, question: str, *, structured: bool) -> dict[str, Any]:
    """A plan as the model is to write it: by the strict schema, or in the shorter form for plain text."""
    tasks = []
    for task in plan.tasks:
        if structured:
            arguments: Any = [e for port, a in task.arguments.items() for e in _entries(port, a)]
        else:
            arguments = {port: [_short(v) for v in a] if isinstance(a, list) else _short(a) for port, a in task.arguments.items()}
        tasks.append({"id": task.id, "task": task.task, "arguments": arguments})
    return {"tasks": tasks, "question": question or None}


def _short(value: Any) -> Any:
    if not isinstance(value, Ref):
        return value
    return {"ref": value.task_id, **({"port": value.port} if value.port != "output" else {}), **({"each": True} if value.each else {})}


def _entries(port: str, argument: Any) -> list[dict[str, Any]]:
    entry = {"port": port, "value": None, "values": None, "ref": None, "ref_port": None, "each": False}
    if isinstance(argument, list) and not any(isinstance(v, Ref) for v in argument):
        return [{**entry, "values": [str(v) for v in argument]}]
    out = []
    for value in argument if isinstance(argument, list) else [argument]:
        if isinstance(value, Ref):
            out.append({**entry, "ref": value.task_id, "ref_port": None if value.port == "output" else value.port, "each": value.each})
        else:
            out.append({**entry, "value": str(value)})
    return out


def schema(tasks: TaskTable) -> dict[str, Any]:
    """JSON schema of an answer, of the strict kind: every property required, none besides
    (https://platform.openai.com/docs/guides/structured-outputs)."""

    def nullable(kind: dict[str, Any], description: str) -> dict[str, Any]:
        return {"anyOf": [kind, {"type": "null"}], "description": description}

    text = {"type": "string"}
    argument = _object(
        port=text,
        value=nullable(text, "a literal"),
        values=nullable({"type": "array", "items": text}, "a list of literals"),
        ref=nullable(text, "id of an earlier task"),
        ref_port=nullable(text, "output port of that task; null: its first"),
        each={"type": "boolean"},
    )
    name: dict[str, Any] = {"type": "string", "enum": list(tasks)} if 0 < len(tasks) <= MAX_ENUM else text
    task = _object(id=text, task=name, arguments={"type": "array", "items": argument})
    answer = _object(tasks={"type": "array", "items": task}, question=nullable(text, "what the user must be asked; else null"))
    return {"title": "plan", "description": "A plan: tasks in the order in which they can run.", **answer}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
