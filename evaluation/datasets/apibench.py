"""APIBench, the Hugging Face part (Gorilla, arXiv 2305.15334): instructions, and the model card that each was written from.

A folder holds the instructions (`huggingface_eval.json`, JSON lines in spite of its name) and the cards (`huggingface_api.jsonl`), as on
the Hub (gorilla-llm/APIBench) or in the folders of Gorilla's repository (`data/apibench`, `data/api`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from ...index.card import ModelCard
from ...index.problems import Problems
from ...tools.hub_tasks import HUB_TASKS
from ..digests import sha256
from ..errors import DatasetError
from ..jsonl import read_objects
from .model_cards import read_cards, with_downloads
from .selection_data import SelectionCase, SelectionData

QUERIES = ("huggingface_eval.jsonl", "huggingface_eval.json", "apibench/huggingface_eval.json")
CARDS = ("huggingface_api.jsonl", "api/huggingface_api.jsonl")
_INSTRUCTION = re.compile(r"Instruction\s*:?(.*?)#{1,6}\s*Output", re.S | re.I)
_PAST_TASKS = ("conversational", "text2text-generation")  # on the Hub in 2023, when the set was made
_OTHER_NAMES = {"graph-machine-learning": "graph-ml"}
_ALIKE = 0.9  # "document-question-answer" and "document-question-answering" are 0.94 alike, no two Hub tasks more than 0.9 are
_NO_VALUE = re.compile(r"\W*|n/?a|none|null|unknown|various|not(?: \w+)+ ?", re.I)
_LONGEST_TAG = 80


class _Card(BaseModel):
    """What is read of a card; a field that may hold anything is looked at later."""

    api_name: str = Field(min_length=1)
    domain: str = Field(min_length=1)
    framework: Any = None
    functionality: Any = None
    performance: Any = None
    description: Any = None
    example_code: Any = None


class _Query(BaseModel):
    code: str
    api_data: _Card


def load_selection(path: Path | str, cards: Path | str | None = None, *, downloads: Path | str | None = None) -> SelectionData:
    """The instructions and the cards of a folder.

    Args:
        path: the folder.
        cards: a file of other cards to choose from (see `read_cards`), e.g. whole READMEs. Instructions whose model is not among them are
            left out and counted; where a card and an instruction name different tasks, the card's counts.
        downloads: a file of cards whose downloads and likes complete the cards that have none. APIBench knows of no downloads.

    Raises:
        DatasetError: a file is missing or cannot be read, or nothing in it can be used.
    """
    folder = Path(path)
    queries = _find(folder, QUERIES, "instructions")
    source = Path(cards) if cards is not None else _find(folder, CARDS, "model cards")
    problems = Problems()
    found = read_cards(source, problems) if cards is not None else _read_own_cards(source, problems)
    if not found:
        raise DatasetError(f"No model card in {str(source)!r} can be used ({_told(problems)}).", remedy="Check the file.")
    used = {"instructions": queries, "cards": source}
    if downloads is not None:
        used["downloads"] = Path(downloads)
        found = with_downloads(found, read_cards(Path(downloads), problems))
    reader = _Reader(queries, found, problems)
    size = reader.size()
    known = sum(c.downloads is not None for c in found)
    return SelectionData(
        name="/".join(queries.resolve().parts[-2:]) + (f" with the cards of {source.name}" if cards is not None else ""),
        cards=found,
        read=reader.cases,
        size=size,
        notes=(
            f"{len(found)} model cards for {len({c.task for c in found})} tasks from {source.name}; downloads known for {known} of them.",
            "Each request has one right model, though others of its task would serve: even the best R@1 is well below 100.",
        ),
        settings={"data": str(queries.resolve()), "sha256": {what: sha256(p) for what, p in used.items()}},
    )


@lru_cache(maxsize=256)
def hub_task(domain: str) -> str | None:
    """The Hub task that a domain names, e.g. `Computer Vision Image-to-Image`; None when it names none.

    The words of a heading are dropped until a task is left: its own name, or one that is spelt almost like it
    (`Multimodal Document Question Answer`). Tasks are those of the Hub, and two that it had when the set was made.
    """
    words = re.sub(r"[^a-z0-9]+", " ", domain.lower()).split()
    endings = ["-".join(words[i:]) for i in range(len(words))]
    tasks = (*HUB_TASKS, *_PAST_TASKS)
    for ending in endings:
        if (name := _OTHER_NAMES.get(ending, ending)) in tasks:
            return name
    alike = [(SequenceMatcher(None, ending, task).ratio(), task) for ending in endings for task in tasks]
    best, task = max(alike, default=(0.0, ""))
    return task if best >= _ALIKE else None


def _read_own_cards(path: Path, problems: Problems) -> tuple[ModelCard, ...]:
    found: dict[tuple[str, str], ModelCard] = {}
    for place, row in read_objects(path, problems):
        try:
            card = _model_card(_Card.model_validate(row), place, problems, source=path.name)
        except ValidationError as e:
            problems.add("model card cannot be used", f"{place}: {_why(e)}")
            continue
        before = found.get((card.id, card.task))
        if before is not None:
            problems.add("model card occurs twice (made one)", f"{place}: {card.id}")
        found[card.id, card.task] = card if before is None else _merged(before, card)
    return tuple(found.values())


def _model_card(row: _Card, place: str, problems: Problems, *, source: str) -> ModelCard:
    task = hub_task(row.domain)
    if task is None:
        problems.add("domain names no Hub task (taken as it is)", f"{place}: {row.domain!r}")
    tags = tuple(_tags(row, task))
    return ModelCard(id=row.api_name, task=task or _slug(row.domain), tags=tags, source=source, text=_readme(row))


def _readme(row: _Card) -> str:
    """The description, and the example as a README has it."""
    description, code = row.description.strip() if isinstance(row.description, str) else "", "\n".join(_strings(row.example_code))
    return description if len(code) <= _LONGEST_TAG and _NO_VALUE.fullmatch(code) else f"{description}\n\n```\n{code}\n```"


def _strings(value: Any) -> Iterator[str]:
    """Of a string, a list of strings, or an object with strings: the set has all three."""
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def _tags(row: _Card, task: str | None) -> Iterator[str]:
    """What the card says it does, unless that is its task or its framework over again; and the data set it was measured on."""
    does = row.functionality
    if isinstance(does, str) and _told_value(does) and _slug(does) != task and does.lower() not in str(row.framework).lower():
        yield does
    measured = row.performance.get("dataset") if isinstance(row.performance, dict) else None
    for name in measured if isinstance(measured, list) else [measured]:
        if isinstance(name, str) and _told_value(name):
            yield name


def _told_value(value: str) -> bool:
    return len(value) <= _LONGEST_TAG and not _NO_VALUE.fullmatch(value)


def _merged(a: ModelCard, b: ModelCard) -> ModelCard:
    return replace(a, tags=tuple(dict.fromkeys((*a.tags, *b.tags))), text=a.text if b.text in a.text else f"{a.text}\n\n{b.text}".strip())


@dataclass(frozen=True)
class _Reader:
    """Reads the instructions one by one."""

    path: Path
    cards: tuple[ModelCard, ...]
    of_cards: Problems

    def size(self) -> int:
        """How many cases there are. Raises DatasetError when there is none."""
        problems = Problems()
        n = sum(1 for _ in self.cases(problems))
        if not n:
            raise DatasetError(f"No instruction in {str(self.path)!r} can be used ({_told(problems)}).", remedy="Check the file.")
        return n

    def cases(self, problems: Problems) -> Iterator[SelectionCase]:
        """Every instruction that can be used; the rest goes to `problems`, after what was found in the cards."""
        problems.counts.update(self.of_cards.counts)
        problems.places.update({kind: list(places) for kind, places in self.of_cards.places.items()})
        tasks: dict[str, list[str]] = {}
        for card in self.cards:
            tasks.setdefault(card.id, []).append(card.task)
        for place, row in read_objects(self.path, problems):
            if (case := self._case(place, row, tasks, problems)) is not None:
                yield case

    def _case(self, place: str, row: Mapping[str, Any], tasks: Mapping[str, list[str]], problems: Problems) -> SelectionCase | None:
        try:
            query = _Query.model_validate(row)
        except ValidationError as e:
            problems.add("instruction cannot be used", f"{place}: {_why(e)}")
            return None
        text = _INSTRUCTION.search(query.code)
        if text is None or not text[1].strip():
            problems.add("no instruction between the marks Instruction and Output", f"{place}: {query.code!r:.120}")
            return None
        model, domain = query.api_data.api_name, query.api_data.domain
        if model not in tasks:
            problems.add("right model is in no card (left out)", f"{place}: {model}")
            return None
        task = hub_task(domain) or _slug(domain)
        if task not in tasks[model]:
            problems.add(
                "card and instruction name different tasks (the card's counts)", f"{place}: {model}: {tasks[model][0]}, not {task}"
            )
            task = tasks[model][0]
        return SelectionCase(id=place, query=text[1].strip(), model=model, task=task)


def _slug(text: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", text.lower())) or "unknown"


def _why(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())


def _told(problems: Problems) -> str:
    return "; ".join(f"{kind}: {n}" for kind, n in problems.counts.most_common(4)) or "it is empty"


def _find(folder: Path, names: tuple[str, ...], what: str) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DatasetError(f"There are no {what} in {str(folder)!r}.", remedy=f"Name APIBench's folder; looked for {', '.join(names)}.")
