"""The planner with ChatHuggingFace over a tiny local model with random weights: its words mean nothing, the way to them is real."""

from __future__ import annotations

import os
from typing import Any

import pytest

from langchain_hugginggpt.agent.errors import PlanError
from langchain_hugginggpt.agent.planners.llm import LLMPlanner
from langchain_hugginggpt.agent.request import Request
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from tests.fakes import file

POSITIONS = 2048
REQUEST = Request(text="Read scan.png aloud.", files=(file("scan.png", "image/png"),))
TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def chat() -> Any:
    """ChatHuggingFace over a GPT-2 of two small layers that knows single letters only."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    huggingface = pytest.importorskip("langchain_huggingface")
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    letters = ["<end>", "<unk>", *(chr(c) for c in range(10, 127))]
    tokenizer = Tokenizer(models.WordLevel({c: i for i, c in enumerate(letters)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=POSITIONS,
        eos_token="<end>",
        pad_token="<end>",
        unk_token="<unk>",
        chat_template=TEMPLATE,
    )
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=len(letters), n_embd=16, n_layer=2, n_head=2, n_positions=POSITIONS, bos_token_id=0, eos_token_id=0, pad_token_id=0
    )
    pipeline = transformers.pipeline("text-generation", model=transformers.GPT2LMHeadModel(config), tokenizer=wrapped)
    pipeline.model.generation_config.update(max_new_tokens=12, do_sample=False)
    return huggingface.ChatHuggingFace(
        llm=huggingface.HuggingFacePipeline(pipeline=pipeline), tokenizer=wrapped, custom_get_token_ids=wrapped.encode
    )


async def test_the_words_of_a_local_model_arrive_and_the_prompt_fits(chat: Any) -> None:
    planner = LLMPlanner(chat, encoder=MiniLM(), context_tokens=POSITIONS, repairs=0)
    with pytest.raises(PlanError) as waited:
        await planner.aplan(REQUEST, HUB_TASKS)
    with pytest.raises(PlanError) as streamed:
        await anext(planner.astream(REQUEST, HUB_TASKS))
    for caught in (waited, streamed):
        assert caught.value.answer
        assert "scan.png" not in caught.value.answer  # a local pipeline gives the prompt back too, with the plans of its examples
