"""Tasks on texts and tables."""

from __future__ import annotations

import re
from typing import Any

from ....index.errors import ExpertError
from ...errors import InputError
from ...sentences import sentences
from ..runner import RunnerOutput
from . import chat
from .replies import best, chosen, labels, number, part, score, sequence, shown, text
from .row import HostedRow, Inputs, Way, Where, row

_TOP = 10
_PIECE = re.compile(r"[BILUSE]-.")
_BLANK = re.compile(r"\[mask\]|<mask>|_{2,}", re.IGNORECASE)
UNTOLD = "the model was not told about languages, since both of them must be named: it translates as it was made to"
FIRST_BLANK = "the text has {} blanks, and the words are for the first one"
OF_TOKENS = "the mean of the vectors of the text's tokens"


def _labelled(reply: Any, _: Inputs) -> RunnerOutput:
    return RunnerOutput(values={"labels": labels(reply)})


def _classified(reply: Any, _: Inputs) -> RunnerOutput:
    """A list of labels. Where the server sent a flat list and not one in another, the client gives its first label alone."""
    if isinstance(reply, list):
        return RunnerOutput(values={"labels": labels(reply)})
    return RunnerOutput(values={"labels": labels([reply])}, notes=("what it says of other labels was not told",))


def _entities(reply: Any, inputs: Inputs) -> RunnerOutput:
    whole, found = inputs["text"], []
    for e in sequence(reply, "entities"):
        label = text(part(e, "entity_group") or part(e, "entity"), "the label of an entity")
        if not part(e, "entity_group") and _PIECE.match(label):
            raise ExpertError(f"it gives pieces of entities ({shown(label)}), not whole ones")
        start, end = part(e, "start"), part(e, "end")
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(whole):
            raise ExpertError(f"an entity reaches from {shown(start)} to {shown(end)} in a text of {len(whole)} characters")
        found.append({"label": label, "score": score(part(e, "score")), "start": start, "end": end, "text": whole[start:end]})
    return RunnerOutput(values={"entities": sorted(found, key=lambda e: e["start"])})


def _answer(reply: Any, _: Inputs) -> RunnerOutput:
    found = best(reply if isinstance(reply, list) else [reply], "answers")
    answer = text(part(found, "answer"), "the answer", may_be_empty=True)
    if not answer:
        raise ExpertError("it found no answer")
    return RunnerOutput(values={"answer": answer, "score": score(part(found, "score"))})


