"""From the shapes in which people have models to a model card.

- the Hub's listing (`GET /api/models`, https://huggingface.co/docs/hub/api; `HfApi.list_models`) and dumps of it, such as the data set
  cfahlgren1/hub-stats: `id`, `pipeline_tag`, `library_name`, `tags` (with `license:mit`, `dataset:squad`, `region:us`, `en` among them),
  `downloads`, `likes`, `gated`, `lastModified`, `safetensors`, `gguf`, `siblings`, `cardData`, `inferenceProviderMapping`
- such a dump with READMEs, such as librarian-bots/model_cards_with_metadata: `modelId`, `last_modified`, …, and the README under `card`
- JARVIS' models of 2023: `id`, `task`, `description`, and the README's front matter under `meta`
- our own: what `ModelCard.as_json` gives

A card's `bytes` are counted from the types of its safetensors only: `usedStorage` counts old revisions and every format.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..card import MOST, ModelCard
from ..catalogue import load_catalogue
from ..errors import CardError
from ..languages import TWO_LETTERS, language_code
from ..problems import Problems
from ..text import well_formed
from . import front_matter
from ._flags import flags_of

COLUMNS = (
    "id", "modelId", "task", "pipeline_tag", "library_name", "library", "license", "languages", "tags", "datasets", "downloads", "likes",
    "parameters", "bytes", "gated", "formats", "providers", "lastModified", "last_modified", "source", "flags", "safetensors", "gguf",
    "inferenceProviderMapping", "card", "readme", "text", "description",
)  # fmt: skip
"""Every key that is read, but those of `WITHOUT_TAGS`."""
WITHOUT_TAGS = ("cardData", "card_data", "meta", "siblings")
"""Keys that are read where a row has no `tags`: the Hub puts what they say into its tags as well."""
TEXT_LIMIT = 20_000
"""Characters of a text that are kept."""
UNTAGGED = "other"
"""The task of cards that have none, where they are wanted."""

_FOREIGN = frozenset({*COLUMNS, *WITHOUT_TAGS}) - frozenset(ModelCard.__dataclass_fields__)
_READMES = ("card", "readme")  # with their front matter
_TEXTS = ("text", "description")
_TAGS_KEPT = 100
_NOISE = frozenset({"endpoints_compatible", "autotrain_compatible", "model-index", "has_space"})
_FORMATS = frozenset("safetensors gguf onnx pytorch tf jax rust openvino coreml tflite mlx keras ggml nemo".split())
_SUFFIXES = {".safetensors": "safetensors", ".gguf": "gguf", ".onnx": "onnx", ".bin": "pytorch", ".pt": "pytorch", ".pth": "pytorch",
             ".ckpt": "pytorch", ".h5": "tf", ".msgpack": "jax", ".tflite": "tflite", ".nemo": "nemo", ".keras": "keras"}  # fmt: skip
_WIDTHS = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2,
           "I8": 1, "U8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "BOOL": 1}  # fmt: skip
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_OF_WORDS = ("library", "license", "languages", "tags", "datasets", "formats", "providers", "source", "flags")
_LONGEST = 200  # characters of a word


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Reads rows of one source.

    Attributes:
        source: what cards say of where their facts come from, unless a row says it itself.
        untagged: keep cards without a task, under the task `other`.
    """

    source: str
    untagged: bool = False

    def card(self, row: object, place: str, problems: Problems) -> ModelCard | None:
        """The card of a row; None, with a note in `problems`, where there is none to be had.

        A fact of the wrong type is noted and left out, and so is a front matter that is not YAML; the card stays. A row in our own form is
        taken as a whole or not at all.
        """
        if not isinstance(row, Mapping):
            problems.add("row is not an object", f"{place}: {row!r:.80}")
            return None
        ident = row.get("id") or row.get("modelId")
        if not isinstance(ident, str) or not is_id(ident):
            problems.add("id is missing or no model id", f"{place}: {ident!r:.120}")
            return None
        where = f"{place}: {ident}"
        if "task" in row and _FOREIGN.isdisjoint(row):
            return self._own(row, where, problems)
        told = _Told(ident, row, where, problems)
        task = self._task(row.get("pipeline_tag") or row.get("task") or told.facts.get("pipeline_tag"), where, problems)
        return None if task is None else told.card(task, self.source)

    def _task(self, said: object, where: str, problems: Problems) -> str | None:
        if isinstance(said, str) and said in _hub_tasks():
            return said
        task = re.sub(r"[^a-z0-9]+", "-", said.lower()).strip("-")[:80] if isinstance(said, str) else ""
        if task and task != UNTAGGED:
            if task not in _hub_tasks():
                problems.add("task that the Hub does not know (kept)", f"{where} {task}")
            return task
        if not self.untagged:
            problems.add("no task", where)
            return None
        return UNTAGGED

    def _own(self, row: Mapping[str, Any], where: str, problems: Problems) -> ModelCard | None:
        task = self._task(row["task"], where, problems)
        if task is None:
            return None
        known = {**_clean(row, where, problems), "task": task}
        known["source"] = known.get("source") or self.source
        text, flags = known.get("text"), known.get("flags") or []
        if isinstance(text, str) and isinstance(flags, list):
            text = _prose(text)
            known |= {"text": text, "flags": [*flags, *(f for f in flags_of(text) if f not in flags)]}
        try:
            return ModelCard.from_json(known)
        except CardError as e:
            problems.add("card cannot be used", f"{where}: {e.message}")
            return None


