"""Answers to questions and instructions about a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....errors import ModelRefusedError
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .captions import generated, room
from .pictures import picture_of

_LONGEST_ANSWER = 512
_SHORT_ANSWER = 32
_LONGEST = 2048


def visual_question_answering(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """A short answer to a question about a picture: one of the answers that the model knows (ViLT), or one that it writes (BLIP).

    Raises:
        ModelRefusedError: the question is longer than the model reads.
    """
    import torch

    seen = picture_of(inputs)
    question: str = inputs["question"].strip()
    writes = model.model.can_generate()
    longest = room(model.config) + 2 - (_SHORT_ANSWER if writes and model.config.model_type != "blip" else 0)
    refuse_long(model, "question", question, model.processor.tokenizer(question)["input_ids"], longest)
    text = f"Question: {question} Answer:" if model.config.model_type == "blip-2" else question  # it goes on with what it is given
    batch = model.on_device(model.processor(images=seen.picture, text=text, return_tensors="pt"))
    if writes:
        ids, cut = generated(model, batch, most=_SHORT_ANSWER)
        answer = model.processor.tokenizer.decode(ids, skip_special_tokens=True).strip()
        answer = answer.removeprefix(text).strip()
        return RunnerOutput(values={"answer": answer}, notes=(*seen.notes, *cut, *(() if answer else ("the model gave no answer",))))
    scores = torch.sigmoid(model.model(**batch).logits[0].float())
    best = int(scores.argmax())
    note = f"one of the {len(scores):,} answers that the model knows; its score is {float(scores[best]):.2f}"
    return RunnerOutput(values={"answer": str(model.config.id2label[best])}, notes=(*seen.notes, note))


def image_text_to_text(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """What a model of pictures and texts says to an instruction.

    Raises:
        ModelRefusedError: it holds no conversation, or the instruction is longer than it reads.
    """
    if getattr(model.processor, "chat_template", None) is None:
        raise ModelRefusedError(
            f"{model.id!r} has no chat template: it was not trained to follow instructions.", remedy="Choose a model that was."
        )
    seen = picture_of(inputs, longest=_LONGEST)
    prompt = inputs["prompt"].replace(
        getattr(model.processor, "image_token", None) or "<image>", " "
    )  # it would stand for a second picture
    content = [{"type": "image", "image": seen.picture}, {"type": "text", "text": prompt}]
    batch = model.processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    given = batch["input_ids"].shape[1]
    longest = room(model.config) - min(_LONGEST_ANSWER, room(model.config) // 4)
    refuse_long(model, "prompt", inputs["prompt"], batch["input_ids"][0], longest)
    limit = min(_LONGEST_ANSWER, room(model.config) - given)
    ids = model.model.generate(**model.on_device(batch), max_new_tokens=limit, max_length=None, do_sample=False)[0][given:]
    text = model.processor.tokenizer.decode(ids, skip_special_tokens=True).strip()
    ends = model.model.generation_config.eos_token_id
    ended = len(ids) < limit or int(ids[-1]) in (ends if isinstance(ends, list) else [ends])
    cut = () if ended else (f"the answer was stopped at {limit} tokens",)
    return RunnerOutput(values={"text": text}, notes=(*seen.notes, *cut, *(() if text else ("the model gave no answer",))))


def refuse_long(model: LoadedModel, port: str, text: str, ids: Any, longest: int) -> None:
    """Refuse a text that is longer than a model reads.

    Raises:
        ModelRefusedError: `ids` are more than `longest`.
    """
    if len(ids) > longest:
        raise ModelRefusedError(
            f"{port!r} is too long for {model.id!r}: {len(text):,} characters make {len(ids):,} tokens with what belongs to it, and "
            f"{longest:,} are read.",
            remedy=f"Give a shorter {port}.",
        )
