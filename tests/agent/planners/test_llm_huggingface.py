"""The planner with ChatHuggingFace over a tiny model in this process: first with random weights, then with answers learnt by heart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from pydantic import Field

from langchain_hugginggpt.agent import HuggingGPT
from langchain_hugginggpt.agent.errors import PlanError
from langchain_hugginggpt.agent.plan import Plan
from langchain_hugginggpt.agent.planners.llm import LLMPlanner
from langchain_hugginggpt.agent.planners.llm.budget import Budget
from langchain_hugginggpt.agent.planners.llm.prompt import answer_json
from langchain_hugginggpt.agent.request import Request
from langchain_hugginggpt.agent.response_llm import LLMResponder
from langchain_hugginggpt.agent.trace import Trace
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from tests.agent.plans import plan, ref, task
from tests.agent.stubs import StubRunner, toolkit
from tests.fakes import file

ENCODER = MiniLM()
POSITIONS = 2048
ROOM = POSITIONS - POSITIONS // 4
TEMPLATE = (
    "{% for m in messages %}[{{ m['role'] }}]\n{{ m['content'] }}<end>\n{% endfor %}{% if add_generation_prompt %}[assistant]\n{% endif %}"
)
REQUEST = Request(text="Translate 'guten Morgen' and shorten it.")
GREETING = Request(text="Good morning!")
CHAIN = plan(task("1", "translation", text="guten Morgen"), task("2", "summarization", text=ref("1")))
GOOD = json.dumps(answer_json(CHAIN, "", structured=False))
LAME = GOOD.replace('"summarization"', '"sing-it"')
HELLO = "Good morning! What shall I do for you?"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def tokenizer() -> Any:
    """Bytes, and the most frequent pairs of them in some prompts: it can write any text."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=1000, special_tokens=["<end>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    pieces.train_from_iterator([t.summary for t in HUB_TASKS.values()] + [GOOD, LAME, HELLO], trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=pieces, eos_token="<end>", pad_token="<end>", chat_template=TEMPLATE, model_max_length=POSITIONS
    )


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Any:
    """ChatHuggingFace over a GPT-2 of two small layers with random weights.

    Its `llm` keeps the prompts that reach it in `prompts`, and counts the pieces that it streams in `streamed`. While its `script`
    holds answers, it gives those instead of asking the network.
    """
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    huggingface = pytest.importorskip("langchain_huggingface")
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from langchain_core.outputs import Generation, GenerationChunk, LLMResult

    class Kept(huggingface.HuggingFacePipeline):  # type: ignore[misc, name-defined]  # the package need not be there
        prompts: list[str] = Field(default_factory=list)
        script: list[str] = Field(default_factory=list)
        streamed: int = 0

        def _generate(self, prompts: list[str], *args: Any, **kwargs: Any) -> LLMResult:
            self.prompts += prompts
            if self.script:
                return LLMResult(generations=[[Generation(text=self.script.pop(0))]])
            result: LLMResult = super()._generate(prompts, *args, **kwargs)
            return result

        def _stream(self, prompt: str, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]:
            self.prompts.append(prompt)
            pieces = [GenerationChunk(text=self.script.pop(0))] if self.script else super()._stream(prompt, *args, **kwargs)
            for piece in pieces:
                self.streamed += 1
                yield piece

    words = tokenizer()
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=len(words), n_embd=256, n_layer=2, n_head=4, n_positions=POSITIONS, initializer_range=0.2, tie_word_embeddings=False,
        bos_token_id=0, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    pipeline = transformers.pipeline("text-generation", model=transformers.GPT2LMHeadModel(config).eval(), tokenizer=words)
    pipeline.model.generation_config.update(max_new_tokens=12, do_sample=False)
    return huggingface.ChatHuggingFace(llm=Kept(pipeline=pipeline), tokenizer=words)


def learn(chat: Any, lessons: Sequence[tuple[str, str]]) -> None:
    """Fit the model's last layer, by least squares, so that it answers each of these prompts by heart, and stops."""
    import torch

    pipeline = chat.llm.pipeline
    states, targets = [], []
    for prompt, answer in lessons:
        asked, said = pipeline.tokenizer.encode(prompt), [*pipeline.tokenizer.encode(answer), pipeline.tokenizer.eos_token_id]
        with torch.no_grad():
            hidden = pipeline.model.transformer(torch.tensor([asked + said])).last_hidden_state[0]
        states.append(hidden[len(asked) - 1 : -1])
        targets += said
    wanted = torch.nn.functional.one_hot(torch.tensor(targets), pipeline.model.config.vocab_size).float()
    fitted = torch.linalg.lstsq(torch.cat(states), wanted).solution
    pipeline.model.lm_head.weight.data = fitted.T.contiguous()
    pipeline.model.generation_config.update(max_new_tokens=400)


