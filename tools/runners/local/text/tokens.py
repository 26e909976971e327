"""Tagged words of a text.

Not by transformers' pipeline: it cuts entities where its chunks of a long text end, and takes words apart with tokenizers that are not
WordPiece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .lengths import batches, in_parts, longest, room_of, together
from .spans import inside_word, rows, trimmed, windows

_BEGINS, _GOES_ON, _ENDS = "BSU", "IMEL", "ESLU"  # of BIO, IOBES and BILOU
_OUTSIDE = "O"


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word with the tag that the model gives its first token; `score` in 0..1."""

    start: int
    end: int
    tag: str
    score: float


def token_classification(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The tagged parts of a text, whole words, in their order; an empty list when nothing is tagged.

    Where the model's tags have no class for "nothing" (parts of speech), each word stands by itself.
    """
    text = inputs["text"]
    words, parts = _words(model, text)
    has_outside = _OUTSIDE in model.config.id2label.values()
    entities = []
    for group in _groups(words) if has_outside else ([w] for w in words):
        start, end = group[0].start, group[-1].end
        label = _split(group[0].tag)[1]
        score = sum(w.score for w in group) / len(group)
        entities.append({"label": label, "score": float(score), "start": start, "end": end, "text": text[start:end]})
    return RunnerOutput(values={"entities": entities}, notes=in_parts(parts))


def _words(model: LoadedModel, text: str) -> tuple[list[Word], int]:
    """Words in order, and in how many windows the text was read."""
    import torch

    stride = min(room_of(model), longest(model)) // 4
    read = windows(model, text, stride=stride)
    total = len(read["input_ids"])
    words: list[Word] = []
    last_end, last_word = -1, None
    for batch in batches(range(total), together(model)):
        logits = model.model(**rows(model, read, batch[0], batch[-1] + 1)).logits.float()
        scores, tags = torch.max(logits.softmax(-1), -1)
        for row, n in zip(count(), batch, strict=False):
            word_ids = read.word_ids(n)
            places = [j for j, special in enumerate(read["special_tokens_mask"][n]) if not special]
            own = places[(stride - stride // 2 if n else 0) : (len(places) - stride // 2 if n + 1 < total else None)]
            for j in own:
                start, end = trimmed(text, *read["offset_mapping"][n][j])
                if start >= end:
                    continue
                word = word_ids[j]
                if words and (start < last_end or (start == last_end and word == last_word and inside_word(text, start))):
                    words[-1] = _longer(words[-1], end)
                else:
                    tag = str(model.config.id2label[int(tags[row, j])])
                    words.append(Word(start=start, end=end, tag=tag, score=float(scores[row, j])))
                last_end, last_word = max(end, words[-1].end), word
    return words, total


def _longer(word: Word, end: int) -> Word:
    return Word(start=word.start, end=max(end, word.end), tag=word.tag, score=word.score)


def _split(tag: str) -> tuple[str, str]:
    """Place in the entity and label: `B-PER` gives B and PER, `PER` gives I and PER."""
    place, _, label = tag.partition("-")
    return (place, label) if label and len(place) == 1 and place in _BEGINS + _GOES_ON else ("I", tag)


def _groups(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Neighbouring words of one entity."""
    held: list[Word] = []
    for word in words:
        place, label = _split(word.tag)
        if held and (word.tag == _OUTSIDE or place in _BEGINS or label != _split(held[-1].tag)[1] or _ended(held[-1])):
            yield held
            held = []
        if word.tag != _OUTSIDE:
            held.append(word)
    if held:
        yield held


def _ended(word: Word) -> bool:
    return _split(word.tag)[0] in _ENDS