class _Told:
    """What a row says, in the types that a card wants; what has another type goes to the problems."""

    def __init__(self, ident: str, row: Mapping[str, Any], where: str, problems: Problems) -> None:
        self.ident = ident
        self.row = row
        self.where = where
        self.problems = problems
        readme = self._text(_READMES)
        front, text = front_matter.split(readme) if readme else ("", self._text(_TEXTS))
        self.text = _prose(text)
        # the Hub's tags say all that the front matter says, and reading YAML takes ten times as long as the rest
        self.facts = {} if isinstance(row.get("tags"), list | tuple) else self._facts(front)

    def _text(self, keys: tuple[str, ...]) -> str:
        for key in keys:
            text = self.row.get(key)
            if isinstance(text, str):
                return text
            if text is not None:
                self.wrong(key, text)
        return ""

    def _facts(self, front: str) -> Mapping[str, Any]:
        for key in ("cardData", "card_data", "meta"):
            told = self.row.get(key)
            if isinstance(told, str):
                told = self._json(key, told)
            if isinstance(told, Mapping):
                return told
        try:
            return front_matter.read(front) if front else {}
        except CardError as e:
            self.problems.add(front_matter.NOT_YAML, f"{self.where}: {e.message}")
            return {}

    def _json(self, key: str, told: str) -> object:
        try:
            return json.loads(told)
        except (ValueError, RecursionError):
            self.wrong(key, told)
            return None

    def wrong(self, what: str, value: object) -> None:
        self.problems.add(f"{what} has the wrong type (left out)", f"{self.where}: {value!r:.80}")

    def card(self, task: str, source: str) -> ModelCard:
        row, facts = self.row, self.facts
        library = self._word("library_name", row.get("library_name") or row.get("library") or facts.get("library_name"))
        tags = _Tags(self._words("tags", row.get("tags") or facts.get("tags")), task, library)
        languages = row.get("languages") or facts.get("language") or facts.get("languages")
        license = row.get("license") or facts.get("license")
        weights = self._mapping("safetensors")
        return ModelCard(
            id=self.ident,
            task=task,
            library=library,
            license=tags.license if license is None else self._word("license", license),
            languages=tags.languages if languages is None else self._languages(languages),
            tags=tags.rest,
            datasets=tags.datasets or tuple(self._words("datasets", row.get("datasets") or facts.get("datasets"))),
            downloads=self._number("downloads", row.get("downloads")),
            likes=self._number("likes", row.get("likes")),
            parameters=self._number("parameters", _total(row, weights, self._mapping("gguf")), 1),
            bytes=self._number("bytes", row.get("bytes") or _size(weights), 1),
            gated=self._gated(row.get("gated")),
            formats=tags.formats or tuple(self._words("formats", row.get("formats"))) or _formats(row.get("siblings")),
            providers=tuple(self._words("providers", row.get("providers"))) or self._providers(),
            last_modified=self._date(row.get("lastModified") or row.get("last_modified")),
            source=self._word("source", row.get("source")) or source,
            flags=flags_of(self.text),
            text=self.text,
        )

    def _word(self, what: str, value: object) -> str | None:
        if isinstance(value, str) and _is_word(value):
            return value
        return next(iter(self._words(what, value)), None)

    def _words(self, what: str, value: object) -> list[str]:
        """Strings that a card may hold; one thing is often said as a string, and several as a list."""
        if value is None or value == "":
            return []
        if isinstance(value, str):
            value = self._json(what, value) if value[:1] == "[" else [value]
        if not isinstance(value, list | tuple):
            self.wrong(what, value)
            return []
        words = [v for v in value if isinstance(v, str) and _is_word(v)]
        if len(words) != len(value):
            if not all(isinstance(v, str) for v in value):
                self.wrong(what, value)
            if any(isinstance(v, str) and v and not _is_word(v) for v in value):
                _unprintable(what, value, self.where, self.problems)
        return words

    def _languages(self, said: object) -> tuple[str, ...]:
        if isinstance(said, list):
            said = ["no" if s is False else s for s in said]  # Norwegian, as YAML 1.1 has it
        return tuple(dict.fromkeys(map(language_code, self._words("language", said))))

    def _number(self, what: str, value: object, least: int = 0) -> int | None:
        if value is None or (type(value) is int and least <= value <= MOST):
            return value
        if isinstance(value, float):  # of columns with gaps, many a tool makes numbers with NaN
            if math.isnan(value):
                return None
            if value.is_integer() and least <= value < MOST:
                return int(value)
        if value != 0:  # no weights at all: not known
            self.wrong(what, value)
        return None

    def _gated(self, value: object) -> bool | None:
        if value is None or isinstance(value, bool):
            return value
        if value in ("auto", "manual", "true", "True"):
            return True
        if value in ("false", "False"):
            return False
        self.wrong("gated", value)
        return None

    def _date(self, value: object) -> str | None:
        if isinstance(value, datetime.date):
            return value.isoformat()[:10]
        if isinstance(value, str) and (day := _day(value)):
            return day
        if value is not None:
            self.wrong("last_modified", value)
        return None

    def _mapping(self, key: str) -> Mapping[str, Any]:
        value = self.row.get(key)
        if isinstance(value, str):
            value = self._json(key, value)
        if isinstance(value, Mapping):
            return value
        if value is not None:
            self.wrong(key, value)
        return {}

    def _providers(self) -> tuple[str, ...]:
        """Names of the providers that serve the model now. A list in listings, a mapping by name for a single model."""
        told = self.row.get("inferenceProviderMapping")
        if isinstance(told, str):
            told = self._json("inferenceProviderMapping", told)
        if told is None:
            return ()
        if isinstance(told, Mapping):
            told = [{**v, "provider": k} for k, v in told.items() if isinstance(v, Mapping)]
        if not isinstance(told, list):
            self.wrong("inferenceProviderMapping", told)
            return ()
        live = [p["provider"] for p in told if isinstance(p, Mapping) and p.get("provider") and p.get("status", "live") == "live"]
        return tuple(sorted(set(self._words("inferenceProviderMapping", live))))


