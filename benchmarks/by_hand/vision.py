"""Tasks of pictures, and conversations about files."""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image

from benchmarks.by_hand.opening import Inputs, frames, picture, png, sound
from langchain_hugginggpt.tools.artifacts import Artifact
from langchain_hugginggpt.tools.runners.local.loaded import LoadedModel


def image_classification(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    return m.pipeline("image-classification")(picture(i["image"]), top_k=50)


def object_detection(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    return m.pipeline("object-detection")(picture(i["image"]), threshold=0.5)


def image_segmentation(m: LoadedModel, i: Inputs, _s: Inputs) -> list[bytes]:
    return [png(f["mask"]) for f in m.pipeline("image-segmentation")(picture(i["image"]))]


def depth_estimation(m: LoadedModel, i: Inputs, _s: Inputs) -> bytes:
    return png(m.pipeline("depth-estimation")(picture(i["image"]))["depth"])


def seen(m: LoadedModel, artifact: Artifact, **options: Any) -> Any:
    return m.image_processor([picture(artifact)], return_tensors="pt", **options).to(m.device, getattr(torch, m.dtype))


def vit_features(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    return m.model(**seen(m, i["image"])).last_hidden_state[0, 0].tolist()


def clip_features(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    return m.model.get_image_features(**seen(m, i["image"])).pooler_output[0].tolist()


def joints(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    image = picture(i["image"])
    boxes = [[[0.0, 0.0, float(image.width), float(image.height)]]]
    out = m.model(**m.image_processor([image], boxes=boxes, return_tensors="pt").to(m.device))
    return m.image_processor.post_process_pose_estimation(out, boxes=boxes)[0][0]["keypoints"].tolist()


def marks(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    image = picture(i["image"])
    out = m.model(**m.image_processor([image], return_tensors="pt").to(m.device))
    return m.image_processor.post_process_keypoint_detection(out, [(image.height, image.width)])[0]["keypoints"].tolist()


def mask_at_points(m: LoadedModel, i: Inputs, _s: Inputs) -> bytes:
    image = picture(i["image"])
    read = m.image_processor([image], return_tensors="pt")
    scale = float(read["reshaped_input_sizes"][0, 1]) / image.width
    points = torch.tensor([[[[x * scale, y * scale] for x, y in i["points"]]]], device=m.device)
    out = m.model(pixel_values=read["pixel_values"].to(m.device), input_points=points)
    masks = m.image_processor.post_process_masks(out.pred_masks, read["original_sizes"], read["reshaped_input_sizes"])[0]
    return png(Image.fromarray(masks[0, int(out.iou_scores[0, 0].argmax())].cpu().numpy()))


def zero_shot_image_classification(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    return m.pipeline("zero-shot-image-classification")(picture(i["image"]), candidate_labels=i["candidate_labels"])


def zero_shot_object_detection(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    return m.pipeline("zero-shot-object-detection")(picture(i["image"]), candidate_labels=i["candidate_labels"])


def image_to_text(m: LoadedModel, i: Inputs, s: Inputs) -> Any:
    return m.tokenizer.decode(m.model.generate(**seen(m, i["image"]), **s)[0], skip_special_tokens=True)


def _said(m: LoadedModel, batch: Any, s: Inputs) -> Any:
    batch = batch.to(m.device, getattr(torch, m.dtype))
    ids = m.model.generate(**batch, **s)[0][batch["input_ids"].shape[1] :]
    return m.processor.tokenizer.decode(ids, skip_special_tokens=True)


def image_text_to_text(m: LoadedModel, i: Inputs, s: Inputs) -> Any:
    content = [{"type": "image", "image": picture(i["image"])}, {"type": "text", "text": i["prompt"]}]
    said = [{"role": "user", "content": content}]
    batch = m.processor.apply_chat_template(said, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt")
    return _said(m, batch, s)


def conversation(m: LoadedModel, i: Inputs, s: Inputs) -> Any:
    """About a video as eight pictures, after a picture or alone, or about a recording."""
    pictures = [picture(i["image"])] if "image" in i else []
    given: dict[str, Any] = {}
    if "video" in i:
        pictures += frames(i["video"], 8)
    if pictures:
        given |= {"images": pictures, "do_image_splitting": False}
    if "audio" in i:
        given |= {"audio": [sound(i["audio"])], "sampling_rate": m.processor.feature_extractor.sampling_rate}
    content = [*({"type": "image"} for _ in pictures), *([{"type": "audio"}] if "audio" in i else [])]
    said = [{"role": "user", "content": [*content, {"type": "text", "text": i.get("prompt") or i["question"]}]}]
    text = m.processor.apply_chat_template(said, add_generation_prompt=True, tokenize=False)
    return _said(m, m.processor(text=text, return_tensors="pt", **given), s)


def chosen_answer(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    out = m.model(**m.processor(images=picture(i["image"]), text=i["question"], return_tensors="pt").to(m.device))
    return m.config.id2label[int(out.logits[0].argmax())]


def written_answer(m: LoadedModel, i: Inputs, s: Inputs) -> Any:
    batch = m.processor(images=picture(i["image"]), text=i["question"], return_tensors="pt").to(m.device)
    return m.processor.tokenizer.decode(m.model.generate(**batch, **s)[0], skip_special_tokens=True)


def donut_answer(m: LoadedModel, i: Inputs, s: Inputs) -> Any:
    prompt = f"<s_docvqa><s_question>{i['question']}</s_question><s_answer>"
    ids = m.tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"].to(m.device)
    return m.tokenizer.decode(m.model.generate(pixel_values=seen(m, i["image"])["pixel_values"], decoder_input_ids=ids, **s)[0])


def late_retrieval(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    query = m.model(**m.processor.process_queries([i["query"]]).to(m.device)).embeddings
    pages = m.processor.process_images([picture(a) for a in i["images"]]).to(m.device, getattr(torch, m.dtype))
    return m.processor.score_retrieval(query, m.model(**pages).embeddings).tolist()


def clip_retrieval(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    query = m.model.get_text_features(**m.tokenizer([i["query"]], return_tensors="pt").to(m.device)).pooler_output
    read = m.image_processor([picture(a) for a in i["images"]], return_tensors="pt").to(m.device, getattr(torch, m.dtype))
    return torch.nn.functional.cosine_similarity(query, m.model.get_image_features(**read).pooler_output).tolist()
