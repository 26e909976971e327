"""Loaded models: each once however many callers it has, together no larger than a bound, dropped when nobody needs them."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ....index.text import size_text
from ...errors import ModelRefusedError
from ..workers import check_abandoned, when_abandoned
from .devices import free_memory
from .loaded import LoadedModel


@dataclass(kw_only=True, eq=False)
class _Held:
    bytes: int
    model: LoadedModel | None = None
    failure: BaseException | None = None
    users: int = 1
    busy: bool = False
    forgotten: bool = False
    given_back: float = 0.0


class ModelPool:
    """The models in memory. Safe to share between threads and runners.

        with pool.use("org/name", 500_000_000, load) as model:
            …                                            # nobody drops it meanwhile, and nobody else computes with it

    Args:
        max_bytes: what the weights in memory may take together, or a function that tells it when the first model is loaded. Default:
            half of the memory that is free then.
        idle_seconds: a model that nobody has used for so long is dropped; None: only when its room is needed.
    """

    def __init__(self, *, max_bytes: int | Callable[[], int] | None = None, idle_seconds: float | None = 900.0) -> None:
        self._max_bytes = max_bytes
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._held: OrderedDict[Hashable, _Held] = OrderedDict()  # the least recently used first
        self._timer: threading.Timer | None = None

    @property
    def bytes(self) -> int:
        """What the weights in memory take together, those that are just being loaded included."""
        with self._changed:
            return sum(h.bytes for h in self._held.values())

    @property
    def max_bytes(self) -> int:
        """The bound."""
        with self._changed:
            if not isinstance(self._max_bytes, int):
                self._max_bytes = self._max_bytes() if self._max_bytes is not None else free_memory() // 2
            return self._max_bytes

    def __contains__(self, key: Hashable) -> bool:
        """Whether a model is loaded."""
        with self._changed:
            held = self._held.get(key)
            return held is not None and held.model is not None

    @contextmanager
    def use(self, key: Hashable, expected: int, load: Callable[[], LoadedModel]) -> Iterator[LoadedModel]:
        """The model of a key, loaded first if need be; it stays while it is used. Blocks while others use it.

        Args:
            key: what it is known by.
            expected: bytes that its weights will take. What was loaded is counted again.
            load: loads it; called by one caller, also where many wait. What it raises, all of them get.

        Raises:
            ModelRefusedError: it is larger than the bound.
        """
        while True:
            held = self._take(key, expected, load)
            try:
                if self._has_turn(held):
                    break
            except BaseException:
                self._give_back(held)
                raise
            self._give_back(held)
        try:
            check_abandoned()
            assert held.model is not None
            yield held.model
        finally:
            held.busy = False
            self._give_back(held)

    def _has_turn(self, held: _Held) -> bool:
        """Wait until nobody else computes with a model. False: it hangs and was forgotten; it is to be taken anew."""
        with self._changed:
            self._wait_for(lambda: not held.busy or held.forgotten)
            if held.busy:
                return False
            held.busy = True
            return True

    def _wait_for(self, come: Callable[[], bool]) -> None:
        """Wait for it, or until nobody waits for the call any more: what it waits for may never come, and its thread would stay."""

        def ready() -> bool:
            check_abandoned()
            return come()

        with when_abandoned(self._wake):
            self._changed.wait_for(ready)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def forget(self, key: Hashable) -> None:
        """Drop a model that hangs: the one who has it may keep it, all others load it anew."""
        with self._changed:
            held = self._held.pop(key, None)
            if held is not None:
                held.forgotten = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Drop every model that nobody uses."""
        with self._changed:
            dropped = [self._held.pop(k) for k, h in list(self._held.items()) if not h.users]
            self._changed.notify_all()
        _free(dropped)

    def _take(self, key: Hashable, expected: int, load: Callable[[], LoadedModel]) -> _Held:
        most = self.max_bytes
        if expected > most:
            raise ModelRefusedError(
                f"The model's weights take {size_text(expected)} in memory, and the models in memory may take {size_text(most)} together.",
                remedy="Choose a smaller model, or raise the bound (--max-memory SIZE).",
            )
        with self._changed:
            while True:
                held = self._held.get(key)
                if held is not None:
                    if self._join(key, held):
                        return held
                elif (dropped := self._make_room(most - expected)) is not None:
                    held = self._held[key] = _Held(bytes=expected)
                    break
                else:
                    self._wait_for(lambda: key in self._held or self._has_room(most - expected))
        _free(dropped)
        return self._loaded(key, held, load)

    def _join(self, key: Hashable, held: _Held) -> bool:
        """Use a model that another caller has loaded, or is loading. False: that caller has given up; somebody else must load it."""
        held.users += 1
        try:
            self._wait_for(lambda: held.model is not None or held.failure is not None)
            check_abandoned()
            if isinstance(held.failure, Exception):
                raise held.failure
        except BaseException:
            held.users -= 1
            raise
        if held.failure is not None:
            held.users -= 1
            return False
        if self._held.get(key) is held:
            self._held.move_to_end(key)
        return True

    def _loaded(self, key: Hashable, held: _Held, load: Callable[[], LoadedModel]) -> _Held:
        try:
            check_abandoned()
            model = load()
        except BaseException as e:
            with self._changed:
                held.failure = e
                if self._held.get(key) is held:
                    del self._held[key]
                self._changed.notify_all()
            raise
        with self._changed:
            held.model, held.bytes = model, model.bytes
            dropped = self._make_room(self.max_bytes) or []
            self._changed.notify_all()
        _free(dropped)
        return held

    def _has_room(self, room: int) -> bool:
        """Whether no more than `room` bytes are held by models that are in use."""
        return sum(h.bytes for h in self._held.values() if h.users) <= room

    def _make_room(self, room: int) -> list[_Held] | None:
        """Drop models that nobody uses, the longest unused first, until no more than `room` bytes are held. None: it cannot be done now."""
        if not self._has_room(room):
            return None
        held = sum(h.bytes for h in self._held.values())
        spare = [k for k, h in self._held.items() if not h.users]
        dropped = []
        while held > room:
            out = self._held.pop(spare.pop(0))
            held -= out.bytes
            dropped.append(out)
        return dropped

    def _give_back(self, held: _Held) -> None:
        with self._changed:
            held.users -= 1
            held.given_back = time.monotonic()
            self._changed.notify_all()
            self._wake_later()

    def _wake_later(self) -> None:
        if self._idle_seconds is None or self._timer is not None:
            return
        ends = [h.given_back + self._idle_seconds for h in self._held.values() if not h.users]
        if ends:
            pool = weakref.WeakMethod(self._drop_idle)  # a pool that nobody has any more goes at once, with its models
            self._timer = threading.Timer(max(0.0, min(ends) - time.monotonic()), _call, (pool,))
            self._timer.daemon = True
            self._timer.start()

    def _drop_idle(self) -> None:
        with self._changed:
            self._timer = None
            latest = time.monotonic() - (self._idle_seconds or 0.0)
            dropped = [self._held.pop(k) for k, h in list(self._held.items()) if not h.users and h.given_back <= latest]
            self._changed.notify_all()
            self._wake_later()
        _free(dropped)


def _call(method: weakref.WeakMethod[Callable[[], None]]) -> None:
    """Call a method of something that may be gone."""
    there = method()
    if there is not None:
        there()


def _free(dropped: list[_Held]) -> None:
    """Give the memory of dropped models back: models hold themselves in circles, and torch keeps what a GPU has freed."""
    if not dropped:
        return
    dropped.clear()
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
