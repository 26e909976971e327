"""TaskBench (arXiv 2311.18760): its official folder, and files of the same form with fewer fields.

A folder holds a tool list (`tool_desc.json` or `tools.json`), labels (`data.json`, or `dev.jsonl`) and requests (in the labels, or in
`user_requests.json` or `requests.jsonl`); without labels the requests alone are the data set. A path to one file takes that file, and
the others from its folder. Labels come in three forms:

- `{"id", "type", "user_request", "task_steps", "task_nodes", "task_links"}`;
- the same with `instruction`, `tool_steps`, `tool_nodes`, `tool_links`, the lists perhaps as JSON in a string (the set on the Hub);
- `{"id", "type", "tasks": [name], "links": [[from, to]]}` without arguments.

Labels are taken as they are, with names outside the tool list and references that lead nowhere; what cannot be used is counted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...agent.request import Request
from ...index.problems import Problems
from ...tools.artifacts import Artifact
from ...tools.sniff import claimed_type
from ..digests import sha256
from ..errors import DatasetError
from ..jsonl import LinesById, is_array, read_objects
from .planning_data import LaidOutPlan, PlanningCase, PlanningData
from .taskbench_tools import read_tools

TOOLS = ("tool_desc.json", "tools.json")
LABELS = ("data.json", "data.jsonl", "dev.jsonl", "test.jsonl")
REQUESTS = ("user_requests.json", "requests.jsonl")
_FILE = re.compile(r"(?<![\w-])[\w-][\w.-]{0,250}\.\w{2,4}\b")  # bounded: a word of a million letters must not cost its square


@dataclass(frozen=True, kw_only=True)
class Files:
    """Where the parts of a data set lie.

    Attributes:
        tools: the tool list.
        cases: labels, or requests alone.
        requests: requests by id, where `cases` may lack them.
    """

    tools: Path
    cases: Path
    requests: Path | None


def load_taskbench(path: Path | str) -> PlanningData:
    """The data set in a folder, or in a file with its tool list beside it.

    Raises:
        DatasetError: there is no tool list, neither labels nor requests, or a file cannot be read.
    """
    try:
        files = find(Path(path))
        size = _lines(files.cases)
    except OSError as e:
        raise DatasetError(f"{str(e.filename or path)!r} cannot be read: {e.strerror}.", remedy="Check the path.") from e
    tasks, output_types = read_tools(files.tools)
    read = _Reader(files, frozenset(tasks))
    used = [p for p in (files.tools, files.cases, files.requests) if p is not None]
    return PlanningData(
        name="/".join(files.cases.resolve().parts[-2:]),
        tasks=tasks,
        output_types=output_types,
        read=read.cases,
        size=size,
        settings={"data": str(files.cases.resolve()), **{f"sha256 of {p.name}": sha256(p)[:16] for p in used}},
    )


def find(path: Path) -> Files:
    """The files of a data set. Raises DatasetError when there is no tool list, or neither labels nor requests."""
    if not path.exists():
        raise DatasetError(f"There is no data set {str(path)!r}.", remedy="Name a folder of TaskBench, or one of its files.")
    folder = path if path.is_dir() else path.parent
    tools = _first(folder, TOOLS)
    if tools is None:
        raise DatasetError(
            f"There is no tool list in {str(folder)!r}.", remedy=f"Put TaskBench's {TOOLS[0]} there: it says what is planned with."
        )
    requests = _first(folder, REQUESTS)
    cases = path if path.is_file() else _first(folder, LABELS) or requests
    if cases is None:
        wanted = ", ".join((*LABELS, *REQUESTS))
        raise DatasetError(f"There are neither labels nor requests in {str(folder)!r}.", remedy=f"Looked for {wanted}; or name a file.")
    return Files(tools=tools, cases=cases, requests=requests if requests != cases else None)


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / n for n in names if (folder / n).is_file()), None)


def _lines(path: Path) -> int:
    """How many cases a file holds at most."""
    if is_array(path):
        return sum(1 for _ in read_objects(path, Problems()))
    with path.open("rb") as f:
        return sum(1 for line in f if line.strip())


class _Reader:
    """Reads the cases one by one."""

    def __init__(self, files: Files, tools: frozenset[str]) -> None:
        self._files = files
        self._tools = tools

    def cases(self, problems: Problems) -> Iterator[PlanningCase]:
        """Every case that can be used; the rest goes to `problems`."""
        requests = LinesById(self._files.requests, problems) if self._files.requests else None
        for place, entry in read_objects(self._files.cases, problems):
            if "id" not in entry:
                problems.add("line has no id", place)
                continue
            ident = str(entry["id"])
            told = _either(entry, "user_request", "instruction")
            if told is None and requests is not None:
                told = _either(requests.get(ident) or {}, "user_request", "instruction")
            if not isinstance(told, str) or not told.strip():
                problems.add("case has no request (only recorded predictions can be scored on it)", f"{place}: id {ident}")
                told = None
            yield self._case(ident, told, entry, place, problems)

    def _case(self, ident: str, told: str | None, entry: Mapping[str, Any], place: str, problems: Problems) -> PlanningCase:
        label = _label(entry)
        request = Request(text=told, files=mentioned_files(told)) if told is not None else None
        if label is None:
            if any(k in entry for k in ("task_nodes", "tool_nodes", "tasks")):
                problems.add("label cannot be read", f"{place}: id {ident}")
            return PlanningCase(id=ident, request=request)
        for node in label.task_nodes:
            name = node["task"].replace("_", " ")
            if name not in self._tools:
                problems.add("labelled task is not in the tool list", f"{place}: {name}")
            if "arguments" not in node:
                problems.add("labelled task has no arguments (the official scorer drops the case)", f"{place}: {name}")
        if not label.task_nodes:
            problems.add("label is an empty plan", f"{place}: id {ident}")
        return PlanningCase(
            id=ident,
            request=request,
            label=label,
            type=str(entry.get("type") or _type(label)),
            without_arguments="tasks" in entry and "task_nodes" not in entry,
        )


def _either(entry: Mapping[str, Any], *names: str) -> Any:
    return next((entry[n] for n in names if entry.get(n) is not None), None)


def _list(value: object) -> object:
    """A list that may stand as JSON in a string."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return None
    return value


