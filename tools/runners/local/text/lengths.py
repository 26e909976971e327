"""How much text a model reads at once, and texts cut into pieces of that size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .....index.errors import ExpertError
from ....sentences import sentences
from ...workers import check_abandoned
from ..loaded import LoadedModel

BATCH = 8
"""Texts that go through a model together."""
_USUAL = 512
_UNLIMITED = 10**6  # tokenizers without a limit say 10**30
_FEWEST = 8
_LIMITS = ("max_encoder_position_embeddings", "max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len")


def longest(model: LoadedModel) -> int:
    """Tokens that a model reads at once, special ones included: the smallest of what its tokenizer and its config say; 512 where
    neither says anything."""
    return model.once("longest", lambda: _longest(model))


def _longest(model: LoadedModel) -> int:
    config = model.config.get_text_config() if hasattr(model.config, "get_text_config") else model.config
    of_config = next((int(n) for name in _LIMITS if isinstance(n := getattr(config, name, None), int) and n > 0), None)
    if of_config is not None:
        of_config -= _kept_positions(model.model)
    of_tokenizer = getattr(model.tokenizer, "model_max_length", None)
    known = [n for n in (of_config, of_tokenizer) if n and n < _UNLIMITED]
    return int(min(known)) if known else _USUAL


def _kept_positions(module: Any) -> int:
    """Positions at the front that stand for padding, so that no token can have them: two in RoBERTa and its kin."""
    for name, part in module.named_modules():
        if name.endswith("position_embeddings") and getattr(part, "padding_idx", None) is not None and "decoder" not in name:
            return int(part.padding_idx) + 1
    return 0


def room_of(model: LoadedModel, *, pair: bool = False, taken: int = 0, port: str = "text") -> int:
    """Tokens of a text that fit, beside special tokens and `taken` others.

    Raises:
        ExpertError: hardly any: what else the model must read is too long for it.
    """
    room = longest(model) - int(model.tokenizer.num_special_tokens_to_add(pair=pair)) - taken
    if room < _FEWEST:
        raise ExpertError(
            f"{port!r} takes {taken:,} tokens; {model.id!r} reads {longest(model):,} at once and needs room for the rest.",
            remedy=f"Give a shorter {port!r}, or choose a model that reads more.",
        )
    return room


def counts(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    """Tokens of each text, without special ones."""
    if not texts:
        return []
    return [len(ids) for ids in tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]]


def pieces(text: str, tokenizer: Any, room: int) -> list[str]:
    """The whole text in pieces of at most `room` tokens: itself if it fits; else cut at ends of sentences, where a sentence is too long
    between words, and where a word is too long inside it."""
    text = text.strip()
    if counts(tokenizer, [text])[0] <= room:
        return [text]
    return packed(sentences(text) or [text], tokenizer, room)  # marks alone are no sentence


def packed(parts: Sequence[str], tokenizer: Any, room: int) -> list[str]:
    """As many neighbouring sentences together as fit in `room` tokens, in their order, with a space between them."""
    check_abandoned()
    made: list[str] = []
    held: list[str] = []
    used = 0
    for part, size in _sized(parts, tokenizer, room):
        if held and used + size + 1 > room:
            made += _fitting(" ".join(held), tokenizer, room)
            held, used = [], 0
        held.append(part)
        used += size + 1
    return [*made, *(_fitting(" ".join(held), tokenizer, room) if held else ())]


def _sized(parts: Sequence[str], tokenizer: Any, room: int) -> Iterator[tuple[str, int]]:
    for part, size in zip(parts, counts(tokenizer, parts), strict=True):
        if size <= room:
            yield part, size
        else:
            for half in _halves(part):
                yield from _sized([half], tokenizer, room)


def _fitting(text: str, tokenizer: Any, room: int) -> list[str]:
    """The text, or its halves, and theirs, until each fits: tokenizers count a text other than its parts now and then."""
    if len(text) < 2 or counts(tokenizer, [text])[0] <= room:
        return [text]
    return [piece for half in _halves(text) for piece in _fitting(half, tokenizer, room)]


def _halves(text: str) -> tuple[str, str]:
    """Cut between two words near the middle; without any space, in the middle."""
    middle = len(text) // 2
    before, after = text.rfind(" ", 1, middle + 1), text.find(" ", middle, len(text) - 1)
    near = [at for at in (before, after) if at > 0]
    at = min(near, key=lambda n: abs(n - middle)) if near else middle
    return text[:at].rstrip() or text[:at], text[at:].lstrip() or text[at:]


def batches(items: Sequence[Any], size: int = BATCH) -> Iterator[Sequence[Any]]:
    """Neighbouring items in groups; leaves between groups when nobody waits any more."""
    for start in range(0, len(items), size):
        check_abandoned()
        yield items[start : start + size]


def together(model: LoadedModel) -> int:
    """How many texts go through a model at once: one where its tokenizer cannot fill short ones up, or it does not know with what."""
    known = model.tokenizer.pad_token is not None and getattr(model.config, "pad_token_id", None) is not None
    return BATCH if known else 1


def in_parts(count: int, what: str = "the text is longer than the model reads at once") -> tuple[str, ...]:
    """What to tell the reader about a text that was read in `count` pieces; nothing for one."""
    return (f"{what}; it was read in {count:,} parts",) if count > 1 else ()