async def test_messages_become_the_prompt_inside_the_budget_of_counted_tokens(chat: Any) -> None:
    request = Request(text="Read scan.png aloud.", files=(file("scan.png", "image/png"),))
    planner = LLMPlanner(chat, encoder=ENCODER, repairs=0)
    with pytest.raises(PlanError) as waited:
        await planner.aplan(request, HUB_TASKS)
    with pytest.raises(PlanError) as streamed:
        await anext(planner.astream(request, HUB_TASKS))
    with pytest.raises(PlanError) as blocked:
        planner.plan(request, HUB_TASKS)
    prompt = chat.llm.prompts[0]
    assert chat.llm.prompts == [prompt] * 3
    asked = chat.tokenizer(prompt, return_tensors="pt")
    written = chat.llm.pipeline.model.generate(**asked)[0, asked["input_ids"].shape[1] :]
    assert len(written) > 6
    for caught in (waited, streamed, blocked):
        assert caught.value.answer.strip() == chat.tokenizer.decode(written, skip_special_tokens=True).strip()
        assert caught.value.answer.strip()[:4] in str(caught.value)
    assert prompt.startswith("[system]\nYou plan.")
    assert prompt.endswith("<request>\nRead scan.png aloud.\n</request><end>\n[assistant]\n")
    assert "no words before or after it" in prompt  # no schema reaches a local pipeline
    assert ROOM - 400 < len(chat.tokenizer.encode(prompt)) <= ROOM
    assert 1 <= prompt.count(" -> ") < len(HUB_TASKS)


def test_a_model_in_this_process_tells_its_room_and_counts_by_its_own_tokenizer(chat: Any) -> None:
    assert Budget(chat).context == POSITIONS
    assert Budget(chat, 500).context == 500
    assert Budget(chat).count("<end> ü") == len(chat.tokenizer.encode("<end> ü"))


async def test_a_plan_is_streamed_started_repaired_and_run(chat: Any) -> None:
    planner = LLMPlanner(chat, encoder=ENCODER)
    chat.llm.script = [LAME, GOOD]
    await anext(g async for g in planner.agrow(REQUEST, HUB_TASKS) if len(g.tasks) == 2)
    assert "have started; repeat them unchanged" in chat.llm.prompts[1]
    learn(chat, list(zip(chat.llm.prompts, [LAME, GOOD], strict=True)))

    chat.llm.streamed = 0
    plans = planner.agrow(REQUEST, HUB_TASKS)
    assert await anext(plans) == Plan(tasks=CHAIN.tasks[:1])
    early = chat.llm.streamed
    assert [p.tasks async for p in plans] == [CHAIN.tasks]
    assert 1 < early < chat.llm.streamed - 20  # tokens of the answer that did not exist yet
    assert chat.llm.prompts[2:] == chat.llm.prompts[:2]

    runner = StubRunner()
    reply = await HuggingGPT(toolkit=toolkit(runner), planner=planner).aask(REQUEST.text)
    assert reply.trace.complete
    assert "asked again" in reply.trace.plan.repairs[0]
    assert [name for name, _ in runner.calls] == ["translation", "summarization"]


def test_words_of_a_local_model_come_without_the_prompt(chat: Any) -> None:
    """A pipeline gives the prompt back; its demonstrations would be read as the plan, and its template as words."""
    planner, responder, trace = LLMPlanner(chat, encoder=ENCODER), LLMResponder(chat), Trace(text=GREETING.text)
    chat.llm.script = [HELLO, HELLO]
    planner.plan(GREETING, HUB_TASKS)
    responder.respond(GREETING, trace)
    learn(chat, [(prompt, HELLO) for prompt in chat.llm.prompts])
    assert planner.plan(GREETING, HUB_TASKS) == Plan(answer=HELLO)
    assert responder.respond(GREETING, trace) == HELLO
    assert "".join(responder.stream(GREETING, trace)) == HELLO
