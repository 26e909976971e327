"""Weights that say nothing but what a test gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from langchain_hugginggpt.agent.planners.embedded.scoring import LINK, MODES, SPOT, UNITS
from langchain_hugginggpt.agent.planners.embedded.telling import GIVEN, KINDS, PAIR_FEATURES
from langchain_hugginggpt.agent.planners.embedded.unseen import FEATURES
from langchain_hugginggpt.agent.planners.embedded.weights import Decoding, Known, Weights

TASKS = ("automatic-speech-recognition", "summarization", "text-to-speech", "image-classification")
WIDE = 384
_FLAGS = 2 * len(KINDS)
_SHAPES = {
    "ask": (UNITS, WIDE + _FLAGS), "key": (UNITS, WIDE), "value": (UNITS, WIDE), "files": (UNITS, GIVEN), "logit": (2, UNITS),
    "match": (UNITS, WIDE), "where": (SPOT, WIDE + _FLAGS), "mode": (MODES, WIDE + GIVEN),
    "mix.qkv": (3 * UNITS, UNITS), "mix.attended": (UNITS, UNITS), "mix.inner": (2 * UNITS, UNITS), "mix.outer": (UNITS, 2 * UNITS),
    "linker.source": (LINK, UNITS), "linker.target": (LINK, UNITS), "linker.pair1": (LINK, 3 * LINK + PAIR_FEATURES),
    "linker.pair2": (1, LINK), "linker.rank1": (32, LINK + 6), "linker.rank2": (1, 32), "linker.root": (1, LINK + 2 + GIVEN),
}  # fmt: skip


_NAMED = {"mode_bias": "mode.bias", "logit_bias": "logit.bias", "links": "linker.pair2.bias"}


def weights(tasks: Sequence[str] = TASKS, decoding: Decoding | None = None, name: str = "hub", **own: Any) -> Weights:
    """For a table of tasks; every array is 0, nothing flows, each request wants something, but no task that is not known.

    Args:
        tasks: that the weights know.
        decoding: how scores become a plan.
        name: of the table.
        own: arrays of the head; `own_bias` says which tasks are asked for, `mode_bias` what a request is, `logit_bias` whether
            tasks are asked for (first) and more than once (second), and `links` whether what fits flows.
    """
    head: dict[str, Any] = {}
    for layer, shape in _SHAPES.items():
        head |= {f"{layer}.weight": np.zeros(shape, np.float32), f"{layer}.bias": np.zeros(shape[0], np.float32)}
    head["linker.pair2.bias"] -= 5  # nothing flows
    head["mode.bias"] += np.array([9, 0, 0], np.float32)  # something is to be run
    for norm in ("norm_q", "norm_s", "mix.norm1", "mix.norm2"):
        head |= {f"{norm}.weight": np.ones(UNITS, np.float32), f"{norm}.bias": np.zeros(UNITS, np.float32)}
    head |= {"spot.weight": np.zeros((SPOT, WIDE), np.float32), "listen": np.zeros(WIDE, np.float32)}
    for what, width in (("query", WIDE), ("weight", WIDE), ("state", UNITS), ("where", SPOT)):
        head[f"own_{what}"] = np.zeros((len(tasks), width), np.float32)
    head |= {"own_bias": np.zeros(len(tasks), np.float32), "described": np.zeros((len(tasks), WIDE), np.float32)}
    head["unseen.weight"] = np.array([0.0] * (FEATURES - 1) + [-9.0], np.float32)
    given = {_NAMED.get(n, n): np.array(v, np.float32) for n, v in own.items()}
    assert given.keys() <= head.keys(), given.keys() - head.keys()
    assert {n: v.shape for n, v in given.items()} == {n: head[n].shape for n in given}
    known = Known(name=name, tasks=tuple(tasks), first=0, decoding=decoding or Decoding())
    return Weights(layers={}, head=head | given, tables=(known,), card={"requests": 3})
