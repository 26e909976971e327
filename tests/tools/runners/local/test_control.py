"""ControlNets as they lie on the Hub: the base that they stand on, and the map that they are given."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import threading
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.index.errors import ExpertError
from langchain_hugginggpt.tools.errors import InputError, MediaError, ModelAbsentError, ModelRefusedError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner, ModelPool
from langchain_hugginggpt.tools.runners.local.devices import Device
from langchain_hugginggpt.tools.runners.local.diffusion import calling, pictures
from langchain_hugginggpt.tools.runners.local.diffusion.control import condition_of, edges_of
from langchain_hugginggpt.tools.runners.local.diffusion.skeleton import skeleton
from langchain_hugginggpt.tools.runners.local.loaded import LoadedModel
from langchain_hugginggpt.tools.runners.local.loading.of_controlnets import ControlNets
from langchain_hugginggpt.tools.runners.local.model_files import ModelFiles, read_model_files
from langchain_hugginggpt.tools.runners.local.places import ModelPlaces
from langchain_hugginggpt.tools.runners.local.table import LOCAL
from langchain_hugginggpt.tools.runners.runner import RunnerOutput
from langchain_hugginggpt.tools.runners.workers import check_abandoned
from tests.local_models import diffusion as tiny
from tests.local_models.samples import Samples
from tests.local_models.tokenizers import labels, save
from tests.local_models.vision import dpt, superpoint
from tests.tools.runners.local.hub_of_files import HubOfFiles

TASK = HUB_TASKS["image-to-image"]
ROW = LOCAL[TASK.name]
CPU = Device(name="cpu", half="float32")
BASE = "base--stable-diffusion"
JOINTS = (
    "Nose", "L_Eye", "R_Eye", "L_Ear", "R_Ear", "L_Shoulder", "R_Shoulder", "L_Elbow", "R_Elbow", "L_Wrist", "R_Wrist", "L_Hip", "R_Hip",
    "L_Knee", "R_Knee", "L_Ankle", "R_Ankle",
)  # fmt: skip
"""As the configs of ViTPose name them."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ControlNet and its base."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("controlled")
    tiny.lone_controlnet(folder / "controlnet")
    return folder


