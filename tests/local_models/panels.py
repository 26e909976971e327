"""Panels of small classifiers of unequal quality: of different architectures, each trained on its own part of the data."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers as T
from numpy.typing import NDArray

from tests.local_models.text import labels, save
from tests.local_models.tokenizers import word_tokenizer
from tests.local_models.trained import BAD, GOOD, _fit, card, digits, picture_of, sentences

DIGITS = tuple(str(d) for d in range(10))


@dataclass(frozen=True, kw_only=True)
class Member:
    """One member of a panel.

    Attributes:
        name: of its folder, and its id.
        model: makes the untrained network.
        examples: how many it learns from, chosen by its seed.
        epochs: how often it sees each.
        side: of the pictures that it takes, in pixels; 0 for texts.
        wrong: share of its examples that have a wrong label, 0..1.
    """

    name: str
    model: Callable[[], Any]
    examples: int
    epochs: int
    side: int = 0
    wrong: float = 0.0


def _vit(size: int, layers: int) -> Callable[[], Any]:
    shape: dict[str, Any] = {"hidden_size": size, "num_hidden_layers": layers, "num_attention_heads": 4, "intermediate_size": 2 * size}
    return lambda: T.ViTForImageClassification(T.ViTConfig(image_size=8, patch_size=2, **shape, **labels(*DIGITS)))


def _resnet() -> Any:
    shape: dict[str, Any] = {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [1, 1], "layer_type": "basic"}
    return T.ResNetForImageClassification(T.ResNetConfig(**shape, **labels(*DIGITS)))


def _convnext() -> Any:
    shape: dict[str, Any] = {"patch_size": 2, "num_stages": 2, "hidden_sizes": [16, 32], "depths": [1, 1]}
    return T.ConvNextForImageClassification(T.ConvNextConfig(**shape, **labels(*DIGITS)))


DIGIT_PANEL = (
    Member(name="convnext", model=_convnext, examples=300, epochs=16, side=8),
    Member(name="resnet", model=_resnet, examples=160, epochs=6, side=16),
    Member(name="vit", model=_vit(48, 2), examples=600, epochs=14, side=8),
    Member(name="noisy-resnet", model=_resnet, examples=200, epochs=8, side=16, wrong=0.3),
    Member(name="frugal-convnext", model=_convnext, examples=160, epochs=20, side=8),
)
"""Readers of handwritten digits, not in the order of their quality."""


def digit_reader(folder: Path, member: Member, *, held_out: int, seed: int) -> None:
    """Learns some of the digits that are not among the last `held_out`."""
    pictures, targets = digits()
    chance = random.Random(f"{seed} {member.name}")
    some = chance.sample(range(len(targets) - held_out), member.examples)
    wanted = [chance.randrange(10) if chance.random() < member.wrong else targets[i] for i in some]
    processor = T.ViTImageProcessorPil(size={"height": member.side, "width": member.side}, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    pixels = torch.cat([processor(picture_of(pictures[i], 8), return_tensors="pt")["pixel_values"] for i in some])
    _seed(chance)
    model = member.model()
    parts = zip(torch.split(pixels, 32), torch.split(torch.tensor(wanted), 32), strict=True)
    _fit(model, [{"pixel_values": x, "labels": y} for x, y in parts], epochs=member.epochs, rate=4e-3)
    save(folder, processor, model)
    card(folder, f"Digits by {member.name}", "image-classification", "Reads a handwritten digit.", library_name="transformers")


def held_out_digits(count: int) -> tuple[list[NDArray[Any]], list[str]]:
    """The last digits, and what they are."""
    pictures, targets = digits()
    return pictures[-count:], [str(t) for t in targets[-count:]]


def _bert(layers: int) -> Callable[[int], Any]:
    shape: dict[str, Any] = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 128}
    names = labels("NEGATIVE", "POSITIVE")
    return lambda size: T.BertForSequenceClassification(T.BertConfig(vocab_size=size, num_hidden_layers=layers, **shape, **names))


def _distilbert(size: int) -> Any:
    shape: dict[str, Any] = {"dim": 32, "n_layers": 1, "n_heads": 2, "hidden_dim": 64, "max_position_embeddings": 128}
    return T.DistilBertForSequenceClassification(T.DistilBertConfig(vocab_size=size, **shape, **labels("negative", "positive")))


REVIEW_PANEL: tuple[tuple[str, Callable[[int], Any], float], ...] = (
    ("bert", _bert(2), 0.8),
    ("short-bert", _bert(1), 0.65),
    ("distilbert", _distilbert, 0.75),
    ("other-bert", _bert(2), 0.55),
    ("deaf-bert", _bert(1), 0.4),
)
"""Judges of reviews: name, network by size of the vocabulary, and the share of the words of praise and blame that it has met."""


def review_judge(folder: Path, name: str, model: Callable[[int], Any], share: float, *, seed: int) -> None:
    """Learns praise and blame from reviews with the words that it has met; the others it must guess."""
    chance = random.Random(f"{seed} {name}")
    met = {w for words in (GOOD, BAD) for w in chance.sample(words, round(share * len(words)))}
    unmet = {*GOOD, *BAD} - met
    known = [(s, y) for s, y in sentences(3, 1500) if not unmet & set(s.split())][:600]
    tokenizer = word_tokenizer(extra=tuple(dict.fromkeys(w for s, _ in known for w in s.split())))
    _seed(chance)
    network = model(len(tokenizer))
    batches = []
    for start in range(0, len(known), 32):
        some = known[start : start + 32]
        batch = tokenizer([s for s, _ in some], padding=True, return_tensors="pt", return_token_type_ids=False)
        batches.append({**batch, "labels": torch.tensor([y for _, y in some])})
    _fit(network, batches, epochs=4, rate=3e-3)
    save(folder, tokenizer, network)
    card(folder, f"Reviews by {name}", "text-classification", "Tells praise from blame.", language="en", library_name="transformers")


def build_digits(root: Path, *, held_out: int, seed: int = 0, panel: Sequence[Member] = DIGIT_PANEL) -> list[str]:
    """Train a panel of readers in folders `digits/…`; their ids."""
    for member in panel:
        (root / "digits" / member.name).mkdir(parents=True)
        digit_reader(root / "digits" / member.name, member, held_out=held_out, seed=seed)
    return [f"digits/{m.name}" for m in panel]


def build_reviews(root: Path, *, seed: int = 0) -> list[str]:
    """Train the panel of judges in folders `reviews/…`; their ids."""
    for name, model, share in REVIEW_PANEL:
        (root / "reviews" / name).mkdir(parents=True)
        review_judge(root / "reviews" / name, name, model, share, seed=seed)
    return [f"reviews/{name}" for name, *_ in REVIEW_PANEL]


def _seed(chance: random.Random) -> None:
    number = chance.randrange(2**31)
    torch.manual_seed(number)
    random.seed(number)
