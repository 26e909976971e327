"""Vision on this machine: pictures of every shape and kind, what was asked and cannot be, and what the numbers mean."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.index.errors import ExpertError
from langchain_hugginggpt.tools.artifacts import Artifact, ArtifactStore
from langchain_hugginggpt.tools.errors import InputError, MediaError, ModelRefusedError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local.devices import Device
from langchain_hugginggpt.tools.runners.local.loaded import LoadedModel
from langchain_hugginggpt.tools.runners.local.model_files import read_model_files
from langchain_hugginggpt.tools.runners.local.row import Loader
from langchain_hugginggpt.tools.runners.local.table import LOCAL
from langchain_hugginggpt.tools.runners.local.vision import masks
from langchain_hugginggpt.tools.runners.local.vision.classification import image_classification, zero_shot_image_classification
from langchain_hugginggpt.tools.runners.local.vision.depth import depth_estimation
from langchain_hugginggpt.tools.runners.local.vision.detection import object_detection
from langchain_hugginggpt.tools.runners.local.vision.pictures import box_within, picture_of, see
from langchain_hugginggpt.tools.runners.local.vision.upscaling import upscale
from langchain_hugginggpt.tools.runners.local.vision.upscaling_loader import SWIN2SR
from langchain_hugginggpt.tools.runners.runner import NewMedia, RunnerOutput
from tests.local_models import text, vision, vision_words
from tests.local_models.case import Case
from tests.local_models.samples import Samples

CPU = Device(name="cpu", half="float32")
ALL = (*text.CASES, *vision.CASES)
ONE_PICTURE = [c for c in vision.CASES if {p.name for p in HUB_TASKS[c.task].inputs} & {"image"} and c.kind != "layoutlm"]


def of_case(case_id: str) -> Case:
    return next(c for c in vision.CASES if c.id == case_id)


def run(local: LocalRunner, built: Callable[[Case], Path], case_id: str, **inputs: Any) -> RunnerOutput:
    case = of_case(case_id)
    built(case)
    return local.run(HUB_TASKS[case.task], ModelCard(id=case.id, task=case.task), inputs)


def loaded(folder: Path, build: Callable[[Path], None], loader: Loader) -> LoadedModel:
    """A model whose weights are set by hand."""
    build(folder)
    return loader.load(read_model_files(folder, folder.name), CPU)


def read(artifact: Artifact) -> Image.Image:
    with Image.open(artifact.path) as picture:
        picture.load()
        return picture


def opened(media: NewMedia) -> Image.Image:
    return Image.open(io.BytesIO(media.data))


def audio_folder(folder: Path) -> None:
    """A model of sounds, with what prepares sounds."""
    config: Any = transformers.Wav2Vec2Config(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)  # type: ignore[no-untyped-call]
    transformers.ViTModel(transformers.ViTConfig(**vision.VIT)).save_pretrained(folder)
    config.architectures = ["Wav2Vec2ForSequenceClassification"]
    config.save_pretrained(folder)


@pytest.fixture
def shapes(samples: Samples) -> dict[str, Artifact]:
    """Pictures of odd shapes, by what is odd about them."""
    plain = read(samples.picture)
    turned = Image.Exif()
    turned[0x0112] = 6  # lies on its side
    return {
        "1 x 1": samples.of_image(Image.new("RGB", (1, 1), "red"), "dot.png"),
        "wide": samples.of_image(Image.new("RGB", (10_000, 10), "blue"), "wide.png"),
        "tall": samples.of_image(plain.resize((4, 900)), "tall.png"),
        "turned": samples.of_image(plain, "turned.jpg", exif=turned),
    }


@pytest.mark.parametrize("case", ONE_PICTURE, ids=lambda c: c.id)
def test_every_shape_of_picture(
    case: Case, local: LocalRunner, built: Callable[[Case], Path], samples: Samples, shapes: dict[str, Artifact]
) -> None:
    """Whatever the picture, what comes out fits its size, upright."""
    asked = {k: v for k, v in case.inputs(samples).items() if k not in ("image", "points")}
    for what, artifact in shapes.items():
        output = run(local, built, case.id, image=artifact, **asked)
        width, height = {"turned": (64, 96)}.get(what, read(artifact).size)
        for value in output.values.values():
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, NewMedia):
                    assert opened(entry).size == (width, height), what
                elif isinstance(entry, dict) and "box" in entry:
                    box = entry["box"]
                    assert 0 <= box["xmin"] < box["xmax"] <= width, what
                    assert 0 <= box["ymin"] < box["ymax"] <= height, what
                elif isinstance(entry, dict) and "x" in entry:
                    assert 0 <= entry["x"] <= width, what
                    assert 0 <= entry["y"] <= height, what
        assert any("stretched" in note for note in output.notes) == (what != "turned"), (what, output.notes)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "CMYK", "I;16"])
def test_every_mode_of_picture(mode: str, local: LocalRunner, built: Callable[[Case], Path], samples: Samples) -> None:
    """The same is said of the same picture, whatever its mode; of another one something else."""
    grey = read(samples.picture).convert("1").convert("L")  # black and white, so that every mode can hold it
    same = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257) if mode == "I;16" else grey.convert("RGB").convert(mode)
    artifact = samples.of_image(same, "same.tiff" if mode == "CMYK" else "same.png")
    scores = [
        {f["label"]: f["score"] for f in run(local, built, "image-classification--vit", image=a).values["labels"]}
        for a in (artifact, samples.of_image(grey.convert("RGB")), samples.picture)
    ]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)
    assert scores[1] != pytest.approx(scores[2], abs=1e-4)


def test_a_file_that_is_no_picture(local: LocalRunner, built: Callable[[Case], Path], samples: Samples) -> None:
    with pytest.raises(MediaError, match="no picture"):
        run(local, built, "image-classification--vit", image=samples.sound)
    with pytest.raises(InputError, match="'image'"):
        run(local, built, "image-classification--vit", image="a path")


@pytest.mark.parametrize(
    ("size", "wanted"),
    [((1, 1), (16, 16)), ((100, 5), (100, 16)), ((10_000, 10), (4000, 200)), ((3, 60_000), (200, 4000)), ((96, 64), (96, 64))],
)
def test_the_shape_that_a_model_sees(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    seen = see(Image.new("RGB", size))
    assert seen.picture.size == wanted
    assert (seen.width, seen.height) == size
    assert bool(seen.notes) == (size != wanted)


def test_a_large_picture_is_scaled_down_where_asked() -> None:
    seen = see(Image.new("RGB", (4000, 3000)), longest=1000)
    assert seen.picture.size == (1000, 750)
    assert seen.size == (3000, 4000)


def test_boxes_are_clamped() -> None:
    assert box_within([-5.2, 3.4, 200.0, 9.6], 96, 64) == {"xmin": 0, "ymin": 3, "xmax": 96, "ymax": 10}
    assert box_within([float("nan"), 0, 5, 5], 96, 64) is None
    assert box_within([100, 0, 120, 5], 96, 64) is None
    assert box_within([5, 5, 5.2, 30], 96, 64) is None


def test_boxes_follow_the_original_picture(local: LocalRunner, built: Callable[[Case], Path], shapes: dict[str, Artifact]) -> None:
    """The model sees 4000 x 200 pixels; the box is in those of the picture that was given."""
    found = run(local, built, "object-detection--yolos", image=shapes["wide"]).values["objects"]
    assert found[0]["box"]["xmin"] == pytest.approx(2500, abs=5)
    assert found[0]["box"]["xmax"] == pytest.approx(7500, abs=5)
    assert (found[0]["box"]["ymin"], found[0]["box"]["ymax"]) in ((2, 8), (3, 7), (2, 7), (3, 8))


def test_nothing_found_is_said(tmp_path: Path, samples: Samples) -> None:
    model = loaded(tmp_path, vision.yolos, LOCAL["object-detection"].loaders[0])
    vision.set_output(model.model.class_labels_classifier.layers[-1], [0.0, 0.0, 4.0])
    output = object_detection(model, {"image": samples.picture})
    assert output.values["objects"] == []
    assert "nothing was found" in output.notes[0]


@pytest.mark.parametrize("case_id", ["object-detection--detr", "zero-shot-object-detection--grounding-dino"])
def test_sure_boxes_that_show_nothing_are_told_as_such(
    case_id: str, local: LocalRunner, built: Callable[[Case], Path], samples: Samples
) -> None:
    """These models are sure of boxes of less than a pixel of a picture of one pixel; the note must not say that they are not sure."""
    labels = {"candidate_labels": ["cat", "dog"]} if case_id.startswith("zero") else {}
    output = run(local, built, case_id, image=samples.of_image(Image.new("RGB", (1, 1), "red")), **labels)
    assert output.values["objects"] == []
    assert "smaller than a pixel" in output.notes[-1]


def test_one_label_says_nothing(local: LocalRunner, built: Callable[[Case], Path], samples: Samples) -> None:
    """CLIP gives it the whole score; SigLIP judges it by itself."""
    clip, siglip = (
        run(local, built, f"zero-shot-image-classification--{kind}", image=samples.picture, candidate_labels=["cat"])
        for kind in ("clip", "siglip")
    )
    assert clip.notes == ("only one label was given: its score is 1 whatever the picture shows",)
    assert siglip.notes == ()


def test_many_labels_in_batches_are_as_at_once(tmp_path: Path, samples: Samples) -> None:
    model = loaded(tmp_path, vision_words.clip, LOCAL["zero-shot-image-classification"].loaders[0])
    labels = [f"{word} {n}" for n in range(50) for word in ("cat", "dog", "house")]
    with torch.inference_mode():
        output = zero_shot_image_classification(model, {"image": samples.picture, "candidate_labels": labels})
        pixels = model.image_processor(images=[picture_of({"image": samples.picture}).picture], return_tensors="pt")
        words = model.tokenizer([f"This is a photo of {label}." for label in labels], padding=True, return_tensors="pt")
        wanted = model.model(input_ids=words["input_ids"], attention_mask=words["attention_mask"], **pixels).logits_per_image[0].softmax(0)
    scores = {f["label"]: f["score"] for f in output.values["labels"]}
    assert [scores[label] for label in labels] == pytest.approx(wanted.tolist(), rel=1e-3)


def test_ten_thousand_labels(local: LocalRunner, built: Callable[[Case], Path], samples: Samples) -> None:
    labels = [str(n) for n in range(10_000)]
    found = run(local, built, "zero-shot-image-classification--clip", image=samples.picture, candidate_labels=labels).values["labels"]
    assert len({f["label"] for f in found}) == 10_000
    assert sum(f["score"] for f in found) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("case_id", ["zero-shot-image-classification--clip", "zero-shot-object-detection--owlvit"])
def test_too_many_or_too_long_labels(case_id: str, local: LocalRunner, built: Callable[[Case], Path], samples: Samples) -> None:
    with pytest.raises(ModelRefusedError, match=r"'candidate_labels' has 20,001 labels"):
        run(local, built, case_id, image=samples.picture, candidate_labels=[str(n) for n in range(20_001)])
    with pytest.raises(ModelRefusedError, match="too long"):
        run(local, built, case_id, image=samples.picture, candidate_labels=["cat", "cat " * 500])


@pytest.mark.parametrize("case_id", ["zero-shot-image-classification--clip", "zero-shot-image-classification--siglip"])
def test_labels_of_every_script(case_id: str, local: LocalRunner, built: Callable[[Case], Path], samples: Samples) -> None:
    labels = ["قطة", "猫", "🐱", "{}", "a"]
    found = run(local, built, case_id, image=samples.picture, candidate_labels=labels).values["labels"]
    assert sorted(f["label"] for f in found) == sorted(labels)


def test_an_object_is_found_whatever_else_is_looked_for(local: LocalRunner, built: Callable[[Case], Path], samples: Samples) -> None:
    """Of one label, and of that label among forty, in two batches."""
    alone, among = (
        run(local, built, "zero-shot-object-detection--owlvit", image=samples.picture, candidate_labels=labels).values["objects"]
        for labels in (["dog"], [f"{n}" for n in range(39)] + ["dog"])
    )
    dogs = [o for o in among if o["label"] == "dog"]
    assert [o["box"] for o in dogs] == [o["box"] for o in alone]
    assert [o["score"] for o in dogs] == pytest.approx([o["score"] for o in alone], abs=1e-4)


@pytest.mark.parametrize(("kind", "sign"), [("dpt", 1), ("depth-anything", -1)])
def test_near_is_light(kind: str, sign: int, built: Callable[[Case], Path], samples: Samples) -> None:
    """DPT gives the inverse of the depth, the other model metres: these are turned round."""
    case = of_case(f"depth-estimation--{kind}")
    model = LOCAL["depth-estimation"].loaders[0].load(read_model_files(built(case), case.id), CPU)
    with torch.inference_mode():
        output = depth_estimation(model, {"image": samples.picture})
        pixels = model.image_processor(images=[picture_of({"image": samples.picture}).picture], return_tensors="pt")
        given = model.model(**pixels).predicted_depth
    grey = np.asarray(opened(output.values["depth"]).resize(given.shape[:0:-1]), np.float64)
    assert sign * np.corrcoef(grey.ravel(), given[0].numpy().ravel())[0, 1] > 0.8
    assert ("metres as the model sees it" in output.notes[-1]) == (sign < 0)


def test_masks_of_which_the_model_is_not_sure(tmp_path: Path, samples: Samples) -> None:
    model = loaded(tmp_path, vision.cuts_nothing_out, LOCAL["mask-generation"].loaders[0])
    with torch.inference_mode():
        nothing = masks.mask_generation(model, {"image": samples.picture})
        one = masks.mask_generation(model, {"image": samples.picture, "points": [[20, 20]]})
    assert nothing.values["masks"] == []
    assert "no mask was found" in nothing.notes[0]
    assert len(one.values["masks"]) == 1


@pytest.mark.parametrize(
    "points",
    [
        [],
        "here",
        [[1]],
        [[1, 2, 3]],
        [["a", "b"]],
        [[float("nan"), 1]],
        [[-1, 5]],
        [[97, 5]],
        [[5, 65]],
        [[True, 1]],
        [[1, 1]] * 300,
        {"x": 1},
    ],
)
def test_points_that_are_none(points: Any, local: LocalRunner, built: Callable[[Case], Path], samples: Samples) -> None:
    with pytest.raises(InputError, match="points"):
        run(local, built, "mask-generation--sam-points", image=samples.picture, points=points)


def test_a_point_alone_is_a_list_of_one(samples: Samples) -> None:
    seen = picture_of({"image": samples.picture})
    assert masks.points_of([3, 4.5], seen) == [(3.0, 4.5)]
    assert masks.points_of([[96, 64], [0, 0]], seen) == [(96.0, 64.0), (0.0, 0.0)]


def test_masks_of_one_object_are_one() -> None:
    layer = torch.zeros(4, 4)
    found = [(0.99, layer, (0.0, 0.0, 10.0, 10.0)), (0.95, layer, (0.0, 0.0, 10.0, 9.0)), (0.9, layer, (20.0, 20.0, 30.0, 30.0))]
    assert [f[0] for f in masks._apart(found)] == [0.99, 0.9]
    assert masks._apart([]) == []


@pytest.mark.parametrize("size", [(1, 1), (17, 5), (200, 30), (7, 420), (192, 192)])
def test_upscaling_puts_every_pixel_in_its_place(size: tuple[int, int], tmp_path: Path) -> None:
    """By a model that changes no pixel: neither padding nor the seams of the tiles show."""
    model = loaded(tmp_path / "model", vision.swin2sr_identity, SWIN2SR)
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    artifact = Samples(ArtifactStore(tmp_path / "files")).of_image(Image.fromarray(pixels))
    with torch.inference_mode():
        output = upscale(model, {"image": artifact})
    made = np.asarray(opened(output.values["image"])).astype(int)
    assert made.shape == (size[1] * 2, size[0] * 2, 3)
    assert np.abs(made - pixels.repeat(2, 0).repeat(2, 1).astype(int)).max() <= 1


def test_upscaling_has_a_limit(tmp_path: Path) -> None:
    model = loaded(tmp_path / "model", vision.swin2sr_identity, SWIN2SR)
    artifact = Samples(ArtifactStore(tmp_path / "files")).of_image(Image.new("RGB", (5000, 4000)), "large.jpg")
    with pytest.raises(ModelRefusedError, match=r"'image' has 5,000 x 4,000 pixels"):
        upscale(model, {"image": artifact})


@pytest.mark.parametrize(
    ("case_id", "task"),
    [
        ("image-classification--vit", "image-feature-extraction"),
        ("image-feature-extraction--vit", "image-classification"),
        ("image-feature-extraction--vit", "depth-estimation"),
        ("object-detection--yolos", "zero-shot-object-detection"),
        ("zero-shot-object-detection--owlvit", "object-detection"),
        ("image-segmentation--segformer", "image-classification"),
        ("image-to-text--blip", "visual-question-answering"),
        ("image-to-text--blip", "image-text-to-text"),
        ("keypoint-detection--vitpose", "depth-estimation"),
        ("text-classification--bert", "image-classification"),
    ],
)
def test_a_vision_model_for_another_task_is_refused(
    case_id: str, task: str, local: LocalRunner, built: Callable[[Case], Path], samples: Samples
) -> None:
    built(next(c for c in ALL if c.id == case_id))
    asked = {"image": samples.picture, "candidate_labels": ["cat"], "question": "who?", "prompt": "who?"}
    with pytest.raises(ExpertError, match=r"something else|does not do|no chat template"):
        local.run(HUB_TASKS[task], ModelCard(id=case_id, task=task), asked)


@pytest.mark.parametrize("build", [text.text_classifier, audio_folder])
def test_vectors_of_pictures_come_from_models_that_see(build: Callable[[Path], None], tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "config.json").write_text((tmp_path / "config.json").read_text().replace("ForSequenceClassification", "Model"))
    assert LOCAL["image-feature-extraction"].loader_for(read_model_files(tmp_path, "it")) is None


def test_a_model_that_gives_no_numbers_is_refused(tmp_path: Path, samples: Samples) -> None:
    model = loaded(tmp_path, vision.image_classifier, LOCAL["image-classification"].loaders[0])
    vision.set_output(model.model.classifier, [0.0, float("nan"), 0.0])
    with pytest.raises(ModelRefusedError, match="no numbers"):
        image_classification(model, {"image": samples.picture})
