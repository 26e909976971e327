"""What "private" means: nothing that a user gave or that was made of it leaves this machine."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..index.encoders.named import is_asked_elsewhere
from ..tools.runners.hosted.client import is_loopback
from .chat import address_of, in_process
from .errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from langchain_core.language_models import BaseChatModel


def hub_tells_nothing() -> None:
    """Keep huggingface_hub from asking the Hub which agents there are, as it does with the first call of any model, for its user agent."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when it is imported
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        constants.HF_HUB_DISABLE_TELEMETRY = True  # type: ignore[attr-defined]


def check_private_index(encoder: str, folder: Path) -> None:
    """See that searching an index sends nothing elsewhere.

    Args:
        encoder: name of the encoder that it was made with, which encodes every request.
        folder: of the index.

    Raises:
        SettingsError: the encoder is asked elsewhere.
    """
    if is_asked_elsewhere(encoder):
        raise SettingsError(
            f"The index in {str(folder)!r} was made by {encoder}, which would be sent every request, and --private forbids it.",
            remedy="Use another index: --index DIR, or `hugginggpt index use --embedded`.",
        )


def check_private(model: BaseChatModel | None) -> None:
    """See that neither a chat model nor a tracer sends anything elsewhere.

    Args:
        model: the chat model that plans and answers, if there is one.

    Raises:
        SettingsError: it does, or nothing tells that it does not.
    """
    from langsmith.utils import tracing_is_enabled

    if tracing_is_enabled():
        what = "LangSmith would be sent what is asked and answered, and --private forbids it."
        raise SettingsError(what, remedy="Unset LANGSMITH_TRACING and LANGCHAIN_TRACING_V2.")
    if model is None or in_process(model) is not None:
        return
    address = address_of(model)
    if address is None or not is_loopback(address):
        told = f"asks {urlsplit(address).hostname or 'another machine'}" if address else "does not tell where it sends what it is asked"
        raise SettingsError(
            f"The chat model {type(model).__name__} {told}, and --private forbids that anything leaves this machine.",
            remedy="Name one that is served on this machine (its base URL at localhost), or leave out --llm (HUGGINGGPT_LLM).",
        )
    if proxy := _proxy_of(model, address):
        raise SettingsError(
            f"What is sent to the chat model at {urlsplit(address).hostname} would go through the proxy {proxy}, and --private forbids it.",
            remedy="Set NO_PROXY=localhost,127.0.0.1,::1 and unset OPENAI_PROXY.",
        )


def _proxy_of(model: BaseChatModel, address: str) -> str:
    """Host of the proxy that stands between, as the environment or the model sets it; empty where there is none."""
    parts = urlsplit(address)
    found = getproxies()
    proxy = getattr(model, "openai_proxy", None) or found.get(parts.scheme) or found.get("all")
    own = getattr(model, "openai_proxy", None)
    if not proxy or (not own and proxy_bypass(parts.hostname or "")):
        return ""
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}").hostname or "elsewhere"
