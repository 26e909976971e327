"""Texts as vectors: the vectors themselves, how similar they are, and which texts are nearest to a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .lengths import batches, counts, in_parts, longest, pieces, room_of, together

if TYPE_CHECKING:
    import torch

MEAN = "the mean of the vectors of its tokens: the model has no pooling of its own for texts"
LONG = "{} of the texts are longer than the model reads at once; they were read in parts"


def feature_extraction(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The vector of a text; of a long one the mean over its parts, by their length."""
    if is_bi_encoder(model):
        vectors, parts = vectors_of(model, [inputs["text"]])
        return RunnerOutput(values={"embedding": vectors[0].tolist()}, notes=in_parts(parts[0]))
    parts_of_text = pieces(inputs["text"], model.tokenizer, room_of(model))
    vector = _mean_over_tokens(model, parts_of_text)
    return RunnerOutput(values={"embedding": vector.tolist()}, notes=(MEAN, *in_parts(len(parts_of_text))))


def sentence_similarity(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The cosine of each sentence with the source sentence, in -1..1."""
    import torch

    texts = [inputs["source_sentence"], *inputs["sentences"]]
    vectors, parts = vectors_of(model, texts)
    scores = torch.nn.functional.cosine_similarity(vectors[:1], vectors[1:]).clamp(-1, 1)
    return RunnerOutput(values={"scores": scores.tolist()}, notes=long_texts(parts))


def text_retrieval(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """All documents, the nearest to the query first."""
    ranking, notes = nearest(model, inputs["query"], inputs["documents"])
    return RunnerOutput(values={"documents": ranking}, notes=notes)


def nearest(model: LoadedModel, query: str, documents: Sequence[str]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Documents by how near they are to a query, by the model's own measure, best first; a long document counts by its best part."""
    asked, parts_of_query = vectors_of(model, [query], kind="query")
    vectors, owners = _parts(model, documents, kind="document")
    similar = model.model.similarity(asked, vectors)[0].tolist()
    best = [float("-inf")] * len(documents)
    for owner, score in zip(owners, similar, strict=True):
        best[owner] = max(best[owner], float(score))
    parts = [owners.count(n) for n in range(len(documents))] if len(owners) > len(documents) else [1] * len(documents)
    return ranked(documents, best), (*in_parts(parts_of_query[0], "the query is longer than the model reads at once"), *long_texts(parts))


def ranked(texts: Sequence[str], scores: Sequence[float]) -> list[dict[str, Any]]:
    """Texts with scores, best first; equals in the order in which they came."""
    order = sorted(range(len(texts)), key=lambda n: -scores[n])
    return [{"text": texts[n], "index": n, "score": float(scores[n])} for n in order]


def is_bi_encoder(model: LoadedModel) -> bool:
    """Whether the model is one of sentence-transformers that makes a vector of a text."""
    return hasattr(model.model, "encode_query")


def long_texts(parts: Sequence[int]) -> tuple[str, ...]:
    """What to tell the reader when texts were read in parts."""
    count = sum(n > 1 for n in parts)
    return (LONG.format(count),) if count else ()


def vectors_of(model: LoadedModel, texts: Sequence[str], *, kind: str = "text") -> tuple[torch.Tensor, list[int]]:
    """A vector for each text, (texts, dimensions) in float32 on the CPU, and in how many parts each was read.

    Args:
        kind: `text`, `query` or `document`: models may treat them differently.
    """
    import torch

    vectors, owners = _parts(model, texts, kind=kind)
    if len(owners) == len(texts):
        return vectors, [1] * len(texts)
    means, parts = [], []
    for n in range(len(texts)):
        own = vectors[[i for i, owner in enumerate(owners) if owner == n]]
        norm = own.norm(dim=-1).mean()
        mean = own.mean(0)
        means.append(mean * norm / mean.norm().clamp_min(1e-12))  # as long as its parts: a unit vector where they are
        parts.append(len(own))
    return torch.stack(means), parts


def _parts(model: LoadedModel, texts: Sequence[str], *, kind: str) -> tuple[torch.Tensor, list[int]]:
    """A vector for each part of each text, and whose part it is."""
    import torch

    encoder = model.model
    encode = {"text": encoder.encode, "query": encoder.encode_query, "document": encoder.encode_document}[kind]
    all_parts: list[str] = []
    owners: list[int] = []
    for n, text in enumerate(texts):
        own = pieces(text, encoder.tokenizer, _room(model)) if _can_be_long(model, text) else [text]
        all_parts += own
        owners += [n] * len(own)
    made = [encode(list(b), convert_to_tensor=True, show_progress_bar=False, batch_size=len(b)).float().cpu() for b in batches(all_parts)]
    return torch.cat(made), owners


def _can_be_long(model: LoadedModel, text: str) -> bool:
    return model.model.max_seq_length is not None and model.tokenizer is not None and len(text) * 4 > _room(model)


def _room(model: LoadedModel) -> int:
    """Tokens of a text beside special ones and the longest prompt that the model puts before texts."""

    def room() -> int:
        encoder = model.model
        prompts = [p for p in (encoder.prompts or {}).values() if p]
        special = encoder.tokenizer.num_special_tokens_to_add() if hasattr(encoder.tokenizer, "num_special_tokens_to_add") else 0
        size = int(min(encoder.max_seq_length, longest(model))) - special - max(counts(encoder.tokenizer, prompts), default=0)
        return max(1, size)

    return model.once("room", room)


def _mean_over_tokens(model: LoadedModel, parts: Sequence[str]) -> torch.Tensor:
    """Mean of the last layer's vectors over all tokens of all parts, special ones included: (dimensions,)."""
    import torch

    reader = model.model.get_encoder() if model.config.is_encoder_decoder else model.model
    total, tokens = torch.zeros(()), 0.0
    for batch in batches(parts, together(model)):
        read = model.on_device(model.tokenizer(list(batch), padding=len(batch) > 1, truncation=True, return_tensors="pt"))
        mask = read["attention_mask"][..., None].float()
        total = total + (reader(**read).last_hidden_state.float() * mask).sum((0, 1)).cpu()
        tokens += float(mask.sum())
    return total / max(tokens, 1.0)
