"""Classes that the request names, by a model that tells what follows from a text (natural language inference).

W. Yin et al., "Benchmarking Zero-shot Text Classification", 2019 (https://arxiv.org/abs/1909.00161).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .....index.errors import ExpertError
from ....errors import ModelRefusedError
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .lengths import batches, counts, in_parts, pieces, room_of, together

if TYPE_CHECKING:
    import torch

MOST_LABELS = 1_000
TEMPLATE = "This example is {}."
ONE_LABEL = "only one label was given: its score says how well it fits by itself"


def zero_shot_classification(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The labels, best first, with scores that add up to 1; a single label is judged by itself, between 0 and 1."""
    import torch

    labels = list(dict.fromkeys(inputs["candidate_labels"]))
    if len(labels) > MOST_LABELS:
        raise ExpertError(
            f"'candidate_labels' holds {len(labels):,} labels; {model.id!r} compares at most {MOST_LABELS:,}.", remedy="Give fewer labels."
        )
    yes, no = _entailment(model)
    claims = [TEMPLATE.replace("{}", label) for label in labels]
    room = room_of(model, pair=True, taken=max(counts(model.tokenizer, claims)), port="candidate_labels")
    parts = pieces(inputs["text"], model.tokenizer, room)
    weights = torch.tensor([max(1.0, n) for n in counts(model.tokenizer, parts)])
    logits = _logits(model, [(part, claim) for part in parts for claim in claims]).reshape(len(parts), len(labels), -1)
    fits = logits[..., [no, yes]].softmax(-1)[..., 1] if len(labels) == 1 else logits[..., yes].softmax(-1)
    scores = ((fits * weights[:, None]).sum(0) / weights.sum()).tolist()
    ranked = sorted(zip(labels, scores, strict=True), key=lambda e: -e[1])
    notes = (*((ONE_LABEL,) if len(labels) == 1 else ()), *in_parts(len(parts)))
    return RunnerOutput(values={"labels": [{"label": label, "score": float(score)} for label, score in ranked]}, notes=notes)


def _entailment(model: LoadedModel) -> tuple[int, int]:
    """Which of the model's classes say that a claim follows, and that it does not."""
    named = {int(n): str(label).lower() for n, label in model.config.id2label.items()}
    yes = [n for n, label in named.items() if label.startswith("entail")]
    no = [n for n, label in named.items() if label.startswith(("contra", "not_entail", "not entail", "non"))]
    if not yes or len(named) < 2:
        raise ModelRefusedError(
            f"{model.id!r} does something else: none of its classes ({', '.join(list(named.values())[:5])}) says that a claim follows.",
            remedy="Choose a model that was trained on natural language inference, with a class 'entailment'.",
        )
    return yes[0], no[0] if no else next(n for n in named if n != yes[0])


def _logits(model: LoadedModel, pairs: Sequence[tuple[str, str]]) -> torch.Tensor:
    """(pairs, classes), in float32."""
    import torch

    made = []
    for batch in batches(pairs, together(model)):
        first, second = [p for p, _ in batch], [c for _, c in batch]
        padding = len(batch) > 1
        read = model.tokenizer(first, second, padding=padding, truncation="only_first", return_tensors="pt")
        made.append(model.model(**model.on_device(read)).logits.float().cpu())
    return torch.cat(made)
