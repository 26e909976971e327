"""Translations, sentence by sentence: that is what most such models were trained on, and they drop sentences of longer texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .....index.errors import ExpertError
from ....sentences import sentences
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .languages import is_language, meant, name_of, nearest, same
from .lengths import counts, pieces, room_of
from .seq2seq import generation_settings, task_settings, written

_CODES = re.compile(r"__([a-z]{2,3})__|([a-z]{2}_[A-Z]{2})|([a-z]{3}_[A-Z][a-z]{3})")
_MARIAN = re.compile(r">>(\w+)<<")
_MADLAD = re.compile(r"<2(\w+)>")
_OF_TASK = re.compile(r"translation_(\w+)_to_(\w+)")
_PARAGRAPHS = re.compile(r"(\n\s*\n)")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a model is told what to translate into what.

    Attributes:
        prefix: goes before each sentence.
        settings: of `generate`.
        notes: what the reader must know.
    """

    prefix: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def translation(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The text in the other language; paragraphs and lines that stand for themselves are kept."""
    source, target = (inputs.get(p, "").strip() for p in ("source_language", "target_language"))
    plan = _plan(model, source, target)
    room = room_of(model, taken=counts(model.tokenizer, [plan.prefix])[0] + 1)
    laid = [_laid_out(model, paragraph, room) for paragraph in _PARAGRAPHS.split(inputs["text"].strip("\n"))]
    todo = [plan.prefix + words for paragraph in laid for words, _ in paragraph if words]
    longest_part = max(counts(model.tokenizer, todo), default=0)
    done, notes = written(model, todo, most=2 * longest_part + 32, settings={"min_length": 0, **plan.settings})
    left = iter(done)
    text = "".join((next(left) if words else "") + gap for paragraph in laid for words, gap in paragraph)
    return RunnerOutput(values={"text": text.strip()}, notes=(*plan.notes, *notes))


def _laid_out(model: LoadedModel, paragraph: str, room: int) -> list[tuple[str, str]]:
    """What is translated by itself, each with the white space that follows it."""
    if not paragraph.strip():
        return [("", paragraph)]
    lines = [sentences(line) for line in paragraph.splitlines() if line.strip()]
    if [s for line in lines for s in line] != sentences(paragraph):  # lines are wrapped: one text
        lines = [sentences(paragraph)]
    parts = [[piece for sentence in line for piece in pieces(sentence, model.tokenizer, room)] for line in lines if line]
    laid = [(p, " " if n + 1 < len(line) else "\n") for line in parts for n, p in enumerate(line)]
    return [*laid[:-1], (laid[-1][0], "")] if laid else [("", paragraph)]


def _plan(model: LoadedModel, source: str, target: str) -> Plan:
    """By the kind of model."""
    tokenizer = model.tokenizer
    tokens = {*tokenizer.get_added_vocab(), *tokenizer.all_special_tokens, *getattr(tokenizer, "lang_code_to_token", {}).values()}
    codes = {next(g for g in found.groups() if g): t for t in tokens if (found := _CODES.fullmatch(t))}
    if len(codes) > 1:
        return _of_many(model, codes, source, target)
    if settings := task_settings(model, "translation"):
        return _of_tasks(model, settings, source, target)
    marked = {found[1]: t for t in tokenizer.get_vocab() for form in (_MARIAN, _MADLAD) if (found := form.fullmatch(t))}
    if marked:
        return _of_marks(model, marked, source, target)
    return _of_two(model, source, target)


def _of_many(model: LoadedModel, codes: Mapping[str, str], source: str, target: str) -> Plan:
    """mBART, M2M100, NLLB: the tokenizer marks the source, the first token written is the target's."""
    tokenizer = model.tokenizer
    own = str(getattr(tokenizer, "src_lang", None) or "")
    before = _code(model, "source_language", source, codes) if source else own if own in codes else meant("English", codes)
    if before is None:
        raise _must_be_named(model, "source_language", codes)
    into = _code(model, "target_language", target, codes) if target else _default_target(model, codes)
    if into is None:
        raise _must_be_named(model, "target_language", codes)
    tokenizer.src_lang = before
    notes = () if source else (f"no source language was given; the text was taken for {name_of(before)}",)
    first = tokenizer.convert_tokens_to_ids(codes[into])
    begun = _first_token(model, "decoder_start_token_id") in codes.values()  # by a language, as in the first mBART
    return Plan(
        settings={"decoder_start_token_id" if begun else "forced_bos_token_id": first},
        notes=(*notes, *(() if target else (f"no target language was given; translated into {name_of(into)}",))),
    )


def _default_target(model: LoadedModel, codes: Mapping[str, str]) -> str | None:
    """What the model writes when it is not told."""
    said = getattr(model.tokenizer, "tgt_lang", None)
    if said in codes:
        return str(said)
    begins = [_first_token(model, name) for name in ("forced_bos_token_id", "decoder_start_token_id")]
    return next((c for token in begins for c, t in codes.items() if t == token), None)


def _first_token(model: LoadedModel, name: str) -> str | None:
    """The token that the model begins with, by a name in its generation config."""
    number = getattr(model.model.generation_config, name, None)
    return str(model.tokenizer.convert_ids_to_tokens(number)) if isinstance(number, int) else None


def _of_tasks(model: LoadedModel, settings: Mapping[str, Mapping[str, Any]], source: str, target: str) -> Plan:
    """T5: the config names its pairs of languages with the words that ask for each."""
    pairs = [(found[1], found[2], s) for name, s in settings.items() if (found := _OF_TASK.fullmatch(name))]
    fitting = [p for p in pairs if (not source or same(source, p[0])) and (not target or same(target, p[1]))]
    if not fitting:
        known = ", ".join(f"{name_of(a)} to {name_of(b)}" for a, b, _ in pairs)
        raise ExpertError(
            f"{model.id!r} does not translate {source[:60] or 'any language'} into {target[:60] or 'any language'}; it translates {known}.",
            remedy="Name one of these pairs as 'source_language' and 'target_language', or choose another model.",
        )
    before, into, chosen = fitting[0]
    notes = () if (source and target) or len(pairs) == 1 else (f"translated from {name_of(before)} into {name_of(into)}",)
    return Plan(prefix=str(chosen.get("prefix") or ""), settings=generation_settings(chosen), notes=notes)


def _of_marks(model: LoadedModel, marks: Mapping[str, str], source: str, target: str) -> Plan:
    """Marian and MADLAD models with several targets: a mark before the sentence names the target."""
    if source and (own := getattr(model.tokenizer, "source_lang", None)) and is_language(str(own)) and not same(source, str(own)):
        raise _other_languages(model, "source_language", source, str(own))
    if not target:
        raise _must_be_named(model, "target_language", marks)
    return Plan(prefix=marks[_code(model, "target_language", target, marks)] + " ")


def _of_two(model: LoadedModel, source: str, target: str) -> Plan:
    """Models of one pair: Marian says which; others do not, so that nothing can be asked of them."""
    for port, wanted, own in (
        ("source_language", source, getattr(model.tokenizer, "source_lang", None)),
        ("target_language", target, getattr(model.tokenizer, "target_lang", None)),
    ):
        if wanted and own and is_language(str(own)) and not same(wanted, str(own)):
            raise _other_languages(model, port, wanted, str(own))
        if wanted and not own and port == "target_language":
            return Plan(notes=(f"{model.id!r} does not say which languages it translates; whether this is {wanted[:60]} is not known",))
    return Plan()


def _code(model: LoadedModel, port: str, wanted: str, codes: Mapping[str, str]) -> str:
    found = meant(wanted, codes)
    if found is None:
        raise ExpertError(
            f"{wanted!r:.60}, given as {port!r}, is none of the {len(codes)} languages of {model.id!r}; "
            f"the nearest are {', '.join(nearest(wanted, codes))}.",
            remedy="Give an English name or a code such as 'de', or choose another model.",
        )
    return found


def _must_be_named(model: LoadedModel, port: str, codes: Mapping[str, str]) -> ExpertError:
    return ExpertError(
        f"{model.id!r} knows {len(codes)} languages and must be told which: {port!r} was not given.",
        remedy=f"Give {port!r}, for example {', '.join(_some(codes))}.",
    )


def _some(codes: Mapping[str, str]) -> Sequence[str]:
    return list(dict.fromkeys(name_of(c) for c in sorted(codes)))[:5]


def _other_languages(model: LoadedModel, port: str, wanted: str, own: str) -> ExpertError:
    return ExpertError(
        f"{model.id!r} cannot do {wanted!r:.60} as {port!r}: it knows {name_of(own)} there and nothing else.",
        remedy="Choose a model for these languages.",
    )
