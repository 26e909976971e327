"""Models in memory: once, bounded, pinned while in use, dropped when idle."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from langchain_hugginggpt.tools.errors import ModelRefusedError
from langchain_hugginggpt.tools.runners.local.loaded import LoadedModel
from langchain_hugginggpt.tools.runners.local.model_files import ModelFiles
from langchain_hugginggpt.tools.runners.local.pool import ModelPool
from langchain_hugginggpt.tools.runners.workers import Abandoned, Workers


class Weights:
    """Stands for a model's weights."""


def model(size: int = 10) -> LoadedModel:
    files = ModelFiles(id="a/b", folder=Path("/nowhere"), layout="transformers", config={}, weights=())
    return LoadedModel(files=files, model=Weights(), bytes=size)


class Loading:
    """Loads models, counts how often, and waits where it is told to."""

    def __init__(self, size: int = 10, *, wait: bool = False, fail: Exception | None = None) -> None:
        self.size = size
        self.count = 0
        self.begun = threading.Event()
        self.go = threading.Event()
        self.fail = fail
        if not wait:
            self.go.set()

    def __call__(self) -> LoadedModel:
        self.count += 1
        self.begun.set()
        self.go.wait(30)
        if self.fail is not None:
            raise self.fail
        return model(self.size)


def in_threads(count: int, work: Callable[[], Any]) -> tuple[list[threading.Thread], list[Any]]:
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception as e:
            found.append(e)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
    for t in threads:
        t.start()
    return threads, found


def joined(threads: list[threading.Thread]) -> None:
    for t in threads:
        t.join(30)
    assert not any(t.is_alive() for t in threads)


def used(pool: ModelPool, key: str, load: Callable[[], LoadedModel], expected: int = 10) -> int:
    with pool.use(key, expected, load) as held:
        return id(held)


def test_many_callers_load_a_model_once() -> None:
    pool, load = ModelPool(max_bytes=100), Loading(wait=True)
    threads, found = in_threads(10, lambda: used(pool, "a", load))
    assert load.begun.wait(10)
    load.go.set()
    joined(threads)
    assert load.count == 1
    assert len(found) == 10
    assert len(set(found)) == 1


def test_all_who_wait_hear_why_a_model_cannot_be_loaded_and_the_next_may_try_again() -> None:
    pool, load = ModelPool(max_bytes=100), Loading(wait=True, fail=ModelRefusedError("it is damaged"))
    threads, found = in_threads(4, lambda: used(pool, "a", load))
    assert load.begun.wait(10)
    while pool._held["a"].users < 4:  # all four wait
        pass
    load.go.set()
    joined(threads)
    assert [str(e) for e in found] == ["it is damaged"] * 4
    assert load.count == 1
    assert pool.bytes == 0
    assert used(pool, "a", Loading())


def test_when_the_one_who_loads_gives_up_another_loads() -> None:
    pool, first, second = ModelPool(max_bytes=100), Loading(wait=True), Loading()

    def gives_up() -> LoadedModel:
        first()
        raise Abandoned

    def abandoned() -> str:
        try:
            used(pool, "a", gives_up)
        except Abandoned:
            return "gave up"
        return "loaded"

    leaving, left = in_threads(1, abandoned)
    assert first.begun.wait(10)
    waiting, found = in_threads(1, lambda: used(pool, "a", second))
    while pool._held["a"].users < 2:
        pass
    first.go.set()
    joined(leaving + waiting)
    assert left == ["gave up"]
    assert second.count == 1
    assert isinstance(found[0], int)


def test_room_is_made_by_dropping_what_was_unused_longest() -> None:
    pool = ModelPool(max_bytes=30)
    for key in ("a", "b", "c"):
        used(pool, key, Loading())
    used(pool, "a", Loading())
    used(pool, "d", Loading())
    assert [k for k in ("a", "b", "c", "d") if k in pool] == ["a", "c", "d"]
    assert pool.bytes == 30


def test_what_is_in_use_stays_and_who_needs_its_room_waits() -> None:
    pool, other = ModelPool(max_bytes=15), Loading()
    with pool.use("a", 10, Loading()) as held:
        threads, found = in_threads(1, lambda: used(pool, "b", other))
        assert not other.begun.wait(0.2)
        assert "a" in pool
        assert held.model
    joined(threads)
    assert isinstance(found[0], int)
    assert "a" not in pool


