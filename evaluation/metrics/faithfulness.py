"""Faithfulness of a reply: whether what it claims occurs in the trace of its run.

HuggingGPT (arXiv 2303.17580) has no such metric; this one is this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...agent.trace import Reply
from ..record import Score
from .claims import Claim, claims_of
from .evidence import evidence_of


@dataclass(frozen=True, kw_only=True)
class Faithfulness:
    """How much of a reply the trace bears out.

    Attributes:
        claims: everything in the reply that can be looked up, in its order.
        unsupported: those that do not occur in the trace.
    """

    claims: tuple[Claim, ...]
    unsupported: tuple[Claim, ...]

    @property
    def score(self) -> Score | None:
        """(claims that hold, claims); None when the reply claims nothing that can be looked up."""
        return (float(len(self.claims) - len(self.unsupported)), float(len(self.claims))) if self.claims else None


def faithfulness(reply: Reply) -> Faithfulness:
    """Share of a reply's claims that occur in the trace of its run: request, plan, outputs, files, models, notes, errors and seconds.

    Formula: claims that hold over claims, summed over cases. Claims are files, quotes, marks of tasks and numbers in digits (see
    `claims_of`). A quote holds when the trace says it, whatever its case, blanks and kind of quotes; a file when the trace has its id,
    name or path; a mark such as [2] when the plan has a task of that id; a number when some number of the trace rounds to the digits
    shown, by its value: 0.98 and 98 % for 0.9834, 575 kB for 574,620 bytes. A bare digit must be there as it is, or count something: the
    elements of an output, tasks, files. Range 0..1, higher is better. Empty case: no score for a reply without such a claim.

    It sees what is made up, not what is left out, and not a true number in a wrong place. What a file holds is not in the trace.
    Source: this project.
    """
    evidence = evidence_of(reply.trace)
    claims = tuple(claims_of(reply.text, evidence.files))
    return Faithfulness(claims=claims, unsupported=tuple(c for c in claims if not evidence.holds(c)))
