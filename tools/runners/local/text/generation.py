"""Text that a language model writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .....index.errors import ExpertError
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .lengths import longest
from .seq2seq import CUT_OFF, written

CONTINUED = "the model has no chat template: it goes on from the prompt as it stands rather than following it as an instruction"
THOUGHT = "the model's thoughts before its answer were left out"
_MOST_NEW = 512
_LEAST_NEW = 16
_THOUGHTS_END = "</think>"


def text_generation(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """What the model writes after the prompt, without the prompt."""
    prompt, context = inputs["prompt"], inputs.get("context", "")
    if getattr(model.config, "is_encoder_decoder", False):
        return _by_seq2seq(model, "\n\n".join(p for p in (prompt, context) if p))
    if model.tokenizer.chat_template:
        content = "\n\n".join(p for p in (prompt, context) if p)
        read = model.tokenizer.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            return_dict=True,
            return_tensors="pt",
            tokenizer_kwargs={"verbose": False},
        )
        return _continued(model, read, notes=())
    read = model.tokenizer("\n\n".join(p for p in (context, prompt) if p), return_tensors="pt", verbose=False)
    return _continued(model, read, notes=(CONTINUED,))


def _continued(model: LoadedModel, read: Mapping[str, Any], *, notes: tuple[str, ...]) -> RunnerOutput:
    import torch

    given = int(read["input_ids"].shape[1])
    most = _room_for_new(model, given)
    batch = {n: v for n, v in model.on_device(read).items() if n in ("input_ids", "attention_mask")}
    own = model.model.generation_config
    ends = own.eos_token_id if own.eos_token_id is not None else model.tokenizer.eos_token_id
    ends = ends if isinstance(ends, list) else [ends]
    filler = own.pad_token_id if own.pad_token_id is not None else model.tokenizer.pad_token_id
    ids = model.model.generate(**batch, max_new_tokens=most, pad_token_id=filler if filler is not None else ends[0])[0, given:]
    cut = len(ids) >= most and ends != [None] and not bool(torch.isin(ids, torch.tensor(ends, device=ids.device)).any())
    text = model.tokenizer.decode(ids, skip_special_tokens=True)
    _, found, answer = text.rpartition(_THOUGHTS_END)
    if found:
        text, notes = answer, (*notes, THOUGHT)
    return RunnerOutput(values={"text": text.strip()}, notes=(*notes, *((CUT_OFF.format(most),) if cut else ())))


def _room_for_new(model: LoadedModel, given: int) -> int:
    """How many tokens the model may write after what it was given."""
    room = longest(model) - given
    if room < _LEAST_NEW:
        raise ExpertError(
            f"'prompt' and 'context' take {given:,} tokens together; {model.id!r} reads and writes {longest(model):,} at most.",
            remedy="Give a shorter text, or choose a model that reads more.",
        )
    return int(min(room, model.model.generation_config.max_new_tokens or _MOST_NEW))


def _by_seq2seq(model: LoadedModel, text: str) -> RunnerOutput:
    given = len(model.tokenizer(text, verbose=False)["input_ids"])
    if given > longest(model):
        raise ExpertError(
            f"'prompt' and 'context' take {given:,} tokens together; {model.id!r} reads {longest(model):,} at most.",
            remedy="Give a shorter text, or choose a model that reads more.",
        )
    made, notes = written(model, [text], most=model.model.generation_config.max_new_tokens or _MOST_NEW)
    return RunnerOutput(values={"text": made[0]}, notes=notes)
