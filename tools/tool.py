"""A Hub task as a LangChain tool. There is one way to run a task, and this is it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Literal

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, ToolException
from pydantic import PrivateAttr, ValidationError

from ..index.errors import CallerError, ExpertError, HuggingGPTError
from ..index.minilm import Encoder, MiniLM
from .artifacts import Artifact, ArtifactStore
from .consensus.agreed import agree as agree_on
from .consensus.agreement import Agreement
from .consensus.independence import failed_alike
from .consensus.panel import MOST, Failure, Panel, read_agree, read_patience
from .consensus.rules import incomparable
from .drawing import drawn
from .errors import MediaError, NoExpertError
from .experts import Candidate, Experts
from .inputs import args_schema, read_inputs
from .outputs import check_output
from .result import Attempt, ToolResult
from .runners.runner import NewMedia, RunnerOutput
from .runners.workers import Workers
from .task import HubTask, Port
from .views import shown

_CANDIDATES = 5
_call_id: ContextVar[str | None] = ContextVar("hugginggpt_tool_call_id", default=None)


_seen: ContextVar[list[Attempt] | None] = ContextVar("hugginggpt_attempts", default=None)


@contextlib.contextmanager
def attempts_seen() -> Iterator[list[Attempt]]:
    """Within it, the attempts of the tasks that are called, each once it has ended: no result tells those of a call that is cut off."""
    seen: list[Attempt] = []
    token = _seen.set(seen)
    try:
        yield seen
    finally:
        _seen.reset(token)


class HubTaskTool(BaseTool):
    """Runs one Hub task with the best expert that can run here, and with the next one when that fails.

    Called with a ToolCall it gives a ToolMessage: `content` says what came out, `artifact` is `ToolResult.as_json()`, `status` is
    `error` when there is no output. It never raises for what an expert or an input did wrong: it says so in a way that a language
    model can act on.

    Injected arguments, which language models do not see: `candidates` (best first), `model` (id of the one to use) and `agree`: so many
    experts, 2 to 16, are asked side by side, and what they agree on is the output (`consensus/`); with it `patience`: seconds after which
    the answer of one of them is enough (a time limit of the caller's should be longer).

    Args:
        task: the task.
        experts: where candidates come from.
        store: where files are read from and written to.
        encoder: what texts of several experts are compared by meaning with. Default: a MiniLM of its own.
    """

    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"
    task: HubTask
    _experts: Experts = PrivateAttr()
    _store: ArtifactStore = PrivateAttr()
    _encoder: Encoder = PrivateAttr()
    _workers: Workers = PrivateAttr()

    def __init__(self, task: HubTask, *, experts: Experts, store: ArtifactStore, encoder: Encoder | None = None, **kwargs: Any) -> None:
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
        self._encoder = encoder or MiniLM()
        self._workers = Workers(MOST, name="panel")

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

    def _run(
        self,
        *,
        candidates: Sequence[Candidate] | None = None,
        model: str | None = None,
        agree: Any = None,
        patience: Any = None,
        **given: Any,
    ) -> tuple[Any, dict[str, Any]]:
        work = _Work(self.task, self._store, chosen=bool(candidates or model))
        try:
            wanted, seconds = read_agree(agree), read_patience(patience)
            inputs = read_inputs(self.task, given, self._store)
            found = work.choose(candidates if candidates else self._found(inputs, model, wanted))
            panel = work.panel(found, inputs, wanted, seconds)
            if panel is not None:
                panel.ask(self._workers)
                work.agree(panel, inputs, self._encoder)
            else:
                for candidate in found:
                    with work.attempt(candidate):
                        work.keep(candidate.runner.run(self.task, candidate.card, inputs), inputs)
                        break
        except HuggingGPTError as e:
            work.stop(e, self._considered)
        return self._answer(work.result())

    async def _arun(
        self,
        *,
        candidates: Sequence[Candidate] | None = None,
        model: str | None = None,
        agree: Any = None,
        patience: Any = None,
        **given: Any,
    ) -> tuple[Any, dict[str, Any]]:
        import asyncio

        work = _Work(self.task, self._store, chosen=bool(candidates or model))
        try:
            wanted, seconds = read_agree(agree), read_patience(patience)
            inputs = await asyncio.to_thread(read_inputs, self.task, given, self._store)
            found = work.choose(candidates if candidates else await asyncio.to_thread(self._found, inputs, model, wanted))
            panel = work.panel(found, inputs, wanted, seconds)
            if panel is not None:
                await panel.aask()
                await asyncio.to_thread(work.agree, panel, inputs, self._encoder)
            else:
                for candidate in found:
                    with work.attempt(candidate):
                        output = await candidate.runner.arun(self.task, candidate.card, inputs)
                        await asyncio.to_thread(work.keep, output, inputs)
                        break
        except HuggingGPTError as e:
            await asyncio.to_thread(work.stop, e, self._considered)
        return self._answer(work.result())

    def _found(self, inputs: dict[str, Any], model: str | None, wanted: int | None) -> Sequence[Candidate]:
        """Candidates where nobody chose any: for several experts twice as many, so that those that fail can be replaced."""
        limit = max(_CANDIDATES, 2 * (wanted or 0))
        return self._experts.candidates(self.task, _query(inputs), model=model, limit=limit)

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
    """One call: what was tried and what came out.

    Args:
        task: the task.
        store: where files go.
        chosen: the caller said whom to ask.
    """

    def __init__(self, task: HubTask, store: ArtifactStore, *, chosen: bool) -> None:
        self._task = task
        self._store = store
        self._chosen = chosen
        self._attempts: list[Attempt] = []
        self._candidates: tuple[str, ...] = ()
        self._output: RunnerOutput | None = None
        self._values: dict[str, Any] = {}
        self._artifacts: list[Artifact] = []
        self._failure: HuggingGPTError | None = None
        self._agreement: Agreement | None = None
        self._note: tuple[str, ...] = ()

    def choose(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        self._candidates = tuple(c.card.id for c in candidates)
        return candidates

    def attempt(self, candidate: Candidate) -> _Attempting:
        return _Attempting(self, candidate)

    def panel(self, candidates: Sequence[Candidate], inputs: Mapping[str, Any], wanted: int | None, patience: float | None) -> Panel | None:
        """The experts to be asked side by side; None where one is to be asked, or where their answers could not be compared."""
        if wanted is None:
            return None
        why = incomparable(self._task)
        if why:
            self._note = (f"nobody was asked to agree: {why}",)
            return None
        return Panel(self._task, inputs, candidates, seats=wanted, check=self._check, patience=patience)

    def keep(self, output: RunnerOutput, inputs: Mapping[str, Any]) -> None:
        """Check every output port, and store the files that an expert made, and pictures that show what it found."""
        self._check(output)
        values: dict[str, Any] = {}
        artifacts: list[Artifact] = []
        with _tried(output):
            for port in self._task.outputs:
                value = output.values[port.name]
                if port.kind.is_media:
                    files = [self._store.put(m.data, name=m.name, media_type=m.media_type) for m in _media(port, value)]
                    artifacts += files
                    value = files if port.many else files[0]
                values[port.name] = value
        with contextlib.suppress(MediaError):  # it is the output that counts
            artifacts += [self._store.put(m.data, name=m.name, media_type=m.media_type) for m in drawn(self._task, inputs, output.values)]
        self._values, self._artifacts, self._output = values, artifacts, output

    def _check(self, output: RunnerOutput) -> None:
        with _tried(output):
            for port in self._task.outputs:
                if port.name not in output.values:
                    raise ExpertError(f"the expert gave no {port.name!r}")
                if not port.kind.is_media:
                    check_output(self._task.name, port, output.values[port.name])

    def agree(self, panel: Panel, inputs: Mapping[str, Any], encoder: Encoder) -> None:
        """Put together what the experts of a panel gave. Their tries are recorded, the one nearest to the agreed output last."""
        answered = {a.candidate.card.id for a in panel.answers}  # by another runner, it may be
        failures = {f.candidate.card.id: str(f.error) for f in panel.failures if f.candidate.card.id not in answered}
        for failure in panel.failures:
            self._record(failure.candidate, failure.seconds, failure.error)
        answers = panel.answers
        if not answers:
            self._failure = _said_of_all(panel.failures, failed_alike(failures))
            return
        alone = "it was the only candidate" if self._chosen else "no other can run here"
        agreed = agree_on(self._task, answers, failures, encoder, alone=alone)
        self.keep(RunnerOutput(values=agreed.values, notes=agreed.notes), inputs)
        self._agreement = agreed.agreement
        for answer in [*answers[: agreed.nearest], *answers[agreed.nearest + 1 :], answers[agreed.nearest]]:
            self._record(answer.candidate, answer.seconds, answer.output)

    def record(self, candidate: Candidate, seconds: float, error: HuggingGPTError | None) -> None:
        """One more attempt; before it those that its runner made for it, where it tried several times."""
        self._failure = error
        self._record(candidate, seconds, self._output if error is None else error)

    def _record(self, candidate: Candidate, seconds: float, outcome: RunnerOutput | HuggingGPTError | None) -> None:
        model, name = candidate.card.id, candidate.runner.name
        tries = outcome.tries if outcome is not None else ()
        told = [Attempt(model=model, runner=name, seconds=s, error=why) for s, why in tries]
        usage = outcome.usage if isinstance(outcome, RunnerOutput) else {}
        error = str(outcome) if isinstance(outcome, HuggingGPTError) else ""
        last = max(0.0, seconds - sum(s for s, _ in tries))
        told.append(Attempt(model=model, runner=name, seconds=last, error=error, usage=dict(usage)))
        self._attempts += told
        if (seen := _seen.get()) is not None:
            seen += told

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
            notes=(*self._note, *self._output.notes),
            candidates=self._candidates,
            attempts=tuple(self._attempts),
            agreement=self._agreement,
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
        if not isinstance(error, Exception):  # cancelled or interrupted: not the expert's failure
            self._work.record(self._candidate, seconds, ExpertError("it was stopped before it ended"))
            return False
        failure = error if isinstance(error, HuggingGPTError) else ExpertError(f"{type(error).__name__}: {error}")
        self._work.record(self._candidate, seconds, failure)
        return not isinstance(error, CallerError)


def _said_of_all(failures: Sequence[Failure], alike: Sequence[str]) -> HuggingGPTError:
    """The failure that is told where all failed: the caller's own fault, else the last; with a word where they failed alike."""
    errors = [f.error for f in failures]
    told = next((e for e in errors if isinstance(e, CallerError)), errors[-1])
    stop = "" if told.message.endswith((".", "!", "?")) else "."
    return ExpertError(" ".join([told.message + stop, *alike]), remedy=told.remedy) if alike else told


@contextlib.contextmanager
def _tried(output: RunnerOutput) -> Iterator[None]:
    """What is found wrong with an output tells the calls before it as well."""
    try:
        yield
    except HuggingGPTError as e:
        e.tries = output.tries
        raise


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
