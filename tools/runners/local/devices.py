"""Where models compute, and in which numbers."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ....index.errors import CallerError, UnknownNameError

_CGROUP = Path("/sys/fs/cgroup/memory.max")
_KINDS = ("cpu", "cuda", "mps")
FLOAT_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Size of a number, by torch's name of its type."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device of torch.

    Attributes:
        name: as torch names it: `cpu`, `cuda:0`, `mps`.
        half: the 16-bit numbers that it computes fast, `bfloat16` or `float16`; `float32` where it does not.
    """

    name: str
    half: str

    @property
    def free_bytes(self) -> int:
        """Memory that is free on it now."""
        if self.name.startswith("cuda"):
            import torch

            return int(torch.cuda.mem_get_info(self.name)[0])
        return free_memory()

    @property
    def room(self) -> int:
        """What the weights of models may take on it together."""
        return self.free_bytes * 9 // 10 if self.name.startswith("cuda") else self.free_bytes // 2

    def share(self, size: int, room: int) -> int:
        """What of a model of that size lies on the device: of one too large for a GPU, the rest goes to the machine's memory."""
        return min(size, room) if self.name.startswith("cuda") and size < room + free_memory() // 2 else size


def check_device(name: str | None) -> None:
    """Raises UnknownNameError when torch knows no such device; torch is not imported."""
    if name is not None and name.split(":")[0] not in _KINDS:
        raise UnknownNameError("device", name, _KINDS)


def choose_device(name: str | None = None) -> Device:
    """The best device of this machine, CUDA before MPS before the processor, or the one that is named.

    Args:
        name: `cpu`, `cuda`, `cuda:1`, `mps`; None for the best.

    Raises:
        CallerError: this machine does not have it.
    """
    kind = (name or "").split(":")[0]
    if not _has_torch() and kind in ("", "cpu"):
        return Device(name="cpu", half="float32")  # for models that do without torch
    import torch

    from ....index.encoders.bulk import computes_bfloat16

    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if (kind == "cuda" and not cuda) or (kind == "mps" and not mps):
        raise CallerError(f"This machine has no device {name!r} that torch can use.", remedy="Leave the device out, or name cpu.")
    if kind == "cuda" or (name is None and cuda):
        full = name if name and ":" in name else "cuda:0"
        return Device(name=full, half="bfloat16" if torch.cuda.is_bf16_supported() else "float16")
    if kind == "mps" or (name is None and mps):
        return Device(name="mps", half="float16")
    return Device(name="cpu", half="bfloat16" if computes_bfloat16() else "float32")


def without_gradients() -> AbstractContextManager[object]:
    """A block in which torch keeps nothing for training; where it is not installed, models do without it."""
    if not _has_torch():
        return nullcontext()
    import torch

    return torch.inference_mode()


def _has_torch() -> bool:
    return sys.modules["torch"] is not None if "torch" in sys.modules else find_spec("torch") is not None


def free_memory() -> int:
    """Bytes of memory that are free on this machine, or in the container that this process runs in."""
    import psutil

    free = int(psutil.virtual_memory().available)
    try:
        limit = _CGROUP.read_text("ascii").strip()
    except (OSError, ValueError):
        return free
    return min(free, max(0, int(limit) - int(psutil.Process().memory_info().rss))) if limit.isdigit() else free