@pytest.fixture
def models(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the base that may be spoilt, with ControlNets for edges, depth and poses, and for something else."""
    monkeypatch.setattr(calling, "CPU_STEPS", 2)
    folder = tmp_path / "models"
    shutil.copytree(made / BASE, folder / BASE)
    for name in ("canny", "depth", "openpose", "mlsd"):
        shutil.copytree(made / "controlnet", folder / f"sd-controlnet-{name}")
    return folder


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Image.Image]:
    """The pictures that pipelines are handed."""
    seen: list[Image.Image] = []

    def watched(model: LoadedModel, pipe: Any, options: Mapping[str, Any], **more: Any) -> Any:
        seen.append(options["image"])
        return calling.call(model, pipe, options, **more)

    monkeypatch.setattr(pictures, "call", watched)
    return seen


def card(ident: str) -> ModelCard:
    return ModelCard(id=ident, task=TASK.name, library="diffusers")


def runner(models: Path, **options: Any) -> LocalRunner:
    made = LocalRunner(models=[models], **{"cache": models / "none", **options})
    made.device = CPU
    return made


def run(models: Path, name: str, samples: Samples, **options: Any) -> RunnerOutput:
    return runner(models, **options).run(TASK, card(f"sd-controlnet-{name}"), tiny.asked(samples))


def change(path: Path, **entries: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


def stripe(samples: Samples) -> Any:
    shades = np.arange(0, 240, 4).astype(np.uint8)
    return samples.of_image(Image.fromarray(np.tile(shades, (40, 1))).convert("RGB"))


def vitpose(folder: Path) -> None:
    T: Any = import_module("transformers")
    backbone = T.VitPoseBackboneConfig(
        image_size=[64, 48], patch_size=[16, 16], hidden_size=32, num_hidden_layers=2, num_attention_heads=2, out_indices=[2]
    )
    config = T.VitPoseConfig(backbone_config=backbone, use_simple_decoder=True, scale_factor=4, **labels(*JOINTS))
    model = T.VitPoseForPoseEstimation(config)
    with torch.no_grad():
        model.head.conv.bias.fill_(5.0)  # sure of everything, wherever it sees it
    folder.mkdir()
    save(folder, T.VitPoseImageProcessorPil(size={"height": 64, "width": 48}), model)


# The base


def test_the_base_is_loaded_with_it_and_told(models: Path, samples: Samples, given: list[Image.Image]) -> None:
    local = runner(models)
    output = local.run(TASK, card("sd-controlnet-canny"), tiny.asked(samples))
    assert f"made with the base model {BASE}" in output.notes
    assert Image.open(io.BytesIO(output.values["image"].data)).size == (40, 24)
    files = ModelPlaces([models]).find(ROW, card("sd-controlnet-canny"))
    alone = read_model_files(models / BASE, BASE).bytes_in_memory(4)
    assert ControlNets().expected(files, CPU) == alone + read_model_files(files.folder, "x").bytes_in_memory(4)
    assert local.pool.bytes == pytest.approx(ControlNets().expected(files, CPU), rel=0.001)
    picture = Image.open(io.BytesIO(samples.picture.read_bytes())).resize((40, 24), Image.Resampling.LANCZOS)
    assert (np.asarray(given[0]) == np.asarray(edges_of(picture))).all()
    assert (np.asarray(given[0]) == 255).any()


def test_a_base_that_is_not_here_is_named_before_and_when_it_is_run(models: Path, samples: Samples) -> None:
    shutil.rmtree(models / BASE)
    local = runner(models)
    told = local.availability(TASK, card("sd-controlnet-canny"))
    assert not told.ok
    assert told.why == f"sd-controlnet-canny stands on {BASE}, which is not on this machine"
    assert told.remedy.startswith(f"Fetch it (hf download {BASE})")
    assert local.availability(TASK).models is None
    with pytest.raises(ModelAbsentError, match=f"'sd-controlnet-canny' works only together with '{BASE}': '{BASE}' is not on this") as e:
        ModelPlaces([models], cache=models / "none").find(ROW, card("sd-controlnet-canny"))
    assert f"hf download {BASE}" in e.value.remedy


def test_the_base_is_downloaded_if_it_may_be(models: Path, samples: Samples, tmp_path: Path) -> None:
    readme = models / "sd-controlnet-canny" / "README.md"
    readme.write_text("---\nbase_model: org/base\n---\n")
    with HubOfFiles({"org/base": models / BASE, "org/canny": readme.parent}) as hub:
        local = runner(tmp_path, max_download=10**9, cache=tmp_path / "cache", endpoint=hub.url)
        output = local.run(TASK, card("org/canny"), tiny.asked(samples))
        assert "made with the base model org/base" in output.notes
        asked = len(hub.seen)
        assert runner(tmp_path, cache=tmp_path / "cache").availability(TASK, card("org/canny")).ok
        shutil.rmtree(tmp_path / "cache" / "models--org--base")
        places = ModelPlaces([], max_download=1000, cache=tmp_path / "cache", endpoint=hub.url)
        with pytest.raises(ModelRefusedError, match=r"works only together with 'org/base': .*more than the 0\.00 GB"):
            places.find(ROW, card("org/canny"))
        assert len(hub.seen) == asked + 1


def test_a_base_of_another_size_is_refused_before_it_is_loaded(models: Path, samples: Samples) -> None:
    change(models / "sd-controlnet-canny" / "config.json", cross_attention_dim=64)
    with pytest.raises(ModelRefusedError, match=f"does not fit '{BASE}': its cross_attention_dim is 64, and that of .* is 32"):
        run(models, "canny", samples)


def test_a_base_that_is_no_stable_diffusion_is_refused(models: Path, samples: Samples) -> None:
    change(models / BASE / "model_index.json", _class_name="FluxPipeline")
    with pytest.raises(ModelRefusedError, match=f"is to steer '{BASE}', which holds FluxPipeline"):
        run(models, "canny", samples)


@pytest.mark.parametrize("part", ["unet", "vae"])
def test_weights_of_the_base_are_never_random_or_pickled(models: Path, samples: Samples, part: str) -> None:
    path = models / BASE / part / "diffusion_pytorch_model.safetensors"
    path.rename(path.with_suffix(".bin"))
    with pytest.raises(ModelRefusedError, match=f"'{part}' of '{BASE}' has no weights in safetensors form"):
        run(models, "canny", samples)


def test_weights_of_the_controlnet_are_never_random(models: Path, samples: Samples) -> None:
    from safetensors.torch import load_file, save_file

    path = models / "sd-controlnet-canny" / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    weights.pop("conv_in.weight")
    save_file(weights, path, {"format": "pt"})
    with pytest.raises(ModelRefusedError, match=r"'sd-controlnet-canny' is not whole: the files of 'controlnet' lack 1 weight"):
        run(models, "canny", samples)


def test_another_base_is_another_model(models: Path) -> None:
    places = ModelPlaces([models])
    before = places.find(ROW, card("sd-controlnet-canny")).stamp
    assert places.find(ROW, card("sd-controlnet-canny")).stamp == before
    shutil.copytree(models / BASE, models / "other")
    (models / "sd-controlnet-canny" / "README.md").write_text("---\nbase_model: other\n---\n")
    assert places.find(ROW, card("sd-controlnet-canny")).stamp != before


@pytest.mark.parametrize(
    ("readme", "width", "bases"),
    [
        ("---\nbase_model: org/name\n---\n", 768, ("org/name",)),
        ("\ufeff---\r\nbase_model:\r\n- one/two\r\n- three/four\r\n---\r\ntext", 768, ("one/two",)),
        ("---\nbase_model: runwayml/stable-diffusion-v1-5\n---\n", 768,
         ("stable-diffusion-v1-5/stable-diffusion-v1-5", "runwayml/stable-diffusion-v1-5")),
        (None, 768, ("stable-diffusion-v1-5/stable-diffusion-v1-5",)),
        (None, 2048, ("stabilityai/stable-diffusion-xl-base-1.0",)),
        ("---\nbase_model: org/name\n", 2048, ("stabilityai/stable-diffusion-xl-base-1.0",)),
        ("---\nbase_model: ../../etc\n---\n", 2048, ("stabilityai/stable-diffusion-xl-base-1.0",)),
        ("---\nbase_model: a b; ignore all of it\n---\n", 2048, ("stabilityai/stable-diffusion-xl-base-1.0",)),
        ("---\nbase_model: []\n---\n", 2048, ("stabilityai/stable-diffusion-xl-base-1.0",)),
        ("---\n!!python/object/apply:os.system ['false']\n---\n", 2048, ("stabilityai/stable-diffusion-xl-base-1.0",)),
        ("---\n" + "[" * 20_000 + "\n---\n", 2048, ("stabilityai/stable-diffusion-xl-base-1.0",)),
        ("---\n" + "x" * 10**6 + "\n---\nbase_model: a/b", 2048, ("stabilityai/stable-diffusion-xl-base-1.0",)),
    ],
)  # fmt: skip
def test_the_base_by_the_card_or_else_by_the_width(tmp_path: Path, readme: str | None, width: int, bases: tuple[str, ...]) -> None:
    if readme is not None:
        (tmp_path / "README.md").write_bytes(readme.encode())
    files = ModelFiles(id="a/b", folder=tmp_path, layout="diffusers", config={"cross_attention_dim": width}, weights=())
    assert ControlNets().base_of(files) == bases


@pytest.mark.parametrize("width", [1024, None, [768], "768", True])
def test_a_controlnet_that_does_not_say_what_it_steers(tmp_path: Path, width: object) -> None:
    files = ModelFiles(id="a/b", folder=tmp_path, layout="diffusers", config={"cross_attention_dim": width}, weights=())
    with pytest.raises(ModelRefusedError, match="'a/b' is a ControlNet that does not say which model it steers"):
        ControlNets().base_of(files)


# The map


@pytest.mark.parametrize(
    ("ident", "tags", "condition"),
    [
        ("lllyasviel/sd-controlnet-canny", [], "edges"), ("diffusers/controlnet-depth-sdxl-1.0", [], "depth"),
        ("lllyasviel/control_v11f1p_sd15_depth", [], "depth"), ("lllyasviel/control_v11p_sd15_openpose", [], "pose"),
        ("thibaud/controlnet-openpose-sdxl-1.0", [], "pose"), ("lllyasviel/sd-controlnet-mlsd", [], None),
        ("me/composed-purposes", [], None), ("me/mine", ["controlnet", "depth"], "depth"), ("me/mine", 7, None),
        ("me/canny", ["depth"], "edges"),
    ],
)  # fmt: skip
def test_what_a_controlnet_follows_is_told_by_its_names_then_by_its_tags(
    tmp_path: Path, ident: str, tags: object, condition: str | None
) -> None:
    (tmp_path / "README.md").write_text(f"---\ntags: {json.dumps(tags)}\n---\n")
    files = ModelFiles(id=ident, folder=tmp_path, layout="diffusers", config={}, weights=())
    assert condition_of(files) == condition


def test_depths_are_those_of_a_model_on_this_machine(models: Path, samples: Samples, given: list[Image.Image]) -> None:
    (models / "my-depth").mkdir()
    dpt(models / "my-depth")
    local = runner(models)
    output = local.run(TASK, card("sd-controlnet-depth"), {"image": stripe(samples), "prompt": "a cat"})
    assert "the new picture follows the depths of the given one, by my-depth" in output.notes
    depth = LOCAL["depth-estimation"]
    own = local.run(HUB_TASKS[depth.task], ModelCard(id="my-depth", task=depth.task), {"image": stripe(samples)}).values["depth"]
    wanted = Image.open(io.BytesIO(own.data)).convert("RGB").resize(given[0].size, Image.Resampling.LANCZOS)
    assert np.asarray(given[0]).std() > 0
    assert (np.asarray(given[0]) == np.asarray(wanted)).all()


def test_poses_are_those_of_a_model_that_knows_joints(models: Path, samples: Samples, given: list[Image.Image]) -> None:
    (models / "a-superpoint").mkdir()
    superpoint(models / "a-superpoint")  # it does keypoint-detection as well, and comes first
    vitpose(models / "my-pose")
    local = runner(models)
    output = local.run(TASK, card("sd-controlnet-openpose"), tiny.asked(samples))
    assert "the new picture follows the pose of the body in the given one, by my-pose" in output.notes
    points = LOCAL["keypoint-detection"]
    found = local.run(HUB_TASKS[points.task], ModelCard(id="my-pose", task=points.task), {"image": samples.picture})
    wanted = skeleton(found.values["keypoints"], (96, 64))
    assert wanted is not None
    assert (np.asarray(given[0]) == np.asarray(wanted.resize(given[0].size, Image.Resampling.LANCZOS))).all()


@pytest.mark.parametrize(("name", "model"), [("depth", "Depth-Anything-V2-Small-hf"), ("openpose", "vitpose-base-simple")])
def test_without_such_a_model_the_picture_is_the_map_and_it_is_told_how_to_get_one(
    models: Path, samples: Samples, given: list[Image.Image], name: str, model: str
) -> None:
    output = run(models, name, samples)
    assert any("was taken as the map" in n and "hf download" in n and model in n for n in output.notes)
    picture = Image.open(io.BytesIO(samples.picture.read_bytes()))
    assert (np.asarray(given[0]) == np.asarray(picture.resize((40, 24), Image.Resampling.LANCZOS))).all()


def test_a_picture_without_a_body_is_taken_as_the_drawing(models: Path, samples: Samples, given: list[Image.Image]) -> None:
    (models / "a-superpoint").mkdir()
    superpoint(models / "a-superpoint")
    output = run(models, "openpose", samples)
    assert any("no joints of a body were found (a-superpoint)" in n for n in output.notes)
    assert np.asarray(given[0]).std() > 0


def test_for_other_conditions_the_picture_is_the_map(models: Path, samples: Samples, given: list[Image.Image]) -> None:
    assert any("was taken as the map itself" in n for n in run(models, "mlsd", samples).notes)
    picture = Image.open(io.BytesIO(samples.picture.read_bytes()))
    assert (np.asarray(given[0]) == np.asarray(picture.resize((40, 24), Image.Resampling.LANCZOS))).all()


def test_a_model_that_fails_at_the_map_is_passed_over(models: Path, samples: Samples, given: list[Image.Image]) -> None:
    for name in ("bad", "good"):
        (models / name).mkdir()
        dpt(models / name)
    path = models / "bad" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    assert any("by good" in n for n in run(models, "depth", samples).notes)
    shutil.rmtree(models / "good")
    with pytest.raises(ExpertError, match="weights of 'bad' are damaged"):
        run(models, "depth", samples)


def test_bad_inputs_are_told(models: Path, samples: Samples) -> None:
    with pytest.raises(InputError, match="'prompt' is missing"):
        runner(models).run(TASK, card("sd-controlnet-depth"), {"image": samples.picture})
    for name in ("depth", "openpose", "canny"):
        with pytest.raises(MediaError, match="picture"):
            runner(models).run(
                TASK, card(f"sd-controlnet-{name}"), {"image": samples.store.put(b"\x89PNG\r\n\x1a\n broken", name="a.png"), "prompt": "x"}
            )


async def test_models_that_do_not_fit_into_memory_together_do_not_wait_for_each_other(models: Path, samples: Samples) -> None:
    (models / "my-depth").mkdir()
    dpt(models / "my-depth")
    files = ModelPlaces([models]).find(ROW, card("sd-controlnet-depth"))
    local = runner(models, pool=ModelPool(max_bytes=ControlNets().expected(files, CPU) + 1000), concurrency=2)
    calls = [local.arun(TASK, card("sd-controlnet-depth"), tiny.asked(samples)) for _ in range(3)]
    outputs = await asyncio.wait_for(asyncio.gather(*calls), 60)
    assert all(any("by my-depth" in n for n in o.notes) for o in outputs)


async def test_a_call_that_is_cancelled_while_its_map_is_made_leaves_its_place(models: Path, samples: Samples) -> None:
    (models / "my-depth").mkdir()
    dpt(models / "my-depth")
    begun, left = threading.Event(), threading.Event()

    def slow(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
        begun.set()
        try:
            while True:
                check_abandoned()
        finally:
            left.set()

    depth = "depth-estimation"
    local = runner(models, table={**LOCAL, depth: replace(LOCAL[depth], function=slow)}, concurrency=1)
    running = asyncio.create_task(local.arun(TASK, card("sd-controlnet-depth"), tiny.asked(samples)))
    assert await asyncio.to_thread(begun.wait, 30)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await asyncio.to_thread(left.wait, 10)
    await asyncio.wait_for(local.arun(TASK, card("sd-controlnet-canny"), tiny.asked(samples)), 60)


def test_a_whole_pipeline_gets_a_map_as_well(
    tmp_path: Path, samples: Samples, given: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "CPU_STEPS", 2)
    tiny.controlnet(tmp_path / "models" / "whole-depth")
    (tmp_path / "models" / "my-depth").mkdir()
    dpt(tmp_path / "models" / "my-depth")
    output = runner(tmp_path / "models").run(TASK, card("whole-depth"), tiny.asked(samples))
    assert any("by my-depth" in n for n in output.notes)
