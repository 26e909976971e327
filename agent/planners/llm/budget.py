"""Room in the chat model's context: how much there is, and how much a text takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ...chat import in_process
from ...errors import SettingsError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

MESSAGE = 8  # tokens that a message takes besides its text: role and separators
FORM = 80  # tokens that a schema takes besides itself: its name, its description, what it is
_ANSWER = 1_024  # tokens kept for the answer, or a quarter of a small context
_PIECES = re.compile(r"[A-Za-z]+|[^\x00-\x7f]+|[\n\t]|[^A-Za-z\s]")
_LONG = 12  # letters from which a word is rather a code


def estimate(text: str) -> int:
    """How many tokens a text has at most, by its characters, for tokenizers whose vocabulary cannot be had without a network.

    Words of up to 12 letters count a token for every four letters, longer ones for every two, a digit, a punctuation mark or a line
    break one, and other scripts one for each byte of UTF-8, which is the most that a byte-level vocabulary can need for them. It is
    meant to be too much rather than too little.
    """
    total = 0
    for found in _PIECES.finditer(text):
        piece = found.group()
        if not piece.isascii():
            total += len(piece.encode("utf-8", "replace"))
        elif piece[0].isalpha():
            total += -(-len(piece) // (4 if len(piece) <= _LONG else 2))
        else:
            total += 1
    return total


class Budget:
    """Tokens of one chat model.

    Args:
        model: the model. Where it brings a tokenizer of its own (`custom_get_token_ids`, or `tokenizer` as ChatHuggingFace has it), that
            counts; `get_num_tokens` of most models would load one from the network, so `estimate` counts for these.
        context: tokens that the model takes, prompt and answer together; default: what LangChain's profile of the model tells
            (`max_input_tokens`), or the configuration of a model that runs in this process (`max_position_embeddings`), else no limit.

    Raises:
        SettingsError: the context is not positive.
    """

    def __init__(self, model: BaseChatModel, context: int | None = None) -> None:
        if context is not None and context < 1:
            raise SettingsError(f"A context of {context} tokens holds nothing.", remedy="Give context_tokens as the model has them.")
        profile: Mapping[str, Any] = getattr(model, "profile", None) or {}
        self.context: int | None = context or profile.get("max_input_tokens") or _positions(model)
        own: Callable[[str], Sequence[int]] | None = getattr(model, "custom_get_token_ids", None)
        own = own or _tokenizer(model)
        self.count: Callable[[str], int] = estimate if own is None else lambda text: len(own(text))

    @property
    def prompt(self) -> int | None:
        """Tokens that a prompt may take: the context less 1,024 for the answer, or less a quarter of a context below 4,096."""
        return None if self.context is None else self.context - min(_ANSWER, self.context // 4)


def _tokenizer(model: object) -> Callable[[str], Sequence[int]] | None:
    """The tokenizer of the transformers library that a model holds."""
    held: Any = getattr(model, "tokenizer", None)
    if not hasattr(held, "apply_chat_template"):
        return None
    return partial(held.encode, verbose=False)  # quiet: what is too long is only counted


def _positions(model: object) -> int | None:
    config = getattr(getattr(in_process(model), "model", None), "config", None)
    found = getattr(config, "max_position_embeddings", None)
    return found if isinstance(found, int) and found > 0 else None
