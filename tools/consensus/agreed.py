"""What several experts agree on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..outputs import check_output
from ..task import HubTask
from .agreement import LOW, Agreement
from .independence import failed_alike, related
from .merged import Merged, short
from .panel import Answer
from .rules import Rule, rule_for

if TYPE_CHECKING:
    from ...index.minilm import Encoder


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """What several experts agree on.

    Attributes:
        values: by output port.
        notes: what a reader must know to judge it.
        agreement: how far they agree; None where there was nobody to agree with.
        nearest: number of the answer that is nearest to the agreed one.
    """

    values: Mapping[str, Any]
    notes: tuple[str, ...]
    agreement: Agreement | None
    nearest: int


def agree(
    task: HubTask, answers: Sequence[Answer], failures: Mapping[str, str], encoder: Encoder, *, alone: str = "no other can run here"
) -> Agreed:
    """Put answers together. One alone stands, with a note.

    Args:
        task: a task whose outputs can be compared (`rules.incomparable`).
        answers: at least one, the best candidate's first; each is of one port of the task's, and of its form.
        failures: by model id: why others gave no output.
        encoder: what texts are compared by meaning with.
        alone: why there is one answer, where nobody failed.
    """
    if len(answers) == 1:
        alone = "the others failed" if failures else alone
        return _first(answers, f"nobody could be asked to agree with {answers[0].candidate.card.id}: {alone}", failures)
    rule = rule_for(task, encoder)
    why = [rule.odd(a.output.values[rule.port.name]) for a in answers]
    if all(why):
        return _first(answers, f"the answers could not be compared: of {answers[0].candidate.card.id} {why[0]}", failures)
    if any(why):
        return _of_those_that_can_be_compared(task, answers, why, failures, encoder)
    try:
        merged = _merged(rule, [a.output.values[rule.port.name] for a in answers])
        values = {**answers[merged.nearest].output.values, **rule.follows(merged.value), rule.port.name: merged.value}
        for port in task.outputs:
            check_output(task.name, port, values[port.name])
    except Exception as e:  # an answer must not be lost because it could not be compared
        return _first(answers, f"the answers could not be compared ({type(e).__name__}: {e!s:.200}): this is the first expert's", failures)
    return Agreed(
        values={p.name: values[p.name] for p in task.outputs},
        notes=_notes(answers, merged, failures),
        agreement=_agreement(answers, merged, rule, failures),
        nearest=merged.nearest,
    )


def _of_those_that_can_be_compared(
    task: HubTask, answers: Sequence[Answer], why: Sequence[str], failures: Mapping[str, str], encoder: Encoder
) -> Agreed:
    places = [n for n, w in enumerate(why) if not w]
    odd = {a.candidate.card.id: w for a, w in zip(answers, why, strict=True) if w}
    found = agree(task, [answers[n] for n in places], {**failures, **odd}, encoder)
    return replace(found, nearest=places[found.nearest])


def _merged(rule: Rule, values: Sequence[Any]) -> Merged:
    merged = rule.merge(values)
    if len({json.dumps(v, sort_keys=True) for v in values}) > 1:
        return merged
    return replace(merged, value=values[0], score=1.0, differs=(False,) * len(values), nearest=0)  # as it stands, unrounded


def _agreement(answers: Sequence[Answer], merged: Merged, rule: Rule, failures: Mapping[str, str]) -> Agreement:
    ids = [a.candidate.card.id for a in answers]
    return Agreement(
        score=merged.score,
        definition=rule.definition,
        experts=dict(zip(ids, merged.said, strict=True)),
        dissent={i: s for i, s, differs in zip(ids, merged.said, merged.differs, strict=True) if differs},
        failures={model: short(why) for model, why in failures.items()},
    )


def _notes(answers: Sequence[Answer], merged: Merged, failures: Mapping[str, str]) -> tuple[str, ...]:
    """Doubts about the agreement, and what the experts note; what the nearest one notes goes for the output, the rest is theirs."""
    ids = [a.candidate.card.id for a in answers]
    said = "; ".join(f"{model} says {s}" for model, s in zip(ids, merged.said, strict=True))
    low = (f"the experts disagree (agreement {merged.score:.2f} of 1): {said}",) if merged.score < LOW else ()
    own = answers[merged.nearest].output.notes
    others = tuple(f"{a.candidate.card.id}: {note}" for a in answers for note in a.output.notes if note not in own)
    return (*low, *merged.notes, *related([a.candidate.card for a in answers]), *failed_alike(failures), *own, *others)


def _first(answers: Sequence[Answer], note: str, failures: Mapping[str, str]) -> Agreed:
    output = answers[0].output
    return Agreed(values=output.values, notes=(note, *failed_alike(failures), *output.notes), agreement=None, nearest=0)
