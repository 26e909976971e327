"""Tiny models of the tasks in tools/runners/local/vision that see and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import AddedToken

from tests.local_models.case import Case
from tests.local_models.samples import Samples
from tests.local_models.text import BERT, labels, save
from tests.local_models.tokenizers import clip_tokenizer, word_tokenizer

T: Any = transformers  # its types know fewer arguments than its configs take
LAYERS: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 37}
SEES: dict[str, Any] = {**LAYERS, "image_size": 32, "patch_size": 8}
SMALL = {"height": 32, "width": 32}


def clip(folder: Path) -> None:
    tokenizer, begin, end = clip_tokenizer()
    text = {
        "vocab_size": len(tokenizer),
        **LAYERS,
        "max_position_embeddings": 64,
        "bos_token_id": begin,
        "eos_token_id": end,
        "pad_token_id": end,
    }
    processor = T.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SMALL)
    save(folder, tokenizer, processor, T.CLIPModel(T.CLIPConfig(text_config=text, vision_config=SEES, projection_dim=16)))


def siglip(folder: Path) -> None:
    tokenizer = word_tokenizer("t5")
    text = {"vocab_size": len(tokenizer), **LAYERS, "max_position_embeddings": 64, "bos_token_id": 1, "eos_token_id": 1, "pad_token_id": 0}
    model = T.SiglipModel(T.SiglipConfig(text_config=text, vision_config=SEES))
    save(folder, tokenizer, T.SiglipImageProcessorPil(size=SMALL), model)


def owlvit(folder: Path) -> None:
    """Sure of everything; a box of half the picture's sides at each corner of the lower right quarter, some reaching out."""
    tokenizer, begin, end = clip_tokenizer()
    text = {
        "vocab_size": len(tokenizer),
        **LAYERS,
        "max_position_embeddings": 16,
        "bos_token_id": begin,
        "eos_token_id": end,
        "pad_token_id": end,
    }
    config = T.OwlViTConfig(text_config=text, vision_config={**SEES, "patch_size": 16}, projection_dim=32)
    model = T.OwlViTForObjectDetection(config)
    with torch.no_grad():
        model.class_head.logit_shift.weight.zero_()
        model.class_head.logit_shift.bias.fill_(4.0)
        model.class_head.logit_scale.weight.zero_()
        model.class_head.logit_scale.bias.fill_(0.0)
        model.box_head.dense2.weight.zero_()
        model.box_head.dense2.bias.zero_()
    save(folder, T.OwlViTProcessor(T.OwlViTImageProcessorPil(size=SMALL, crop_size=SMALL), tokenizer), model)


def grounding_dino(folder: Path) -> None:
    tokenizer = word_tokenizer()
    backbone = T.SwinConfig(
        image_size=32, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1], window_size=4, out_features=["stage2", "stage3", "stage4"]
    )
    config = T.GroundingDinoConfig(
        backbone_config=backbone, text_config=T.BertConfig(vocab_size=len(tokenizer), **BERT), num_queries=5, d_model=32, encoder_layers=1,
        decoder_layers=2, encoder_ffn_dim=16, decoder_ffn_dim=16, encoder_attention_heads=2, decoder_attention_heads=2, max_text_len=64,
        num_feature_levels=4, two_stage=True, use_timm_backbone=False,
    )  # fmt: skip
    model = T.GroundingDinoForObjectDetection(config)
    processor = T.GroundingDinoImageProcessorPil(size={"shortest_edge": 128, "longest_edge": 192})
    save(folder, T.GroundingDinoProcessor(processor, tokenizer), model)


def _blip(tokenizer: Any) -> Any:
    text = {
        "vocab_size": len(tokenizer), **LAYERS, "encoder_hidden_size": 32, "projection_dim": 16, "max_position_embeddings": 64,
        "bos_token_id": 2, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0,
    }  # fmt: skip
    return T.BlipConfig(text_config=text, vision_config=SEES, projection_dim=16)


def blip_captions(folder: Path) -> None:
    tokenizer = word_tokenizer()
    model = T.BlipForConditionalGeneration(_blip(tokenizer))
    save(folder, T.BlipProcessor(T.BlipImageProcessorPil(size=SMALL), tokenizer), model)


def blip_answers(folder: Path) -> None:
    tokenizer = word_tokenizer()
    save(folder, T.BlipProcessor(T.BlipImageProcessorPil(size=SMALL), tokenizer), T.BlipForQuestionAnswering(_blip(tokenizer)))


