"""Every task that the hosted runner has, against a server that answers from what it is sent, through the tool that everybody uses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.hosted import HostedRunner
from langchain_hugginggpt.tools.runners.hosted.table import HOSTED
from langchain_hugginggpt.tools.runners.runner import Runner
from tests.hosted_server import Fault, HostedServer
from tests.tools.runners.hosted.cases import CASES, Files, HostedCase
from tests.tools.runners.hosted.conftest import values


def test_every_row_has_a_case() -> None:
    assert {c.task for c in CASES} == set(HOSTED)
    assert len({c.id for c in CASES}) == len(CASES)
    assert set(HOSTED) <= set(HUB_TASKS)


def test_every_method_of_the_client_is_used() -> None:
    from huggingface_hub import InferenceClient

    public = {n for n in vars(InferenceClient) if not n.startswith("_")} - {"chat", "close", "get_endpoint_info", "health_check"}
    used = {way.method for row in HOSTED.values() for way in row.ways}
    assert public - used == {"tabular_regression"}  # see its row
    assert used <= public


def test_the_runner_keeps_to_the_protocol(hosted: HostedRunner) -> None:
    assert isinstance(hosted, Runner)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_task_runs(case: HostedCase, hosted: HostedRunner, server: HostedServer, files: Files, called: Callable[..., Any]) -> None:
    tool, call = called(case.task, case.inputs(files), (hosted, server.url(case.task)))
    message = tool.invoke(call)
    json.dumps(message.artifact, allow_nan=False)
    case.check(values(case.task, message), files)
    assert "made by: " + server.url(case.task) in message.content
    assert [c.task for c in server.calls] == [case.task]
    assert "authorization" not in server.calls[0].headers


@pytest.mark.parametrize("case", [c for c in CASES if not c.kind], ids=lambda c: c.id)
async def test_a_task_runs_off_the_event_loop(
    case: HostedCase, hosted: HostedRunner, server: HostedServer, files: Files, called: Callable[..., Any]
) -> None:
    tool, call = called(case.task, case.inputs(files), (hosted, server.url(case.task)))
    case.check(values(case.task, await tool.ainvoke(call)), files)


def labelled(hosted: HostedRunner, server: HostedServer, called: Callable[..., Any], body: Any) -> tuple[list[Any], list[str]]:
    """Labels and notes for a server that answers so."""
    server.always["text-classification"] = Fault(status=200, body=body)
    tool, call = called("text-classification", {"text": "a crane"}, (hosted, server.url("text-classification")))
    result = tool.invoke(call).artifact
    assert result["status"] == "ok", result
    return [(e["label"], e["score"]) for e in result["output"]["labels"]], result["notes"]


def test_of_two_labels_of_one_name_the_better_is_taken(hosted: HostedRunner, server: HostedServer, called: Callable[..., Any]) -> None:
    body = [[{"label": "crane", "score": 0.2}, {"label": "crane", "score": 0.5}, {"label": "dog", "score": 0.3}]]
    assert labelled(hosted, server, called, body) == ([("crane", 0.5), ("dog", 0.3)], [])


def test_a_flat_list_of_labels_gives_its_first(hosted: HostedRunner, server: HostedServer, called: Callable[..., Any]) -> None:
    body = [{"label": "crane", "score": 0.7}, {"label": "dog", "score": 0.3}]
    found, (note,) = labelled(hosted, server, called, body)
    assert found == [("crane", 0.7)]
    assert "other labels" in note
