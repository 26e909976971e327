"""The file that training writes: safetensors, with what it was trained on in its metadata."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from ....index.minilm import MiniLM
from ...errors import WeightsError

if TYPE_CHECKING:
    from ....index.minilm import Floats

FORMAT = "hugginggpt-planner/1"
_LAYERS = "encoder."


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
    """

    node: float = -0.1
    link: float = -1.0
    parent: float = 2.0
    child: float = 0.5
    full: float = 0.0
    lacking: float = 0.0


@dataclass(frozen=True, kw_only=True)
class TrainedWeights:
    """A trained planner.

    Attributes:
        layers: the encoder's own top layers, by their names in the encoder's file.
        head: weights of the head.
        known: names of the tasks that it was trained on, in the order of the rows that belong to them.
        decoding: how scores become a plan.
        card: on what it was trained, and how it scores; plain JSON.
    """

    layers: dict[str, Floats]
    head: dict[str, Floats]
    known: tuple[str, ...]
    decoding: Decoding
    card: dict[str, Any]

    @classmethod
    def load(cls, path: Path | str) -> TrainedWeights:
        """Read a file. Raises WeightsError when it is missing, broken, or of another version or encoder."""
        import numpy as np
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="numpy") as f:
                facts = f.metadata() or {}
                arrays = {name: f.get_tensor(name).astype(np.float32) for name in f.keys()}  # noqa: SIM118  # not a dict
        except (OSError, SafetensorError) as e:
            raise WeightsError(f"The planner's weights {str(path)!r} cannot be read: {e}.", remedy="Check the path.") from e
        if facts.get("format") != FORMAT or facts.get("encoder") != MiniLM.name:
            raise WeightsError(
                f"{str(path)!r} holds {facts.get('format', 'no planner')!r} for {facts.get('encoder')!r}; "
                f"{FORMAT!r} for {MiniLM.name!r} is needed.",
                remedy="Train it again with this version: hugginggpt train planner.",
            )
        try:
            known = TypeAdapter(tuple[str, ...]).validate_json(facts["known"])
            decoding = TypeAdapter(Decoding).validate_json(facts["decoding"])
            card: dict[str, Any] = TypeAdapter(dict[str, Any]).validate_json(facts["card"])
        except (KeyError, ValidationError) as e:
            raise WeightsError(f"{str(path)!r} is a planner's weights, but what it says of itself is broken: {e}.") from e
        layers = {k: v for k, v in arrays.items() if k.startswith(_LAYERS)}
        return cls(layers=layers, head={k: v for k, v in arrays.items() if k not in layers}, known=known, decoding=decoding, card=card)

    def save(self, path: Path | str) -> None:
        """Write the file, in half precision, whole or not at all."""
        import numpy as np
        from safetensors.numpy import save

        facts = {
            "format": FORMAT,
            "encoder": MiniLM.name,
            "known": json.dumps(self.known),
            "decoding": json.dumps(asdict(self.decoding)),
            "card": json.dumps(self.card, ensure_ascii=False),
        }
        target = Path(path)
        new = target.with_name(f".{target.name}.new")
        arrays = {k: np.ascontiguousarray(v.astype(np.float16)) for k, v in {**self.layers, **self.head}.items()}
        new.write_bytes(save(arrays, metadata=facts))
        new.replace(target)
