"""Documents in planned tasks: page by page, whole, or by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from langchain_hugginggpt.agent import Executor, HuggingGPT, Request
from langchain_hugginggpt.agent.checker import check
from langchain_hugginggpt.agent.resolving import Resolver, surest
from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.index.errors import ExpertError
from langchain_hugginggpt.tools import HUB_TASKS, ArtifactStore, HubTask, RunnerOutput
from langchain_hugginggpt.tools.errors import MediaError
from tests.agent.plans import plan, ref, task
from tests.agent.stubs import StubRunner, toolkit
from tests.tools.documents.files import docx, scan_pdf, text_pdf

QUESTION = "What is the total?"
ASK = task("1", "document-question-answering", image="a.pdf", question=QUESTION)


class Rating(StubRunner):
    """Rates the second page highest, answers nothing on the third with a higher score still, and fails on the first."""

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        page = inputs["image"].name.removesuffix(".png")[-1]
        if page == "1":
            raise ExpertError("nothing on it")
        return RunnerOutput(values={"answer": "" if page == "3" else f"from page {page}", "score": 0.3 * int(page)})


@pytest.fixture
def store() -> ArtifactStore:
    return ArtifactStore()


def request(store: ArtifactStore, data: bytes, name: str = "a.pdf") -> Request:
    return Request(text=QUESTION, files=(store.put(data, name=name),))


async def test_a_port_for_one_picture_gets_a_pdf_page_by_page(store: ArtifactStore) -> None:
    runner = StubRunner()
    steps = plan(task("1", "image-to-text", image="a.pdf"), task("2", "summarization", text=ref("1")))
    read, summed = await Executor(toolkit(runner, store=store)).arun(steps, request(store, scan_pdf("one", "two")))
    assert sorted(given for name, given in runner.calls if name == "image-to-text") == ["a-page-1.png", "a-page-2.png"]
    assert read.output == {"text": ["image-to-text(a-page-1.png)", "image-to-text(a-page-2.png)"]}
    assert runner.calls[-1] == ("summarization", "image-to-text(a-page-1.png)\nimage-to-text(a-page-2.png)")
    assert summed.status == "ok"


async def test_files_made_from_pages_go_on_one_by_one(store: ArtifactStore) -> None:
    runner = StubRunner()
    steps = plan(task("1", "image-to-image", image="a.pdf", prompt="clean"), task("2", "image-to-text", image=ref("1")))
    made, read = await Executor(toolkit(runner, store=store)).arun(steps, request(store, scan_pdf("one", "two")))
    assert (len(made.artifacts), len(read.output["text"])) == (2, 2)


async def test_a_named_page_is_one_call(store: ArtifactStore) -> None:
    runner = StubRunner()
    steps = plan(task("1", "image-to-text", image="a.pdf#page=2"))
    asked = request(store, scan_pdf("one", "two"))
    assert check(steps, HUB_TASKS, asked.file_names()) == steps
    (read,) = await Executor(toolkit(runner, store=store)).arun(steps, asked)
    assert read.output == {"text": "image-to-text(a-page-2.png)"}


async def test_of_answers_about_pages_the_surest_is_given(store: ArtifactStore) -> None:
    (answer,) = await Executor(toolkit(Rating(), store=store)).arun(plan(ASK), request(store, scan_pdf("one", "two", "three")))
    assert answer.output == {"answer": "from page 2", "score": pytest.approx(0.6)}
    assert answer.notes == ("the surest answer, from page 2 of 3",)
    assert len(answer.attempts) == 4  # two experts failed on the first


class Reading(StubRunner):
    """Reads pages, with a note about the second, and fails on the others that it is told to."""

    def __init__(self, *failing: str) -> None:
        super().__init__()
        self._failing = failing

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        page = inputs["image"].name.removesuffix(".png")[-1]
        if page in self._failing:
            raise ExpertError("it is upside down")
        return RunnerOutput(values={"text": f"text {page}"}, notes=("in grey",) + ("hardly legible",) * (page == "2"))


async def test_pages_that_could_be_read_are_given_and_the_others_told(store: ArtifactStore) -> None:
    steps = plan(task("1", "image-to-text", image="a.pdf"))
    scan = scan_pdf("one", "two", "three")
    (some,) = await Executor(toolkit(Reading("3"), store=store)).arun(steps, request(store, scan))
    assert (some.status, some.output) == ("ok", {"text": ["text 1", "text 2"]})
    assert "page 2 of 3: hardly legible" in some.notes
    assert [n for n in some.notes if n.startswith("page 3 of 3 failed: ") and "it is upside down" in n]
    assert len(some.attempts) == 4  # two experts failed on the third
    (all_read,) = await Executor(toolkit(Reading(), store=store)).arun(steps, request(store, scan))
    assert set(all_read.notes) == {"in grey", "page 2 of 3: hardly legible"}
    (none,) = await Executor(toolkit(Reading("1", "2", "3"), store=store)).arun(steps, request(store, scan))
    assert (none.status, none.output) == ("failed", {})
    assert "it is upside down" in (none.error or "")


def test_a_tool_of_the_users_own_gets_all_pages_where_it_takes_several(store: ArtifactStore) -> None:
    asked = request(store, scan_pdf("one", "two"))
    for given in ("a.pdf", ["a.pdf"], ["a.pdf#page=1", "a.pdf#page=2"]):
        planned = task("1", "visual-document-retrieval", query="x", images=given)
        [arguments] = Resolver(HUB_TASKS, asked.file_names(), store).resolve(planned, {}, as_paths=True)
        assert [Path(p).suffix for p in arguments["images"]] == [".png", ".png"]


def test_a_page_that_cannot_be_meant_is_told(store: ArtifactStore) -> None:
    asked = request(store, text_pdf([["One"], ["Two"]]))
    for name, port in (("summarization", "text"), ("image-to-text", "image")):
        with pytest.raises(MediaError, match="Pages count from 1"):
            Resolver(HUB_TASKS, asked.file_names(), store).resolve(task("1", name, **{port: "a.pdf#page=0"}), {})
    text = "What is b.pdf#page=0?"
    assert Resolver(HUB_TASKS, asked.file_names(), store).resolve(task("1", "summarization", text=text), {}) == [{"text": text}]


async def test_too_many_pages_are_told(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langchain_hugginggpt.tools.documents.pdf.MAX_PICTURES", 2)
    (answer,) = await Executor(toolkit(store=store)).arun(plan(ASK), request(store, scan_pdf("1", "2", "3")))
    assert (answer.status, answer.error) == ("failed", "The PDF 'a.pdf' has 3 pages; at most 2 are looked at as pictures.")


@pytest.mark.parametrize(
    ("name", "outputs", "place"),
    [
        ("document-question-answering", [{"answer": "a", "score": 0.2}, {"answer": "b", "score": 0.9}, None], 1),
        ("document-question-answering", [{"answer": "a", "score": 0.5}, {"answer": "b", "score": 0.5}], 0),
        ("document-question-answering", [None, {"answer": "", "score": 0.5}], 1),
        ("document-question-answering", [None, None], None),
        ("document-question-answering", [{"answer": "a", "score": None}], None),
        ("image-to-text", [{"text": "a"}], None),
    ],
)
def test_which_is_the_surest(name: str, outputs: list[dict[str, Any] | None], place: int | None) -> None:
    assert surest(HUB_TASKS[name], outputs) == place


def test_tools_that_know_no_artifacts_get_pages_as_files(store: ArtifactStore) -> None:
    asked = request(store, scan_pdf("one", "two"))
    calls = Resolver(HUB_TASKS, asked.file_names(), store).resolve(task("1", "image-to-text", image="a.pdf"), {}, as_paths=True)
    assert len(calls) == 2
    for call in calls:
        with Image.open(Path(call["image"])) as picture:
            assert picture.format == "PNG"
    text = request(store, text_pdf([["one"], ["two"]]))
    for given, expected in (("a.pdf", "one\n\ntwo"), ("a.pdf#page=2", "two")):
        calls = Resolver(HUB_TASKS, text.file_names(), store).resolve(task("1", "summarization", text=given), {}, as_paths=True)
        assert calls == [{"text": expected}]


def test_a_name_that_looks_like_a_page_is_a_name(store: ArtifactStore) -> None:
    asked = request(store, b"hello", name="a.pdf#page=2")
    calls = Resolver(HUB_TASKS, asked.file_names(), store).resolve(task("1", "summarization", text="a.pdf#page=2"), {})
    assert calls == [{"text": asked.files[0].id}]


@pytest.mark.parametrize(
    ("text", "data", "name", "tasks"),
    [
        ("Read this scan", scan_pdf("one", "two"), "scan.pdf", ["image-to-text"]),
        ("Summarise the scan", scan_pdf("one", "two"), "scan.pdf", ["image-to-text", "summarization"]),
        ("What is the total on this invoice?", text_pdf([["The total is 3 EUR."]]), "invoice.pdf", ["document-question-answering"]),
        ("What is the total on this invoice?", scan_pdf("Total 3 EUR"), "invoice.pdf", ["document-question-answering"]),
        ("Summarise this report", text_pdf([["All went well."]]), "report.pdf", ["summarization"]),
        ("Summarise this report", docx("All went well."), "report.docx", ["summarization"]),
    ],
)
async def test_requests_about_documents_are_planned_and_run(text: str, data: bytes, name: str, tasks: list[str], tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    reply = await HuggingGPT(toolkit=toolkit()).aask(text, files=[tmp_path / name])
    assert [r.task for r in reply.trace.results] == tasks
    assert {r.status for r in reply.trace.results} == {"ok"}
