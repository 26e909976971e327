"""`hugginggpt plan` and `tasks`: look, without running anything."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from rich.console import Console
from rich.table import Table

from ..agent.agent import HuggingGPT
from ..agent.building import build_toolkit
from ..agent.links import read_links
from ..agent.messages import request_of
from ..agent.settings import Settings
from ..tools.task import HubTask, Port
from ..tools.toolkit import HubToolkit
from .display import plan_table


def show_plan(settings: Settings, text: str, files: Sequence[str], *, as_json: bool) -> None:
    """Plan a request and print the plan."""
    agent = HuggingGPT.from_settings(settings)
    store, tasks = agent.toolkit.store, agent.toolkit.tasks
    linked = read_links(text, store)
    request = request_of([agent.message(text, files)], store, tasks, links=linked)
    plan = agent.planner.plan(request, tasks)
    plan = replace(plan, repairs=(*plan.repairs, *(f"{link.url} was left out: {link.why}" for link in linked if link.why)))
    if as_json:
        words = {"question": plan.question or None, "answer": plan.answer or None}
        _json({"plan": plan.as_json(), "repairs": list(plan.repairs), "confidence": plan.confidence, **words})
        return
    console = Console(highlight=False, emoji=False)
    if plan.tasks:
        console.print(plan_table(plan.as_json(), confidence=plan.confidence))
    elif not (plan.question or plan.answer):
        console.print("No task: this would be answered as chat.", markup=False)
    for what, said in (("question", plan.question), ("answer", plan.answer)):
        if said:
            console.print(f"{what}: {said}", markup=False, soft_wrap=True)
    for repair in plan.repairs:
        console.print(f"repaired: {repair}", markup=False)


def show_tasks(settings: Settings, *, as_json: bool) -> None:
    """Print every task with its ports and who can run it. The index is not looked at."""
    toolkit = build_toolkit(replace(settings, index=None))
    if as_json:
        _json([_task(t, toolkit) for t in toolkit.tasks.values()])
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("task", "in", "out", "here", "what it does"):
        table.add_column(column, overflow="fold")
    for task in toolkit.tasks.values():
        runs = [n for n, a in toolkit.availability(task).items() if a.ok]
        ports = ["+".join(f"{p.kind}{'s' if p.many else ''}" for p in side if p.required) for side in (task.inputs, task.outputs)]
        table.add_row(f"[bold]{task.name}[/]", *ports, f"[green]{', '.join(runs)}[/]" if runs else "[dim]no[/]", task.summary)
    Console(highlight=False, emoji=False).print(table)


def _task(task: HubTask, toolkit: HubToolkit) -> dict[str, Any]:
    return {
        "task": task.name,
        "summary": task.summary,
        "modality": task.modality,
        "inputs": [_port(p) for p in task.inputs],
        "outputs": [_port(p) for p in task.outputs],
        "runners": {n: asdict(a) for n, a in toolkit.availability(task).items()},
    }


def _port(port: Port) -> dict[str, Any]:
    return {"name": port.name, "kind": str(port.kind), "required": port.required, "many": port.many, "description": port.description}


def _json(data: object) -> None:
    sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