def _label(entry: Mapping[str, Any]) -> LaidOutPlan | None:
    """The label of a line, whichever form it has; None when it has none that can be read."""
    if "tasks" in entry and "task_nodes" not in entry:
        return _label_by_position(entry["tasks"], entry.get("links", []))
    nodes = _list(_either(entry, "task_nodes", "tool_nodes"))
    if not isinstance(nodes, list) or not all(isinstance(n, dict) and isinstance(n.get("task"), str) for n in nodes):
        return None
    links = _list(_either(entry, "task_links", "tool_links"))
    steps = _list(_either(entry, "task_steps", "tool_steps"))
    return LaidOutPlan(task_nodes=nodes, task_links=links or [], task_steps=steps or [])


def _label_by_position(tasks: object, links: object) -> LaidOutPlan | None:
    """A label of names and pairs of positions: the links become references, which is where the official arithmetic looks for them."""
    if not isinstance(tasks, list) or not all(isinstance(t, str) for t in tasks) or not isinstance(links, list):
        return None
    pairs = [p for p in links if isinstance(p, list) and len(p) == 2 and all(isinstance(i, int) and 0 <= i < len(tasks) for i in p)]
    nodes = [{"task": t, "arguments": [f"<node-{a}>" for a, b in pairs if b == i]} for i, t in enumerate(tasks)]
    return LaidOutPlan(task_nodes=nodes, task_links=[{"source": tasks[a], "target": tasks[b]} for a, b in pairs])


def _type(label: LaidOutPlan) -> str:
    """`single`, `chain` or `dag`, for labels that do not say."""
    if len(label.task_nodes) < 2:
        return "single"
    links = [(str(k.get("source")), str(k.get("target"))) for k in label.task_links if isinstance(k, dict)]
    sources, targets = [a for a, _ in links], [b for _, b in links]
    straight = len(links) == len(label.task_nodes) - 1 and len(set(sources)) == len(sources) and len(set(targets)) == len(targets)
    return "chain" if straight else "dag"


def mentioned_files(text: str) -> tuple[Artifact, ...]:
    """Files that a request names, each once, in order: TaskBench attaches none. They have a kind, by their ending, and no content."""
    found: dict[str, Artifact] = {}
    for name in _FILE.findall(text):
        if name not in found and (media_type := claimed_type(name)) is not None:
            digest = hashlib.sha256(name.encode()).hexdigest()[:16]
            found[name] = Artifact(id=f"artifact-{digest}", path=Path(name), media_type=media_type, name=name, size=0)
    return tuple(found.values())
