from __future__ import annotations

from typing import Any

import pytest

from langchain_hugginggpt.agent import Plan, PlanError, check
from langchain_hugginggpt.tools import HUB_TASKS
from tests.agent.plans import plan, ref, task
from tests.fakes import file

FILES = {f.name: f for f in (file("scan.png", "image/png"), file("talk.wav", "audio/wav"), file("notes.txt", "text/plain"))}


def checked(made: Plan) -> Plan:
    return check(made, HUB_TASKS, FILES)


def test_a_sound_plan_comes_back_as_it_was() -> None:
    made = plan(task("1", "image-to-text", image="scan.png"), task("2", "text-to-speech", text=ref("1", "text")))
    assert checked(made) == made


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("image_to_text", "image-to-text"),
        ("Image-To-Text", "image-to-text"),
        ("automatic-speech-recogniton", "automatic-speech-recognition"),
    ],
)
def test_a_name_spelt_otherwise_is_read_and_recorded(given: str, read: str) -> None:
    port = "image" if "mage" in given else "audio"
    got = checked(plan(task("1", given, **{port: "scan.png" if port == "image" else "talk.wav"})))
    assert got.tasks[0].task == read
    assert given in got.repairs[0]


def test_a_port_spelt_otherwise_is_read() -> None:
    got = checked(plan(task("1", "text-to-speech", texts="hello")))
    assert got.tasks[0].arguments == {"text": "hello"}
    assert len(got.repairs) == 1


def test_a_list_of_one_is_its_element_and_an_element_becomes_a_list_of_one() -> None:
    got = checked(
        plan(task("1", "image-to-text", image=["scan.png"]), task("2", "sentence-similarity", source_sentence="a", sentences="b"))
    )
    assert got.tasks[0].arguments["image"] == "scan.png"
    assert got.tasks[1].arguments["sentences"] == ["b"]


def test_a_missing_medium_is_filled_when_there_is_only_one() -> None:
    got = checked(plan(task("1", "image-to-text")))
    assert got.tasks[0].arguments == {"image": "scan.png"}
    assert "filled" in got.repairs[0]


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (plan(task("1", "paint-a-fox")), "no task 'paint-a-fox'"),
        (plan(task("1", "text-to-speech", text="a"), task("1", "text-to-speech", text="b")), "two tasks have the id '1'"),
        (plan(task("1", "text-to-speech")), "lacks its port text"),
        (plan(task("1", "text-to-speech", text="a", colour="b")), "has no port 'colour'"),
        (plan(task("1", "image-to-text", image="talk.wav")), "'talk.wav' is of kind audio, the port takes image"),
        (plan(task("1", "image-to-text", image="/etc/passwd")), "no attached file '/etc/passwd'"),
        (plan(task("1", "text-to-speech", text=ref("9"))), "refers to a task '9' that is not in the plan"),
        (
            plan(task("1", "translation", text="a"), task("2", "text-to-speech", text=ref("1", "image"))),
            "output 'image' that translation",
        ),
        (
            plan(task("1", "text-to-image", prompt="a"), task("2", "text-to-speech", text=ref("1"))),
            "text-to-image gives image",
        ),
        (plan(task("1", "summarization", text="a", max_sentences="many")), "takes a number, not 'many'"),
        (plan(task("1", "image-to-text", image=["scan.png", "scan.png"])), "takes one image, not a list of 2"),
        (plan(task("1", "sentence-similarity", source_sentence="a", sentences=[])), "an empty list"),
        (plan(task("1", "image-segmentation", image="scan.png"), task("2", "image-to-text", image=ref("1"))), "say each: true"),
        (plan(task("1", "translation", text=ref("2")), task("2", "translation", text=ref("1"))), "wait for each other"),
        (plan(task("1", "translation", text=ref("1"))), "wait for each other"),
    ],
)
def test_what_has_no_single_repair_is_refused(made: Plan, says: str) -> None:
    with pytest.raises(PlanError) as raised:
        checked(made)
    assert says in str(raised.value)
    assert raised.value.problems


def test_every_fault_of_a_plan_is_told_at_once() -> None:
    with pytest.raises(PlanError) as raised:
        checked(plan(task("1", "text-to-speech", text=ref("9")), task("2", "image-to-text", image="gone.png")))
    assert len(raised.value.problems) == 2


def test_each_maps_over_several_and_what_follows_is_several_too() -> None:
    tasks: list[Any] = [task("1", "image-segmentation", image="scan.png"), task("2", "image-to-text", image=ref("1", "masks", each=True))]
    assert checked(plan(*tasks)).repairs == ()
    with pytest.raises(PlanError, match="say each: true"):
        checked(plan(*tasks, task("3", "translation", text=ref("2"))))
