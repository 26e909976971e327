"""A Hub task as a LangChain tool. There is one way to run a task, and this is it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Literal

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, ToolException
from pydantic import PrivateAttr, ValidationError

from ..index.errors import CallerError, ExpertError, HuggingGPTError
from .artifacts import Artifact, ArtifactStore
from .drawing import drawn
from .errors import MediaError, NoExpertError
from .experts import Candidate, Experts
from .inputs import args_schema, read_inputs
from .outputs import check_output
from .result import Attempt, ToolResult
from .runners.runner import NewMedia, RunnerOutput
from .task import HubTask, Port
from .views import shown

_call_id: ContextVar[str | None] = ContextVar("hugginggpt_tool_call_id", default=None)


class HubTaskTool(BaseTool):
    """Runs one Hub task with the best expert that can run here, and with the next one when that fails.

    Called with a ToolCall it gives a ToolMessage: `content` says what came out, `artifact` is `ToolResult.as_json()`, `status` is
    `error` when there is no output. It never raises for what an expert or an input did wrong: it says so in a way that a language
    model can act on.

    Args:
        task: the task.
        experts: where candidates come from.
        store: where files are read from and written to.
    """

    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"
    task: HubTask
    _experts: Experts = PrivateAttr()
    _store: ArtifactStore = PrivateAttr()

    def __init__(self, task: HubTask, *, experts: Experts, store: ArtifactStore, **kwargs: Any) -> None:
        super().__init__(
            name=task.name,
            description=task.summary,
            args_schema=args_schema(task),
            task=task,
            handle_tool_error=True,
            handle_validation_error=_invalid,
            **kwargs,
        )
        self._experts = experts
        self._store = store

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """As in BaseTool; keeps the id of the tool call for messages about failures."""
        token = _call_id.set(kwargs.get("tool_call_id"))
        try:
            return super().run(*args, **kwargs)
        finally:
            _call_id.reset(token)

    async def arun(self, *args: Any, **kwargs: Any) -> Any:
        """As in BaseTool; keeps the id of the tool call for messages about failures."""
        token = _call_id.set(kwargs.get("tool_call_id"))
        try:
            return await super().arun(*args, **kwargs)
        finally:
            _call_id.reset(token)

    def _run(self, *, candidates: Sequence[Candidate] | None = None, model: str | None = None, **given: Any) -> tuple[Any, dict[str, Any]]:
        work = _Work(self.task, self._store)
        try:
            inputs = read_inputs(self.task, given, self._store)
            if not candidates:
                candidates = self._experts.candidates(self.task, _query(inputs), model=model)
            for candidate in work.choose(candidates):
                with work.attempt(candidate):
                    work.keep(candidate.runner.run(self.task, candidate.card, inputs), inputs)
                    break
        except HuggingGPTError as e:
            work.stop(e, self._considered)
        return self._answer(work.result())

    async def _arun(
        self, *, candidates: Sequence[Candidate] | None = None, model: str | None = None, **given: Any
    ) -> tuple[Any, dict[str, Any]]:
        import asyncio

        work = _Work(self.task, self._store)
        try:
            inputs = await asyncio.to_thread(read_inputs, self.task, given, self._store)
            if not candidates:
                candidates = await asyncio.to_thread(self._experts.candidates, self.task, _query(inputs), model=model)
            for candidate in work.choose(candidates):
                with work.attempt(candidate):
                    output = await candidate.runner.arun(self.task, candidate.card, inputs)
                    await asyncio.to_thread(work.keep, output, inputs)
                    break
        except HuggingGPTError as e:
            await asyncio.to_thread(work.stop, e, self._considered)
        return self._answer(work.result())

    def _considered(self) -> tuple[str, ...]:
        return self._experts.considered(self.task)

    def _answer(self, result: ToolResult) -> tuple[Any, dict[str, Any]]:
        artifact = result.as_json()
        if result.status == "ok":
            return shown(result, self.task, self._store), artifact
        content = f"{self.task.name} gave no result. {result.error} {result.remedy}".strip()
        call_id = _call_id.get()
        if call_id is None:
            raise ToolException(content)
        return ToolMessage(content, artifact=artifact, tool_call_id=call_id, name=self.name, status="error"), artifact


class _Work:
    """One call: what was tried and what came out."""

    def __init__(self, task: HubTask, store: ArtifactStore) -> None:
        self._task = task
        self._store = store
        self._attempts: list[Attempt] = []
        self._candidates: tuple[str, ...] = ()
        self._output: RunnerOutput | None = None
        self._values: dict[str, Any] = {}
        self._artifacts: list[Artifact] = []
        self._failure: HuggingGPTError | None = None

    def choose(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        self._candidates = tuple(c.card.id for c in candidates)
        return candidates

    def attempt(self, candidate: Candidate) -> _Attempting:
        return _Attempting(self, candidate)

    def keep(self, output: RunnerOutput, inputs: Mapping[str, Any]) -> None:
        """Check that every output port is there, and store the files that an expert made, and pictures that show what it found."""
        try:
            self._keep(output, inputs)
        except HuggingGPTError as e:
            e.tries = output.tries
            raise

    def _keep(self, output: RunnerOutput, inputs: Mapping[str, Any]) -> None:
        values: dict[str, Any] = {}
        artifacts: list[Artifact] = []
        for port in self._task.outputs:
            if port.name not in output.values:
                raise ExpertError(f"the expert gave no {port.name!r}")
            value = output.values[port.name]
            if port.kind.is_media:
                files = [self._store.put(m.data, name=m.name, media_type=m.media_type) for m in _media(port, value)]
                artifacts += files
                value = files if port.many else files[0]
            else:
                check_output(self._task.name, port, value)
            values[port.name] = value
        with contextlib.suppress(MediaError):  # it is the output that counts
            artifacts += [self._store.put(m.data, name=m.name, media_type=m.media_type) for m in drawn(self._task, inputs, output.values)]
        self._values, self._artifacts, self._output = values, artifacts, output

    def record(self, candidate: Candidate, seconds: float, error: HuggingGPTError | None) -> None:
        """One more attempt; before it those that its runner made for it, where it tried several times."""
        self._failure = error
        model, name = candidate.card.id, candidate.runner.name
        given = self._output if error is None else error
        tries = given.tries if given is not None else ()
        self._attempts += [Attempt(model=model, runner=name, seconds=s, error=why) for s, why in tries]
        usage = self._output.usage if error is None and self._output is not None else {}
        last = max(0.0, seconds - sum(s for s, _ in tries))
        self._attempts.append(Attempt(model=model, runner=name, seconds=last, error=str(error) if error else "", usage=dict(usage)))

    def stop(self, error: HuggingGPTError, considered: Any) -> None:
        self._failure = error
        if isinstance(error, NoExpertError) and not self._candidates:
            with contextlib.suppress(HuggingGPTError):  # an index that cannot be read is not why there is no expert
                self._candidates = considered()

    def result(self) -> ToolResult:
        if self._output is None:
            failure = self._failure or NoExpertError(self._task.name, {}, remedy="")
            return ToolResult(
                task=self._task.name,
                status="unavailable" if isinstance(failure, NoExpertError) else "failed",
                candidates=self._candidates,
                attempts=tuple(self._attempts),
                error=failure.message,
                remedy=failure.remedy,
            )
        return ToolResult(
            task=self._task.name,
            status="ok",
            values=self._values,
            artifacts=tuple(self._artifacts),
            notes=self._output.notes,
            candidates=self._candidates,
            attempts=tuple(self._attempts),
        )


class _Attempting:
    """Times one try; an expert's failure is recorded and the next candidate may try, the caller's fault goes up."""

    def __init__(self, work: _Work, candidate: Candidate) -> None:
        self._work = work
        self._candidate = candidate

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        seconds = time.perf_counter() - self._started
        if error is None:
            self._work.record(self._candidate, seconds, None)
            return False
        if not isinstance(error, Exception):
            return False  # cancelled or interrupted: not the expert's failure
        failure = error if isinstance(error, HuggingGPTError) else ExpertError(f"{type(error).__name__}: {error}")
        self._work.record(self._candidate, seconds, failure)
        return not isinstance(error, CallerError)


def _media(port: Port, value: Any) -> list[NewMedia]:
    files = list(value) if isinstance(value, list | tuple) else [value]
    none_found = port.many and isinstance(value, list | tuple) and not files
    if not none_found and (not files or not all(isinstance(f, NewMedia) for f in files)):
        raise ExpertError(f"the expert gave no file but {value!r:.80}")
    if not all(f.data for f in files):
        raise ExpertError("the expert gave an empty file (0 bytes)")
    return files


def _query(inputs: dict[str, Any]) -> str:
    """What the index is asked when nobody chose candidates: the words that the task is given."""
    return " ".join(v for v in inputs.values() if isinstance(v, str))[:300]


def _invalid(error: Any) -> str:
    """What a language model is told when arguments do not fit the schema."""
    if not isinstance(error, ValidationError):
        return str(error)
    faults = [f"{'.'.join(str(p) for p in e['loc']) or 'arguments'}: {e['msg']}" for e in error.errors(include_url=False)]
    return "The arguments do not fit. " + "; ".join(faults)