class _Tags:
    """The Hub's tags, each where it belongs."""

    def __init__(self, tags: list[str], task: str, library: str | None) -> None:
        rest: list[str] = []
        languages: list[str] = []
        datasets: list[str] = []
        formats: list[str] = []
        self.license: str | None = None
        for tag in tags:
            if ":" in tag:
                kind, _, name = tag.partition(":")
                if kind == "license":
                    self.license = self.license or name
                elif kind == "dataset":
                    datasets.append(name)
                elif kind not in ("region", "deploy"):
                    rest.append(tag)
            elif tag in TWO_LETTERS:
                languages.append(tag)
            elif tag in _FORMATS:
                formats.append(tag)
            elif tag != task and tag != library and tag not in _NOISE:
                rest.append(tag)
        self.languages = tuple(languages)
        self.datasets = tuple(datasets)
        self.formats = tuple(formats)
        self.rest = tuple(rest[:_TAGS_KEPT])


def is_id(ident: str) -> bool:
    """Whether a string can be a model's id: `org/name` or `name`, at most 200 printable characters, no way out of a folder."""
    if not _is_word(ident) or " " in ident or "\\" in ident:
        return False
    parts = ident.split("/")
    return len(parts) <= 2 and all(p not in ("", ".", "..") for p in parts)


