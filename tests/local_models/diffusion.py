"""Tiny models of the tasks in tools/runners/local/diffusion."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from langchain_hugginggpt.tools.media import load_image
from langchain_hugginggpt.tools.video import mp4_bytes, read_frames
from tests.local_models.case import Case
from tests.local_models.samples import Samples
from tests.local_models.tokenizers import clip_tokenizer, word_tokenizer

D: Any = import_module("diffusers")  # without types
T: Any = import_module("transformers")


def text_encoder(kind: str = "CLIPTextModel", width: int = 32) -> tuple[Any, Any]:
    """A tiny CLIP encoder of texts with its tokenizer."""
    tokenizer, begin, end = clip_tokenizer()
    config = T.CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=37, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=16, bos_token_id=begin, eos_token_id=end, pad_token_id=end, projection_dim=width,
    )  # fmt: skip
    return getattr(T, kind)(config), tokenizer


def unet(*, inner: int = 4, **options: Any) -> Any:
    """A tiny U-Net that is told what to paint by a text encoder of width 32."""
    return D.UNet2DConditionModel(
        **{
            "block_out_channels": (8, 16), "norm_num_groups": 4, "layers_per_block": 1, "sample_size": 16, "in_channels": inner,
            "out_channels": 4, "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"), "cross_attention_dim": 32,
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"), "attention_head_dim": 4, **options,
        }
    )  # fmt: skip


def vae(**options: Any) -> Any:
    """A tiny VAE: two pixels by side for a point."""
    return D.AutoencoderKL(
        block_out_channels=(8, 16), norm_num_groups=4, in_channels=3, out_channels=3, down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4, sample_size=32, **options,
    )  # fmt: skip


def ddim() -> Any:
    """What Stable Diffusion samples with."""
    return D.DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False, steps_offset=1
    )


def stable(**parts: Any) -> Any:
    """The parts of a tiny Stable Diffusion."""
    encoder, tokenizer = text_encoder()
    own = {"vae": vae(), "text_encoder": encoder, "tokenizer": tokenizer, "unet": unet(), "scheduler": ddim()}
    return {**own, "safety_checker": None, "feature_extractor": None, "requires_safety_checker": False, **parts}


def stable_diffusion(folder: Path) -> None:
    D.StableDiffusionPipeline(**stable()).save_pretrained(folder)


def stable_diffusion_xl(folder: Path) -> None:
    first, tokenizer = text_encoder()
    second, second_tokenizer = text_encoder("CLIPTextModelWithProjection")
    core = unet(
        cross_attention_dim=64, addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=80
    )
    D.StableDiffusionXLPipeline(
        vae=vae(), text_encoder=first, tokenizer=tokenizer, text_encoder_2=second, tokenizer_2=second_tokenizer, unet=core,
        scheduler=ddim(), add_watermarker=False,
    ).save_pretrained(folder)  # fmt: skip


def flux(folder: Path) -> None:
    clip, tokenizer = text_encoder()
    second_tokenizer = word_tokenizer("t5")
    t5 = T.T5EncoderModel(
        T.T5Config(vocab_size=len(second_tokenizer), d_model=32, d_kv=8, d_ff=37, num_layers=1, num_heads=4, tie_word_embeddings=True)
    )
    core = D.FluxTransformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=32, pooled_projection_dim=32, axes_dims_rope=(4, 4, 8),
    )  # fmt: skip
    autoencoder = D.AutoencoderKL(
        block_out_channels=(8,), norm_num_groups=4, in_channels=3, out_channels=3, down_block_types=("DownEncoderBlock2D",),
        up_block_types=("UpDecoderBlock2D",), latent_channels=4, sample_size=32, use_quant_conv=False, use_post_quant_conv=False,
        shift_factor=0.0609, scaling_factor=1.5035,
    )  # fmt: skip
    pipe = D.FluxPipeline(
        scheduler=D.FlowMatchEulerDiscreteScheduler(), vae=autoencoder, text_encoder=clip, tokenizer=tokenizer, text_encoder_2=t5,
        tokenizer_2=second_tokenizer, transformer=core,
    )  # fmt: skip
    pipe.save_pretrained(folder)


def ddpm(folder: Path) -> None:
    core = D.UNet2DModel(
        sample_size=16, in_channels=3, out_channels=3, layers_per_block=1, block_out_channels=(8, 16), norm_num_groups=4,
        down_block_types=("DownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D"),
    )  # fmt: skip
    D.DDPMPipeline(core, D.DDPMScheduler()).save_pretrained(folder)


def instruct(folder: Path) -> None:
    D.StableDiffusionInstructPix2PixPipeline(**stable(unet=unet(inner=8))).save_pretrained(folder)


def inpainting(folder: Path) -> None:
    D.StableDiffusionInpaintPipeline(**stable(unet=unet(inner=9))).save_pretrained(folder)


def upscaler(folder: Path) -> None:
    core = unet(inner=7, num_class_embeds=1000)
    parts = stable(unet=core, vae=vae(scaling_factor=0.08333), low_res_scheduler=D.DDPMScheduler())
    del parts["requires_safety_checker"]
    D.StableDiffusionUpscalePipeline(**parts).save_pretrained(folder)


def swin2sr(folder: Path) -> None:
    config = T.Swin2SRConfig(
        image_size=16, patch_size=1, embed_dim=16, depths=[1], num_heads=[2], window_size=8, upscale=2, upsampler="pixelshuffledirect"
    )
    T.Swin2SRImageProcessorPil().save_pretrained(folder)
    T.Swin2SRForImageSuperResolution(config).save_pretrained(folder)


def control(**options: Any) -> Any:
    """A tiny ControlNet for the tiny Stable Diffusion."""
    return D.ControlNetModel(
        **{
            "block_out_channels": (8, 16), "norm_num_groups": 4, "layers_per_block": 1, "attention_head_dim": 4,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"), "cross_attention_dim": 32,
            "conditioning_embedding_out_channels": (4, 8), **options,
        }
    )  # fmt: skip


def controlnet(folder: Path) -> None:
    D.StableDiffusionControlNetPipeline(**stable(controlnet=control())).save_pretrained(folder)


def lone_controlnet(folder: Path, base: str = "base--stable-diffusion") -> None:
    """A ControlNet as it lies on the Hub, alone in its folder; its base is made beside it, if it is not there."""
    control().save_pretrained(folder)
    (folder / "README.md").write_text(f"---\nbase_model: {base}\ntags: [controlnet]\n---\n# A ControlNet\n")
    if not (folder.parent / base).exists():
        stable_diffusion(folder.parent / base)


def lone_controlnet_xl(folder: Path) -> None:
    control(
        cross_attention_dim=64, addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=80
    ).save_pretrained(folder)
    (folder / "README.md").write_text("---\nbase_model:\n- base--stable-diffusion-xl\n---\n")
    if not (folder.parent / "base--stable-diffusion-xl").exists():
        stable_diffusion_xl(folder.parent / "base--stable-diffusion-xl")


def animated(kind: Any, folder: Path, inner: int = 4) -> None:
    """A tiny AnimateDiff: the U-Net with layers between the frames."""
    motion = D.MotionAdapter(
        block_out_channels=(8, 16), motion_layers_per_block=1, motion_norm_num_groups=4, motion_num_attention_heads=2,
        conv_in_channels=inner if inner != 4 else None,
    )  # fmt: skip
    parts = stable(unet=unet(inner=4), motion_adapter=motion)
    for name in ("safety_checker", "requires_safety_checker"):
        del parts[name]
    kind(**parts).save_pretrained(folder)


def stable_video(folder: Path) -> None:
    core = D.UNetSpatioTemporalConditionModel(
        block_out_channels=(32,), layers_per_block=1, sample_size=32, in_channels=8, out_channels=4, num_frames=3,
        down_block_types=("DownBlockSpatioTemporal",), cross_attention_dim=32,
        up_block_types=("UpBlockSpatioTemporal",), num_attention_heads=(2,),
        projection_class_embeddings_input_dim=24, addition_time_embed_dim=8,
    )  # fmt: skip
    autoencoder = D.AutoencoderKLTemporalDecoder(
        block_out_channels=(32,), in_channels=3, out_channels=3, down_block_types=("DownEncoderBlock2D",), latent_channels=4
    )
    eye = T.CLIPVisionModelWithProjection(
        T.CLIPVisionConfig(
            hidden_size=16,
            projection_dim=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=224,
            intermediate_size=37,
            patch_size=16,
        )
    )
    sampler = D.EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type="v_prediction", sigma_max=700.0,
        sigma_min=0.002, timestep_spacing="leading", timestep_type="continuous", use_karras_sigmas=True, steps_offset=1,
    )  # fmt: skip
    pipe = D.StableVideoDiffusionPipeline(
        vae=autoencoder.half(), image_encoder=eye.half(), unet=core.half(), scheduler=sampler,
        feature_extractor=T.CLIPImageProcessorPil(),
    )  # fmt: skip
    pipe.save_pretrained(folder)


def of_size(*sizes: tuple[int, int]) -> Any:
    """Checks that the picture has one of these sizes and is not all of one colour."""

    def check(values: Mapping[str, Any], samples: Samples) -> None:
        picture = load_image(values["image"])
        assert picture.size in sizes
        assert np.asarray(picture).std() > 0

    return check


def holed(samples: Samples) -> Any:
    """The picture of shapes with its left half erased."""
    picture = load_image(samples.picture).convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 48, 64))
    return samples.of_image(picture, "holed.png")


def painted(values: Mapping[str, Any], samples: Samples) -> None:
    """The erased half is another one; the other half is as it was."""
    made, given = np.asarray(load_image(values["image"])), np.asarray(load_image(samples.picture))
    assert (made[:, 48:] == given[:, 48:]).all()
    assert made[:, :48].std() > 0
    assert not (made[:, :48] == given[:, :48]).all()


def film(count: int, size: tuple[int, int]) -> Any:
    """Checks that the video has so many frames of this size."""

    def check(values: Mapping[str, Any], samples: Samples) -> None:
        read = read_frames(values["video"], 100)
        assert len(set(read.seconds)) == count
        assert read.frames[0].size == size

    return check


def clip(samples: Samples) -> Any:
    """Half a second of a square that moves."""
    pictures = [Image.new("RGB", (64, 64), (30, 30, 30)) for _ in range(5)]
    for at, picture in enumerate(pictures):
        picture.paste((220, 30, 30), (8 * at, 20, 8 * at + 20, 40))
    return samples.store.put(mp4_bytes(pictures, fps=10), name="square.mp4")


def _of(
    task: str, kind: str, build: Any, inputs: Any, check: Any, *, half: bool = True, live: str | None = None, found: Any = None
) -> Case:
    return Case(task=task, kind=kind, build=build, inputs=inputs, check=check, live=live, live_check=found, half=half)


def asked(samples: Samples) -> dict[str, Any]:
    return {"image": samples.picture, "prompt": "a blue cat"}


CASES = (
    _of("text-to-image", "stable-diffusion", stable_diffusion, lambda s: {"prompt": "the red cat", "negative_prompt": "dog"},
        of_size((32, 32))),
    _of("text-to-image", "stable-diffusion-xl", stable_diffusion_xl, lambda s: {"prompt": "the red cat"}, of_size((32, 32))),
    _of("text-to-image", "flux", flux, lambda s: {"prompt": "the red cat"}, of_size((128, 128))),
    _of("unconditional-image-generation", "ddpm", ddpm, lambda s: {}, of_size((16, 16)), live="google/ddpm-cifar10-32",
        found=of_size((32, 32))),
    _of("image-to-image", "stable-diffusion", stable_diffusion, asked, of_size((40, 24))),
    _of("image-to-image", "instruct-pix2pix", instruct, asked, of_size((40, 24))),
    _of("image-to-image", "inpainting", inpainting, lambda s: {"image": holed(s), "prompt": "a dog"}, painted),
    _of("image-to-image", "swin2sr", swin2sr, lambda s: {"image": s.picture}, of_size((192, 128)), half=False),
    _of("image-to-image", "upscaler", upscaler, lambda s: {"image": s.picture}, of_size((192, 128))),
    _of("image-to-image", "controlnet-canny", controlnet, asked, of_size((40, 24))),
    _of("image-to-image", "lone-controlnet-canny", lone_controlnet, asked, of_size((40, 24))),
    _of("image-to-image", "lone-controlnet-xl-canny", lone_controlnet_xl, asked, of_size((40, 24))),
    _of("text-to-video", "animate-diff", lambda f: animated(D.AnimateDiffPipeline, f), lambda s: {"prompt": "the red cat"},
        film(16, (32, 32))),
    _of("image-to-video", "stable-video", stable_video, lambda s: {"image": s.picture}, film(3, (40, 24))),
    _of("image-text-to-video", "pia", lambda f: animated(D.PIAPipeline, f, 9), asked, film(16, (40, 24))),
    _of("video-to-video", "animate-diff", lambda f: animated(D.AnimateDiffVideoToVideoPipeline, f),
        lambda s: {"video": clip(s), "prompt": "a blue cat"}, film(5, (32, 32))),
    _of("image-text-to-image", "stable-diffusion", stable_diffusion, asked, of_size((40, 24))),
)  # fmt: skip
