"""Short ways to write plans in tests."""

from __future__ import annotations

from typing import Any

from langchain_hugginggpt.agent import Plan, PlannedTask, Ref


def task(ident: str, name: str, **arguments: Any) -> PlannedTask:
    return PlannedTask(id=ident, task=name, arguments=arguments)


def plan(*tasks: PlannedTask) -> Plan:
    return Plan(tasks=tasks)


def ref(ident: str, port: str = "output", *, each: bool = False) -> Ref:
    return Ref(task_id=ident, port=port, each=each)
