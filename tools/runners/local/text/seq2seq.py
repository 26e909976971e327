"""Texts made from texts by encoder-decoder models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..loaded import LoadedModel
from .lengths import batches, longest, together

_MOST_NEW = 512
CUT_OFF = "what the model wrote was cut off at {} tokens"
NOTHING = "the model wrote nothing"
NOTHING_OF = "the model wrote nothing for {:,} of {:,} parts"


def written(
    model: LoadedModel, texts: Sequence[str], *, most: int, settings: Mapping[str, Any] | None = None
) -> tuple[list[str], tuple[str, ...]]:
    """What a model writes for each text, and notes.

    Args:
        texts: each fits the model.
        most: tokens that each may take at most.
        settings: of `generate`, over the model's own.
    """
    import torch

    most = min(most, most_new(model))
    made: list[str] = []
    cut = False
    for batch in batches(texts, together(model)):
        read = model.on_device(
            model.tokenizer(list(batch), padding=len(batch) > 1, truncation=True, max_length=longest(model), return_tensors="pt")
        )
        read = {n: v for n, v in read.items() if n in ("input_ids", "attention_mask")}
        ids = model.model.generate(**read, **{**(settings or {}), "max_new_tokens": most})
        cut = cut or bool(_unfinished(model, ids, most, torch))
        made += [t.strip() for t in model.tokenizer.batch_decode(ids, skip_special_tokens=True)]
    empty = made.count("")
    missing = (NOTHING if empty == len(made) else NOTHING_OF.format(empty, len(made)),) if empty else ()
    return made, (*missing, *((CUT_OFF.format(most),) if cut else ()))


def most_new(model: LoadedModel) -> int:
    """Tokens that the decoder has places for."""
    config = model.config
    places = getattr(config, "max_decoder_position_embeddings", None) or getattr(config, "max_position_embeddings", None)
    return int(min(_MOST_NEW, places - 2)) if places else _MOST_NEW


def _unfinished(model: LoadedModel, ids: Any, most: int, torch: Any) -> bool:
    """Whether some text has no end."""
    ends = model.model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends]
    if ids.shape[1] < most or ends == [None]:
        return False
    ended = torch.isin(ids[:, 1:], torch.tensor(ends, device=ids.device)).any(1)
    return not bool(ended.all())


def task_settings(model: LoadedModel, prefix_of: str) -> Mapping[str, Mapping[str, Any]]:
    """What the config says of its tasks whose names begin so: `prefix` and settings of `generate`, by name."""
    said = getattr(model.config, "task_specific_params", None) or {}
    return {name: dict(settings) for name, settings in said.items() if str(name).startswith(prefix_of) and isinstance(settings, dict)}


def generation_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a task's settings that say how to search, without lengths and prefix."""
    known = ("num_beams", "length_penalty", "no_repeat_ngram_size", "early_stopping", "repetition_penalty")
    return {n: v for n, v in settings.items() if n in known}
