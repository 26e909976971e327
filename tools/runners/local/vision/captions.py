"""Texts of pictures: captions, and lines that are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....errors import ModelRefusedError
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .pictures import picture_of

ASKS = "<s_docvqa>"
"""With this token Donut models begin that were trained to answer questions."""
_MOST_TOKENS = 256
_LINE = 3
"""A line of text is at least this many times as wide as high."""


def image_to_text(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """What a picture shows, or the words in it, by what the model was trained for."""
    seen = picture_of(inputs)
    processor = model.image_processor or model.processor
    tokenizer = model.tokenizer or getattr(model.processor, "tokenizer", None)
    if processor is None or tokenizer is None:
        raise ModelRefusedError(
            f"The folder of {model.id!r} lacks its image processor or its tokenizer.", remedy="Fetch or save the model again."
        )
    if ASKS in tokenizer.get_vocab():
        raise ModelRefusedError(
            f"{model.id!r} answers questions about pages; it says nothing without one.", remedy="Use document-question-answering."
        )
    batch = model.on_device(processor(images=seen.picture, return_tensors="pt"))
    ids, cut = generated(model, batch)
    text = " ".join(tokenizer.decode(ids, skip_special_tokens=True).split())
    notes = [*seen.notes, *cut]
    if _reads_lines(model.config) and seen.width < _LINE * seen.height:
        notes.append("this model reads one line of text; cut the lines of a page out first")
    if not text:
        notes.append("the model said nothing about the picture")
    return RunnerOutput(values={"text": text}, notes=tuple(notes))


def generated(model: LoadedModel, batch: Mapping[str, Any], *, most: int = _MOST_TOKENS) -> tuple[Any, tuple[str, ...]]:
    """The ids that a model writes for a batch of one, and a note when it was stopped before its end.

    Args:
        batch: its inputs, on the device.
        most: tokens that it may write.
    """
    limit = min(most, room(model.config))
    ids = model.model.generate(**batch, max_new_tokens=limit, max_length=None, do_sample=False)[0]
    ends = model.model.generation_config.eos_token_id
    ends = set(ends) if isinstance(ends, list) else {ends}
    is_cut = len(ids) >= limit and not ends & set(ids[1:].tolist())
    return ids, ((f"the text was stopped at {limit} tokens",) if is_cut else ())


def room(config: Any) -> int:
    """How many tokens the text part of a model can hold, begin and end included."""
    config = config.get_text_config(decoder=True)
    positions = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None) or 2048
    return max(1, int(positions) - 2)


def _reads_lines(config: Any) -> bool:
    """Whether a model is TrOCR, which was trained on single lines."""
    return getattr(getattr(config, "decoder", None), "model_type", "") == "trocr"
