"""A server, a runner that calls it, and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import ToolMessage

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.tools.artifacts import Artifact, ArtifactStore
from langchain_hugginggpt.tools.experts import Candidate, Experts
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.hosted import HostedRunner
from langchain_hugginggpt.tools.runners.runner import Availability, Runner, RunnerOutput
from langchain_hugginggpt.tools.task import HubTask
from langchain_hugginggpt.tools.tool import HubTaskTool
from tests.hosted_server import HostedServer
from tests.tools.runners.hosted.cases import Files


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The person who runs the tests may be logged in."""
    for name in (
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "HF_HUB_OFFLINE",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))


@pytest.fixture
def server() -> Iterator[HostedServer]:
    with HostedServer() as running:
        yield running


@pytest.fixture
def hosted(server: HostedServer) -> HostedRunner:
    """Endpoints for every task, and nothing else."""
    return HostedRunner(hub=False, endpoints=server.endpoints(), timeout=20.0)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(ArtifactStore(tmp_path / "files"))


class Standby:
    """A runner that is tried next: it gives what it was made with."""

    name = "standby"

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        return Availability(supported=True, ok=True)

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        return RunnerOutput(values=self._values)

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        return self.run(task, card, inputs)


def no_index() -> Any:
    raise AssertionError("candidates are given")


Called = tuple[HubTaskTool, dict[str, Any]]


@pytest.fixture
def called(files: Files) -> Callable[..., Called]:
    """A tool and a tool call for it, with one candidate for each runner and model id."""

    def make(task: str, given: Mapping[str, Any], *by: tuple[Runner, str]) -> Called:
        tool = HubTaskTool(HUB_TASKS[task], experts=Experts(no_index, [r for r, _ in by]), store=files.store)
        candidates = [Candidate(card=ModelCard(id=i, task=task), runner=r, score=1.0, why="") for r, i in by]
        arguments = {k: v.id if isinstance(v, Artifact) else v for k, v in given.items()}
        return tool, {"name": task, "args": {**arguments, "candidates": candidates}, "id": "1", "type": "tool_call"}

    return make


def values(task: str, message: ToolMessage) -> dict[str, Any]:
    """The output by port, files as artifacts."""
    result = message.artifact
    assert result["status"] == "ok", message.content
    made: dict[str, Any] = {}
    for port in HUB_TASKS[task].outputs:
        value = result["output"][port.name]
        if port.kind.is_media:
            files = [Artifact.from_json(v) for v in (value if port.many else [value])]
            value = files if port.many else files[0]
        made[port.name] = value
    return made