def _columns(table: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """A table by column; cells that a row lacks are empty."""
    names = dict.fromkeys(name for one in table for name in one)
    return {str(name): [one.get(name) for one in table] for name in names}


def _text_columns(table: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The same with texts in the cells, as models that read tables want them."""
    return {name: ["" if cell is None else str(cell) for cell in cells] for name, cells in _columns(table).items()}


def _cell(reply: Any, _: Inputs) -> RunnerOutput:
    return RunnerOutput(values={"answer": text(part(reply, "answer"), "the answer")})


def _languages(inputs: Inputs) -> dict[str, Any]:
    given = {"src_lang": inputs.get("source_language"), "tgt_lang": inputs.get("target_language")}
    return given if all(given.values()) else {}


def _translated(reply: Any, inputs: Inputs) -> RunnerOutput:
    one_alone = bool(inputs.get("source_language")) != bool(inputs.get("target_language"))
    made = text(part(reply, "translation_text"), "the translation")
    return RunnerOutput(values={"text": made}, notes=(UNTOLD,) if one_alone else ())


def _to_summarize(inputs: Inputs) -> dict[str, Any]:
    most = inputs.get("max_sentences")
    if most is not None and not 1 <= most < float("inf"):
        raise InputError(f"'max_sentences' must be a whole number of at least 1, not {most!r}.", remedy="Leave it out for no limit.")
    return {"text": inputs["text"]}


def _summary(reply: Any, inputs: Inputs) -> RunnerOutput:
    made = text(part(reply, "summary_text"), "the summary")
    most = inputs.get("max_sentences")
    found = sentences(made)
    if most is None or len(found) <= int(most):
        return RunnerOutput(values={"summary": made})
    return RunnerOutput(values={"summary": " ".join(found[: int(most)])}, notes=(f"the first {int(most)} of {len(found)} sentences",))


def _vector(reply: Any, _: Inputs) -> RunnerOutput:
    import numpy as np

    array = np.asarray(reply, dtype=np.float32)
    notes: tuple[str, ...] = ()
    while array.ndim > 1 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 2 and array.size:
        array, notes = array.mean(0), (OF_TOKENS,)
    if array.ndim != 1 or not array.size:
        raise ExpertError(f"it should be one vector, not numbers of the shape {array.shape}")
    if not np.isfinite(array).all():
        raise ExpertError("the vector holds values that are no numbers (NaN or infinity)")
    return RunnerOutput(values={"embedding": [float(x) for x in array]}, notes=notes)


def _similarities(reply: Any, inputs: Inputs) -> RunnerOutput:
    found = [number(s, "a similarity") for s in sequence(reply, "similarities")]
    if len(found) != len(inputs["sentences"]):
        raise ExpertError(f"it has {len(found)} similarities for {len(inputs['sentences'])} sentences")
    if any(abs(s) > 1.001 for s in found):
        raise ExpertError(f"a similarity of {max(found, key=abs):g} is no cosine")
    return RunnerOutput(values={"scores": [min(1.0, max(-1.0, s)) for s in found]})


def _with_mask(mask: str) -> Any:
    def ask(inputs: Inputs) -> dict[str, Any]:
        if _BLANK.search(inputs["text"]) is None:
            raise InputError(
                f"'text' has no blank to fill: {inputs['text']!r:.80}.",
                remedy="Write [MASK], <mask> or ___ where the word is missing, as in 'Paris is the [MASK] of France.'",
            )
        return {"text": _BLANK.sub(lambda _: mask, inputs["text"])}

    return ask


def _words(reply: Any, inputs: Inputs) -> RunnerOutput:
    blanks = len(_BLANK.findall(inputs["text"]))
    of_first = sequence(reply, "words", least=1)
    if isinstance(of_first[0], list):  # one list for each blank
        of_first = sequence(of_first[0], "words", least=1)
    scores: dict[str, float] = {}
    for e in of_first:
        if word := text(part(e, "token_str"), "a word", may_be_empty=True):
            scores[word] = min(1.0, scores.get(word, 0.0) + score(part(e, "score")))
    if not scores:
        raise ExpertError("there are no words")
    ranked = [{"label": word, "score": s} for word, s in sorted(scores.items(), key=lambda e: -e[1])]
    return RunnerOutput(values={"labels": ranked}, notes=(FIRST_BLANK.format(blanks),) if blanks > 1 else ())


def _continued(reply: Any, _: Inputs) -> RunnerOutput:
    return RunnerOutput(values={"text": text(reply, "the text")}, notes=(chat.CONTINUED,))


def _predictions(reply: Any, inputs: Inputs) -> list[Any]:
    found = sequence(reply, "predictions")
    if len(found) != len(inputs["table"]):
        raise ExpertError(f"it has {len(found)} predictions for {len(inputs['table'])} rows")
    return list(found)


def _classes(reply: Any, inputs: Inputs) -> RunnerOutput:
    found = _predictions(reply, inputs)
    for one in found:
        if not isinstance(one, str | int | bool):
            raise ExpertError(f"a prediction should be a class, not {shown(one)}")
    return RunnerOutput(values={"predictions": found})


def _amounts(reply: Any, inputs: Inputs) -> RunnerOutput:
    return RunnerOutput(values={"predictions": [number(p, "a prediction") for p in _predictions(reply, inputs)]})


def _tabular(inputs: Inputs) -> dict[str, Any]:
    return {"table": _columns(inputs["table"])}


ROWS: tuple[HostedRow, ...] = (
    row("text-classification", "text_classification", lambda i: {"text": i["text"], "top_k": _TOP}, _classified),
    row(
        "zero-shot-classification",
        "zero_shot_classification",
        lambda i: {"text": i["text"], "candidate_labels": i["candidate_labels"]},
        lambda reply, i: RunnerOutput(values={"labels": chosen(reply, i["candidate_labels"])}),
    ),
    row("token-classification", "token_classification", lambda i: {"text": i["text"], "aggregation_strategy": "simple"}, _entities),
    row("question-answering", "question_answering", lambda i: {"question": i["question"], "context": i["context"]}, _answer),
    row(
        "table-question-answering",
        "table_question_answering",
        lambda i: {"table": _text_columns(i["table"]), "query": i["question"]},
        _cell,
    ),
    row("translation", "translation", lambda i: {"text": i["text"], **_languages(i)}, _translated),
    row("summarization", "summarization", _to_summarize, _summary),
    row("feature-extraction", "feature_extraction", lambda i: {"text": i["text"]}, _vector),
    row(
        "sentence-similarity",
        "sentence_similarity",
        lambda i: {"sentence": i["source_sentence"], "other_sentences": i["sentences"]},
        _similarities,
    ),
    HostedRow(  # a model's own mask is not known beforehand, and a server refuses a text without it
        task="fill-mask", ways=tuple(Way(method="fill_mask", ask=_with_mask(mask), read=_words) for mask in ("[MASK]", "<mask>"))
    ),
    HostedRow(
        task="text-generation",
        ways=(
            chat.way(lambda i: [chat.words("\n\n".join(p for p in (i["prompt"], i.get("context")) if p))]),
            Way(
                method="text_generation",
                ask=lambda i: {"prompt": "\n\n".join(p for p in (i.get("context"), i["prompt"]) if p), "return_full_text": False},
                read=_continued,
            ),
        ),
    ),
    row("tabular-classification", "tabular_classification", _tabular, _classes),
    HostedRow(  # the client lets its own tabular_regression be called nowhere; the request is the same
        task="tabular-regression",
        ways=(Way(method="tabular_classification", ask=_tabular, read=_amounts, where=Where.ENDPOINT),),
    ),
)