def vit_gpt2(folder: Path) -> None:
    tokenizer = word_tokenizer("gpt")
    decoder = T.GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=1, n_head=2, n_positions=64, bos_token_id=0, eos_token_id=0)
    _encoder_decoder(folder, T.ViTConfig(**SEES), decoder, tokenizer, T.ViTImageProcessorPil(size=SMALL))


def trocr(folder: Path) -> None:
    tokenizer = word_tokenizer("bart")
    decoder = T.TrOCRConfig(
        vocab_size=len(tokenizer), d_model=32, decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=37, max_position_embeddings=64,
        cross_attention_hidden_size=32, use_cache=True, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    _encoder_decoder(folder, T.ViTConfig(**SEES), decoder, tokenizer, T.ViTImageProcessorPil(size=SMALL))


def donut(folder: Path) -> None:
    tokenizer = word_tokenizer("bart")
    tokenizer.add_tokens(
        [AddedToken(t, special=True) for t in ("<s_docvqa>", "<s_question>", "</s_question>", "<s_answer>", "</s_answer>")]
    )
    decoder = T.MBartConfig(
        vocab_size=len(tokenizer), d_model=32, decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=37, max_position_embeddings=64,
        is_decoder=True, add_cross_attention=True, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=0,
    )  # fmt: skip
    encoder = T.DonutSwinConfig(image_size=[64, 64], embed_dim=16, depths=[1, 1], num_heads=[1, 1], window_size=4)
    processor = T.DonutImageProcessorPil(size={"height": 64, "width": 64})
    _encoder_decoder(folder, encoder, decoder, tokenizer, processor)


def _encoder_decoder(folder: Path, encoder: Any, decoder: Any, tokenizer: Any, processor: Any) -> None:
    config = T.VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id = decoder.bos_token_id
    config.pad_token_id = tokenizer.pad_token_id
    config.eos_token_id = decoder.eos_token_id
    model = T.VisionEncoderDecoderModel(config)
    model.generation_config = T.GenerationConfig(
        decoder_start_token_id=decoder.bos_token_id, bos_token_id=decoder.bos_token_id, eos_token_id=decoder.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    save(folder, tokenizer, processor, model)


def git(folder: Path) -> None:
    tokenizer = word_tokenizer()
    vision = {**SEES, "num_channels": 3}
    config = T.GitConfig(
        vision_config=vision,
        vocab_size=len(tokenizer),
        **LAYERS,
        max_position_embeddings=64,
        bos_token_id=2,
        eos_token_id=3,
        pad_token_id=0,
    )
    processor = T.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SMALL)
    save(folder, T.GitProcessor(processor, tokenizer), T.GitForCausalLM(config))


def vilt(folder: Path) -> None:
    """Answers "yes" to everything."""
    tokenizer = word_tokenizer()
    config = T.ViltConfig(vocab_size=len(tokenizer), **SEES, max_position_embeddings=40, **labels("no", "yes", "2"))
    model = T.ViltForQuestionAnswering(config)
    with torch.no_grad():
        model.classifier[-1].weight.zero_()
        model.classifier[-1].bias.copy_(torch.tensor([0.0, 3.0, -3.0]))
    save(folder, T.ViltProcessor(T.ViltImageProcessorPil(size={"shortest_edge": 128}, size_divisor=8), tokenizer), model)


def llava(folder: Path) -> None:
    tokenizer = word_tokenizer("gpt")
    tokenizer.add_tokens([AddedToken("<image>", special=True)])
    text = T.LlamaConfig(vocab_size=len(tokenizer), **LAYERS, max_position_embeddings=256, bos_token_id=0, eos_token_id=0, pad_token_id=0)
    config = T.LlavaConfig(
        vision_config=T.CLIPVisionConfig(**SEES), text_config=text, image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
    )  # fmt: skip
    template = (
        "{% for m in messages %}{{ m['role'] }}: {% for c in m['content'] %}{% if c['type'] == 'image' %}<image>{% else %}{{ c['text'] }}"
        "{% endif %}{% endfor %}\n{% endfor %}assistant:"
    )
    processor = T.LlavaProcessor(
        T.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SMALL), tokenizer, patch_size=8,
        vision_feature_select_strategy="default", num_additional_image_tokens=1, chat_template=template,
    )  # fmt: skip
    save(folder, processor, T.LlavaForConditionalGeneration(config))


