"""Tokens that chat models use, by model, for whatever runs inside a `with` block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.callbacks import UsageMetadataCallbackHandler


@cache
def _counter() -> ContextVar[UsageMetadataCallbackHandler | None]:
    """Made once: langchain's `get_usage_metadata_callback` registers a hook in each call, and never takes one back."""
    from langchain_core.tracers.context import register_configure_hook

    variable: ContextVar[UsageMetadataCallbackHandler | None] = ContextVar("hugginggpt_tokens", default=None)
    register_configure_hook(variable, inheritable=True)
    return variable


class Tokens:
    """What was used inside the block, while it runs and afterwards."""

    def __init__(self, handler: UsageMetadataCallbackHandler) -> None:
        self._handler = handler

    def by_model(self) -> Mapping[str, Mapping[str, int]]:
        """`{model: {"input_tokens", "output_tokens"}}`; empty when no chat model told its usage."""
        return {
            model: {"input_tokens": used["input_tokens"], "output_tokens": used["output_tokens"]}
            for model, used in self._handler.usage_metadata.items()
        }


@contextmanager
def counted_tokens() -> Iterator[Tokens]:
    """Count the tokens of every chat model that is called inside, in this task and those it starts."""
    from langchain_core.callbacks import UsageMetadataCallbackHandler

    handler = UsageMetadataCallbackHandler()
    variable = _counter()
    token = variable.set(handler)
    try:
        yield Tokens(handler)
    finally:
        variable.reset(token)
