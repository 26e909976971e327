"""Encoding on a Ray cluster: how it is shared out, and two nodes of which one dies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from langchain_hugginggpt.index import MiniLM
from langchain_hugginggpt.index.encoders import EncoderError, RayEncoder
from langchain_hugginggpt.index.encoders.ray import Share, share
from langchain_hugginggpt.index.errors import UnknownNameError

TWO_NODES = Path(__file__).with_name("two_nodes.py")
with_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'langchain-hugginggpt[ray]'")


@with_ray
def test_a_node_that_is_killed_half_way_costs_nothing() -> None:
    """On the real encoder: every vector in its place, as it is without a cluster."""
    run = subprocess.run(
        [sys.executable, str(TWO_NODES), "minilm", "2048"],
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    found = json.loads(next(line for line in run.stdout.splitlines() if line.startswith("{")))  # Ray prints around it
    assert found["killed_at"], "the node was not killed"
    assert found["killed_at"][0] < 1
    assert found["alive"] == 1
    assert found["same_name"]
    assert found["shape"] == [2048, 384]
    assert found["least_cosine"] >= 0.9999
    assert found["least_cosine_to_numpy"] >= 0.9999
    assert found["same_ten"] == 1  # the ten nearest of each of twenty


@with_ray
def test_few_texts_and_queries_start_no_cluster() -> None:
    encoder, near = RayEncoder("minilm", address="127.0.0.1:1"), MiniLM()
    np.testing.assert_allclose(encoder.encode(["a cat"]), near.encode(["a cat"]))
    np.testing.assert_allclose(encoder.encode_queries(["a cat"]), near.encode(["a cat"]))
    assert encoder.name == near.name


@with_ray
def test_a_wrong_name_is_told_before_any_cluster() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'minilm'"):
        RayEncoder("minilmm")


@pytest.mark.parametrize(
    ("nodes", "shards", "shared"),
    [
        ([{"CPU": 8.0}, {"CPU": 8.0}], 100, Share(workers=4, cpus=4, gpus=0)),
        ([{"CPU": 1.0}, {"CPU": 9.0}, {}], 100, Share(workers=10, cpus=1, gpus=0)),
        ([{"CPU": 0.0}, {"CPU": 64.0}], 3, Share(workers=3, cpus=4, gpus=0)),
        ([{"CPU": 64.0}, {"CPU": 8.0, "GPU": 2.0}], 100, Share(workers=2, cpus=1, gpus=1)),
    ],
)
def test_a_cluster_is_shared_out(nodes: list[dict[str, float]], shards: int, shared: Share) -> None:
    assert share(nodes, shards) == shared


def test_a_cluster_without_processors_is_told() -> None:
    with pytest.raises(EncoderError, match="no node with a processor"):
        share([{"memory": 1.0}, {"CPU": 0.0}], 1)