def idefics3(folder: Path) -> None:
    """The architecture of SmolVLM: a picture is several tiles and the whole."""
    tokenizer = word_tokenizer("gpt", longest=1024)
    rows = [f"<row_{y}_col_{x}>" for y in range(1, 7) for x in range(1, 7)]
    marks = ["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>", *rows]
    tokenizer.add_tokens([AddedToken(t, special=True) for t in marks])
    text = T.LlamaConfig(vocab_size=len(tokenizer), **LAYERS, max_position_embeddings=1024, bos_token_id=0, eos_token_id=0, pad_token_id=0)
    config = T.Idefics3Config(
        vision_config={**SEES, "patch_size": 8}, text_config=text, scale_factor=2,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"), pad_token_id=0,
    )  # fmt: skip
    processor = T.Idefics3ImageProcessorPil(size={"longest_edge": 64}, max_image_size={"longest_edge": 32}, do_image_splitting=True)
    template = (
        "{% for m in messages %}{{ m['role'] }}: {% for c in m['content'] %}{% if c['type'] == 'image' %}<image>{% else %}{{ c['text'] }}"
        "{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}assistant:"
    )
    save(
        folder,
        T.Idefics3Processor(processor, tokenizer, image_seq_len=4, chat_template=template),
        T.Idefics3ForConditionalGeneration(config),
    )


def layoutlm(folder: Path) -> None:
    tokenizer = word_tokenizer()
    save(
        folder,
        tokenizer,
        T.LayoutLMForQuestionAnswering(T.LayoutLMConfig(vocab_size=len(tokenizer), **BERT, max_2d_position_embeddings=1024)),
    )


