"""A Ray cluster of two nodes on this machine, one of which is killed half-way: `python two_nodes.py ENCODER TEXTS`. Prints JSON.

A script of its own, so that Ray's threads, sockets and warnings stay out of pytest.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import ray
from ray._private.state import available_resources_per_node
from ray.cluster_utils import Cluster

from langchain_hugginggpt.index.catalogue import load_catalogue
from langchain_hugginggpt.index.encoders import RayEncoder, bulk, load_encoder


def texts(many: int) -> list[str]:
    """Real ones, all different: what two cards of the catalogue say."""
    said = [c.text for c in load_catalogue() if c.text]
    return [f"{said[i % len(said)]} {said[(7 * i + i // len(said)) % len(said)][:150]}" for i in range(many)]


def main(name: str, many: int) -> None:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    node = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    ray.init(address=cluster.address, log_to_driver=False)
    killed: list[float] = []
    far = RayEncoder(name, progress=killer(cluster, node, killed))
    given = texts(many)
    vectors = far.encode(given)
    alive = sum(n["Alive"] for n in ray.nodes())  # type: ignore[no-untyped-call]
    ray.shutdown()
    cluster.shutdown()  # type: ignore[no-untyped-call]
    near = load_encoder(name)
    local = bulk(near).encode(given)
    first, far_first = (np.argsort(-(local[:20] @ v.T), 1)[:, :10] for v in (local, vectors))
    found = {
        "same_name": far.name == near.name,
        "shape": vectors.shape,
        "least_cosine": float((vectors * local).sum(1).min()),
        "least_cosine_to_numpy": float((vectors[-200:] * near.encode(given[-200:])).sum(1).min()),
        "same_ten": float(np.mean([len({*a} & {*b}) / 10 for a, b in zip(first, far_first, strict=True)])),
        "killed_at": killed,
        "alive": alive,
    }
    print(json.dumps(found))


def killer(cluster: Cluster, node: Any, killed: list[float]) -> Callable[[int, int], None]:
    """Kills the node, as `kill -9` does, once half of the shards have come and a worker sits on it."""

    def progress(done: int, shards: int) -> None:
        if killed or 2 * done < shards:
            return
        until = time.monotonic() + 30
        while free(node) >= 1 and time.monotonic() < until:
            time.sleep(0.05)  # nothing tells when the cluster's state changes
        cluster.remove_node(node, allow_graceful=False)
        killed.append(done / shards)

    return progress


def free(node: Any) -> float:
    """Processors of a node that nothing takes."""
    resources = available_resources_per_node()  # type: ignore[no-untyped-call]
    return float(resources.get(node.node_id, {}).get("CPU", 0))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
