"""Texts as the tokens of a model with their places in the text, in windows that overlap."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ....errors import ModelRefusedError
from ..loaded import LoadedModel
from .lengths import longest

_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def windows(model: LoadedModel, *texts: str, stride: int) -> Any:
    """A text, or a question and a text, as windows over the last of them; the encoding has one row for each window.

    Args:
        stride: tokens that neighbouring windows share.

    Raises:
        ModelRefusedError: the model's tokenizer does not tell where its tokens stand.
    """
    if not model.tokenizer.is_fast:
        raise ModelRefusedError(
            f"The tokenizer of {model.id!r} does not tell where in the text its tokens stand.",
            remedy="Choose a model with a fast tokenizer (tokenizer.json).",
        )
    return model.tokenizer(
        *texts,
        truncation="only_second" if len(texts) > 1 else True,
        max_length=longest(model),
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        padding=model.tokenizer.pad_token is not None,
        verbose=False,
    )


def rows(model: LoadedModel, read: Any, start: int, end: int) -> Mapping[str, Any]:
    """Some windows of an encoding as what the model takes."""
    import torch

    names = [
        n for n in ("input_ids", "token_type_ids", "attention_mask") if n in read and n in (*model.tokenizer.model_input_names, "input_ids")
    ]
    batch: Mapping[str, Any] = model.on_device({n: torch.tensor(read[n][start:end]) for n in names})
    return batch


def inside_word(text: str, at: int) -> bool:
    """Whether a place lies between two letters or digits of one word. Scripts without spaces between words have no such places."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    return before.isalnum() and after.isalnum() and not _WITHOUT_SPACES.match(before) and not _WITHOUT_SPACES.match(after)


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
