"""Labelled requests as numbers to learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from langchain_hugginggpt.evaluation import Problems, load_taskbench
from langchain_hugginggpt.evaluation.training.samples import ASK, CHAT, RUN, held_out, read_samples, sample_of
from langchain_hugginggpt.evaluation.training.written import Written, parse_written
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools import HUB_TASKS
from tests.evaluation.taskbench_files import case, link, node, write_set

ASR, SUMMARY = "Automatic Speech Recognition", "Summarization"
ROWS = {name: i for i, name in enumerate(HUB_TASKS)}


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    return MiniLM()


def test_cases_of_a_data_set(tmp_path: Path, encoder: MiniLM) -> None:
    lines = [
        case(
            "good",
            node(ASR, "a.wav"),
            node(SUMMARY, "<node-0>"),
            node("Time Travel", "x"),
            links=[link(ASR, SUMMARY), link(ASR, "Time Travel")],
        ),
        case("good", node(ASR, "a.wav")),
        case("odd", node("Time Travel", "x")),
        {"id": "bare", "user_request": "Write it down"},
        case("twice", node(SUMMARY, "x"), node(SUMMARY, "y")),
    ]
    found = load_taskbench(write_set(tmp_path, lines))
    problems, read = Problems(), []
    sample, twice = read_samples([found], found.tasks, encoder, problems, lambda: read.append(1))
    names = list(found.tasks)
    assert [names[i] for i in np.flatnonzero(sample.tasks)] == [ASR, SUMMARY]
    assert [(names[a], names[b]) for a, b in sample.links] == [(ASR, SUMMARY)]
    assert (sample.id, sample.partial, sample.mode, sample.held) == ("good", True, RUN, False)
    assert not sample.twice.any()
    assert sample.given.tolist() == [0, 0, 1, 0, 0, *[0] * 7]  # example.wav
    assert sample.states.shape[1] == 384
    assert sample.states.dtype == np.float16
    assert [names[i] for i in np.flatnonzero(twice.twice)] == [SUMMARY]
    assert not twice.partial
    assert len(read) == 5
    assert {k: v for k, v in problems.counts.items() if k.startswith("not trained on")} == {
        "not trained on: its id came before": 1,
        "not trained on: no labelled task is in the table": 1,
        "not trained on: no request or no label": 1,
    }


def test_written_requests(encoder: MiniLM) -> None:
    line = "Read both aloud || a.txt; b.txt || text-to-speech; text-to-speech"
    sample = sample_of(parse_written(line, HUB_TASKS), ROWS, encoder)
    assert np.flatnonzero(sample.tasks).tolist() == np.flatnonzero(sample.twice).tolist() == [ROWS["text-to-speech"]]
    assert sample.given.tolist() == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert [sample_of(parse_written(f"Hello || || {m}", HUB_TASKS), ROWS, encoder).mode for m in "-?"] == [CHAT, ASK]
    chain = parse_written("Read it || a.jpg || image-to-text; summarization < 1; text-to-speech < 2", HUB_TASKS)
    assert sample_of(chain, ROWS, encoder).links == (
        (ROWS["image-to-text"], ROWS["summarization"]),
        (ROWS["summarization"], ROWS["text-to-speech"]),
    )
    few = {"image-to-text": 0, "text-to-speech": 1}
    assert sample_of(chain, few, encoder).links == ()  # of tasks in the table only


def test_which_tokens_ask_for_a_task(encoder: MiniLM) -> None:
    """Places in the request, also behind a quoted text that is cut."""
    text = f"Translate '{'word ' * 40}' and read it aloud"
    start = text.index("read")
    written = Written(text=text, tasks=("translation", "text-to-speech"), spans=(None, (start, len(text))))
    ((row, first, last),) = sample_of(written, ROWS, encoder).heard
    assert row == ROWS["text-to-speech"]
    told = "Translate 'word word word word word word word ...' and read it aloud"
    offsets = encoder.token_states(told).offsets
    assert told[offsets[first][0] : offsets[last - 1][1]] == "read it aloud"
    nothing = Written(text="Read it", tasks=("text-to-speech",), spans=((50, 60),))
    assert sample_of(nothing, ROWS, encoder).heard == ()


def test_a_twentieth_is_held_out_and_always_the_same() -> None:
    assert 70 < sum(held_out(f"case-{i}") for i in range(2000)) < 130
    assert 150 < sum(held_out(f"case-{i}", 10) for i in range(2000)) < 250
    assert [i for i in range(80) if held_out(f"case-{i}")] == [6, 44, 72, 78]  # by its id alone, in every run and on every machine
