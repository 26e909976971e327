"""The runner of hosted models."""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ....index.errors import CallerError, ExpertError, RemoteError
from ...errors import ExpertTimeoutError
from ..forks import in_each_child
from ..packages import missing, not_installed
from ..runner import Availability, Place, RunnerOutput
from ..workers import Job, Workers, check_abandoned, when_abandoned
from .client import client_type
from .endpoints import is_hub_id, read_endpoints
from .facts import SHORT_LIFETIME, Fact, Facts
from .failures import Cause, Failure, cannot_be_used, failure
from .providers import served_by
from .row import HostedRow, Way
from .table import HOSTED
from .target import Target, account_at

if TYPE_CHECKING:
    from ....index.card import ModelCard
    from ...task import HubTask

_PACKAGE = "huggingface_hub"
_LOG_IN = "Give a token: set HF_TOKEN or run `hf auth login`; or name an endpoint of your own: --endpoint TASK=URL."
_GRACE = 1.0  # seconds: a call ends by our own timer, and with its words, before the client's, which counts anew with each byte


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who a token belongs to.

    Attributes:
        name: of the user or organisation.
        role: what the token may do, as the Hub says it: `read`, `write`, `fineGrained`; empty where it does not say.
    """

    name: str
    role: str = ""


class HostedRunner:
    """Calls models that are hosted elsewhere: by the Hub's inference providers, or at endpoints of your own.

        HostedRunner()                                                              # the Hub, with the token of this machine
        HostedRunner(provider="hf-inference", bill_to="my-org")
        HostedRunner(hub=False, endpoints={"translation": "http://127.0.0.1:8080"}) # what you give leaves your own network in no way

    What is sent goes to the address that was named, and is not sent on where a server there redirects to another one. No proxy of the
    environment sees what is sent to an address of this machine. huggingface_hub asks the Hub itself, once a day, which programs are
    agents, to tell it who calls: with nothing of what is sent, for 3 seconds at most, and also where only endpoints are called. It does
    not where HF_HUB_DISABLE_TELEMETRY=1 is set before Python imports it; no argument of its calls keeps it from that.

    Args:
        token: of the Hub. Default: the one that HF_TOKEN or `hf auth login` gave; that one is sent to no endpoint but Hugging Face's own.
        provider: who runs the Hub's models, as InferenceClient names them. Default: whoever comes first in the account's settings.
        bill_to: organisation that pays.
        endpoints: addresses by Hub task or by model id. One serves one task, and is called exactly there (conversation at
            `/v1/chat/completions` below it). By its task is how to name a model that the index does not know: one named by its id is
            found for the tasks for which the index knows it, and otherwise only called when it is asked for by that id.
        hub: whether models on the Hub may be called, or endpoints only.
        timeout: seconds that a call may take.
        concurrency: calls at once to each endpoint or provider; further ones wait in line.
        facts: what earlier calls told, to be kept or shared. Default: for this runner alone.
        table: how each task is asked for. Default: all.

    Raises:
        CallerError: an endpoint is named by what is neither a task nor a model, or is no address; there is no such provider; the token
            holds characters that no token has; a number is not above 0.
    """

    name = "hosted"

    def __init__(
        self,
        *,
        token: str | None = None,
        provider: str | None = None,
        bill_to: str | None = None,
        endpoints: Mapping[str, str] | None = None,
        hub: bool = True,
        timeout: float = 120.0,
        concurrency: int = 64,
        facts: Facts | None = None,
        table: Mapping[str, HostedRow] = HOSTED,
    ) -> None:
        if not timeout > 0 or concurrency < 1:
            raise CallerError(f"'timeout' and 'concurrency' must be above 0, not {timeout!r} and {concurrency!r}.")
        _check_token(token)
        self._given_token = token
        self._provider = None if provider == "auto" else provider
        self._served = served_by(self._provider)
        self._bill_to = bill_to
        self._endpoints = read_endpoints(endpoints or {}, table)
        self._hub = hub
        self._timeout = timeout
        self._concurrency = concurrency
        self.facts = facts if facts is not None else Facts()
        self._table = table
        self._workers: dict[str, Workers] = {}
        self._renew_lock()
        in_each_child(self._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        """Whether a hosted model can do `task`, as far as is known here: nobody is asked. Takes microseconds."""
        possible = self._possible(task, card)
        return possible if card is None or not possible.ok else self._as_known(self._table[task.name], card)

    def _possible(self, task: HubTask, card: ModelCard | None) -> Availability:
        """The same, whatever earlier calls told."""
        row = self._table.get(task.name)
        if row is None:
            return Availability(supported=False, ok=False, why="hosted models are not called for this task")
        if card is not None and card.id.startswith("embedded/"):
            return Availability(supported=False, ok=False, why="embedded experts are no Hub models")
        if missing([_PACKAGE]):
            return not_installed([_PACKAGE], "hub")
        if _is_offline():
            return _no("HF_HUB_OFFLINE is set", "Unset HF_HUB_OFFLINE to call hosted models.")
        return self._any_model(row) if card is None else self._of_card(row, card)

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """Call the model of `card` and wait.

        Raises:
            CallerError: the inputs are at fault.
            ExpertTimeoutError: it did not end in time.
            ExpertError: it failed; `retryable` and `retry_after` tell whether and when again may help.
        """
        job = self._submit(task, card, inputs)
        try:
            with when_abandoned(job.abandon):  # one of several experts that are asked in threads
                check_abandoned()
                return job.future.result()
        except BaseException:
            job.abandon()
            raise

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """The same off the event loop. Cancelling frees the caller and the call's place at once."""
        job = self._submit(task, card, inputs)
        try:
            return await asyncio.wrap_future(job.future)
        except BaseException:
            job.abandon()
            raise

    @property
    def endpoints(self) -> dict[str, str]:
        """The addresses that were named, by task or model id, without credentials and queries."""
        return {name: endpoint.shown for name, endpoint in self._endpoints.items()}

    def account(self) -> Account:
        """Who the token belongs to. Asks the Hub, within the timeout.

        Raises:
            RemoteError: there is no token, it was not accepted, or the Hub cannot be reached.
        """
        if missing([_PACKAGE]):
            raise RemoteError(f"The package {_PACKAGE} is not installed.", remedy='Run: pip install "langchain-hugginggpt[hub]"')
        if self._token is None:
            raise RemoteError("There is no token for the Hub.", remedy=_LOG_IN)
        job = self._workers_of("account").submit(lambda _: self._whoami())
        try:
            return job.future.result(self._timeout)
        except TimeoutError as e:
            raise RemoteError(f"The Hub did not answer within {self._timeout:g} seconds.", remedy="Try again later.") from e
        finally:
            job.abandon()

    @cached_property
    def _token(self) -> str | None:
        from huggingface_hub import get_token

        return self._given_token if self._given_token is not None else get_token()

    def _whoami(self) -> Account:
        from huggingface_hub import HfApi

        try:
            told = HfApi().whoami(token=self._token)
            role = told.get("auth", {}).get("accessToken", {}).get("role", "")
            return Account(name=str(told["name"]), role=str(role))
        except Exception as e:  # see `failure`
            failed = failure(e, what="Asking the Hub whose token it is", secret=self._token)
            status = getattr(getattr(e, "response", None), "status_code", None)
            raise RemoteError(failed.error.message, remedy=failed.error.remedy, status=status) from e

    def _any_model(self, row: HostedRow) -> Availability:
        own = self._endpoints.get(row.task)
        named = (own.shown,) if own is not None else ()
        unbound = tuple(key for key in self._endpoints if key not in self._table) if row.ways_at(endpoint=True) else ()
        on_hub = self._on_hub(row)
        if on_hub.ok:
            blocked = self._blocked(self._hub_server, account_at(self._token, self._hub_server))
            if blocked is None:
                return Availability(supported=True, ok=True, named=named, unbound=unbound)
            on_hub = blocked
        if named or unbound:
            return Availability(supported=True, ok=True, models=named, named=named, unbound=unbound)
        return on_hub

    def _blocked(self, *names: str) -> Availability | None:
        """What earlier calls told that keeps from a call; None where nothing does."""
        for name in names:
            known = self.facts.about(name)
            if known is not None and known.why:
                return _no(f"{known.why}, when it was last called", f"{known.remedy} {self._again(known)}".strip())
        return None

    def _again(self, known: Fact) -> str:
        """When a failure counts no more."""
        left = max(1, math.ceil(self.facts.seconds_left(known)))
        return f"It may be called again in {f'{left} seconds' if left < 100 else f'{math.ceil(left / 60)} minutes'}."

    @property
    def _hub_server(self) -> str:
        return f"hub {self._provider or 'auto'}"

    def _on_hub(self, row: HostedRow) -> Availability:
        """Whether any model of the Hub can do it."""
        ways = row.ways_at(endpoint=False)
        if not ways:
            return _no("no provider serves this task", f"Name an endpoint of your own: --endpoint {row.task}=URL.")
        if not self._hub:
            return _no("models on the Hub may not be called, and it has no endpoint", f"Name one: --endpoint {row.task}=URL.")
        if self._served is not None and not any((w.served or row.task) in self._served for w in ways):
            return _no(f"{self._provider} does not serve this task", "Choose another provider.")
        if self._token is None:
            return _no("there is neither a token nor an endpoint", _LOG_IN)
        return Availability(supported=True, ok=True)

    def _of_card(self, row: HostedRow, card: ModelCard) -> Availability:
        target = self._target(row, card)
        if target is None:
            return _no(f"{card.id[:100]!r} is neither on the Hub nor an address that was named", f"Name it: --endpoint {row.task}=URL.")
        if target.endpoint is None:
            on_hub = self._on_hub(row)
            if not on_hub.ok:
                return on_hub
            if self._provider is not None and card.providers and self._provider not in card.providers:
                return _no(f"{self._provider} does not serve it, but {', '.join(card.providers[:5])}", "Choose another provider.")
        return Availability(supported=True, ok=True)

    def _as_known(self, row: HostedRow, card: ModelCard) -> Availability:
        """What earlier calls told about a model that can be called."""
        target = self._target(row, card)
        if target is None:  # see `_of_card`
            raise ValueError(card.id)
        blocked = self._blocked(target.server, target.account, target.fact)
        if blocked is not None:
            return blocked
        known = self.facts.about(target.fact)
        place = Place.NAMED if target.endpoint is not None else Place.REACHED if known is not None else Place.HOSTED
        seconds, cost = (known.seconds, known.cost) if known is not None else (None, None)
        return Availability(supported=True, ok=True, place=place, seconds=seconds, cost=cost)

    def _target(self, row: HostedRow, card: ModelCard) -> Target | None:
        """Where a model is called; None for what is no model of the Hub, nor an address that was named for this task."""
        endpoint = self._endpoints.get(row.task)
        if endpoint is None or endpoint.shown != card.id:
            endpoint = self._endpoints.get(card.id) if card.task == row.task and card.id not in self._table else None
        if endpoint is not None:
            at_home = self._given_token is not None or endpoint.is_the_hubs
            return Target(
                model=endpoint.url,
                what=repr(card.id) if card.id == endpoint.shown else f"{card.id!r} at {endpoint.shown}",
                fact=f"{row.task} at {endpoint.shown}",
                server=endpoint.shown,
                token=self._token if at_home else None,
                endpoint=endpoint,
            )
        if not is_hub_id(card.id):
            return None
        by = self._provider or "auto"
        what = f"{card.id!r} (hosted{'' if self._provider is None else ' by ' + self._provider})"
        return Target(
            model=card.id, what=what, fact=f"{row.task} by {card.id} from {by}", server=self._hub_server, token=self._token, endpoint=None
        )

    def _submit(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> Job[RunnerOutput]:
        available = self._possible(task, card)  # facts are for choosing: one that failed a moment ago may be called again
        target = self._target(self._table[task.name], card) if available.ok else None
        if target is None:
            raise ExpertError(f"{card.id!r} cannot do {task.name} because {available.why}.", remedy=available.remedy)
        row = self._table[task.name]
        return self._workers_of(target.server).submit(lambda job: self._call(row, target, inputs, job))

    def _workers_of(self, server: str) -> Workers:
        with self._lock:
            if server not in self._workers:
                self._workers[server] = Workers(self._concurrency, name="hosted-expert")
            return self._workers[server]

    def _call(self, row: HostedRow, target: Target, inputs: Mapping[str, Any], job: Job[RunnerOutput]) -> RunnerOutput:
        """Ask in each way that there is until one is understood. The caller is freed when the time is over, whatever the server does."""
        timer = threading.Timer(
            self._timeout, lambda: job.abandon(ExpertTimeoutError(target.model if target.endpoint is None else target.what, self._timeout))
        )
        timer.daemon = True
        timer.start()
        refused: Failure | None = None
        try:
            for way in row.ways_at(endpoint=target.endpoint is not None):
                started = time.monotonic()
                reply = self._asked(way, target, inputs)
                if isinstance(reply, Failure):
                    if refused is not None and reply.unfit:  # the first way is the usual one, and says most
                        break
                    refused = reply
                    if reply.unfit:
                        continue
                    break
                try:
                    output = way.read(reply, inputs)
                except ExpertError as e:
                    raise cannot_be_used(e, what=target.what) from e
                self.facts.answered(target.fact, time.monotonic() - started, output.usage.get("usd"))
                self.facts.clear(target.server)
                self.facts.clear(target.account)
                return output
        finally:
            timer.cancel()
        assert refused is not None
        self._learn(target, refused)
        raise refused.error

    def _asked(self, way: Way, target: Target, inputs: Mapping[str, Any]) -> Any:
        """The reply, or what went wrong."""
        given = way.ask(inputs)
        bare: dict[str, Any] = {"headers": {"authorization": None}} if target.token is None else {}  # it would look for a token by itself
        more = bare if target.endpoint is not None else {"provider": self._provider, "bill_to": self._bill_to}
        try:
            with client_type()(model=target.model, token=target.token, timeout=self._timeout + _GRACE, **more) as client:
                return getattr(client, way.method)(**given)
        except ExpertError as e:
            raise cannot_be_used(e, what=target.what) from e
        except Exception as e:  # the client lets everything through, from its HTTP library's errors to those of reading a reply
            return failure(e, what=target.what, secret=target.token)

    def _learn(self, target: Target, failed: Failure) -> None:
        remedy = failed.error.remedy
        if failed.cause is Cause.ACCOUNT:
            self.facts.failed(target.account, failed.why, remedy, lifetime=SHORT_LIFETIME)
        elif failed.cause is Cause.MODEL:
            self.facts.failed(target.fact, failed.why, remedy)
        elif failed.cause is Cause.UNREACHABLE:
            self.facts.failed(target.server, failed.why, remedy, lifetime=SHORT_LIFETIME)


def _no(why: str, remedy: str) -> Availability:
    return Availability(supported=True, ok=False, why=why, remedy=remedy)


def _is_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def _check_token(token: str | None) -> None:
    if token is not None and not (token.isascii() and token.isprintable() and token.strip() == token != ""):
        raise CallerError(
            "The token is empty, or holds characters that no token has.",
            remedy="Copy it again from https://huggingface.co/settings/tokens.",
        )
