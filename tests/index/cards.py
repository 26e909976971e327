"""Cards for the tests beside this file."""

from __future__ import annotations

from langchain_hugginggpt.index import ModelCard

CATS = ModelCard(
    id="zoo/cats", task="image-classification", library="transformers", license="mit", languages=("en",), parameters=10, gated=False,
    text="Knows cats and cats.",
)  # fmt: skip
DOGS = ModelCard(
    id="zoo/dogs", task="image-classification", library="timm", license="apache-2.0", languages=("en", "de"), parameters=1000, gated=True,
    text="Knows dogs, and cats a little.",
)  # fmt: skip
UNKNOWN = ModelCard(id="zoo/unknown", task="image-classification", text="Knows birds.")
READ = ModelCard(id="zoo/read", task="image-to-text", library="transformers", text="Reads words on pictures of cats.")
BOTH_READ = ModelCard(id="zoo/cats", task="image-to-text", text="Says what a cat does.")
CARDS = (CATS, DOGS, UNKNOWN, READ, BOTH_READ)
WORDS = ("cats", "dogs", "birds", "words")
