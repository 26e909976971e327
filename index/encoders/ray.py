"""Encoding on a Ray cluster: shards go to actors by Ray Data, and vectors come back in order, though nodes may die.

Source: https://docs.ray.io/en/latest/data/batch_inference.html and .../ray-core/fault-tolerance.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..errors import RemoteError
from ..minilm import Encoder
from .bulk import bulk
from .errors import EncoderError, missing
from .named import load_encoder
from .queries import QueryEncoder

if TYPE_CHECKING:
    from ray.data import Dataset

    from ..minilm import Floats

LEAST = 1024
"""Fewer texts are encoded here: starting the workers would take longer."""
_SHARD = 256
_CPUS = 4


class RayEncoder:
    """Encodes many texts on a Ray cluster; few texts, and queries, are encoded here.

    Workers are started anew for each call, which takes some ten seconds: give it many texts at once (`texts_at_once`). Every node needs
    this package installed, and an encoder's folder at the same path, whose hash is checked there. A shard whose node dies is encoded again
    on another.

    Args:
        name: of the encoder, as `load_encoder` takes it.
        address: of the cluster (`ray.init`): `auto`, `ray://HOST:PORT`. Not used when Ray is connected already. None: RAY_ADDRESS, or
            else a cluster of this machine alone.
        least: how many texts go to the cluster.
        progress: called with the shards of 256 texts that are encoded, and all of them, whenever one is.

    Raises:
        UnknownNameError, EncoderError: as `load_encoder`; or Ray is not installed.
    """

    texts_at_once = 20_000

    def __init__(
        self,
        name: str | None = None,
        *,
        address: str | None = None,
        least: int = LEAST,
        progress: Callable[[int, int], object] | None = None,
    ) -> None:
        if find_spec("ray") is None:
            raise missing("ray", "ray")
        self._local = load_encoder(name)
        self._address = address
        self._least = least
        self._progress = progress

    @property
    def name(self) -> str:
        """The encoder's: an index that was made on a cluster is searched without one."""
        return self._local.name

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, shape (len(texts), dimension), float32, in the order of `texts`.

        Raises:
            RemoteError: the cluster cannot be reached, or a worker failed in another way than by the death of its node.
            EncoderError: the cluster has no processor.
        """
        if len(texts) < self._least:
            return self._local.encode(texts)
        import numpy as np

        shards = [{"place": i, "texts": list(texts[i : i + _SHARD])} for i in range(0, len(texts), _SHARD)]
        found = self._encoded(shards)
        if len(found) < len(shards):
            raise RemoteError(f"The Ray cluster gave {len(found)} of {len(shards)} shards.", remedy="Run it again.")
        return np.concatenate([np.frombuffer(found[i], np.float32).reshape(len(texts[i : i + _SHARD]), -1) for i in sorted(found)])

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of queries, encoded here."""
        return self._local.encode_queries(texts) if isinstance(self._local, QueryEncoder) else self._local.encode(texts)

    def _encoded(self, shards: Sequence[Mapping[str, Any]]) -> dict[int, bytes]:
        """Vectors of each shard by its place, as they come."""
        import ray
        from ray.data import DataContext
        from ray.exceptions import RayError

        found: dict[int, bytes] = {}
        try:
            if not ray.is_initialized():
                ray.init(address=self._address, logging_level=logging.WARNING, log_to_driver=False)
            nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
            workers = share([node["Resources"] for node in nodes if node["Alive"]], len(shards))
            context = DataContext.get_current().copy()
            context.enable_progress_bars = False
            with DataContext.current(context):
                for row in _planned(shards, self.name, workers).iter_rows():
                    found[row["place"]] = row["vectors"]
                    if self._progress:
                        self._progress(len(found), len(shards))
        except (RayError, ConnectionError, RuntimeError) as e:
            said = str(e).strip().splitlines()
            raise RemoteError(
                f"Encoding on the Ray cluster failed: {type(e).__name__}: {said[-1][:300] if said else ''}",
                remedy="See `ray status` and the logs of its workers.",
            ) from e
        return found


@dataclass(frozen=True, kw_only=True)
class Share:
    """How the cluster is shared out.

    Attributes:
        workers: how many, >= 1.
        cpus, gpus: that each of them takes.
    """

    workers: int
    cpus: int
    gpus: int


def share(nodes: Iterable[Mapping[str, float]], shards: int) -> Share:
    """One worker for each GPU where the cluster has any, else one for every four processors of a node, and no more than there are shards.

    Args:
        nodes: resources of each node that is alive, e.g. `{"CPU": 8.0, "GPU": 1.0}`.
        shards: how many there are to encode, >= 1.

    Raises:
        EncoderError: there is no processor.
    """
    cpus = [int(n.get("CPU", 0)) for n in nodes]
    gpus = [int(n.get("GPU", 0)) for n in nodes]
    if sum(gpus):
        return Share(workers=min(sum(gpus), shards), cpus=1, gpus=1)
    if not sum(cpus):
        raise EncoderError("The Ray cluster has no node with a processor.", remedy="Add one: ray start --address=HEAD:PORT --num-cpus=N.")
    each = min(_CPUS, min(c for c in cpus if c))
    return Share(workers=min(sum(c // each for c in cpus), shards), cpus=each, gpus=0)


def _planned(shards: Sequence[Mapping[str, Any]], name: str, shared: Share) -> Dataset:
    """One row of vectors for each shard, in any order. Ray Data starts actors anew, and their lost rows, as often as it takes."""
    import ray.data

    worker: Any = _Worker  # Ray's types know of functions only
    return ray.data.from_items(list(shards), override_num_blocks=len(shards)).map(
        worker,
        fn_constructor_args=(name,),
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=shared.workers),
        num_cpus=shared.cpus,
        num_gpus=shared.gpus or None,
    )


class _Worker:
    """Encodes shards in an actor, by the encoder of that name as it is on that node."""

    def __init__(self, name: str) -> None:
        self._encoder: Encoder = bulk(load_encoder(name))

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"place": row["place"], "vectors": self._encoder.encode(list(row["texts"])).tobytes()}
