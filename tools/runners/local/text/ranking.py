"""Texts by how well they match a query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .embedding import is_bi_encoder, long_texts, nearest, ranked
from .lengths import BATCH, batches, counts, longest, pieces, room_of


def text_ranking(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The texts, best first; a long one counts by its best part."""
    if is_bi_encoder(model):
        ranking, notes = nearest(model, inputs["query"], inputs["documents"])
    else:
        ranking, notes = _by_pairs(model, inputs["query"], inputs["documents"])
    return RunnerOutput(values={"best": ranking[0]["text"], "ranking": ranking}, notes=notes)


def _by_pairs(model: LoadedModel, query: str, documents: list[str]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Scores by a cross-encoder that reads the query and a text together."""
    tokenizer = model.tokenizer
    unread = max(0, longest(model) - (model.model.max_seq_length or longest(model)))  # it may be told to read less than it could
    room = room_of(model, pair=True, taken=counts(tokenizer, [query])[0] + unread, port="query")
    parts = [pieces(d, tokenizer, room) if d.strip() else [d] for d in documents]
    pairs = [(query, part) for own in parts for part in own]
    size = BATCH if tokenizer.pad_token is not None else 1
    scores = [s for b in batches(pairs, size) for s in model.model.predict(list(b), show_progress_bar=False, batch_size=size).tolist()]
    left = iter(scores)
    best = [max(float(next(left)) for _ in own) for own in parts]
    return ranked(documents, best), long_texts([len(own) for own in parts])
