"""The card that is written beside trained weights: on what they were trained, how they score, how to make them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...index.minilm import MiniLM

_TEXT = """\
# {name}

The embedded planner of langchain-hugginggpt: the two top layers of {encoder}, adapted, under a head that finds the tasks of a
request, where it speaks of each, and what flows between them. {size}. No torch is needed to plan with it.

## Trained on

| table of tasks | tasks | requests |
| --- | --- | --- |
{trained_on}

The requests over the Hub's tasks come with the package (`evaluation/training/requests`: written by language models in the roles of many
people, and put together out of these); {data}. {epochs} epochs, seed {seed},
{minutes:.0f} minutes.

## How it scores on requests that it was not trained on

Every twentieth request, by its id. The thresholds were chosen on these same requests, so the figures are a little kind. Exact: all
tasks, links and repetitions are right.

| table of tasks | requests | n-F1 | e-F1 | exact |
| --- | --- | --- | --- | --- |
{held_out}

Tasks that it was not trained on are found by name and summary: n-F1 {unseen:.1f} on requests for invented tools that were held out, each
among all of these; {alarms:.1f} % of the requests that want none of these tools are given one.

## Limits

{languages} A request is read to 256 tokens; of a longer one the beginning and the end. It does not reason: what no words say is not
planned.

## Make it again

    hugginggpt train planner {command}--epochs {epochs} --seed {seed} --out {name}.safetensors

Weights and card are those of one machine: another processor rounds otherwise.
"""

_ENGLISH = "English."
_OTHER = "The requests that come along are English; what the encoder carries over to other languages was not measured."


def card_text(name: str, encoder: str, size: int, card: Mapping[str, Any]) -> str:
    """Markdown.

    Args:
        name: of the weights.
        encoder: on which they stand.
        size: of the file, in bytes.
        card: `Weights.card`.
    """
    held, packaged = card["held_out"], encoder == MiniLM.name
    data = [str(d["name"]) for d in card["data"]]
    return _TEXT.format(
        name=name,
        encoder=encoder,
        size=f"{size / 1e6:.1f} MB",
        trained_on="\n".join(f"| {g['name']} | {g['tasks']} | {g['requests']:,} |" for g in card["trained_on"]),
        data="beside them " + ", ".join(data) if data else "nothing else",
        held_out="\n".join(f"| {n} | {h['requests']} | {h['n_f1']:.1f} | {h['e_f1']:.1f} | {h['exact']:.1f} |" for n, h in held.items()),
        unseen=card["invented_tools"]["n_f1"],
        alarms=card["invented_tools"]["false_alarms"],
        epochs=card["epochs"],
        seed=card["seed"],
        minutes=card["seconds"] / 60,
        languages=_ENGLISH if packaged else _OTHER,
        command="".join(f"--data {name} " for name in data) + ("" if packaged else "--encoder FOLDER "),
    )
