"""The agent put together from its settings: the one composition root."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..index.errors import IndexFileError, UnknownNameError
from .errors import SettingsError
from .settings import OTHER_INDEX, PLANNERS, WEIGHTS, Settings, data_folder, index_in_use

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from ..index.minilm import MiniLM
    from ..index.model_card_index import ModelCardIndex
    from ..tools.runners.hosted import HostedRunner
    from ..tools.runners.local import LocalRunner
    from ..tools.runners.retrying import RetryingRunner
    from ..tools.runners.runner import Runner
    from ..tools.toolkit import HubToolkit
    from .agent import HuggingGPT
    from .planners.planner import Planner


def open_index(folder: Path, encoder: MiniLM | None = None) -> ModelCardIndex:
    """The index in a folder.

    Args:
        folder: of the index.
        encoder: shared with it, where that is what made it; another one is loaded by its name when it is needed.

    Raises:
        IndexFileError: it cannot be opened; the remedy tells who named it, where that was `hugginggpt index use`.
    """
    from ..index.model_card_index import ModelCardIndex
    from ..index.store.manifest import read_manifest

    try:
        same = encoder is not None and encoder.name == read_manifest(folder).encoder
        return ModelCardIndex.open(folder, encoder=encoder if same else None)
    except IndexFileError as e:
        if folder != index_in_use():
            raise
        raise IndexFileError(f"The index in use cannot be opened. {e.message}", remedy=OTHER_INDEX) from e


def build_toolkit(settings: Settings) -> HubToolkit:
    """The toolkit that the settings describe.

    Raises:
        IndexFileError: the index that is named cannot be opened.
        CallerError: a folder of models is not there, there is no such device or provider, or an endpoint is no address.
        SettingsError: only hosted experts are to run, and `private` forbids them.
    """
    from ..index.minilm import MiniLM
    from ..index.model_card_index import ModelCardIndex
    from ..tools.artifacts import ArtifactStore
    from ..tools.fetching import Fetcher
    from ..tools.readiness import Order
    from ..tools.toolkit import HubToolkit

    if settings.private:
        from .privacy import hub_tells_nothing

        hub_tells_nothing()
    encoder = MiniLM()
    opened = open_index(settings.index, encoder) if settings.index is not None else None
    if opened is not None and settings.index is not None and settings.private:
        from .privacy import check_private_index

        check_private_index(opened.manifest["encoder"], settings.index)
    fetcher = None if settings.private else Fetcher(allowed_hosts=settings.allow_hosts)
    store = ArtifactStore(settings.out or data_folder() / "artifacts", fetcher=fetcher)
    if settings.out is not None:
        store.prepare()
    return HubToolkit(
        index=opened or (lambda: ModelCardIndex.embedded(encoder)),
        runners=_runners(settings, encoder),
        order=Order.READINESS if settings.experts == "hybrid" else Order.RELEVANCE,
        store=store,
        encoder=encoder,
    )


def _runners(settings: Settings, encoder: MiniLM) -> list[Runner]:
    """Those that may run; those that may not say why not, and what would help."""
    from ..tools.runners.absent import AbsentRunner
    from ..tools.runners.embedded import EmbeddedRunner

    hosted = build_hosted(settings)
    if settings.private and settings.experts == "hosted" and hosted is None:
        remedy = "Leave out one of them (HUGGINGGPT_PRIVATE, HUGGINGGPT_EXPERTS)."
        raise SettingsError("--private forbids hosted experts, and --experts hosted asks for no others.", remedy=remedy)
    only = f"only {settings.experts} experts are to run"
    by_option = "Let {} do it: --experts {} (HUGGINGGPT_EXPERTS)."
    here: Runner = EmbeddedRunner(encoder)
    if settings.experts == "hosted":
        here = AbsentRunner("embedded", why=only, remedy=by_option.format("embedded experts", "hybrid"))
    models: Runner = AbsentRunner("local", why=only, remedy=by_option.format("models on this machine", "local"))
    if settings.experts in ("local", "hybrid"):
        models = build_local(settings)
    if hosted is not None:
        return [here, models, _retrying(hosted, settings.task_timeout)]
    why, remedy = "they would be sent what they work on, and were not asked for", by_option.format("hosted models", "hybrid")
    if settings.private:
        why, remedy = "they would be sent what they work on, and --private forbids it", ""
    return [here, models, AbsentRunner("hosted", why=why, remedy=remedy)]


def _retrying(runner: Runner, task_timeout: float) -> RetryingRunner:
    """A call takes at most half the time of the task, and none begins after the first quarter of it: the next candidate has a quarter."""
    from ..tools.runners.retrying import RetryingRunner

    return RetryingRunner(runner, longest_wait=min(20.0, task_timeout / 10), patience=task_timeout / 4)


def build_local(settings: Settings) -> LocalRunner:
    """The runner of models on this machine. Raises CallerError: a folder is not there, or there is no such device."""
    from ..tools.runners.local import LocalRunner

    return LocalRunner(
        models=settings.models,
        max_download=settings.max_download,
        max_memory=settings.max_memory,
        device=settings.device,
        timeout=settings.task_timeout / 2,  # so that a model which hangs leaves time for the next
    )


def build_hosted(settings: Settings) -> HostedRunner | None:
    """The runner of hosted models, or of the endpoints alone where nothing else hosted may run; None where neither may.

    Raises:
        CallerError: there is no such provider, or an endpoint is no address, or of neither a task nor a model.
    """
    from ..tools.runners.hosted.client import is_loopback

    hub = settings.experts in ("hosted", "hybrid") and not settings.private
    endpoints = {name: url for name, url in settings.endpoints if not settings.private or is_loopback(url)}
    if not hub and not endpoints:
        return None
    from ..tools.runners.hosted import HostedRunner
    from ..tools.runners.hosted.facts import Facts

    return HostedRunner(
        provider=settings.provider,
        endpoints=endpoints,
        hub=hub,
        timeout=settings.task_timeout / 2,
        facts=Facts(data_folder() / "hosted.json"),
    )


def build_planner(settings: Settings, *, encoder: MiniLM | None = None, model: BaseChatModel | None = None) -> Planner:
    """The planner that the settings describe. Naming an llm never falls back to the embedded planner.

    Args:
        settings: its `llm`, `planner`, `encoder` and `context_tokens`.
        encoder: a MiniLM to share, where the settings name none.
        model: the chat model that `settings.llm` names, where it was loaded already.

    Raises:
        UnknownNameError: there is no such planner.
        SettingsError: the llm planner has no llm, or one that `private` forbids.
        WeightsError: the weights cannot be used, or not with this encoder.
        CallerError: the encoder that the settings name cannot be used.
    """
    from ..index.minilm import MiniLM
    from .planners.embedded import EmbeddedPlanner
    from .planners.embedded.weights import SHIPPED

    name = settings.planner or ("llm" if settings.llm else "embedded")
    if settings.encoder is not None and (name == "embedded" or name.endswith(WEIGHTS)):
        return EmbeddedPlanner(MiniLM(settings.encoder), SHIPPED if name == "embedded" else name)
    if name.endswith(WEIGHTS):
        return EmbeddedPlanner(encoder, name)
    if name not in PLANNERS:
        raise UnknownNameError("planner", name, PLANNERS)
    if name == "embedded":
        return EmbeddedPlanner(encoder)
    if settings.llm is None:
        raise SettingsError("The llm planner needs a chat model.", remedy="Name one: --llm MODEL, or HUGGINGGPT_LLM.")
    from .planners.llm import LLMPlanner

    return LLMPlanner(model or chat_model(settings), encoder=encoder, context_tokens=settings.context_tokens)


def build(settings: Settings) -> HuggingGPT:
    """The agent that the settings describe."""
    from .agent import HuggingGPT
    from .response import EmbeddedResponder, Responder

    toolkit = build_toolkit(settings)
    responder: Responder = EmbeddedResponder(toolkit.tasks)
    model = None
    if settings.llm is not None:
        from .response_llm import LLMResponder

        model = chat_model(settings)
        responder = LLMResponder(model)
    elif settings.private:
        from .privacy import check_private

        check_private(None)
    planner = build_planner(settings, encoder=toolkit.encoder, model=model)
    return HuggingGPT(toolkit=toolkit, planner=planner, responder=responder, task_timeout=settings.task_timeout, agree=settings.agree)


def chat_model(settings: Settings) -> BaseChatModel:
    """The chat model that the settings name. Raises ChatModelError, MissingExtraError, and SettingsError where `private` forbids it."""
    from .chat import load_chat_model

    assert settings.llm is not None
    model = load_chat_model(settings.llm)
    if settings.private:
        from .privacy import check_private

        check_private(model)
    return model
