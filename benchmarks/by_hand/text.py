"""Tasks of texts and tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks.by_hand.opening import Inputs, split
from langchain_hugginggpt.tools.runners.local.loaded import LoadedModel


def text_classification(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    return m.pipeline("text-classification")(i["text"], top_k=None)


def zero_shot_classification(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    return m.pipeline("zero-shot-classification")(i["text"], i["candidate_labels"], hypothesis_template="This example is {}.")


def token_classification(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    return m.pipeline("token-classification", aggregation_strategy="simple")(i["text"])


def question_answering(m: LoadedModel, i: Inputs, _s: Inputs) -> str:
    read = m.tokenizer(i["question"], i["context"], return_offsets_mapping=True, return_tensors="pt", truncation="only_second")
    offsets = read.pop("offset_mapping")[0].tolist()
    out = m.model(**read.to(m.device))
    begin, end = int(out.start_logits[0].argmax()), int(out.end_logits[0].argmax())
    return str(i["context"][offsets[begin][0] : offsets[end][1]])


def table_question_answering(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    import pandas as pd  # type: ignore[import-untyped]

    return m.pipeline("table-question-answering")(table=pd.DataFrame(i["table"]).fillna("").astype(str), query=i["question"])


def multiple_choice(m: LoadedModel, i: Inputs, _s: Inputs) -> list[float]:
    read = m.tokenizer([i["question"]] * len(i["choices"]), i["choices"], padding=True, truncation=True, return_tensors="pt").to(m.device)
    scores: list[float] = m.model(**{n: v[None] for n, v in read.items()}).logits[0].softmax(-1).tolist()
    return scores


def _written(m: LoadedModel, texts: str | list[str], s: Inputs) -> list[str]:
    read = m.tokenizer(texts, padding=not isinstance(texts, str), truncation=True, return_tensors="pt").to(m.device)
    made: list[str] = m.tokenizer.batch_decode(
        m.model.generate(input_ids=read["input_ids"], attention_mask=read["attention_mask"], **s), skip_special_tokens=True
    )
    return made


def translation(m: LoadedModel, i: Inputs, s: Inputs) -> str:
    return " ".join(_written(m, split(i["text"]), s))


def summarization(m: LoadedModel, i: Inputs, s: Inputs) -> str:
    return _written(m, "summarize: " + i["text"] if m.config.model_type == "t5" else i["text"], s)[0]


def described_table(m: LoadedModel, i: Inputs, s: Inputs) -> str:
    return _written(m, " || ".join(" | ".join(f"{c}: {v}" for c, v in row.items()) for row in i["table"]), s)[0]


def text_generation(m: LoadedModel, i: Inputs, s: Inputs) -> str:
    prompt = "\n\n".join(i[n] for n in ("prompt", "context") if n in i)
    if m.config.is_encoder_decoder:
        return _written(m, prompt, s)[0]
    if m.tokenizer.chat_template:
        said = [{"role": "user", "content": prompt}]
        read = m.tokenizer.apply_chat_template(said, add_generation_prompt=True, return_dict=True, return_tensors="pt").to(m.device)
    else:
        read = m.tokenizer(prompt, return_tensors="pt").to(m.device)
    ids = m.model.generate(input_ids=read["input_ids"], attention_mask=read["attention_mask"], **s)[0, read["input_ids"].shape[1] :]
    return str(m.tokenizer.decode(ids, skip_special_tokens=True))


def fill_mask(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    return m.pipeline("fill-mask")(i["text"].replace("___", m.tokenizer.mask_token), top_k=10)


def embedding(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    return m.model.encode(i["text"], show_progress_bar=False).tolist()


def mean_embedding(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    return m.model(**m.tokenizer(i["text"], return_tensors="pt").to(m.device)).last_hidden_state[0].mean(0).tolist()


def sentence_similarity(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    v = m.model.encode([i["source_sentence"], *i["sentences"]], show_progress_bar=False)
    return m.model.similarity(v[:1], v[1:]).tolist()


def cross_ranking(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    return m.model.rank(i["query"], i["documents"], show_progress_bar=False)


def retrieval(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    query = m.model.encode_query(i["query"], show_progress_bar=False)
    scores = m.model.similarity(query, m.model.encode_document(i["documents"], show_progress_bar=False))[0].tolist()
    return sorted(zip(scores, i["documents"], strict=True), reverse=True)


def predictions(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    import pandas as pd

    table = pd.DataFrame(i["table"])
    table = table.apply(lambda column: pd.to_numeric(column) if column.name != "city" else column)
    return m.model.predict(table[list(m.model.feature_names_in_)]).tolist()


def forecast(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    """Two columns; as often as the horizon asks for."""
    import pandas as pd

    table = pd.DataFrame(i["table"])[["sales", "staff"]]
    past = torch.tensor(table.to_numpy(np.float32).T[..., None], device=m.device)
    length, ahead = m.config.context_length, m.config.prediction_length
    for _ in range(-(-int(i.get("horizon", ahead)) // ahead)):
        past = torch.cat([past, m.model(past_values=past[:, -length:]).prediction_outputs], 1)
    return past[:, len(table) :, 0].T.tolist()
