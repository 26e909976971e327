"""This project's own requests: which are held out, and that what is made is made of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from langchain_hugginggpt.evaluation import DatasetError
from langchain_hugginggpt.evaluation.training.own import line, own_requests
from langchain_hugginggpt.evaluation.training.samples import held_out
from langchain_hugginggpt.evaluation.training.written import parse_written
from langchain_hugginggpt.tools import HUB_TASKS
from tests.evaluation.training.folders import LINES, requests_folder


def test_what_is_held_out_is_not_built_on(tmp_path: Path) -> None:
    folder = requests_folder(tmp_path / "requests")
    found = own_requests(80, 3, folder)
    written, made = found[: 12 * len(LINES)], found[12 * len(LINES) :]
    assert [held for _, held in written] == [held_out(w.text) for w, _ in written]
    assert 0 < sum(held for _, held in written) < 20
    assert (len(made), any(held for _, held in made)) == (80, False)
    unseen = [w.text.casefold() for w, held in written if held]
    assert [w.text for w, _ in made if any(text in w.text.casefold() for text in unseen)] == []
    assert own_requests(0, 3, folder) == written
    assert own_requests(80, 3, folder) == found
    assert own_requests(80, 4, folder) != found


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    folder = requests_folder(tmp_path / "requests")
    with (folder / "somebody.txt").open("a", encoding="utf-8") as f:
        f.write("Fly me to the moon || || fly\n")
    with pytest.raises(DatasetError, match=r"somebody\.txt, line 61: there is no task 'fly'"):
        own_requests(0, 0, folder)


def test_a_request_is_shown_as_it_is_written_down() -> None:
    for text in (
        "Read me this letter. || letter.jpg || image-to-text; text-to-speech < 1",
        "Both, please.\\nNow. || a.wav; b.wav || automatic-speech-recognition; automatic-speech-recognition; text-ranking < 1,2",
        "hello ||  || -",
        "do it ||  || ?",
    ):
        assert line(parse_written(text, HUB_TASKS)) == text
