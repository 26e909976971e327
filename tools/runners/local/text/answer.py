"""The part of a text that answers a question; or the answer that there is none.

A window without the answer points at its first token (SQuAD 2, https://arxiv.org/abs/1806.03822; models for SQuAD 1 learn the same where
long texts were cut for them), so the text answers if in some window a span beats that token.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...embedded.answer import NO_ANSWER
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .lengths import batches, counts, in_parts, room_of, together
from .spans import inside_word, rows, trimmed, windows

if TYPE_CHECKING:
    import torch

NOT_ANSWERED = "the text does not answer the question, as far as this model can tell"
ANSWERS = "the answer as it stands in the text"
_LONGEST_SPAN = 40
_BEST = 20
_ENOUGH = 0.05


@dataclass(frozen=True, kw_only=True)
class Span:
    """A possible answer: characters of the text, and by how much its logits beat the window's "no answer"."""

    start: int
    end: int
    margin: float


def question_answering(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The answer as it stands in the text, with its probability over the whole text; or that there is none."""
    question, text = inputs["question"].strip(), inputs["context"]
    room = room_of(model, pair=True, taken=counts(model.tokenizer, [question])[0], port="question")
    read = windows(model, question, text, stride=min(128, room // 3))
    spans, begins, ends, parts = _spans(model, read)
    notes = in_parts(parts)
    best = max(spans, key=lambda s: begins[s.start] * ends[s.end], default=None)
    score = float(min(1.0, begins[best.start] * ends[best.end])) if best else 0.0
    if best is None or score < _ENOUGH or max(s.margin for s in spans) <= 0:
        return RunnerOutput(values={"answer": NO_ANSWER, "score": score}, notes=(NOT_ANSWERED, *notes))
    start, end = _whole_words(text, best)
    return RunnerOutput(values={"answer": text[start:end], "score": score}, notes=(ANSWERS, *notes))


def _spans(model: LoadedModel, read: Any) -> tuple[list[Span], Mapping[int, float], Mapping[int, float], int]:
    """Possible answers; for each character the probability that the answer begins, and that it ends there; the number of windows.

    Probabilities are over all windows together, with the surest "no answer" of them once; a character that two windows hold has the
    sum of both.
    """
    import torch

    total = len(read["input_ids"])
    spans: list[Span] = []
    found: list[tuple[torch.Tensor, torch.Tensor, list[int], int]] = []
    nulls: list[tuple[float, float]] = []
    for batch in batches(range(total), together(model)):
        out = model.model(**rows(model, read, batch[0], batch[-1] + 1))
        for row, n in enumerate(batch):
            begin, end = out.start_logits[row].float().cpu(), out.end_logits[row].float().cpu()
            of_text = [j for j, which in enumerate(read.sequence_ids(n)) if which == 1 and _visible(read, n, j)]
            if not of_text:
                continue
            null = _null(model, read["input_ids"][n])
            nulls.append((float(begin[null]), float(end[null])))
            spans += _best_spans(begin, end, of_text, read["offset_mapping"][n], sum(nulls[-1]))
            found.append((begin, end, of_text, n))
    begins, ends = defaultdict[int, float](float), defaultdict[int, float](float)
    if found:
        least = min(nulls, key=sum)
        for side, probabilities in enumerate((begins, ends)):
            own = [(begin, end)[side][of_text] for begin, end, of_text, _ in found]
            logits = torch.cat([torch.tensor([least[side]]), *own]).softmax(-1).tolist()[1:]
            places = [read["offset_mapping"][n][j][side] for _, _, of_text, n in found for j in of_text]
            for place, p in zip(places, logits, strict=True):
                probabilities[place] += p
    return spans, begins, ends, total


def _visible(read: Any, n: int, j: int) -> bool:
    start, end = read["offset_mapping"][n][j]
    return bool(start < end)


def _null(model: LoadedModel, ids: list[int]) -> int:
    """Where a window says that it holds no answer: at its class token, else its first."""
    return ids.index(model.tokenizer.cls_token_id) if model.tokenizer.cls_token_id in ids else 0


def _best_spans(begin: torch.Tensor, end: torch.Tensor, of_text: list[int], offsets: list[tuple[int, int]], null: float) -> list[Span]:
    """The likeliest spans of one window; within it alone, so that no span joins two windows."""
    begins = sorted(of_text, key=lambda j: -float(begin[j]))[:_BEST]
    ends = sorted(of_text, key=lambda j: -float(end[j]))[:_BEST]
    return [
        Span(start=offsets[b][0], end=offsets[e][1], margin=float(begin[b] + end[e]) - null)
        for b in begins
        for e in ends
        if b <= e < b + _LONGEST_SPAN
    ]


def _whole_words(text: str, span: Span) -> tuple[int, int]:
    start, end = trimmed(text, span.start, span.end)
    while inside_word(text, start):
        start -= 1
    while inside_word(text, end):
        end += 1
    return start, end
