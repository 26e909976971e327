"""The right one of several answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .....index.errors import ExpertError
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .lengths import batches, counts, in_parts, longest, pieces, room_of, together

MOST_CHOICES = 1_000
ONE = "only one answer was given, so it gets the whole score"


def multiple_choice(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The answers, best first, with scores that add up to 1. A long text counts by the part that decides most clearly."""
    import torch

    question, choices = inputs["question"].strip(), list(dict.fromkeys(inputs["choices"]))
    if len(choices) > MOST_CHOICES:
        raise ExpertError(
            f"'choices' holds {len(choices):,} answers; {model.id!r} compares at most {MOST_CHOICES:,}.", remedy="Give fewer answers."
        )
    context = inputs.get("context", "").strip()
    claims = [f"{question} {choice}" for choice in choices] if context else choices
    asked = counts(model.tokenizer, [question])[0] if context else 0
    port = "question" if 2 * asked > longest(model) else "choices"  # which of the two is to blame where they do not fit
    room = room_of(model, pair=True, taken=max(counts(model.tokenizer, claims)), port=port)
    parts = pieces(context or question, model.tokenizer, room)
    best = torch.zeros(len(choices))
    for part in parts:
        scores = _logits(model, part, claims).softmax(-1)
        if scores.max() > best.max():
            best = scores
    ranked = sorted(zip(choices, best.tolist(), strict=True), key=lambda e: -e[1])
    notes = (*((ONE,) if len(choices) == 1 else ()), *in_parts(len(parts)))
    return RunnerOutput(values={"labels": [{"label": label, "score": float(score)} for label, score in ranked]}, notes=notes)


def _logits(model: LoadedModel, text: str, claims: list[str]) -> Any:
    """One for each claim, in float32. Claims are judged one by one (the model compares them in its last step only), so some at a time."""
    import torch

    made = []
    for batch in batches(claims, together(model)):
        read = model.tokenizer([text] * len(batch), list(batch), padding=len(batch) > 1, truncation="only_first", return_tensors="pt")
        made.append(model.model(**{n: v[None] for n, v in model.on_device(read).items()}).logits[0].float().cpu())
    return torch.cat(made)
