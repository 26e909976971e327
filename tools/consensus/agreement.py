"""How far experts agree about one output. JSON both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LOW = 0.375
"""Below this agreement experts count as disagreeing: `benchmarks/consensus.py` finds most of the wrong answers there."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What several experts said about the same input.

    Attributes:
        score: 0..1; 1 when all said the same, which is not to say that it is right.
        definition: one sentence: how the score is computed for this kind of output.
        experts: by model id, best candidate first: the short form of what it said; at least two.
        dissent: those of the experts whose answer differs from the agreed one, and what they said.
        failures: by model id: why it gave no output, or none that can be compared.
    """

    score: float
    definition: str
    experts: dict[str, str]
    dissent: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def is_low(self) -> bool:
        """Whether the experts disagree: the score is below 0.375."""
        return self.score < LOW

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, every field present; the score with four digits."""
        return {
            "score": round(self.score, 4),
            "definition": self.definition,
            "experts": dict(self.experts),
            "dissent": dict(self.dissent),
            "failures": dict(self.failures),
        }

    @classmethod
    def together(cls, parts: Sequence[Agreement | None]) -> Agreement | None:
        """That of an output made of several, as of pages: the lowest, and what each expert said of which part, counted from 1.

        Args:
            parts: one for each part; None where nobody could be asked to agree about it.

        Returns:
            None where that is so for all.
        """
        known = {n: p for n, p in enumerate(parts, 1) if p is not None}
        if not known or len(parts) == 1:
            return parts[0] if parts else None
        lowest = min(known.values(), key=lambda p: p.score)
        of = f"{len(parts)} parts" if len(known) == len(parts) else f"{len(known)} of {len(parts)} parts, the others having one answer"
        return cls(
            score=lowest.score,
            definition=f"The lowest over {of}. Of each: {lowest.definition}",
            experts=_by_part({n: p.experts for n, p in known.items()}),
            dissent=_by_part({n: p.dissent for n, p in known.items()}),
            failures=_by_part({n: p.failures for n, p in known.items()}),
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Agreement:
        """Read what `as_json` wrote."""
        return cls(
            score=data["score"],
            definition=data["definition"],
            experts=dict(data["experts"]),
            dissent=dict(data.get("dissent", {})),
            failures=dict(data.get("failures", {})),
        )

    def summary(self) -> str:
        """One line for people and language models, as in "0.61 of 1 among 3 experts; lab/b says dog (0.90)"."""
        others = "; ".join(f"{model} says {said}" for model, said in self.dissent.items())
        return f"{self.score:.2f} of 1 among {len(self.experts)} experts" + (f"; {others}" if others else "")


def _by_part(told: Mapping[int, Mapping[str, str]]) -> dict[str, str]:
    """By model id: what is told of it for each part."""
    models = dict.fromkeys(model for part in told.values() for model in part)
    return {model: "; ".join(f"{n}: {part[model]}" for n, part in told.items() if model in part) for model in models}