def test_the_bytes_are_those_that_were_counted_after_loading() -> None:
    pool = ModelPool(max_bytes=100)
    used(pool, "a", Loading(size=80), expected=10)
    assert pool.bytes == 80
    used(pool, "b", Loading(size=40), expected=10)  # turned out larger than expected: what is spare goes
    assert pool.bytes == 40
    assert "a" not in pool


def test_a_model_larger_than_the_bound_is_refused_unloaded() -> None:
    load = Loading()
    with pytest.raises(ModelRefusedError, match=r"3\.0 GB in memory, and the models in memory may take 2\.0 GB") as e:
        used(ModelPool(max_bytes=2 * 10**9), "a", load, expected=3 * 10**9)
    assert load.count == 0
    assert "--max-memory" in e.value.remedy


def test_one_caller_at_a_time_computes_with_a_model() -> None:
    pool, inside, most = ModelPool(max_bytes=100), 0, 0

    def compute() -> None:
        nonlocal inside, most
        with pool.use("a", 10, Loading()):
            inside += 1
            most = max(most, inside)
            threading.Event().wait(0.01)
            inside -= 1

    threads, _ = in_threads(8, compute)
    joined(threads)
    assert most == 1


def test_a_dropped_model_is_free_of_every_reference() -> None:
    pool = ModelPool(max_bytes=15)
    with pool.use("a", 10, Loading()) as held:
        weights = weakref.ref(held.model)
    del held
    used(pool, "b", Loading())
    gc.collect()
    assert weights() is None


def test_an_idle_model_is_dropped() -> None:
    pool = ModelPool(max_bytes=100, idle_seconds=0.05)
    used(pool, "a", Loading())
    with pool._changed:
        assert pool._changed.wait_for(lambda: not pool._held, 20)
    assert pool.bytes == 0


def test_a_forgotten_model_serves_those_who_have_it_and_is_loaded_anew_for_others() -> None:
    pool, again = ModelPool(max_bytes=100), Loading()
    with pool.use("a", 10, Loading()) as held:
        pool.forget("a")
        assert used(pool, "a", again) != id(held)
        assert held.model
    assert again.count == 1


def test_who_waits_for_a_model_that_hangs_loads_it_anew_once_it_is_forgotten() -> None:
    pool, again = ModelPool(max_bytes=100), Loading()
    with pool.use("a", 10, Loading()) as held:
        threads, found = in_threads(2, lambda: used(pool, "a", again))
        while pool._held["a"].users < 3:
            pass
        pool.forget("a")
        joined(threads)
        assert id(held) not in found
    assert again.count == 1


def test_clear_drops_what_nobody_uses() -> None:
    pool = ModelPool(max_bytes=100)
    used(pool, "a", Loading())
    with pool.use("b", 10, Loading()):
        pool.clear()
        assert "a" not in pool
        assert "b" in pool


def test_a_pool_that_nobody_has_goes_with_its_models_though_they_would_be_dropped_only_later() -> None:
    pool = ModelPool(max_bytes=100, idle_seconds=900)
    with pool.use("a", 10, Loading()) as held:
        weights = weakref.ref(held.model)
    del held, pool
    gc.collect()
    assert weights() is None


@pytest.mark.parametrize("waits_for", ["room", "its turn", "a load"])
def test_a_call_that_is_given_up_while_it_waits_leaves_its_thread(waits_for: str) -> None:
    pool, workers, end = ModelPool(max_bytes=10), Workers(2), threading.Event()
    loading = Loading(wait=waits_for == "a load")

    def hold(_: Any) -> None:
        with pool.use("a", 10, loading):
            end.wait(30)

    def wait(_: Any) -> None:
        inside.append(threading.current_thread())
        used(pool, "b" if waits_for == "room" else "a", Loading())

    inside: list[threading.Thread] = []
    workers.submit(hold)
    assert loading.begun.wait(30)
    job = workers.submit(wait)
    while not inside:
        pass
    job.abandon()
    inside[0].join(20)
    left, users = not inside[0].is_alive(), pool._held["a"].users
    loading.go.set()
    end.set()
    assert left
    assert users == 1
