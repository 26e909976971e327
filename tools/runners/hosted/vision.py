"""Tasks on pictures, and videos that are made."""

from __future__ import annotations

import io
from typing import Any

from ....index.errors import ExpertError
from ...task import Kind
from ..runner import NewMedia, RunnerOutput
from .replies import best, chosen, decoded, file, labels, number, part, score, sequence, shown, text
from .replies import picture as read_picture
from .row import HostedRow, Inputs, Way, Where, row
from .uploads import in_base64, picture, upright_size

_SIDES = ("xmin", "ymin", "xmax", "ymax")


def _seen(inputs: Inputs) -> dict[str, Any]:
    return {"image": picture(inputs["image"])}


def _asked(inputs: Inputs) -> dict[str, Any]:
    return {"image": picture(inputs["image"]), "question": inputs["question"]}


def _objects(reply: Any, inputs: Inputs) -> RunnerOutput:
    width, height = upright_size(inputs["image"])
    found = []
    for e in sequence(reply, "objects"):
        left, top, right, bottom = (number(part(part(e, "box"), side), f"{side} of a box") for side in _SIDES)
        corners = (max(0, round(left)), max(0, round(top)), min(width, round(right)), min(height, round(bottom)))
        if corners[0] >= corners[2] or corners[1] >= corners[3]:
            raise ExpertError(f"a box ({left:g}, {top:g}, {right:g}, {bottom:g}) holds nothing of a picture of {width} x {height} pixels")
        box = dict(zip(_SIDES, corners, strict=True))
        found.append({"label": text(part(e, "label"), "a label"), "score": score(part(e, "score")), "box": box})
    return RunnerOutput(values={"objects": sorted(found, key=lambda e: -float(str(e["score"])))})


def _masks(reply: Any, inputs: Inputs) -> RunnerOutput:
    size = upright_size(inputs["image"])
    masks, regions = [], []
    for n, e in enumerate(sequence(reply, "masks"), 1):
        given = part(e, "score")
        regions.append({"label": text(part(e, "label"), "a label"), "score": None if given is None else score(given)})
        masks.append(_mask(part(e, "mask"), size, f"mask-{n}"))
    return RunnerOutput(values={"masks": masks, "regions": regions})


def _mask(given: Any, size: tuple[int, int], name: str) -> NewMedia:
    """A mask as a PNG of one channel, as large as the picture."""
    made = read_picture(given, name)  # decoded now
    if given.size != size:
        raise ExpertError(f"a mask has {given.width} x {given.height} pixels, and the picture {size[0]} x {size[1]}")
    if made.media_type == "image/png" and given.mode == "L":
        return made
    out = io.BytesIO()
    decoded(given).convert("L").save(out, "PNG")
    return NewMedia(data=out.getvalue(), media_type="image/png", name=name + ".png")


def _picture(reply: Any, _: Inputs) -> RunnerOutput:
    return RunnerOutput(values={"image": read_picture(reply, "picture")})


def _clip(reply: Any, _: Inputs) -> RunnerOutput:
    return RunnerOutput(values={"video": file(reply, Kind.VIDEO, "video")})


def _answered(reply: Any, _: Inputs) -> RunnerOutput:
    return RunnerOutput(values={"answer": text(part(best(reply, "answers"), "answer"), "the answer")})


def _read(reply: Any, _: Inputs) -> RunnerOutput:
    found = best(reply, "answers")
    return RunnerOutput(values={"answer": text(part(found, "answer"), "the answer"), "score": score(part(found, "score"))})


def _to_choose(inputs: Inputs) -> dict[str, Any]:
    labels_given = inputs["candidate_labels"]
    if len(labels_given) < 2:
        raise ExpertError(f"Hosted models choose between labels, and {shown(labels_given)} is one.", remedy="Name two labels or more.")
    return {**_seen(inputs), "candidate_labels": labels_given}


def _animated_at_endpoint(inputs: Inputs) -> dict[str, Any]:
    return {"text": in_base64(picture(inputs["image"])), "extra_body": {"prompt": inputs.get("prompt")}}


ROWS: tuple[HostedRow, ...] = (
    row("image-classification", "image_classification", _seen, lambda reply, _: RunnerOutput(values={"labels": labels(reply)})),
    row("object-detection", "object_detection", _seen, _objects),
    row("image-segmentation", "image_segmentation", _seen, _masks),
    row(
        "image-to-text",
        "image_to_text",
        _seen,
        lambda reply, _: RunnerOutput(values={"text": text(part(reply, "generated_text"), "the text", may_be_empty=True)}),
    ),
    row(
        "zero-shot-image-classification",
        "zero_shot_image_classification",
        _to_choose,
        lambda reply, i: RunnerOutput(values={"labels": chosen(reply, i["candidate_labels"])}),
    ),
    row("visual-question-answering", "visual_question_answering", _asked, _answered),
    row("document-question-answering", "document_question_answering", _asked, _read),
    row("text-to-image", "text_to_image", lambda i: {"prompt": i["prompt"], "negative_prompt": i.get("negative_prompt")}, _picture),
    row("image-to-image", "image_to_image", lambda i: {**_seen(i), "prompt": i.get("prompt")}, _picture),
    # The client's methods for videos refuse every endpoint. text_to_speech sends the same requests, and hands back the file as it came.
    HostedRow(
        task="text-to-video",
        ways=(
            Way(method="text_to_video", ask=lambda i: {"prompt": i["prompt"]}, read=_clip, where=Where.HUB),
            Way(method="text_to_speech", ask=lambda i: {"text": i["prompt"]}, read=_clip, where=Where.ENDPOINT),
        ),
    ),
    HostedRow(
        task="image-to-video",
        ways=(
            Way(method="image_to_video", ask=lambda i: {**_seen(i), "prompt": i.get("prompt")}, read=_clip, where=Where.HUB),
            Way(method="text_to_speech", ask=_animated_at_endpoint, read=_clip, where=Where.ENDPOINT),
        ),
    ),
)
