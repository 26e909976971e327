"""Tiny models of the tasks in tools/runners/local/vision that only see; those that also read are in vision_words.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from langchain_hugginggpt.tools.artifacts import Artifact
from tests.local_models import vision_words
from tests.local_models.case import Case
from tests.local_models.samples import Samples
from tests.local_models.text import labels, save

T: Any = transformers  # its types know fewer arguments than its configs take
VIT: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 37, "image_size": 32, "patch_size": 8
}  # fmt: skip
_RESNET: dict[str, Any] = {"embedding_size": 8, "hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "layer_type": "basic"}
_DETR: dict[str, Any] = {
    "use_timm_backbone": False, "use_pretrained_backbone": False, "backbone": None, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1,
    "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "num_queries": 5,
}  # fmt: skip
WIDTH, HEIGHT = 96, 64
_SIXTY_FOUR = {"shortest_edge": 64, "longest_edge": 512}


def image(artifact: Artifact) -> Image.Image:
    """A picture that came out."""
    with Image.open(artifact.path) as picture:
        picture.load()
        return picture


def grey(artifact: Artifact) -> np.ndarray[Any, Any]:
    """Its pixels; it must have one channel and the size of the sample."""
    picture = image(artifact)
    assert picture.mode == "L"
    assert picture.size == (WIDTH, HEIGHT)
    return np.asarray(picture)


def set_output(layer: Any, bias: list[float] | float) -> None:
    """Make a layer give the same whatever comes in."""
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor(bias).expand_as(layer.bias))


def image_classifier(folder: Path) -> None:
    model = T.ViTForImageClassification(T.ViTConfig(**VIT, **labels("cat", "dog", "car")))
    save(folder, T.ViTImageProcessorPil(size={"height": 32, "width": 32}), model)


def yolos(folder: Path) -> None:
    """Five times the same dog in the middle of the picture."""
    config = T.YolosConfig(**{**VIT, "image_size": [64, 64], "patch_size": 16}, num_detection_tokens=5, **labels("cat", "dog"))
    model = T.YolosForObjectDetection(config)
    set_output(model.class_labels_classifier.layers[-1], [0.0, 4.0, 0.0])
    set_output(model.bbox_predictor.layers[-1], 0.0)
    save(folder, T.YolosImageProcessorPil(size=_SIXTY_FOUR), model)


def detr(folder: Path) -> None:
    """Five times a cat in a box that reaches beyond the picture on the left."""
    config = T.DetrConfig(backbone_config=T.ResNetConfig(**_RESNET, out_features=["stage4"]), **_DETR, **labels("cat", "dog"))
    model = T.DetrForObjectDetection(config)
    set_output(model.class_labels_classifier, [4.0, 0.0, 0.0])
    set_output(model.bbox_predictor.layers[-1], [-3.0, 0.0, 0.0, 0.0])
    save(folder, T.DetrImageProcessorPil(size=_SIXTY_FOUR), model)


def segformer(folder: Path) -> None:
    config = T.SegformerConfig(
        num_encoder_blocks=4, depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 16], num_attention_heads=[1, 1, 2, 2], sr_ratios=[1, 1, 1, 1],
        decoder_hidden_size=16, **labels("sky", "road", "tree"),
    )  # fmt: skip
    model = T.SegformerForSemanticSegmentation(config)
    set_output(model.decode_head.classifier, 0.0)
    torch.nn.init.normal_(model.decode_head.classifier.weight, std=5.0)
    save(folder, T.SegformerImageProcessorPil(size={"height": 64, "width": 64}), model)


def detr_panoptic(folder: Path) -> None:
    config = T.DetrConfig(
        backbone_config=T.ResNetConfig(**_RESNET, out_features=["stage1", "stage2", "stage3", "stage4"]),
        **{**_DETR, "d_model": 64, "encoder_attention_heads": 8, "decoder_attention_heads": 8},
        **labels("cat", "sky"),
    )
    model = T.DetrForSegmentation(config)
    set_output(model.detr.class_labels_classifier, [5.0, 0.0, 0.0])
    save(folder, T.DetrImageProcessorPil(size=_SIXTY_FOUR), model)


def maskformer(folder: Path) -> None:
    swin = T.SwinConfig(
        image_size=32, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1], window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    decoder = T.DetrConfig(**{**_DETR, "num_queries": 4}, backbone_config=T.ResNetConfig(**_RESNET))
    config = T.MaskFormerConfig(
        backbone_config=swin, decoder_config=decoder, fpn_feature_size=32, mask_feature_size=32, **labels("cat", "sky")
    )
    model = T.MaskFormerForInstanceSegmentation(config)
    set_output(model.class_predictor, [6.0, 0.0, 0.0])
    save(folder, T.MaskFormerImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96}, size_divisor=32), model)


def dpt(folder: Path) -> None:
    config = T.DPTConfig(
        **{**VIT, "num_hidden_layers": 4}, backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8,
        reassemble_factors=[4, 2, 1, 0.5], is_hybrid=False,
    )  # fmt: skip
    save(folder, T.DPTImageProcessorPil(size={"height": 32, "width": 32}), _lively(T.DPTForDepthEstimation(config)))


def depth_anything(folder: Path) -> None:
    backbone = T.Dinov2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2, image_size=28, patch_size=14, reshape_hidden_states=False,
        out_features=["stage1", "stage2"],
    )  # fmt: skip
    config = T.DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=16, patch_size=14, reassemble_factors=[2, 1], neck_hidden_sizes=[8, 8],
        fusion_hidden_size=8, head_in_index=-1, head_hidden_size=8, depth_estimation_type="metric", max_depth=20,
    )  # fmt: skip
    processor = T.DPTImageProcessorPil(size={"height": 28, "width": 28}, keep_aspect_ratio=True, ensure_multiple_of=14)
    save(folder, processor, _lively(T.DepthAnythingForDepthEstimation(config)))


def _lively(model: Any) -> Any:
    """Random weights large enough that one place of the picture differs from another."""
    with torch.no_grad():
        for parameter in model.head.parameters():
            torch.nn.init.uniform_(parameter, -0.1, 0.6)
    return model


def vit_features(folder: Path) -> None:
    save(folder, T.ViTImageProcessorPil(size={"height": 32, "width": 32}), T.ViTModel(T.ViTConfig(**VIT)))


def vitpose(folder: Path) -> None:
    backbone = T.VitPoseBackboneConfig(
        image_size=[64, 48], patch_size=[16, 16], hidden_size=32, num_hidden_layers=2, num_attention_heads=2, out_indices=[2]
    )
    config = T.VitPoseConfig(backbone_config=backbone, use_simple_decoder=True, scale_factor=4, **labels("nose", "eye", "knee", "toe"))
    save(folder, T.VitPoseImageProcessorPil(size={"height": 64, "width": 48}), T.VitPoseForPoseEstimation(config))


def superpoint(folder: Path) -> None:
    config = T.SuperPointConfig(
        encoder_hidden_sizes=[8, 8, 8, 8], decoder_hidden_size=16, descriptor_decoder_dim=8, keypoint_threshold=0.0, nms_radius=2
    )
    processor = T.SuperPointImageProcessorPil(size={"height": 64, "width": 96}, do_grayscale=True)
    save(folder, processor, T.SuperPointForKeypointDetection(config))


def sam(folder: Path) -> None:
    """Sure of every mask, with clear edges."""
    config = T.SamConfig(
        vision_config={
            "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 64, "patch_size": 16, "output_channels": 16,
            "window_size": 2, "global_attn_indexes": [1], "num_pos_feats": 8, "mlp_dim": 32,
        },
        prompt_encoder_config={"hidden_size": 16, "image_size": 64, "patch_size": 16, "mask_input_channels": 4, "image_embedding_size": 4},
        mask_decoder_config={
            "hidden_size": 16, "mlp_dim": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "iou_head_hidden_dim": 16
        },
    )  # fmt: skip
    model = T.SamModel(config)
    set_output(model.mask_decoder.iou_prediction_head.proj_out, 0.95)
    with torch.no_grad():
        for head in model.mask_decoder.output_hypernetworks_mlps:
            head.proj_out.weight.mul_(1e8)
            head.proj_out.bias.zero_()
    processor = T.SamImageProcessorPil(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64})
    save(folder, T.SamProcessor(processor), model)


def swin2sr_identity(folder: Path) -> None:
    """Makes four pixels of each one and changes none of them. For image-to-image, whose row is in the diffusion folder."""
    config = T.Swin2SRConfig(
        image_size=16, patch_size=1, embed_dim=16, depths=[1], num_heads=[2], window_size=8, upscale=2, upsampler="pixelshuffledirect"
    )
    model = T.Swin2SRForImageSuperResolution(config)
    body = model.swin2sr
    with torch.no_grad():
        for layer in (body.first_convolution, body.conv_after_body, model.upsample.conv):
            layer.weight.zero_()
            layer.bias.zero_()
        for channel in range(3):
            body.first_convolution.weight[channel, channel, 1, 1] = 1
            model.upsample.conv.weight[channel * 4 : channel * 4 + 4, channel, 1, 1] = 1
    save(folder, T.Swin2SRImageProcessorPil(), model)


def three_classes(values: Mapping[str, Any], samples: Samples) -> None:
    found = values["labels"]
    assert {f["label"] for f in found} == {"cat", "dog", "car"}
    assert [f["score"] for f in found] == sorted((f["score"] for f in found), reverse=True)
    assert sum(f["score"] for f in found) == pytest.approx(1, abs=0.01)


def objects_at(label: str, *corners: int) -> Callable[[Mapping[str, Any], Samples], None]:
    def check(values: Mapping[str, Any], samples: Samples) -> None:
        box = dict(zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True))
        assert len(values["objects"]) == 5
        for found in values["objects"]:
            assert found["label"] == label
            assert 0.9 < found["score"] < 1
            assert all(abs(found["box"][side] - at) <= 1 for side, at in box.items()), found

    return check


def parts_of_the_picture(values: Mapping[str, Any], samples: Samples) -> None:
    """Every pixel belongs to one region."""
    masks = [grey(m).astype(int) for m in values["masks"]]
    assert len(masks) == len(values["regions"]) >= 2
    assert (np.sum(masks, axis=0) == 255).all()
    assert [m.sum() for m in masks] == sorted((m.sum() for m in masks), reverse=True)
    assert {r["label"] for r in values["regions"]} <= {"sky", "road", "tree"}
    assert all(r["score"] is None for r in values["regions"])


def things_apart(values: Mapping[str, Any], samples: Samples) -> None:
    """No pixel belongs to two regions; each is a sure cat."""
    masks = [grey(m).astype(int) for m in values["masks"]]
    assert len(masks) == len(values["regions"]) >= 1
    assert set(np.unique(np.sum(masks, axis=0))) <= {0, 255}
    assert all(m.any() for m in masks)
    assert all(r["label"] == "cat" and r["score"] > 0.9 for r in values["regions"])


def some_region(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["regions"]
    assert all(set(np.unique(np.asarray(image(m)))) <= {0, 255} for m in values["masks"])


def all_depths(values: Mapping[str, Any], samples: Samples) -> None:
    pixels = grey(values["depth"])
    assert pixels.min() == 0
    assert pixels.max() == 255


def vector_of(width: int) -> Callable[[Mapping[str, Any], Samples], None]:
    def check(values: Mapping[str, Any], samples: Samples) -> None:
        vector = values["embedding"]
        assert len(vector) == width
        assert all(type(x) is float for x in vector)
        assert len(set(vector)) > width // 2

    return check


def joints(values: Mapping[str, Any], samples: Samples) -> None:
    assert [p["label"] for p in values["keypoints"]] == ["nose", "eye", "knee", "toe"]
    within(values)


def marks(values: Mapping[str, Any], samples: Samples) -> None:
    assert len(values["keypoints"]) > 5
    assert len({(p["x"], p["y"]) for p in values["keypoints"]}) == len(values["keypoints"])
    assert max(p["x"] for p in values["keypoints"]) > HEIGHT  # not with x and y confused
    within(values)


def within(values: Mapping[str, Any]) -> None:
    for p in values["keypoints"]:
        assert 0 <= p["x"] <= WIDTH
        assert 0 <= p["y"] <= HEIGHT
        assert 0 <= p["score"] <= 1
        assert p["figure"] == 0


def one_mask(values: Mapping[str, Any], samples: Samples) -> None:
    assert len(values["masks"]) == 1
    assert set(np.unique(grey(values["masks"][0]))) <= {0, 255}


def the_square(values: Mapping[str, Any], samples: Samples) -> None:
    pixels = grey(values["masks"][0])
    assert pixels[10:38, 10:38].mean() > 240
    assert pixels[:, 56:].mean() < 10


def several_masks(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["masks"]
    for mask in values["masks"]:
        assert set(np.unique(grey(mask))) == {0, 255}


def cuts_nothing_out(folder: Path) -> None:
    """SAM that is sure of nothing."""
    sam(folder)
    model = T.SamModel.from_pretrained(folder)
    set_output(model.mask_decoder.iou_prediction_head.proj_out, 0.1)
    save(folder, model)


def _case(task: str, kind: str, build: Callable[[Path], None], check: Callable[..., None], live: str | None = None, **more: Any) -> Case:
    return Case(task=task, kind=kind, build=build, inputs=lambda s: {"image": s.picture}, check=check, live=live, **more)


def shares_of_classes(values: Mapping[str, Any], samples: Samples) -> None:
    assert len(values["labels"]) == 50
    assert 0.01 < sum(f["score"] for f in values["labels"]) <= 1.01


def inside(values: Mapping[str, Any], samples: Samples) -> None:
    for found in values["objects"]:
        assert 0 <= found["box"]["xmin"] < found["box"]["xmax"] <= WIDTH
        assert 0 <= found["box"]["ymin"] < found["box"]["ymax"] <= HEIGHT


CASES: tuple[Case, ...] = (
    _case("image-classification", "vit", image_classifier, three_classes, "google/vit-base-patch16-224", half=True,
          live_check=shares_of_classes),
    _case("object-detection", "yolos", yolos, objects_at("dog", 24, 16, 72, 48), "hustvl/yolos-tiny", live_check=inside),
    _case("object-detection", "detr", detr, objects_at("cat", 0, 16, 29, 48)),
    _case("image-segmentation", "segformer", segformer, parts_of_the_picture, "nvidia/segformer-b0-finetuned-ade-512-512",
          live_check=some_region),
    _case("image-segmentation", "detr-panoptic", detr_panoptic, things_apart),
    _case("image-segmentation", "maskformer", maskformer, things_apart),
    _case("depth-estimation", "dpt", dpt, all_depths),
    _case("depth-estimation", "depth-anything", depth_anything, all_depths, "depth-anything/Depth-Anything-V2-Small-hf"),
    _case("image-feature-extraction", "vit", vit_features, vector_of(32), "google/vit-base-patch16-224-in21k", half=True,
          live_check=vector_of(768)),
    _case("image-feature-extraction", "clip", vision_words.clip, vector_of(16), half=True),
    _case("keypoint-detection", "vitpose", vitpose, joints, "usyd-community/vitpose-base-simple", live_check=lambda v, s: within(v)),
    _case("keypoint-detection", "superpoint", superpoint, marks, "magic-leap-community/superpoint", live_check=lambda v, s: within(v)),
    Case(
        task="mask-generation",
        kind="sam-points",
        build=sam,
        inputs=lambda s: {"image": s.picture, "points": [[24, 24]]},
        check=one_mask,
        live="Zigeng/SlimSAM-uniform-77",
        live_check=the_square,
    ),
    _case("mask-generation", "sam-grid", sam, several_masks),
    *vision_words.CASES,
)  # fmt: skip
