from __future__ import annotations

import pytest

from langchain_hugginggpt.agent.checking.bridges import bridges
from langchain_hugginggpt.agent.checking.names import TaskNames
from langchain_hugginggpt.tools import HUB_TASKS
from langchain_hugginggpt.tools.task import HubTask, Kind, Port, TaskTable


def task(name: str, summary: str, takes: Kind = Kind.TEXT, gives: Kind = Kind.TEXT) -> HubTask:
    return HubTask(name=name, summary=summary, inputs=(Port(name="it", kind=takes),), outputs=(Port(name="out", kind=gives),))


TABLE = TaskTable(
    [
        task("Token Classification", "Labels words. Subtasks are Named Entity Recognition (NER) and Part-of-Speech (PoS) tagging."),
        task("Image-to-Text", "Outputs a text. Image captioning or optical character recognition are known.", takes=Kind.IMAGE),
        task("Conversational", "Conversational response modelling is the task of generating text."),
        task("Text-to-Image", "Generates images from input text. Good for prompts.", gives=Kind.IMAGE),
        task("Text-to-Speech", "Text-to-Speech (TTS) generates speech.", gives=Kind.AUDIO),
        task("Automatic Speech Recognition", "Automatic Speech Recognition (ASR), also known as Speech to Text.", takes=Kind.AUDIO),
        task("Summarization", "Makes a text shorter. Some models can extract text."),
        task("Question Answering", "Answers a question."),
    ]
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Text-to-Image", "Text-to-Image"),
        ("text_to_image", "Text-to-Image"),
        ("TextToSpeech", "Text-to-Speech"),
        ("automatic-speech-recogniton", "Automatic Speech Recognition"),
        ("Text-to-Speech (French)", "Text-to-Speech"),
        ("Token Classification (Named Entity Recognition)", "Token Classification"),
        ("Labelling (token classification)", "Token Classification"),
        ("Text Summarization", "Summarization"),
        ("Speech Recognition", "Automatic Speech Recognition"),
        ("Image-to-Text or OCR", "Image-to-Text"),
        ("Named Entity Recognition", "Token Classification"),
        ("NamedEntityRecognition", "Token Classification"),
        ("Part-of-Speech tagging", "Token Classification"),
        ("Conversational Response Modeling", "Conversational"),
        ("OCR", "Image-to-Text"),
        ("NER", "Token Classification"),
        ("Image Generation", "Text-to-Image"),
        ("Speech-to-Text", "Automatic Speech Recognition"),
    ],
)
def test_a_name_is_read_where_one_task_alone_is_meant(written: str, meant: str) -> None:
    assert TaskNames(TABLE).read(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "",
        "Text Classification",  # nearly the letters of Token Classification
        "Image Question Answering",  # of which Question Answering knows nothing
        "Text Extraction",  # said of Summarization, but not first
        "Classification",
        "Text-to-Text",
        "ocr",
        "xyz",
        "a" * 200_000,
        "(" * 1000,
        "Recognition",
    ],
)
def test_a_name_that_could_mean_anything_is_not_read(written: str) -> None:
    assert TaskNames(TABLE).read(written) is None


def test_words_alone_do_not_mean_a_task_that_has_no_use_for_a_file() -> None:
    names = TaskNames(TABLE)
    assert names.read("Text Summarization", [Kind.VIDEO]) is None
    assert names.read("Text Summarization", [Kind.IMAGE]) == "Summarization"  # of the words in the picture
    assert names.read("Summarisation", [Kind.VIDEO]) == "Summarization"  # the letters say it: the checker refuses the film


def test_the_nearest_name_is_shown() -> None:
    assert TaskNames(TABLE).nearest("Text Classification") == "Token Classification"
    assert TaskNames(TABLE).nearest("xyz") is None


@pytest.mark.parametrize(
    ("given", "wanted", "found"),
    [
        (Kind.AUDIO, Kind.TEXT, ("automatic-speech-recognition",)),
        (Kind.IMAGE, Kind.TEXT, ("image-to-text",)),
        (Kind.TEXT, Kind.AUDIO, ("text-to-speech",)),
        (Kind.TEXT, Kind.IMAGE, ()),
        (Kind.VIDEO, Kind.TEXT, ()),
        (Kind.TEXT, Kind.LABELS, ("text-classification", "fill-mask")),
    ],
)
def test_tasks_that_bridge(given: Kind, wanted: Kind, found: tuple[str, ...]) -> None:
    assert bridges(tuple(HUB_TASKS.values()), given, wanted) == found
