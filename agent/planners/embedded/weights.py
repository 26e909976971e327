"""The file that training writes: safetensors, with what it was trained on in its metadata."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from ....index.minilm import MiniLM
from ....tools.task import hub_spelling
from ...errors import WeightsError

if TYPE_CHECKING:
    from ....index.minilm import Floats

FORMAT = "hugginggpt-planner/2"
SHIPPED = Path(__file__).with_name("planner.safetensors")
_LAYERS = "encoder."
_SCALE = ".scale"
_DIGEST = " sha256:"
_LEAST = 2.0**-24  # of what 16 bits can hold


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How scores become a plan; chosen on a part of the training data that was held out.

    Attributes:
        node: logit from which a task is taken.
        link: logit from which a link is taken.
        parent: cost of each further parent of a task.
        child: cost of each further child.
        full: cost of a parent whose kind another parent gives already.
        lacking: bonus where nothing in the request feeds the task.
        twice: logit from which a task is planned more than once.
        maker: logit from which a task is put in that makes what another lacks.
        ask_below: probability of the least likely task under which the planner asks back.
        slope, shift: of the logistic curve that tells from the margin of a choice how often such a choice is right.
        spoken: every request holds all that it needs in its own words: it is never small talk, and a text that is nowhere quoted is the
            sentence that speaks of it.
    """

    node: float = -0.2
    link: float = -0.4
    parent: float = 2.0
    child: float = 0.5
    full: float = 0.0
    lacking: float = 0.0
    twice: float = 0.0
    maker: float = 0.0
    ask_below: float = 0.1
    slope: float = 1.0
    shift: float = 0.0
    spoken: bool = False


@dataclass(frozen=True, kw_only=True)
class Known:
    """A table of tasks that the weights were trained on.

    Attributes:
        name: of the table, e.g. `hub`.
        tasks: names, in the order of their rows.
        first: row of the first of them.
        decoding: how scores become a plan over this table.
    """

    name: str
    tasks: tuple[str, ...]
    first: int
    decoding: Decoding


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A trained planner.

    Attributes:
        layers: the encoder's own top layers, by their names in the encoder's file.
        head: weights of the head.
        tables: what it was trained on, the table that is used where no other fits better first.
        card: on what it was trained, and how it scores; plain JSON.
        encoder: name of the one that it was trained on, and plans with.
    """

    layers: dict[str, Floats]
    head: dict[str, Floats]
    tables: tuple[Known, ...]
    card: dict[str, Any]
    encoder: str = MiniLM.name

    def known(self, tasks: Iterable[str]) -> Known:
        """The table of training that has most of these tasks, however they are spelt; the first of those that have as many."""
        names = {hub_spelling(n) for n in tasks}
        return max(self.tables, key=lambda k: len({hub_spelling(n) for n in k.tasks} & names))

    def rows(self, tasks: Iterable[str]) -> list[int]:
        """For each task the row that training made for it; -1 where it never saw it."""
        names = list(tasks)
        known = self.known(names)
        own = {hub_spelling(name): known.first + i for i, name in enumerate(known.tasks)}
        return [own.get(hub_spelling(name), -1) for name in names]

    @classmethod
    def load(cls, path: Path | str, encoder: str = MiniLM.name) -> Weights:
        """Read a file.

        Args:
            path: of the file.
            encoder: name of the one that is to plan.

        Raises:
            WeightsError: the file is missing, broken, or of another version or encoder.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="numpy") as f:
                facts = f.metadata() or {}
                kept = {name: f.get_tensor(name) for name in f.keys()}  # noqa: SIM118  # not a dict
        except (OSError, SafetensorError) as e:
            raise WeightsError(f"The planner's weights {str(path)!r} cannot be read: {e}.", remedy="Check the path.") from e
        if facts.get("format") != FORMAT:
            raise WeightsError(_unfit(path, facts, encoder), remedy="Train it again with this version: hugginggpt train planner.")
        if not same_encoder(facts.get("encoder", ""), encoder):
            raise WeightsError(_unfit(path, facts, encoder), remedy=other_encoder(facts.get("encoder", ""), encoder))
        try:
            tables = TypeAdapter(tuple[Known, ...]).validate_json(facts["tables"])
            card: dict[str, Any] = TypeAdapter(dict[str, Any]).validate_json(facts["card"])
        except (KeyError, ValidationError) as e:
            raise WeightsError(f"{str(path)!r} is a planner's weights, but what it says of itself is broken: {e}.") from e
        arrays = _restored(kept)
        layers = {k: v for k, v in arrays.items() if k.startswith(_LAYERS)}
        head = {k: v for k, v in arrays.items() if k not in layers}
        rows = min(len(head.get(name, ())) for name in ("own_bias", "described"))
        if not tables or any(not 0 <= k.first <= rows - len(k.tasks) for k in tables):
            raise WeightsError(f"{str(path)!r} is a planner's weights, but what it says of itself is broken: {rows} tasks have weights.")
        return cls(layers=layers, head=head, tables=tables, card=card, encoder=facts["encoder"])

    def save(self, path: Path | str) -> None:
        """Write the file, whole or not at all: the encoder's matrices in 8 bits with a scale for each row, all else in 16."""
        from safetensors.numpy import save

        facts = {
            "format": FORMAT,
            "encoder": self.encoder,
            "tables": json.dumps([asdict(k) for k in self.tables]),
            "card": json.dumps(self.card, ensure_ascii=False),
        }
        target = Path(path)
        new = target.with_name(f".{target.name}.new")
        new.write_bytes(save(stored(self.layers) | stored(self.head), metadata=facts))
        new.replace(target)


