"""Pages that fit a query: ColPali and its like, which compare each word with each place of a page; or CLIP, which compares the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ....errors import ModelRefusedError
from ....media import load_image
from ...runner import RunnerOutput
from ...workers import check_abandoned
from ..loaded import LoadedModel
from .captions import room
from .features import picture_vector
from .pictures import see
from .questions import refuse_long

if TYPE_CHECKING:
    from .pictures import Seen


def visual_document_retrieval(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The pages that were given, the best first, with what the model makes of each: the higher the better, in no fixed range."""
    query: str = inputs["query"].strip()
    score = _late(model, query) if hasattr(model.processor, "process_queries") else _whole(model, query)
    scores, notes = [], []
    for n, artifact in enumerate(inputs["images"], 1):
        check_abandoned()
        seen = see(load_image(artifact), longest=2048)
        scores.append(score(seen))
        notes += [f"page {n}: {note}" for note in seen.notes]
    if any(s != s for s in scores):
        raise ModelRefusedError(f"{model.id!r} gave scores that are no numbers.", remedy="Choose another model.")
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    return RunnerOutput(values={"documents": [{"index": i, "score": scores[i]} for i in order]}, notes=tuple(notes))


def _late(model: LoadedModel, query: str) -> Any:
    """Scores pages by the sum over the query's tokens of the likeness to the place of the page that is most like it."""
    batch = dict(model.processor.process_queries([query], return_tensors="pt"))
    refuse_long(model, "query", query, batch["input_ids"][0], room(model.config))
    asked = _kept(model.model(**model.on_device(batch)).embeddings[0], batch["attention_mask"][0])

    def score(seen: Seen) -> float:
        page = dict(model.processor.process_images([seen.picture], return_tensors="pt"))
        page.pop("labels", None)
        places = _kept(model.model(**model.on_device(page)).embeddings[0], page["attention_mask"][0])
        return float((asked @ places.T).amax(1).sum())

    return score


def _kept(vectors: Any, mask: Any) -> Any:
    """The vectors of tokens that are no padding, in 32 bits, (n, width)."""
    return vectors[mask.to(vectors.device).bool()].float()


def _whole(model: LoadedModel, query: str) -> Any:
    """Scores pages by the cosine of the query's vector and theirs."""
    import torch

    padding: dict[str, Any] = {"padding": "max_length", "max_length": 64} if model.config.model_type.startswith("siglip") else {}
    batch = model.tokenizer([query], return_tensors="pt", **padding)
    refuse_long(model, "query", query, batch["input_ids"][0], int(model.config.text_config.max_position_embeddings))
    batch = model.on_device({n: v for n, v in batch.items() if n in ("input_ids", "attention_mask")})
    found = model.model.get_text_features(**batch)
    asked = getattr(found, "pooler_output", found)[0].float()

    def score(seen: Seen) -> float:
        return float(torch.nn.functional.cosine_similarity(asked, picture_vector(model, seen), dim=0))

    return score
