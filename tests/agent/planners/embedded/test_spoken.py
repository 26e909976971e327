"""Arguments where every request holds all that it needs in its own words."""

from __future__ import annotations

from langchain_hugginggpt.agent import Ref, Request
from langchain_hugginggpt.agent.plan import PlannedTask
from langchain_hugginggpt.agent.planners.embedded.nodes import Node
from langchain_hugginggpt.agent.planners.embedded.spoken import Spoken, sentence_at
from langchain_hugginggpt.agent.planners.embedded.telling import literals
from langchain_hugginggpt.tools import HUB_TASKS
from tests.fakes import file

A, B, TALK = file("a.png", "image/png"), file("b.png", "image/png"), file("talk.wav", "audio/wav")


def built(request: Request, *asked: tuple[str, str, tuple[str, ...]]) -> tuple[list[PlannedTask], list[str]]:
    """Plans (task, a word at which it is asked for, ids of its parents)."""
    nodes = [Node(id=str(i), task=HUB_TASKS[name], words="", sentence=0, parents=parents) for i, (name, _, parents) in enumerate(asked, 1)]
    places = {str(i): float(request.text.index(word)) for i, (_, word, _) in enumerate(asked, 1)}
    return Spoken(request, literals(request.text, request.files), places).build(nodes)


def test_the_nearest_file_and_what_a_parent_makes() -> None:
    request = Request(text="Sort a.png. Then read b.png and say it.", files=(A, B))
    asked = [("image-classification", "Sort", ()), ("image-to-text", "read", ()), ("text-to-speech", "say", ("2",))]
    planned, left_out = built(request, *asked)
    assert [(t.id, t.task, t.arguments) for t in planned] == [
        ("1", "image-classification", {"image": "a.png"}),
        ("2", "image-to-text", {"image": "b.png"}),
        ("3", "text-to-speech", {"text": Ref(task_id="2")}),
    ]
    assert left_out == []


def test_a_task_whose_file_comes_from_nowhere_is_left_out_and_numbers_have_no_gap() -> None:
    request = Request(text="Transcribe it, then say 'Hello'")
    planned, left_out = built(
        request, ("automatic-speech-recognition", "Trans", ()), ("summarization", "it", ("1",)), ("text-to-speech", "say", ())
    )
    assert left_out == ["automatic-speech-recognition"]
    assert [(t.id, t.task) for t in planned] == [("1", "summarization"), ("2", "text-to-speech")]


def test_quoted_texts_are_used_up_and_a_question_goes_where_two_are_taken() -> None:
    request = Request(text="Say 'one', say 'two'.")
    planned, _ = built(request, ("text-to-speech", "'one'", ()), ("summarization", "'one'", ()))
    assert [t.arguments["text"] for t in planned] == ["one", "two"]
    request = Request(text="Given 'It is cold in the north.' tell me 'Where is it?' and sum up")
    planned, _ = built(request, ("question-answering", "tell", ()), ("summarization", "sum", ()))
    assert planned[0].arguments == {"question": "Where is it?", "context": "It is cold in the north."}
    assert planned[1].arguments == {"text": "It is cold in the north."}


def test_a_port_for_several_gets_a_list() -> None:
    (task,), _ = built(Request(text="How alike are 'a cat' and 'a dog'?"), ("sentence-similarity", "alike", ()))
    assert task.arguments == {"source_sentence": "a cat", "sentences": ["a dog"]}


def test_two_parents_fill_two_ports_content_first() -> None:
    request = Request(text="Paint a fox, write a question, answer it", files=())
    planned, _ = built(
        request, ("text-generation", "write", ()), ("text-to-image", "Paint", ()), ("visual-question-answering", "answer", ("1", "2"))
    )
    assert planned[2].arguments == {"image": Ref(task_id="2"), "question": Ref(task_id="1")}


def test_languages_that_are_named() -> None:
    request = Request(text="Translate 'Hello' from English into French and 'Bye' into German")
    planned, _ = built(request, ("translation", "'Hello'", ()), ("translation", "'Bye'", ()))
    assert [t.arguments for t in planned] == [
        {"text": "Hello", "source_language": "English", "target_language": "French"},
        {"text": "Bye", "source_language": "English", "target_language": "German"},
    ]


def test_the_sentence_that_stands_for_a_text() -> None:
    text = "Look at cat.png. What colour is version 2.5 of the cat? Then read it to me."
    assert sentence_at(text, 70.0, ["cat.png"]) == "What colour is version 2.5 of the cat?"  # a question, though it is further away
    assert sentence_at("Tell me a story. Then sing it.", 25.0, []) == "Then sing it."
    assert sentence_at("Please sum up: The cat sat on the mat", 20.0, []) == "The cat sat on the mat"  # behind a colon
    files = ["a.txt", "b.txt"]
    assert sentence_at("Sum up the 'a.txt' and b.txt", 0.0, files) == "Sum up it and it"  # no other sentence: files are no text
    assert sentence_at(" ", 0.0, []) == " "
