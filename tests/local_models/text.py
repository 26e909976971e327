"""Tiny models of the tasks that judge a text: classes, tags, answers, choices. Some have weights set by hand, so that they know words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as T

from langchain_hugginggpt.tools.runners.embedded.answer import NO_ANSWER
from tests.local_models import text_embedding, text_generation
from tests.local_models.case import Case
from tests.local_models.samples import Samples
from tests.local_models.tokenizers import BERT as BERT
from tests.local_models.tokenizers import labels as labels
from tests.local_models.tokenizers import save as save
from tests.local_models.tokenizers import word_tokenizer

CITIES = [
    {"name": "Paris", "population": 12, "year": 1990},
    {"name": "London", "population": 7, "year": 1991},
    {"name": "Acme", "population": 3, "year": None},
]


def knowing(model: Any, tokenizer: Any, words: Sequence[str]) -> Any:
    """A BERT that passes words through: the hidden state of word n is highest at place n, that of all others at the last place."""
    bert = model.bert
    with torch.no_grad():
        for layer in bert.encoder.layer:
            for dense in (layer.attention.output.dense, layer.output.dense):
                dense.weight.zero_()
                dense.bias.zero_()
        for embedding in (bert.embeddings.position_embeddings, bert.embeddings.token_type_embeddings):
            embedding.weight.zero_()
        known = bert.embeddings.word_embeddings.weight
        known.zero_()
        known[:, -1] = 1
        for n, word in enumerate(words):
            known[tokenizer.convert_tokens_to_ids(word), -1] = 0
            known[tokenizer.convert_tokens_to_ids(word), n] = 1
    return model


def linear(head: Any, rows: Sequence[Mapping[int, float]]) -> None:
    """Set a head: each class by place of the hidden state and weight."""
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
        for n, row in enumerate(rows):
            for place, weight in row.items():
                head.weight[n, place] = weight


def text_classifier(folder: Path) -> None:
    tokenizer = word_tokenizer()
    config = T.BertConfig(vocab_size=len(tokenizer), **BERT, **labels("NEGATIVE", "POSITIVE"))
    save(folder, tokenizer, T.BertForSequenceClassification(config))


def entailment(folder: Path) -> None:
    tokenizer = word_tokenizer()
    config = T.BertConfig(vocab_size=len(tokenizer), **BERT, **labels("contradiction", "neutral", "entailment"))
    save(folder, tokenizer, T.BertForSequenceClassification(config))


def name_tagger(folder: Path) -> None:
    """Knows John, Smith, Acme and London."""
    tokenizer = word_tokenizer()
    config = T.BertConfig(vocab_size=len(tokenizer), **BERT, **labels("O", "B-PER", "I-PER", "B-ORG", "B-LOC"))
    model = knowing(T.BertForTokenClassification(config), tokenizer, ("john", "smith", "acme", "london"))
    linear(model.classifier, [{31: 3}, {0: 3}, {1: 3}, {2: 3}, {3: 3}])
    save(folder, tokenizer, model)


def roberta_tagger(folder: Path) -> None:
    tokenizer = word_tokenizer("bart")
    config = T.RobertaConfig(
        vocab_size=len(tokenizer), **{**BERT, "max_position_embeddings": 66}, pad_token_id=1, **labels("NOUN", "VERB", "X")
    )
    save(folder, tokenizer, T.RobertaForTokenClassification(config))


def answerer(folder: Path) -> None:
    """Takes Paris for every answer, and a window without it for one that has none."""
    tokenizer = word_tokenizer()
    model = knowing(T.BertForQuestionAnswering(T.BertConfig(vocab_size=len(tokenizer), **BERT)), tokenizer, ("paris", "[CLS]"))
    linear(model.qa_outputs, [{0: 3, 1: 1}, {0: 3, 1: 1}])
    save(folder, tokenizer, model)


def table_answerer(folder: Path) -> None:
    words = sorted(word_tokenizer().get_vocab().items(), key=lambda e: e[1])
    names = [w for w, _ in words]
    names.insert(5, "[EMPTY]")
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(names), "utf-8")
    tokenizer = T.TapasTokenizer(str(vocabulary), model_max_length=128)
    config = T.TapasConfig(
        vocab_size=len(tokenizer), **BERT, num_aggregation_labels=4, select_one_column=True,
        aggregation_labels={0: "NONE", 1: "SUM", 2: "AVERAGE", 3: "COUNT"},
    )  # fmt: skip
    save(folder, tokenizer, T.TapasForQuestionAnswering(config))


def chooser(folder: Path) -> None:
    """Chooses what holds Paris."""
    tokenizer = word_tokenizer()
    save(folder, tokenizer, T.BertForMultipleChoice(T.BertConfig(vocab_size=len(tokenizer), **BERT)))


def two_classes(values: Mapping[str, Any], samples: Samples) -> None:
    assert {e["label"] for e in values["labels"]} == {"NEGATIVE", "POSITIVE"}
    adds_up(values, samples)


def adds_up(values: Mapping[str, Any], samples: Samples) -> None:
    scores = [e["score"] for e in values["labels"]]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1, abs=0.01)


def positive(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["labels"][0]["label"].upper().startswith("POS")


def three_labels(values: Mapping[str, Any], samples: Samples) -> None:
    assert {e["label"] for e in values["labels"]} == {"sports", "politics, local", "cooking"}
    adds_up(values, samples)


def about_sports(values: Mapping[str, Any], samples: Samples) -> None:
    three_labels(values, samples)
    assert values["labels"][0]["label"] == "sports"


TAGGED = "John Smith works at Acme in London. "


def names_found(values: Mapping[str, Any], samples: Samples) -> None:
    found = [(e["label"], e["text"], e["start"], e["end"]) for e in values["entities"]]
    assert found == [("PER", "John Smith", 0, 10), ("ORG", "Acme", 20, 24), ("LOC", "London", 28, 34)]
    assert all(0.5 < e["score"] <= 1 for e in values["entities"])


def every_word(values: Mapping[str, Any], samples: Samples) -> None:
    assert [e["text"] for e in values["entities"]] == ["John", "Smith", "works", "at", "Acme", "in", "London", "."]


def paris(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["answer"] == "Paris"
    assert 0.5 < values["score"] <= 1


def some_answer(values: Mapping[str, Any], samples: Samples) -> None:
    shown = [str(c) for row in CITIES for c in row.values() if c is not None]
    parts = [p.strip() for p in values["answer"].split(",")]
    assert values["answer"] == NO_ANSWER or values["answer"].replace(".", "").isdigit() or all(p in shown for p in parts)


def seven(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["answer"] == "7"


def four_choices(values: Mapping[str, Any], samples: Samples) -> None:
    assert {e["label"] for e in values["labels"]} == {"Paris", "London", "a cat", "12"}
    adds_up(values, samples)


JUDGING = (
    Case(
        task="text-classification",
        kind="bert",
        build=text_classifier,
        inputs=lambda s: {"text": "I love this great movie"},
        check=two_classes,
        live="distilbert/distilbert-base-uncased-finetuned-sst-2-english",
        live_check=positive,
        half=True,
    ),
    Case(
        task="zero-shot-classification",
        kind="bert-nli",
        build=entailment,
        inputs=lambda s: {"text": "The team won the final match.", "candidate_labels": ["sports", "politics, local", "cooking"]},
        check=three_labels,
        live="MoritzLaurer/deberta-v3-xsmall-zeroshot-v1.1-all-33",
        live_check=about_sports,
        half=True,
    ),
    Case(
        task="token-classification",
        kind="bert",
        build=name_tagger,
        inputs=lambda s: {"text": TAGGED},
        check=names_found,
        live="dslim/bert-base-NER",
        live_check=names_found,
        half=True,
    ),
    Case(
        task="token-classification",
        kind="roberta",
        build=roberta_tagger,
        inputs=lambda s: {"text": TAGGED},
        check=every_word,
        half=True,
    ),
    Case(
        task="question-answering",
        kind="bert",
        build=answerer,
        inputs=lambda s: {"question": "What is the capital of France?", "context": "The capital of France is Paris. It was built."},
        check=paris,
        live="distilbert/distilbert-base-cased-distilled-squad",
        live_check=paris,
        half=True,
    ),
    Case(
        task="table-question-answering",
        kind="tapas",
        build=table_answerer,
        inputs=lambda s: {"question": "What is the population of London?", "table": CITIES},
        check=some_answer,
        live="google/tapas-base-finetuned-wtq",
        live_check=seven,
    ),
    Case(
        task="multiple-choice",
        kind="bert",
        build=chooser,
        inputs=lambda s: {"question": "What is the capital of France?", "choices": ["Paris", "London", "a cat", "12"]},
        check=four_choices,
        half=True,
    ),
)
CASES: tuple[Case, ...] = (*JUDGING, *text_generation.CASES, *text_embedding.CASES)
