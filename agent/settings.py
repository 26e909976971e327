"""Settings, and the one place where the environment is read and the agent is put together from them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..index.errors import UnknownNameError
from .errors import SettingsError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from ..index.minilm import MiniLM
    from ..tools.toolkit import HubToolkit
    from .agent import HuggingGPT
    from .planners.planner import Planner

APP = "hugginggpt"
PLANNERS = ("embedded", "llm")
WEIGHTS = ".safetensors"
"""How the name of a file of trained weights ends, which may stand in place of a planner's name."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the command line's options and `HUGGINGGPT_*` variables set.

    Attributes:
        llm: a chat model as `init_chat_model` names it, e.g. `openai:gpt-5-mini` (HUGGINGGPT_LLM).
        planner: `embedded`, `llm`, or a file of trained weights (HUGGINGGPT_PLANNER); default `llm` when there is an llm, else `embedded`.
        index: folder of a model-card index (HUGGINGGPT_INDEX); default the embedded catalogue.
        out: folder for results (HUGGINGGPT_OUT); default in the user's data folder.
        task_timeout: seconds that one task may take (HUGGINGGPT_TASK_TIMEOUT).
    """

    llm: str | None = None
    planner: str | None = None
    index: Path | None = None
    out: Path | None = None
    task_timeout: float = 300.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read `HUGGINGGPT_*`. Raises SettingsError for a value that cannot be used."""
        env = os.environ if environment is None else environment

        def value(name: str) -> str | None:
            return env.get(f"HUGGINGGPT_{name}", "").strip() or None

        return cls(
            llm=value("LLM"),
            planner=value("PLANNER"),
            index=Path(found) if (found := value("INDEX")) else None,
            out=Path(found) if (found := value("OUT")) else None,
            task_timeout=_seconds(value("TASK_TIMEOUT")),
        )


def _seconds(text: str | None) -> float:
    if text is None:
        return 300.0
    try:
        seconds = float(text)
    except ValueError as e:
        raise SettingsError(f"HUGGINGGPT_TASK_TIMEOUT must be a number of seconds, not {text!r}.") from e
    if not seconds > 0:
        raise SettingsError(f"HUGGINGGPT_TASK_TIMEOUT must be more than 0 seconds, not {text!r}.")
    return seconds


def data_folder() -> Path:
    """Where this user's indexes, artifacts and chats live."""
    from platformdirs import user_data_path

    return user_data_path(APP, appauthor=False)


def build_toolkit(settings: Settings) -> HubToolkit:
    """The toolkit that the settings describe. Raises IndexFileError when the index that is named cannot be opened."""
    from ..index.minilm import MiniLM
    from ..index.model_card_index import ModelCardIndex
    from ..tools.artifacts import ArtifactStore
    from ..tools.toolkit import HubToolkit, default_runners

    encoder = MiniLM()
    folder = settings.index
    opened = ModelCardIndex.open(folder, encoder=encoder) if folder is not None else None
    store = ArtifactStore(settings.out or data_folder() / "artifacts")
    if settings.out is not None:
        store.prepare()
    return HubToolkit(
        index=opened or (lambda: ModelCardIndex.embedded(encoder)), runners=default_runners(encoder), store=store, encoder=encoder
    )


def build_planner(settings: Settings, *, encoder: MiniLM | None = None, model: BaseChatModel | None = None) -> Planner:
    """The planner that the settings describe. Naming an llm never falls back to the embedded planner.

    Args:
        settings: its `llm` and `planner`.
        encoder: a MiniLM to share.
        model: the chat model that `settings.llm` names, where it was loaded already.
    """
    from .planners.embedded import EmbeddedPlanner

    name = settings.planner or ("llm" if settings.llm else "embedded")
    if name.endswith(WEIGHTS):
        from .planners.trained import TrainedPlanner

        return TrainedPlanner(name, encoder)
    if name not in PLANNERS:
        raise UnknownNameError("planner", name, PLANNERS)
    if name == "embedded":
        return EmbeddedPlanner(encoder)
    if settings.llm is None:
        raise SettingsError("The llm planner needs a chat model.", remedy="Name one: --llm MODEL, or HUGGINGGPT_LLM.")
    from .chat import load_chat_model
    from .planners.llm import LLMPlanner

    return LLMPlanner(model or load_chat_model(settings.llm), encoder=encoder)


def build(settings: Settings) -> HuggingGPT:
    """The agent that the settings describe."""
    from .agent import HuggingGPT
    from .response import EmbeddedResponder, Responder

    toolkit = build_toolkit(settings)
    responder: Responder = EmbeddedResponder(toolkit.tasks)
    model = None
    if settings.llm is not None:
        from .chat import load_chat_model
        from .response_llm import LLMResponder

        model = load_chat_model(settings.llm)
        responder = LLMResponder(model)
    planner = build_planner(settings, encoder=toolkit.encoder, model=model)
    return HuggingGPT(toolkit=toolkit, planner=planner, responder=responder, task_timeout=settings.task_timeout)
