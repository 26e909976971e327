"""Answers from scanned pages: of the words on it and where they stand (LayoutLM), or of the picture alone (Donut)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ....errors import ModelRefusedError
from ....media import load_image
from ...embedded.ocr import NOTHING_PRINTED, PageReader
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .captions import ASKS, room
from .pictures import picture_of
from .questions import refuse_long

if TYPE_CHECKING:
    from ...embedded.reading_order import Piece

WordBox = tuple[str, list[int]]
"""A word, and its left, top, right and bottom in thousandths of the page."""

NO_ANSWER = "The document does not seem to hold an answer."
_LONGEST_ANSWER = 128
_pages = PageReader()


def document_question_answering(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The answer as it is printed on a page, and how sure the model is, 0..1.

    Raises:
        ModelRefusedError: the model reads no questions, or not such long ones; or it needs the words of the page and there is no OCR.
    """
    question: str = inputs["question"].strip()
    if model.config.model_type == "vision-encoder-decoder":
        return _written(model, question, inputs)
    if find_spec("rapidocr") is None:
        raise ModelRefusedError(
            f"{model.id!r} needs the words of the page, and no OCR is installed.",
            remedy='Run: pip install "langchain-hugginggpt[embedded]"',
        )
    page = load_image(inputs["image"])
    pieces, size = _pages.pieces(page)
    return answer_among(model, question, word_boxes(pieces, size))


def answer_among(model: LoadedModel, question: str, words: Sequence[WordBox]) -> RunnerOutput:
    """The words that answer a question. Long pages are read in parts that overlap."""
    if not words:
        return RunnerOutput(values={"answer": NO_ANSWER, "score": 0.0}, notes=(NOTHING_PRINTED,))
    longest = int(min(model.tokenizer.model_max_length, model.config.max_position_embeddings))
    refuse_long(model, "question", question, model.tokenizer(question)["input_ids"], longest // 2)
    found = model.pipeline("document-question-answering")(
        image=None, question=question, word_boxes=list(words), max_seq_len=longest, doc_stride=longest // 4, top_k=1
    )
    best = found[0] if isinstance(found, list) and found else found or {}
    if not best or not math.isfinite(best["score"]):
        return RunnerOutput(values={"answer": NO_ANSWER, "score": 0.0})
    score = min(max(float(best["score"]), 0.0), 1.0)
    return RunnerOutput(values={"answer": str(best["answer"]), "score": score}, notes=("the words of the page as OCR read them",))


def word_boxes(pieces: Sequence[Piece], size: tuple[int, int]) -> list[WordBox]:
    """The words of a page, line by line from left to right.

    Args:
        pieces: what OCR found; a piece of several words is divided by their lengths.
        size: width and height of the page.
    """
    return [word for line in _lines(pieces) for piece in line for word in _words(piece, size)]


def _lines(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Pieces that stand beside each other, from the top down."""
    lines: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda p: float(p.corners[:, 1].mean())):
        top, bottom = float(piece.corners[:, 1].min()), float(piece.corners[:, 1].max())
        before = float(lines[-1][0].corners[:, 1].mean()) if lines else -math.inf
        if top <= before <= bottom:
            lines[-1].append(piece)
        else:
            lines.append([piece])
    return [sorted(line, key=lambda p: float(p.corners[:, 0].min())) for line in lines]


def _words(piece: Piece, size: tuple[int, int]) -> list[WordBox]:
    left, right = float(piece.corners[:, 0].min()), float(piece.corners[:, 0].max())
    top, bottom = float(piece.corners[:, 1].min()), float(piece.corners[:, 1].max())
    each = (right - left) / max(1, len(piece.text))
    made = []
    for word in re.finditer(r"\S+", piece.text):
        corners = (left + word.start() * each, top, left + word.end() * each, bottom)
        shares = (c / s for c, s in zip(corners, size * 2, strict=True))
        made.append((word.group(), [min(max(int(1000 * s), 0), 1000) for s in shares]))
    return made


def _written(model: LoadedModel, question: str, inputs: Mapping[str, Any]) -> RunnerOutput:
    """What Donut writes."""
    import torch

    if ASKS not in model.tokenizer.get_vocab():
        raise ModelRefusedError(f"{model.id!r} reads pages but no questions.", remedy="Choose a model that was trained for the task.")
    seen = picture_of(inputs)
    prompt = f"{ASKS}<s_question>{question}</s_question><s_answer>"
    ids = model.tokenizer(prompt, add_special_tokens=False)["input_ids"]
    refuse_long(model, "question", question, ids, room(model.config) // 2)
    batch = model.on_device(model.image_processor(images=[seen.picture], return_tensors="pt"))
    made = model.model.generate(
        pixel_values=batch["pixel_values"],
        decoder_input_ids=torch.tensor([ids], device=batch["pixel_values"].device),
        max_new_tokens=min(_LONGEST_ANSWER, room(model.config) - len(ids)),
        max_length=None,
        do_sample=False,
        num_beams=1,
        return_dict_in_generate=True,
        output_scores=True,
    )
    written = made.sequences[0][len(ids) :]
    chances = model.model.compute_transition_scores(made.sequences, made.scores, normalize_logits=True)[0].float()
    answer = model.tokenizer.decode(written).split("</s_answer>")[0]
    answer = re.sub(r"<[^<>]*>", " ", answer)
    return RunnerOutput(
        values={"answer": " ".join(answer.split()) or NO_ANSWER, "score": min(1.0, float(chances.mean().exp()))}, notes=seen.notes
    )
