"""Pipelines of diffusers: what is loaded and what refused, and what becomes of pictures and prompts of every size."""

from __future__ import annotations

import io
import json
import logging
import re
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.index.errors import ExpertError
from langchain_hugginggpt.tools.errors import InputError, MediaError, ModelRefusedError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local.devices import Device
from langchain_hugginggpt.tools.runners.local.diffusion import calling
from langchain_hugginggpt.tools.runners.local.diffusion.control import edges_of
from langchain_hugginggpt.tools.runners.local.diffusion.fitting import fitting_size
from langchain_hugginggpt.tools.runners.local.model_files import read_model_files
from langchain_hugginggpt.tools.runners.local.table import LOCAL
from langchain_hugginggpt.tools.runners.runner import RunnerOutput
from tests.local_models import diffusion as tiny
from tests.local_models.case import Case
from tests.local_models.samples import Samples

safetensors: Any = import_module("safetensors.torch")
Run = Callable[..., RunnerOutput]
CPU = Device(name="cpu", half="float32")


@pytest.fixture
def run(built: Callable[[Case], Path], local: LocalRunner, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the model of a case, in three steps."""
    monkeypatch.setattr(calling, "CPU_STEPS", 3)

    def call(model: str, task: str | None = None, **inputs: Any) -> RunnerOutput:
        case = next(c for c in tiny.CASES if c.id == model)
        built(case)
        name = task or case.task
        return local.run(HUB_TASKS[name], ModelCard(id=case.id, task=name), inputs)

    return call


@pytest.fixture
def folder(built: Callable[[Case], Path], tmp_path: Path) -> Path:
    """A copy of the tiny Stable Diffusion that may be spoilt."""
    case = next(c for c in tiny.CASES if c.id == "text-to-image--stable-diffusion")
    return Path(shutil.copytree(built(case), tmp_path / "models" / "m"))


def load(folder: Path) -> Any:
    files = read_model_files(folder, "m")
    loader = LOCAL["text-to-image"].loader_for(files)
    assert loader is not None
    return loader.load(files, CPU)


def change(folder: Path, **entries: Any) -> None:
    path = folder / "model_index.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


def size(output: RunnerOutput) -> tuple[int, int]:
    picture = Image.open(io.BytesIO(output.values["image"].data))
    return picture.size


def test_one_model_serves_several_tasks_and_is_loaded_once(folder: Path, samples: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "CPU_STEPS", 3)
    runner = LocalRunner(models=[folder.parent], device="cpu")
    runner.device = CPU
    for task in ("text-to-image", "image-to-image", "image-text-to-image"):
        given = {"prompt": "a cat", **({"image": samples.picture} if task != "text-to-image" else {})}
        runner.run(HUB_TASKS[task], ModelCard(id="m", task=task), given)
    assert runner.pool.bytes == load(folder).bytes


def test_the_seed_is_told_and_repeats_the_picture(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run("text-to-image--stable-diffusion", prompt="a cat")
    again = run("text-to-image--stable-diffusion", prompt="a cat")
    assert first.values["image"].data != again.values["image"].data
    seed = next(int(m[1]) for n in first.notes if (m := re.fullmatch(r"seed: (\d+)", n)))
    monkeypatch.setattr("secrets.randbelow", lambda _: seed)
    assert run("text-to-image--stable-diffusion", prompt="a cat").values["image"].data == first.values["image"].data


def test_what_does_not_fit_into_the_prompt_is_told(run: Run) -> None:
    output = run("text-to-image--stable-diffusion", prompt="the red cat " * 10 + "london")
    (note,) = [n for n in output.notes if "tokens" in n]
    assert "16 tokens" in note
    assert "london" in note
    assert not [n for n in run("text-to-image--stable-diffusion", prompt="a cat").notes if "tokens" in n]


@pytest.mark.parametrize("prompt", ["猫 😀 قطة", "x", "the " * 100_000])
def test_prompts_of_every_kind_are_taken(run: Run, prompt: str) -> None:
    assert size(run("text-to-image--stable-diffusion", prompt=prompt)) == (32, 32)


@pytest.mark.parametrize(("given", "wanted"), [((1, 1), (32, 32)), ((500, 500), (32, 32)), ((80, 10), (88, 8)), ((8, 64), (8, 88))])
def test_pictures_of_every_size_come_to_the_size_of_the_model(
    run: Run, samples: Samples, given: tuple[int, int], wanted: tuple[int, int]
) -> None:
    picture = samples.of_image(Image.new("RGB", given, (200, 30, 30)))
    output = run("image-to-image--stable-diffusion", image=picture, prompt="a cat")
    assert size(output) == wanted
    assert any(f"{given[0]} x {given[1]} pixels was scaled" in n for n in output.notes)


def test_models_of_one_size_get_pictures_of_this_size(folder: Path) -> None:
    loaded = load(folder)
    core = SimpleNamespace(config=SimpleNamespace(sample_height=60, sample_width=90))
    pipe = SimpleNamespace(transformer=core, vae_scale_factor_spatial=8)
    assert fitting_size(loaded, pipe, (100, 300)) == (720, 480)


def test_a_picture_that_is_too_narrow_is_refused_with_the_limit(run: Run, samples: Samples) -> None:
    with pytest.raises(ModelRefusedError, match=r"'image' has 81 x 10 .*at most 8 times"):
        run("image-to-image--stable-diffusion", image=samples.of_image(Image.new("RGB", (81, 10))), prompt="a cat")


@pytest.mark.parametrize("model", ["stable-diffusion", "instruct-pix2pix", "controlnet-canny"])
def test_models_that_are_told_what_to_do_need_a_prompt(run: Run, samples: Samples, model: str) -> None:
    with pytest.raises(InputError, match="'prompt' is missing"):
        run(f"image-to-image--{model}", image=samples.picture)


def test_a_file_that_is_no_picture_is_told(run: Run, samples: Samples) -> None:
    with pytest.raises(MediaError, match="picture"):
        run("image-to-image--stable-diffusion", image=samples.store.put(b"\x89PNG\r\n\x1a\n broken", name="a.png"), prompt="a cat")


@pytest.mark.parametrize("given", [(1, 1), (13, 7)])
def test_enlarged_pictures_are_just_so_many_times_as_large(run: Run, samples: Samples, given: tuple[int, int]) -> None:
    output = run("image-to-image--upscaler", image=samples.of_image(Image.new("RGB", given, (9, 99, 9))))
    assert size(output) == (2 * given[0], 2 * given[1])


def test_a_picture_too_large_to_enlarge_is_refused(run: Run, samples: Samples) -> None:
    with pytest.raises(ModelRefusedError, match=r"at most 262,144 pixels"):
        run("image-to-image--upscaler", image=samples.of_image(Image.new("RGB", (513, 512))))


def test_an_inpainting_model_needs_holes_and_makes_no_pictures_of_words(run: Run, samples: Samples) -> None:
    with pytest.raises(ModelRefusedError, match="has none"):
        run("image-to-image--inpainting", image=samples.picture, prompt="a cat")
    with pytest.raises(ModelRefusedError, match="does not do text-to-image"):
        run("image-to-image--inpainting", "text-to-image", prompt="a cat")


def test_holes_of_a_picture_that_is_turned_by_its_exif_are_where_they_are_seen(run: Run, samples: Samples) -> None:
    picture = Image.new("RGBA", (40, 24), (10, 200, 10, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 10, 24))  # left as stored: above once it is turned to the right
    exif = Image.Exif()
    exif[0x0112] = 6
    output = run("image-to-image--stable-diffusion", image=samples.of_image(picture, "turned.png", exif=exif), prompt="a cat")
    made = np.asarray(Image.open(io.BytesIO(output.values["image"].data)))
    assert made.shape == (40, 24, 3)
    assert (made[10:] == (10, 200, 10)).all()
    assert not (made[:10] == 255).all()


@pytest.mark.parametrize(
    ("model", "task"),
    [
        ("unconditional-image-generation--ddpm", "text-to-image"),
        ("image-to-image--instruct-pix2pix", "text-to-image"),
        ("text-to-image--stable-diffusion", "unconditional-image-generation"),
        ("text-to-image--stable-diffusion", "text-to-video"),
        ("image-to-video--stable-video", "image-text-to-video"),
        ("image-to-video--stable-video", "text-to-image"),
    ],
)
def test_pipelines_that_do_something_else_are_refused(run: Run, samples: Samples, model: str, task: str) -> None:
    with pytest.raises(ExpertError, match=r"something else|does not do"):
        run(model, task, prompt="a cat", image=samples.picture)


@pytest.mark.parametrize("named", ["MyPipeline", ["pipeline", "MyPipeline"], "UNet2DConditionModel", "__doc__", 7])
def test_pipelines_that_diffusers_does_not_have_are_refused(folder: Path, named: object) -> None:
    (folder / "pipeline.py").write_text("raise AssertionError('code of a model was run')")
    change(folder, _class_name=named)
    files = read_model_files(folder, "m")
    with pytest.raises(ModelRefusedError, match="does not have"):
        LOCAL["text-to-image"].loaders[0].load(files, CPU)


@pytest.mark.parametrize(
    "where", [["os", "PathLike"], ["m", "Own"], ["diffusers", "Nothing"], ["transformers", "_x"], ["diffusers.utils", "x"]]
)
def test_parts_of_other_libraries_are_refused(folder: Path, where: list[str]) -> None:
    change(folder, unet=where)
    with pytest.raises(ModelRefusedError, match=r"'unet' of 'm' is a"):
        load(folder)


@pytest.mark.parametrize(
    ("part", "where"),
    [
        ("text_encoder", ["transformers", "AutoModel"]),  # would read a pickled file, and make up weights that are missing
        ("unet", ["diffusers", "AutoModel"]),
        ("scheduler", ["diffusers", "DiffusionPipeline"]),  # would choose its own parts
    ],
)
def test_parts_that_would_be_loaded_without_a_look_at_their_weights_are_refused(folder: Path, part: str, where: list[str]) -> None:
    change(folder, **{part: where})
    with pytest.raises(ModelRefusedError, match=rf"The part '{part}' of 'm' is a {where[0]}\.{where[1]}, which is no model"):
        load(folder)


def test_a_part_without_safetensors_is_refused(folder: Path) -> None:
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04N.")
    with pytest.raises(ModelRefusedError, match="'unet' of 'm' has no weights in safetensors form"):
        load(folder)


@pytest.mark.parametrize(("part", "file"), [("unet", "diffusion_pytorch_model"), ("text_encoder", "model")])
def test_weights_that_would_be_random_are_refused(folder: Path, part: str, file: str) -> None:
    path = folder / part / f"{file}.safetensors"
    weights = safetensors.load_file(path)
    weights.pop(sorted(weights)[0])
    safetensors.save_file(weights, path, {"format": "pt"})
    with pytest.raises(ModelRefusedError, match=r"not whole|cannot be loaded"):
        load(folder)


def test_a_missing_part_is_told(folder: Path) -> None:
    shutil.rmtree(folder / "scheduler")
    with pytest.raises(ModelRefusedError, match="lacks the folder 'scheduler'"):
        load(folder)


def test_the_first_models_of_diffusers_have_all_parts_in_one_folder(tmp_path: Path) -> None:
    whole = tmp_path / "m"
    tiny.ddpm(whole)
    for file in [*whole.glob("*/*")]:
        file.rename(whole / file.name)
        if not any(file.parent.iterdir()):
            file.parent.rmdir()
    files = read_model_files(whole, "m")
    assert [p.name for p in files.weights] == ["diffusion_pytorch_model.safetensors"]
    loaded = LOCAL["unconditional-image-generation"].loaders[0].load(files, CPU)
    assert loaded.bytes == files.bytes_in_memory(4)


def test_a_safety_checker_that_is_not_there_is_not_demanded(folder: Path) -> None:
    change(folder, safety_checker=["stable_diffusion", "StableDiffusionSafetyChecker"], requires_safety_checker=True)
    assert load(folder).model.safety_checker is None


def test_a_picture_that_was_blacked_out_is_an_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline: Any = import_module("diffusers").StableDiffusionPipeline
    monkeypatch.setattr(pipeline, "run_safety_checker", lambda self, image, device, dtype: (torch.zeros_like(image), [True]))
    with pytest.raises(ExpertError, match="safety checker"):
        run("text-to-image--stable-diffusion", prompt="a cat")


def test_a_picture_of_nan_is_an_error(folder: Path) -> None:
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    weights = {n: torch.full_like(w, float("nan")) for n, w in safetensors.load_file(path).items()}
    safetensors.save_file(weights, path, {"format": "pt"})
    runner = LocalRunner(models=[folder.parent], device="cpu")
    with pytest.raises(ExpertError, match="no numbers"):
        runner.run(HUB_TASKS["text-to-image"], ModelCard(id="m", task="text-to-image"), {"prompt": "a cat"})


def test_a_call_that_nobody_waits_for_ends_at_the_next_step(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(folder)
    module: Any = import_module("langchain_hugginggpt.tools.runners.local.loaded")
    steps = []

    def leave() -> None:
        steps.append(1)
        if len(steps) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "check_abandoned", leave)
    with pytest.raises(KeyboardInterrupt):
        loaded.model("a cat", num_inference_steps=50)
    assert len(steps) == 5


def test_edges_are_white_where_a_picture_has_edges(samples: Samples) -> None:
    picture = Image.new("RGB", (40, 40), (0, 0, 0))
    picture.paste((255, 255, 255), (20, 0, 40, 40))
    found = np.asarray(edges_of(picture))[:, :, 0]
    assert found.max() == 255
    assert set(np.nonzero(found)[1]) <= {19, 20}


def test_unused_prompts_are_told_and_needed_ones_demanded(run: Run, samples: Samples) -> None:
    output = run("image-to-video--stable-video", image=samples.picture, prompt="it rains")
    assert any("prompt was not used" in n for n in output.notes)
    with pytest.raises(InputError, match="'prompt' is missing"):
        run("image-text-to-video--pia", "image-to-video", image=samples.picture)
    with pytest.raises(InputError, match="'prompt' is missing"):
        run("video-to-video--animate-diff", video=tiny.clip(samples))


def test_a_prompt_that_is_cut_off_is_not_printed(built: Callable[[Case], Path], local: LocalRunner) -> None:
    """diffusers logs all that it leaves out, which may be a book."""
    case = next(c for c in tiny.CASES if c.id == "text-to-image--stable-diffusion")
    built(case)
    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("diffusers").addHandler(handler)
    try:
        output = local.run(HUB_TASKS[case.task], ModelCard(id=case.id, task=case.task), {"prompt": "a cat " * 1000})
    finally:
        logging.getLogger("diffusers").removeHandler(handler)
    assert not any("truncated" in line for line in told)
    assert any(re.search(r"the model reads 16 tokens of a prompt; 1,986 were left out", n) and len(n) < 300 for n in output.notes)
