"""Settings, and the one place where the environment is read and the agent is put together from them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..index.errors import IndexFileError, UnknownNameError
from .amounts import size
from .errors import SettingsError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from ..index.minilm import MiniLM
    from ..index.model_card_index import ModelCardIndex
    from ..tools.toolkit import HubToolkit
    from .agent import HuggingGPT
    from .planners.planner import Planner

APP = "hugginggpt"
PLANNERS = ("embedded", "llm")
WEIGHTS = ".safetensors"
"""How the name of a file of trained weights ends, which may stand in place of a planner's name."""
_IN_USE = "index.json"
_OTHER_INDEX = "Choose one: hugginggpt index use DIR; or go back to the catalogue that ships: hugginggpt index use --embedded."


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the command line's options and `HUGGINGGPT_*` variables set.

    Attributes:
        llm: a chat model as `init_chat_model` names it, e.g. `openai:gpt-5-mini` (HUGGINGGPT_LLM).
        planner: `embedded`, `llm`, or a file of trained weights (HUGGINGGPT_PLANNER); default `llm` when there is an llm, else `embedded`.
        index: folder of a model-card index (HUGGINGGPT_INDEX); default the embedded catalogue.
        out: folder for results (HUGGINGGPT_OUT); default in the user's data folder.
        task_timeout: seconds that one task may take (HUGGINGGPT_TASK_TIMEOUT).
        encoder: folder of the sentence encoder that the embedded planner's weights were trained on (HUGGINGGPT_ENCODER), e.g. one that
            knows many languages; goes with such weights as `planner`. Default the packaged one, which knows English, and which all
            else uses in any case.
        context_tokens: tokens that the chat model takes when it plans, prompt and answer together (HUGGINGGPT_CONTEXT_TOKENS); default
            what is known of the model, else no limit. The embedded planner has no use for it.
        models: folders of models to run on this machine (HUGGINGGPT_MODELS, several with the separator of PATH between them).
        max_download: bytes that may be downloaded for one model (HUGGINGGPT_MAX_DOWNLOAD); default nothing.
        max_memory: bytes that models in memory may take together (HUGGINGGPT_MAX_MEMORY); default half of what is free.
        device: where models compute, as torch names it (HUGGINGGPT_DEVICE); default the best that there is.
    """

    llm: str | None = None
    planner: str | None = None
    encoder: Path | None = None
    index: Path | None = None
    out: Path | None = None
    task_timeout: float = 300.0
    context_tokens: int | None = None
    models: tuple[Path, ...] = ()
    max_download: int = 0
    max_memory: int | None = None
    device: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read `HUGGINGGPT_*`. Raises SettingsError for a value that cannot be used."""
        env = os.environ if environment is None else environment

        def value(name: str) -> str | None:
            return env.get(f"HUGGINGGPT_{name}", "").strip() or None

        return cls(
            llm=value("LLM"),
            planner=value("PLANNER"),
            encoder=Path(found) if (found := value("ENCODER")) else None,
            index=Path(found) if (found := value("INDEX")) else None,
            out=Path(found) if (found := value("OUT")) else None,
            task_timeout=_seconds(value("TASK_TIMEOUT")),
            context_tokens=tokens(found, "HUGGINGGPT_CONTEXT_TOKENS") if (found := value("CONTEXT_TOKENS")) else None,
            models=tuple(Path(p) for p in (value("MODELS") or "").split(os.pathsep) if p),
            max_download=size(found, "HUGGINGGPT_MAX_DOWNLOAD", least=0) if (found := value("MAX_DOWNLOAD")) else 0,
            max_memory=size(found, "HUGGINGGPT_MAX_MEMORY") if (found := value("MAX_MEMORY")) else None,
            device=value("DEVICE"),
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


def tokens(text: str, name: str) -> int:
    """A number of tokens, 1 or more, as an option or a variable of that name gives it. Raises SettingsError."""
    try:
        number = int(text)
    except ValueError as e:
        raise SettingsError(f"{name} must be a whole number of tokens, not {text!r}.") from e
    if number < 1:
        raise SettingsError(f"{name} must be at least 1, not {text!r}.")
    return number


def data_folder() -> Path:
    """Where this user's indexes, artifacts and chats live."""
    from platformdirs import user_data_path

    return user_data_path(APP, appauthor=False)


def index_in_use() -> Path | None:
    """The index that this user chose by `hugginggpt index use`, wherever no other is named; None for the embedded catalogue.

    Raises:
        SettingsError: the note of it cannot be read.
    """
    note = data_folder() / _IN_USE
    try:
        chosen = json.loads(note.read_text("utf-8"))["index"]
        if isinstance(chosen, str) and chosen:
            return Path(chosen)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        pass
    raise SettingsError(f"{str(note)!r}, which says what index is in use, cannot be read.", remedy=_OTHER_INDEX)


def use_index(folder: Path | None) -> None:
    """Make an index the one in use; None for the embedded catalogue. Whether it opens is for the caller to see to.

    Raises:
        SettingsError: the note cannot be written.
    """
    note = data_folder() / _IN_USE
    try:
        if folder is None:
            note.unlink(missing_ok=True)
            return
        note.parent.mkdir(parents=True, exist_ok=True)
        temporary = note.with_suffix(".tmp")
        temporary.write_text(json.dumps({"index": str(folder.resolve())}), "utf-8")
        temporary.replace(note)
    except OSError as e:
        remedy = "See to its rights, or name the index each time: --index, HUGGINGGPT_INDEX."
        raise SettingsError(f"{str(note)!r} cannot be written: {e.strerror or e}.", remedy=remedy) from e


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
        raise IndexFileError(f"The index in use cannot be opened. {e.message}", remedy=_OTHER_INDEX) from e


def build_toolkit(settings: Settings) -> HubToolkit:
    """The toolkit that the settings describe.

    Raises:
        IndexFileError: the index that is named cannot be opened.
        CallerError: a folder of models is not there, or there is no such device.
    """
    from ..index.minilm import MiniLM
    from ..index.model_card_index import ModelCardIndex
    from ..tools.artifacts import ArtifactStore
    from ..tools.runners.local import LocalRunner
    from ..tools.toolkit import HubToolkit, default_runners

    encoder = MiniLM()
    opened = open_index(settings.index, encoder) if settings.index is not None else None
    store = ArtifactStore(settings.out or data_folder() / "artifacts")
    if settings.out is not None:
        store.prepare()
    local = LocalRunner(
        models=settings.models,
        max_download=settings.max_download,
        max_memory=settings.max_memory,
        device=settings.device,
        timeout=settings.task_timeout / 2,  # so that a model which hangs leaves time for the next
    )
    return HubToolkit(
        index=opened or (lambda: ModelCardIndex.embedded(encoder)),
        runners=default_runners(encoder, local=local),
        store=store,
        encoder=encoder,
    )


def build_planner(settings: Settings, *, encoder: MiniLM | None = None, model: BaseChatModel | None = None) -> Planner:
    """The planner that the settings describe. Naming an llm never falls back to the embedded planner.

    Args:
        settings: its `llm`, `planner`, `encoder` and `context_tokens`.
        encoder: a MiniLM to share, where the settings name none.
        model: the chat model that `settings.llm` names, where it was loaded already.

    Raises:
        UnknownNameError: there is no such planner.
        SettingsError: the llm planner has no llm.
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
    from .chat import load_chat_model
    from .planners.llm import LLMPlanner

    return LLMPlanner(model or load_chat_model(settings.llm), encoder=encoder, context_tokens=settings.context_tokens)


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
