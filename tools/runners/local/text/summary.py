"""Summaries that a model writes: of a long text of its parts first, then of those summaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import InputError
from ....sentences import sentences
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .lengths import counts, in_parts, pieces, room_of
from .seq2seq import generation_settings, task_settings, written

WRITTEN = "written by the model, not taken from the text: it may say what the text does not"
SHORTENED = "only the first sentences of the summary, as many as were asked for"
_MOST, _LEAST = 142, 30  # as models for news are set (https://huggingface.co/facebook/bart-large-cnn)
_UNSET = 20  # max_length of a generation config that says nothing
_ROUNDS = 8


def summarization(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """A summary of the text, of at most `max_sentences` sentences if that is given."""
    limit = _limit(inputs)
    settings = task_settings(model, "summarization").get("summarization", {})
    prefix = str(settings.get("prefix") or "")
    room = room_of(model, taken=counts(model.tokenizer, [prefix])[0] + 1)
    parts = pieces(inputs["text"], model.tokenizer, room)
    count = len(parts)
    texts, notes = _shorter(model, parts, prefix, settings)
    for _ in range(_ROUNDS):
        if len(texts) == 1:
            break
        joined = " ".join(t for t in texts if t)
        smaller = pieces(joined, model.tokenizer, room) if joined else [""]
        if len(smaller) >= len(texts):  # nothing is gained any more
            texts = [joined]
            break
        texts, more = _shorter(model, smaller, prefix, settings)
        notes = tuple(dict.fromkeys((*notes, *more)))
    summary = " ".join(texts)
    found = sentences(summary)
    if limit is not None and len(found) > limit:
        summary, notes = " ".join(found[:limit]), (*notes, SHORTENED)
    return RunnerOutput(values={"summary": summary}, notes=(WRITTEN, *notes, *in_parts(count)))


def _shorter(model: LoadedModel, texts: Sequence[str], prefix: str, settings: Mapping[str, Any]) -> tuple[list[str], tuple[str, ...]]:
    """A summary of each text, never longer than the text: what is asked of a short one must not make the model pad."""
    own = model.model.generation_config
    most = int(settings.get("max_length") or own.max_new_tokens or (own.max_length if own.max_length not in (None, _UNSET) else _MOST))
    least = int(settings.get("min_length") or own.min_length or _LEAST)
    made: list[str] = []
    notes: tuple[str, ...] = ()
    for text, size in zip(texts, counts(model.tokenizer, texts), strict=True):
        bounds = {"min_length": 0, "min_new_tokens": min(least, size // 4)}
        one, more = written(model, [prefix + text], most=max(8, min(most, size)), settings={**generation_settings(settings), **bounds})
        made += one
        notes = tuple(dict.fromkeys((*notes, *more)))
    return made, notes


def _limit(inputs: Mapping[str, Any]) -> int | None:
    value = inputs.get("max_sentences")
    if value is None:
        return None
    if not 1 <= value < float("inf"):  # NaN is neither
        raise InputError(f"'max_sentences' must be a whole number of at least 1, not {value!r}.", remedy="Leave it out for no limit.")
    return int(value)
