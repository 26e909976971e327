"""Small models that really learn something, in seconds: written as folders with cards, as on the Hub."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as T
from numpy.typing import NDArray
from PIL import Image

from tests.local_models.text import labels, save
from tests.local_models.tokenizers import word_tokenizer

GOOD = "lovely wonderful great excellent superb delightful charming pleasant brilliant perfect tasty friendly".split()
BAD = "awful terrible horrible nasty dreadful disgusting rude broken dirty boring noisy cold".split()
THINGS = "room meal service staff hotel breakfast film book garden view concert train".split()
FRAMES = ("the {t} was {a}", "what a {a} {t}", "we had a {a} {t} yesterday", "{a} {t} , i must say", "the {t} they gave us was really {a}")
STRIPES = ("horizontal", "vertical")
TOY = {
    "the": "la", "a": "una", "dog": "kalo", "cat": "miru", "bird": "tepi", "house": "domu", "river": "selva", "sees": "vidi",
    "likes": "amo", "eats": "mandu", "big": "grota", "small": "pika", "old": "viela", "red": "ruja", "green": "verda",
}  # fmt: skip
"""Words of a language that nobody speaks. Adjectives stand behind their noun there."""
_ADJECTIVES, _NOUNS, _VERBS = ("big", "small", "old", "red", "green"), ("dog", "cat", "bird", "house", "river"), ("sees", "likes", "eats")


def card(folder: Path, title: str, task: str, text: str, **facts: str) -> None:
    """A model card as on the Hub."""
    front = "\n".join(f"{k}: {v}" for k, v in {"pipeline_tag": task, "license": "apache-2.0", **facts}.items())
    (folder / "README.md").write_text(f"---\n{front}\n---\n# {title}\n\n{text}\n", "utf-8")


def _fit(model: Any, batches: Sequence[dict[str, torch.Tensor]], *, epochs: int, rate: float) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    steps = epochs * len(batches)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    model.train()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # small matrices: two threads wait for each other longer than they compute
    try:
        for _ in range(epochs):
            for batch in random.sample(batches, len(batches)):
                model(**batch).loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
    finally:
        torch.set_num_threads(threads)
    model.eval()


def _seed() -> None:
    torch.manual_seed(0)
    random.seed(0)


def picture_of(values: NDArray[Any], side: int = 96) -> Image.Image:
    """An array of brightness in 0..1 as a picture."""
    return Image.fromarray((values * 255).astype("uint8")).resize((side, side), Image.Resampling.NEAREST).convert("RGB")


def _image_classifier(folder: Path, pictures: Sequence[NDArray[Any]], targets: Sequence[int], names: Sequence[str], epochs: int) -> None:
    _seed()
    processor = T.ViTImageProcessorPil(size={"height": 8, "width": 8}, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    config = T.ViTConfig(
        image_size=8, patch_size=2, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96, **labels(*names)
    )
    model = T.ViTForImageClassification(config)
    pixels = torch.cat([processor(picture_of(p, 8), return_tensors="pt")["pixel_values"] for p in pictures])
    wanted = torch.tensor(list(targets))
    batches = [
        {"pixel_values": x, "labels": y} for x, y in zip(torch.split(pixels, 64), torch.split(wanted, 64), strict=True)
    ]  # fmt: skip
    _fit(model, batches, epochs=epochs, rate=4e-3)
    save(folder, processor, model)


def digits() -> tuple[list[NDArray[Any]], list[int]]:
    """scikit-learn's digits: 8 x 8 brightness in 0..1, and what they are. 1,797 of them, in a fixed random order."""
    from sklearn.datasets import load_digits

    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    return [found.images[i] / 16 for i in order], [int(found.target[i]) for i in order]


def digit_classifier(folder: Path, *, held_out: int, epochs: int = 12) -> None:
    """Learns all digits but the last `held_out`. examples/models/digits was made with 300 held out and 40 epochs."""
    pictures, targets = digits()
    _image_classifier(folder, pictures[:-held_out], targets[:-held_out], [str(d) for d in range(10)], epochs)
    text = "Recognises a handwritten digit from 0 to 9 in a picture. Trained on scanned numbers."
    card(folder, "Handwritten digits", "image-classification", text, library_name="transformers")


def stripes(count: int, seed: int) -> tuple[list[NDArray[Any]], list[int]]:
    """Noisy stripes, 8 x 8: 0 for horizontal, 1 for vertical."""
    noise = np.random.default_rng(seed)
    pictures, targets = [], []
    for i in range(count):
        line = noise.integers(0, 2, 8).astype(float)
        line[:2] = 0, 1
        grid = np.tile(noise.permutation(line)[:, None], (1, 8))
        pictures.append(np.clip((grid.T if i % 2 else grid) * 0.7 + noise.random((8, 8)) * 0.3, 0, 1))
        targets.append(i % 2)
    return pictures, targets


def stripe_classifier(folder: Path) -> None:
    """Learns which way stripes go."""
    pictures, targets = stripes(600, seed=1)
    _image_classifier(folder, pictures, targets, STRIPES, epochs=5)
    text = "Tells the direction of a pattern of stripes on fabric: horizontal or vertical stripes."
    card(folder, "Stripes", "image-classification", text, library_name="transformers")


