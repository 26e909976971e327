"""Where models compute, and what is done with one that does not fit there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from langchain_hugginggpt.index.errors import CallerError, UnknownNameError
from langchain_hugginggpt.tools.runners.local import LocalRunner, ModelPool, devices
from langchain_hugginggpt.tools.runners.local.devices import Device, choose_device, free_memory
from langchain_hugginggpt.tools.runners.local.loading.of_transformers import Transformers
from langchain_hugginggpt.tools.runners.local.model_files import read_model_files
from langchain_hugginggpt.tools.runners.local.table import LOCAL
from tests.local_models.all import CASES
from tests.local_models.case import Case


class SmallGpu(Device):
    """Says that it is a GPU with little memory. accelerate spreads a model over what there really is."""

    @property
    def free_bytes(self) -> int:
        return 1_000


def test_the_device_that_is_named_and_those_that_are_not_there() -> None:
    assert choose_device("cpu").name == "cpu"
    with pytest.raises(UnknownNameError, match="no device named 'gpu'"):
        LocalRunner(device="gpu")
    if not torch.cuda.is_available():
        with pytest.raises(CallerError, match="no device 'cuda:1' that torch can use"):
            choose_device("cuda:1")


def test_numbers_of_16_bits_only_where_the_processor_computes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for can, half in (
        ({"avx512_bf16": True}, "bfloat16"),
        ({"amx_bf16": True}, "bfloat16"),
        ({"avx512_f": True}, "float32"),
        ({}, "float32"),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda can=can: can)
        assert choose_device("cpu").half == half


def test_a_container_has_no_more_memory_than_it_may_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(devices, "_CGROUP", limit)
    whole = free_memory()
    limit.write_text("max")
    assert free_memory() == pytest.approx(whole, rel=0.2)
    limit.write_text("1000000")
    assert free_memory() == 0


def test_the_room_of_a_gpu_is_its_own_and_the_rest_of_a_large_model_goes_to_the_machine() -> None:
    gpu = SmallGpu(name="cuda:0", half="bfloat16")
    assert gpu.room == 900
    assert gpu.share(500, 900) == 500
    assert gpu.share(5_000, 900) == 900
    assert gpu.share(10**15, 900) == 10**15  # too large for both: refused by the pool
    assert Device(name="cpu", half="float32").share(5_000, 900) == 5_000


def test_a_model_that_does_not_fit_is_spread_and_runs(built: Callable[[Case], Path]) -> None:
    case = next(c for c in CASES if c.task == "text-classification")
    loader = LOCAL[case.task].loaders[0]
    assert isinstance(loader, Transformers)
    model = loader.load(read_model_files(built(case), case.id), SmallGpu(name="cuda:0", half="float32"))
    assert model.device == "cpu"
    output = LOCAL[case.task].expert()(model, {"text": "a great movie"})
    assert len(output.values["labels"]) == 2


def test_the_bound_is_asked_for_when_the_first_model_is_loaded() -> None:
    asked = []

    def told() -> int:
        asked.append(1)
        return 123

    pool = ModelPool(max_bytes=told)
    assert not asked
    assert (pool.max_bytes, pool.max_bytes, len(asked)) == (123, 123, 1)