def _unfit(path: Path | str, facts: Mapping[str, str], encoder: str) -> str:
    there = f"{facts.get('format', 'no planner')!r} for {facts.get('encoder')!r}"
    return f"{str(path)!r} holds {there}; {FORMAT!r} for {encoder!r} is needed."


def same_encoder(one: str, other: str) -> bool:
    """Whether two names are of one encoder: a folder may be called otherwise by now, its model file tells."""
    return one == other or (_DIGEST in one and one.partition(_DIGEST)[2] == other.partition(_DIGEST)[2])


def other_encoder(trained: str, encoder: str) -> str:
    """What to do where weights were trained on one encoder and are to plan with another; both by name."""
    use = "leave out --encoder (HUGGINGGPT_ENCODER)" if trained == MiniLM.name else f"set {trained.partition(' ')[0]} with --encoder FOLDER"
    train = "hugginggpt train planner" + ("" if encoder == MiniLM.name else " --encoder FOLDER")
    return f"Either {use}, or train weights on this encoder ({train}) and name them with --planner FILE."


def stored(arrays: Mapping[str, Floats]) -> dict[str, Any]:
    """Arrays as the file holds them."""
    import numpy as np

    out: dict[str, Any] = {}
    for name, value in arrays.items():
        if name.startswith(_LAYERS) and value.ndim == 2:
            scale = (np.abs(value).max(1) / 127).astype(np.float16).clip(_LEAST).astype(np.float32)
            out[name] = np.round(value / scale[:, None]).clip(-127, 127).astype(np.int8)
            out[name + _SCALE] = scale.astype(np.float16)
        else:
            out[name] = np.ascontiguousarray(value.astype(np.float16))
    return out


def as_stored(arrays: Mapping[str, Floats]) -> dict[str, Floats]:
    """Arrays as they come back from the file, so that figures are those of what is kept."""
    return _restored(stored(arrays))


def _restored(kept: Mapping[str, Any]) -> dict[str, Floats]:
    import numpy as np

    out: dict[str, Floats] = {k: v.astype(np.float32) for k, v in kept.items() if not k.endswith(_SCALE)}
    for name in [k for k in kept if k.endswith(_SCALE)]:
        out[name.removesuffix(_SCALE)] *= kept[name].astype(np.float32)[:, None]
    return out