def sentences(seed: int, count: int) -> list[tuple[str, int]]:
    """Sentences of praise (1) and blame (0)."""
    chance = random.Random(seed)
    made = []
    for i in range(count):
        frame, thing = chance.choice(FRAMES), chance.choice(THINGS)
        made.append((frame.format(t=thing, a=chance.choice(GOOD if i % 2 else BAD)), i % 2))
    return made


def sentiment_classifier(folder: Path, *, not_these: frozenset[str]) -> None:
    """Learns praise and blame from sentences other than those that are kept for the test."""
    _seed()
    tokenizer = word_tokenizer(extra=tuple(dict.fromkeys(w for s, _ in sentences(3, 3000) for w in s.split())), longest=32)
    shape: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 32,
    }
    config = T.BertConfig(vocab_size=len(tokenizer), **shape, **labels("NEGATIVE", "POSITIVE"))
    model = T.BertForSequenceClassification(config)
    known = [(s, y) for s, y in sentences(3, 1500) if s not in not_these]
    batches = []
    for start in range(0, len(known), 64):
        some = known[start : start + 64]
        batch = tokenizer([s for s, _ in some], padding=True, return_tensors="pt")
        batches.append({**batch, "labels": torch.tensor([y for _, y in some])})
    _fit(model, batches, epochs=4, rate=3e-3)
    save(folder, tokenizer, model)
    text = "Says whether a review of a hotel is positive or negative."
    card(folder, "Sentiment of reviews", "text-classification", text, language="en", library_name="transformers")


def toy_sentence(chance: random.Random) -> tuple[str, str]:
    """An English sentence and what it is in the toy language."""

    def thing() -> tuple[list[str], list[str]]:
        article, noun = chance.choice(("the", "a")), chance.choice(_NOUNS)
        if chance.random() < 0.6:
            adjective = chance.choice(_ADJECTIVES)
            return [article, adjective, noun], [TOY[article], TOY[noun], TOY[adjective]]
        return [article, noun], [TOY[article], TOY[noun]]

    verb = chance.choice(_VERBS)
    (one, eins), (two, zwei) = thing(), thing()
    return " ".join([*one, verb, *two]), " ".join([*eins, TOY[verb], *zwei])


def toy_translator(folder: Path, *, not_these: frozenset[str], epochs: int = 11) -> None:
    """Learns the toy language from sentences other than those that are kept for the test."""
    _seed()
    tokenizer = word_tokenizer("bart", extra=(*TOY, *TOY.values()), longest=32)
    config = T.BartConfig(
        vocab_size=len(tokenizer), d_model=64, encoder_layers=1, decoder_layers=1, encoder_attention_heads=4, decoder_attention_heads=4,
        encoder_ffn_dim=128, decoder_ffn_dim=128, max_position_embeddings=32, dropout=0.0, bos_token_id=0, pad_token_id=1, eos_token_id=2,
        decoder_start_token_id=2, forced_eos_token_id=2,
    )  # fmt: skip
    model = T.BartForConditionalGeneration(config)
    chance = random.Random(5)
    known = [p for p in (toy_sentence(chance) for _ in range(2500)) if p[0] not in not_these]
    known = [(a + stop, b + stop) for i, (a, b) in enumerate(known) for stop in (" ." if i % 2 else "",)]
    batches = []
    for start in range(0, len(known), 32):
        some = known[start : start + 32]
        batch = tokenizer([a for a, _ in some], padding=True, return_tensors="pt")
        wanted = tokenizer([b for _, b in some], padding=True, return_tensors="pt")["input_ids"]
        batches.append({"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"],
                        "labels": wanted.masked_fill(wanted == tokenizer.pad_token_id, -100)})  # fmt: skip
    _fit(model, batches, epochs=epochs, rate=5e-3)
    save(folder, tokenizer, model)
    card(folder, "English to Toy", "translation", "Translates simple English sentences into the Toy language.", library_name="transformers")


def wine_classifier(folder: Path, *, held_out: int) -> tuple[list[dict[str, Any]], list[str]]:
    """A random forest on scikit-learn's wines, saved as skops. Returns the rows that were held out, and their classes."""
    import skops.io
    from sklearn.datasets import load_wine
    from sklearn.ensemble import RandomForestClassifier

    found = load_wine(as_frame=True)
    order = np.random.default_rng(0).permutation(len(found.target))
    data, target = found.data.iloc[order], [f"cultivar {found.target[i] + 1}" for i in order]
    model = RandomForestClassifier(n_estimators=60, random_state=0).fit(data[:-held_out], target[:-held_out])
    skops.io.dump(model, folder / "model.skops")
    card(
        folder,
        "Wine",
        "tabular-classification",
        "Tells from a chemical analysis which cultivar a wine was made from.",
        library_name="sklearn",
    )
    return [{k: float(v) for k, v in row.items()} for row in data[-held_out:].to_dict("records")], target[-held_out:]