def _is_word(said: str) -> bool:
    return 0 < len(said) <= _LONGEST and said.isprintable()


def _unprintable(what: str, value: object, where: str, problems: Problems) -> None:
    problems.add(f"{what} is not printable or too long (left out)", f"{where}: {value!r:.80}")


def _day(said: str) -> str | None:
    """The day of an ISO 8601 date or time; None where there is no such day."""
    try:
        return datetime.date.fromisoformat(said[:10]).isoformat() if _DAY.match(said) else None
    except ValueError:
        return None


def _clean(row: Mapping[str, Any], where: str, problems: Problems) -> dict[str, Any]:
    """A row in our own form without words that no card may hold, and without a date that is none."""
    kept = dict(row)
    for name in _OF_WORDS:
        said = row.get(name)
        words = said if isinstance(said, list | tuple) else [said]
        odd = [v for v in words if isinstance(v, str) and not _is_word(v)]
        if odd:
            kept[name] = None if words is not said else [v for v in words if v not in odd]
        if any(odd):
            _unprintable(name, odd, where, problems)
    said = row.get("last_modified")
    if isinstance(said, str):
        kept["last_modified"] = _day(said)
        if said and not kept["last_modified"]:
            problems.add("last_modified has the wrong type (left out)", f"{where}: {said!r:.80}")
    return kept


def _prose(text: str) -> str:
    """The text as it is kept."""
    text = text.strip()[:TEXT_LIMIT].rstrip()
    return text if text.isascii() and "\0" not in text else well_formed(text.replace("\0", " "))


def _total(row: Mapping[str, Any], weights: Mapping[str, Any], gguf: Mapping[str, Any]) -> object:
    return next((n for n in (row.get("parameters"), weights.get("total"), gguf.get("total")) if n), None)


def _size(weights: Mapping[str, Any]) -> int | None:
    """Bytes of the weights, if the width of each of their types is known."""
    counts = weights.get("parameters")
    if not isinstance(counts, Mapping):
        return None
    size = 0
    for kind, count in counts.items():
        if count is None:  # a parquet file has a column for each type
            continue
        if kind not in _WIDTHS or type(count) is not int:
            return None
        size += _WIDTHS[kind] * count
    return size or None


def _formats(siblings: object) -> tuple[str, ...]:
    """Weight formats by the names of a repository's files."""
    names = [s.get("rfilename") for s in siblings if isinstance(s, Mapping)] if isinstance(siblings, list) else []
    found = {_SUFFIXES.get("." + n.rpartition(".")[2]) for n in names if isinstance(n, str)}
    return tuple(sorted(f for f in found if f))


@cache
def _hub_tasks() -> frozenset[str]:
    """Every task of the Hub: the catalogue that ships has a card for each."""
    return frozenset(c.task for c in load_catalogue())