def colpali(folder: Path) -> None:
    tokenizer = word_tokenizer("bart", longest=512)
    tokenizer.add_tokens([AddedToken("<image>", special=True)])
    text = T.GemmaConfig(
        vocab_size=len(tokenizer) + 2000, **{**LAYERS, "head_dim": 16}, num_key_value_heads=1, max_position_embeddings=512, pad_token_id=1
    )
    vlm = T.PaliGemmaConfig(
        vision_config=T.SiglipVisionConfig(**SEES), text_config=text, projection_dim=32,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    processor = T.SiglipImageProcessorPil(size=SMALL)
    processor.image_seq_length = 16
    save(folder, T.ColPaliProcessor(processor, tokenizer), T.ColPaliForRetrieval(T.ColPaliConfig(vlm_config=vlm, embedding_dim=16)))


def page(samples: Samples) -> Any:
    """A scanned receipt."""
    return samples.example("receipt.png")


def shares_of(*names: str) -> Callable[[Mapping[str, Any], Samples], None]:
    def check(values: Mapping[str, Any], samples: Samples) -> None:
        found = values["labels"]
        assert {f["label"] for f in found} == set(names)
        assert [f["score"] for f in found] == sorted((f["score"] for f in found), reverse=True)
        assert sum(f["score"] for f in found) == pytest.approx(1, abs=0.01)

    return check


def each_alone(values: Mapping[str, Any], samples: Samples) -> None:
    assert {f["label"] for f in values["labels"]} == {"cat", "dog"}
    assert all(0 < f["score"] < 1 for f in values["labels"])


def red_square(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["labels"][0]["label"] == "a red square and a blue circle"


def four_places(values: Mapping[str, Any], samples: Samples) -> None:
    """Every label at every place."""
    for name in ("cat", "dog"):
        boxes = [o["box"] for o in values["objects"] if o["label"] == name]
        assert len(boxes) == 4
        assert {(b["xmin"], b["ymin"]) for b in boxes} == {(24, 16), (72, 16), (24, 48), (72, 48)}
        assert all(0 <= b["xmin"] < b["xmax"] <= 96 and 0 <= b["ymin"] < b["ymax"] <= 64 for b in boxes)


def objects_within(values: Mapping[str, Any], samples: Samples) -> None:
    for found in values["objects"]:
        box = found["box"]
        assert found["label"] in ("cat", "dog")
        assert 0 <= found["score"] <= 1
        assert 0 <= box["xmin"] < box["xmax"] <= 96
        assert 0 <= box["ymin"] < box["ymax"] <= 64


def some_text(values: Mapping[str, Any], samples: Samples) -> None:
    (text,) = values.values()
    assert isinstance(text, str)
    assert text == text.strip()
    assert not any(mark in text for mark in ("[CLS]", "[SEP]", "[PAD]", "<s>", "</s>", "<|endoftext|>", "<image>", "assistant:"))


def yes(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["answer"] == "yes"


def colours(values: Mapping[str, Any], samples: Samples) -> None:
    assert "red" in next(iter(values.values())).lower() or "blue" in next(iter(values.values())).lower()


def words_of_the_page(values: Mapping[str, Any], samples: Samples) -> None:
    from langchain_hugginggpt.tools.media import load_image
    from langchain_hugginggpt.tools.runners.embedded.ocr import PageReader

    read = {word for line in PageReader().read(load_image(page(samples))).lines for word in line.split()}
    assert values["answer"]
    assert set(values["answer"].split()) <= read
    assert 0 <= values["score"] <= 1


def an_answer(values: Mapping[str, Any], samples: Samples) -> None:
    assert isinstance(values["answer"], str)
    assert "<s_" not in values["answer"]
    assert 0 <= values["score"] <= 1


def two_pages(values: Mapping[str, Any], samples: Samples) -> None:
    found = values["documents"]
    assert sorted(f["index"] for f in found) == [0, 1]
    assert found[0]["score"] > found[1]["score"]


def _seen(task: str, kind: str, build: Callable[[Path], None], check: Callable[..., None], live: str | None = None, **more: Any) -> Case:
    asked = more.pop("asked", {})
    return Case(task=task, kind=kind, build=build, inputs=lambda s: {"image": s.picture, **asked}, check=check, live=live, **more)


def _paged(kind: str, build: Callable[[Path], None], check: Callable[..., None], live: str | None) -> Case:
    return Case(
        task="document-question-answering", kind=kind, build=build, check=check, live=live,
        inputs=lambda s: {"image": page(s), "question": "What is the total?"},
    )  # fmt: skip


def _retrieved(kind: str, build: Callable[[Path], None], live: str | None, *, half: bool = False) -> Case:
    return Case(
        task="visual-document-retrieval", kind=kind, build=build, check=two_pages, live=live, half=half,
        inputs=lambda s: {"images": [s.picture.id, s.example("receipt.png").id], "query": "the total of a receipt"},
    )  # fmt: skip


_TWO = {"candidate_labels": ["cat", "dog"]}
_SHAPES = {"candidate_labels": ["a red square and a blue circle", "a cat", "a street in paris"]}
_ASKED = {"question": "what colour is the square?"}

CASES: tuple[Case, ...] = (
    _seen("zero-shot-image-classification", "clip", clip, shares_of(*_SHAPES["candidate_labels"]), "openai/clip-vit-base-patch32",
          live_check=red_square, half=True, asked=_SHAPES),
    _seen("zero-shot-image-classification", "siglip", siglip, each_alone, "google/siglip-base-patch16-224", half=True, asked=_TWO),
    _seen("zero-shot-object-detection", "owlvit", owlvit, four_places, "google/owlvit-base-patch32", live_check=objects_within, asked=_TWO),
    _seen("zero-shot-object-detection", "grounding-dino", grounding_dino, objects_within, "IDEA-Research/grounding-dino-tiny", asked=_TWO),
    _seen("image-to-text", "blip", blip_captions, some_text, "Salesforce/blip-image-captioning-base", live_check=colours, half=True),
    _seen("image-to-text", "vit-gpt2", vit_gpt2, some_text, half=True),
    _seen("image-to-text", "trocr", trocr, some_text, "microsoft/trocr-base-printed"),
    _seen("image-to-text", "git", git, some_text),
    _seen("image-text-to-text", "llava", llava, some_text, half=True, asked={"prompt": "what is red?"}),
    _seen("image-text-to-text", "idefics3", idefics3, some_text, "HuggingFaceTB/SmolVLM-256M-Instruct", live_check=colours, half=True,
          asked={"prompt": "Which colours do the shapes in this picture have?"}),
    _seen("visual-question-answering", "vilt", vilt, yes, "dandelin/vilt-b32-finetuned-vqa", live_check=colours, asked=_ASKED),
    _seen("visual-question-answering", "blip", blip_answers, some_text, "Salesforce/blip-vqa-base", live_check=colours, asked=_ASKED),
    _paged("layoutlm", layoutlm, words_of_the_page, "impira/layoutlm-document-qa"),
    _paged("donut", donut, an_answer, None),
    _retrieved("colpali", colpali, None),
    _retrieved("clip", clip, None, half=True),
)  # fmt: skip
