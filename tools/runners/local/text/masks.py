"""Words for a blank in a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ....errors import InputError
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .lengths import counts, room_of

_BLANK = re.compile(r"\[mask\]|<mask>|_{2,}", re.IGNORECASE)
_TOP = 10
CUT = "the text is longer than the model reads at once; only what stands around the blank was read"


def fill_mask(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """Words for the first blank, best first; notes say the best word for each further one.

    Raises:
        InputError: the text has no blank.
    """
    mask = model.tokenizer.mask_token
    places = _BLANK.split(inputs["text"].replace(mask, "[MASK]"))
    if len(places) < 2:
        raise InputError(
            f"'text' has no blank to fill: {inputs['text']!r:.80}.",
            remedy="Write [MASK], <mask> or ___ where the word is missing, as in 'Paris is the [MASK] of France.'",
        )
    text, cut = _around(model, places, mask)
    found = model.pipeline("fill-mask")(text, top_k=_TOP)
    each = found if isinstance(found[0], list) else [found]
    labels = _words(each[0])
    notes = [CUT] if cut else []
    if len(places) > 2:
        others = "; ".join(f"for blank {n}: {_best(e)}" for n, e in enumerate(each[1:], 2))
        left = f"; {len(places) - 1 - len(each)} more were left out" if cut and len(places) - 1 > len(each) else ""
        notes.append(
            f"the text has {len(places) - 1} blanks, and the words are for the first one" + (f"; {others}" if others else "") + left
        )
    return RunnerOutput(values={"labels": labels}, notes=tuple(notes))


def _words(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Words with scores; a word that the model knows with and without a space before it counts once."""
    scores: dict[str, float] = {}
    for entry in found:
        if word := str(entry["token_str"]).strip():
            scores[word] = scores.get(word, 0.0) + float(entry["score"])
    return [{"label": word, "score": score} for word, score in sorted(scores.items(), key=lambda e: -e[1])]


def _best(found: list[dict[str, Any]]) -> str:
    words = _words(found)
    return f"{words[0]['label']!r} ({words[0]['score']:.2f})" if words else "no word"


def _around(model: LoadedModel, places: list[str], mask: str) -> tuple[str, bool]:
    """The text with the model's own masks, cut to what fits around the first; and whether something was cut off."""
    before, after = places[0], mask.join(places[1:])
    room = room_of(model) - 1
    sizes = counts(model.tokenizer, [before, after, before + mask + after])
    if sizes[2] <= room:
        return before + mask + after, False
    left = min(sizes[0], max(room // 2, room - sizes[1]))
    before = _last_tokens(model, before, left)
    return before + mask + _first_tokens(model, after, room - left), True


def _last_tokens(model: LoadedModel, text: str, room: int) -> str:
    while text and counts(model.tokenizer, [text])[0] > room:
        text = text[len(text) // 8 + 1 :]
        text = text[text.find(" ") + 1 :]
    return text


def _first_tokens(model: LoadedModel, text: str, room: int) -> str:
    while text and counts(model.tokenizer, [text])[0] > room:
        text = text[: len(text) - len(text) // 8 - 1]
        text = text[: text.rfind(" ")] if " " in text else text
    return text
