"""What "private" means: nothing that a user gave or that was made of it leaves this machine."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .chat import address_of, in_process
from .errors import SettingsError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


def is_on_this_machine(url: str) -> bool:
    """Whether an address is one of this machine: `localhost`, or a loopback address as it stands. No name is looked up."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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
        raise SettingsError(what, remedy="Unset LANGSMITH_TRACING.")
    if model is None or in_process(model) is not None:
        return
    address = address_of(model)
    if address is None or not is_on_this_machine(address):
        told = f"asks {urlsplit(address).hostname or 'another machine'}" if address else "does not tell where it sends what it is asked"
        raise SettingsError(
            f"The chat model {type(model).__name__} {told}, and --private forbids that anything leaves this machine.",
            remedy="Name one that is served on this machine (its base URL at localhost), or leave out --llm (HUGGINGGPT_LLM).",
        )
