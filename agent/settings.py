"""Settings: the one place where the environment is read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..index.errors import UnknownNameError
from ..tools.consensus.panel import MOST
from .amounts import size
from .errors import SettingsError

APP = "hugginggpt"
PLANNERS = ("embedded", "llm")
EXPERTS = ("embedded", "local", "hosted", "hybrid")
"""Whose experts may run: those that come along; those and models on this machine; hosted models only; all of these."""
WEIGHTS = ".safetensors"
"""How the name of a file of trained weights ends, which may stand in place of a planner's name."""
_IN_USE = "index.json"
OTHER_INDEX = "Choose one: hugginggpt index use DIR; or go back to the catalogue that ships: hugginggpt index use --embedded."


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
        experts: one of `EXPERTS` (HUGGINGGPT_EXPERTS). Hosted models are sent what they work on: they run only where asked for.
        private: nothing that was given or made leaves this machine, whatever else is set (HUGGINGGPT_PRIVATE): no hosted model, no chat
            model elsewhere, no address is fetched. The Hub is told which models are downloaded, if downloads are allowed.
        provider: who runs hosted models, as `InferenceClient` names it (HUGGINGGPT_PROVIDER); default the first in the account's order.
        endpoints: addresses of models by Hub task or model id (HUGGINGGPT_ENDPOINTS, `NAME=URL` with spaces between them). They are used
            whatever `experts` says.
        agree: how many experts are to do each task and be compared, 2 to 16 (HUGGINGGPT_AGREE); default one expert.
        allow_hosts: private hosts that addresses may be fetched from, `host` or `host:port` (HUGGINGGPT_ALLOW_HOSTS, spaces between them).
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
    experts: str = "local"
    private: bool = False
    provider: str | None = None
    endpoints: tuple[tuple[str, str], ...] = ()
    agree: int | None = None
    allow_hosts: tuple[str, ...] = ()

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
            experts=experts(value("EXPERTS") or "local"),
            private=_yes(value("PRIVATE"), "HUGGINGGPT_PRIVATE"),
            provider=value("PROVIDER"),
            endpoints=endpoints((value("ENDPOINTS") or "").split(), "HUGGINGGPT_ENDPOINTS"),
            agree=how_many_agree(found, "HUGGINGGPT_AGREE") if (found := value("AGREE")) else None,
            allow_hosts=tuple((value("ALLOW_HOSTS") or "").split()),
        )


def experts(name: str) -> str:
    """One of `EXPERTS`. Raises UnknownNameError."""
    if name not in EXPERTS:
        raise UnknownNameError("kind of experts", name, EXPERTS)
    return name


def endpoints(given: Sequence[str], name: str) -> tuple[tuple[str, str], ...]:
    """`NAME=URL` as an option or a variable of that name gives it, one or several times. Raises SettingsError."""
    pairs = [tuple(part.strip() for part in text.partition("=")[::2]) for text in given]
    for text, (what, url) in zip(given, pairs, strict=True):
        if not what or not url:
            raise SettingsError(f"{name} must be a Hub task or a model id, and an address: TASK=URL, not {text!r:.80}.")
    return tuple((what, url) for what, url in pairs)


def how_many_agree(text: str, name: str) -> int:
    """A number of experts, 2 to 16, as an option or a variable of that name gives it. Raises SettingsError."""
    if not text.isdecimal() or not 2 <= int(text) <= MOST:
        raise SettingsError(f"{name} must be a whole number of experts from 2 to {MOST}, not {text!r:.80}.")
    return int(text)


def _yes(text: str | None, name: str) -> bool:
    said = (text or "0").lower()
    if said not in ("1", "true", "yes", "on", "0", "false", "no", "off"):
        raise SettingsError(f"{name} must be 1 or 0, not {text!r:.80}.")
    return said in ("1", "true", "yes", "on")


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
    raise SettingsError(f"{str(note)!r}, which says what index is in use, cannot be read.", remedy=OTHER_INDEX)


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
