from __future__ import annotations

import re
from typing import Any

import pytest

from langchain_hugginggpt.agent import Plan, PlanError, check
from langchain_hugginggpt.tools import HUB_TASKS
from langchain_hugginggpt.tools.task import HubTask, Kind, Port, TaskTable
from tests.agent.plans import plan, ref, task
from tests.fakes import file

FILES = {f.name: f for f in (file("scan.png", "image/png"), file("talk.wav", "audio/wav"), file("notes.txt", "text/plain"))}


def checked(made: Plan, *, started: tuple[str, ...] = (), salvage: bool = False) -> Plan:
    return check(made, HUB_TASKS, FILES, started=started, salvage=salvage)


def links(made: Plan) -> dict[str, tuple[str, ...]]:
    """The tasks by id, as name and ids of what it waits for."""
    return {t.id: (t.task, *t.parents) for t in made.tasks}


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
            plan(task("1", "text-to-video", prompt="a"), task("2", "text-to-speech", text=ref("1"))),
            "text-to-video gives video",
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


READ, SAY = task("1", "image-to-text", image="scan.png"), task("2", "text-to-speech", text=ref("1"))


@pytest.mark.parametrize("lost", [task("2", "text-to-speech"), task("2", "text-to-speech", text=ref("9"))])
def test_a_missing_input_takes_the_only_output_that_nothing_uses(lost: Any) -> None:
    got = checked(plan(READ, lost))
    assert got.tasks == (READ, SAY)
    assert "filled with the only text there is, the output of task 1" in got.repairs[0]


def test_an_output_that_is_used_is_taken_only_when_free_ones_fail() -> None:
    got = checked(plan(READ, task("2", "translation", text=ref("1")), task("3", "text-to-speech")))
    assert links(got)["3"] == ("text-to-speech", "2")


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (plan(READ, task("2", "image-classification", image="scan.png"), task("3", "text-to-speech")), "lacks its port text"),
        (plan(READ, task("2", "question-answering", context=ref("1"))), "lacks its port question"),
        (plan(task("1", "text-to-speech"), task("2", "image-to-text", image="scan.png")), "lacks its port text"),
        (plan(task("1", "image-segmentation", image="scan.png"), task("2", "image-to-image")), None),
    ],
)
def test_two_candidates_words_and_later_outputs_fill_nothing(made: Plan, says: str | None) -> None:
    if says is None:  # masks are many: the picture is the only one
        assert checked(made).tasks[1].arguments == {"image": "scan.png"}
        return
    with pytest.raises(PlanError, match=says):
        checked(made)


def test_both_sides_of_a_comparison_are_never_filled_with_one_text() -> None:
    table = TaskTable(
        [
            HubTask(name="read", summary="", inputs=(), outputs=(Port(name="text", kind=Kind.TEXT),)),
            HubTask(
                name="compare",
                summary="",
                inputs=(Port(name="a", kind=Kind.TEXT), Port(name="b", kind=Kind.TEXT)),
                outputs=(Port(name="score", kind=Kind.NUMBER),),
            ),
        ]
    )
    with pytest.raises(PlanError, match="lacks its port b"):
        check(plan(task("1", "read"), task("2", "compare")), table, {})
    got = check(plan(task("1", "read"), task("2", "read"), task("3", "compare", a=ref("1"))), table, {})
    assert got.tasks[2].arguments == {"a": ref("1"), "b": ref("2")}


@pytest.mark.parametrize(
    ("given", "bridge", "port"), [("talk.wav", "automatic-speech-recognition", "audio"), ("scan.png", "image-to-text", "image")]
)
def test_a_wrong_kind_goes_through_the_only_task_that_bridges(given: str, bridge: str, port: str) -> None:
    got = checked(plan(task("1", "translation", text=given)))
    assert got.tasks == (task("1-text", bridge, **{port: given}), task("1", "translation", text=ref("1-text")))
    assert got.repairs == (f"task 1 (translation), port text: takes text, not {port}; {bridge} was put between, as task 1-text",)


def test_a_bridge_is_shared_and_its_id_is_free() -> None:
    audio = task("1-text", "audio-to-audio", audio="talk.wav")
    got = checked(plan(audio, task("1", "translation", text=ref("1-text")), task("2", "summarization", text=ref("1-text"))))
    assert [t.id for t in got.tasks] == ["1-text", "1-text-2", "1", "2"]
    assert links(got)["1"] == ("translation", "1-text-2")
    assert links(got)["2"] == ("summarization", "1-text-2")


def test_a_bridge_of_several_runs_for_each() -> None:
    got = checked(plan(task("1", "image-segmentation", image="scan.png"), task("2", "text-to-speech", text=ref("1", "masks", each=True))))
    assert got.tasks[1].arguments == {"image": ref("1", "masks", each=True)}
    assert got.tasks[2].arguments == {"text": ref("2-text", each=True)}


def test_where_several_tasks_bridge_the_plan_says_so() -> None:
    def hears(name: str) -> HubTask:
        return HubTask(name=name, summary="", inputs=(Port(name="audio", kind=Kind.AUDIO),), outputs=(Port(name="text", kind=Kind.TEXT),))

    table = TaskTable([hears("note-down"), hears("translate-speech"), HUB_TASKS["translation"]])
    with pytest.raises(PlanError, match=r"several tasks turn audio into text \(note-down, translate-speech\)"):
        check(plan(task("1", "translation", text="talk.wav")), table, FILES)


def test_a_table_with_coarser_kinds_is_bridged_as_the_hub_would() -> None:
    def hears(name: str) -> HubTask:
        return HubTask(name=name, summary="", inputs=(Port(name="audio", kind=Kind.AUDIO),), outputs=(Port(name="text", kind=Kind.TEXT),))

    table = TaskTable([hears("Audio Classification"), hears("Automatic Speech Recognition"), HUB_TASKS["translation"]])
    got = check(plan(task("1", "translation", text="talk.wav")), table, FILES)
    assert got.tasks[0].task == "Automatic Speech Recognition"


def test_what_makes_something_up_bridges_nothing() -> None:
    with pytest.raises(PlanError, match="takes image, and image-to-text gives text"):
        checked(plan(READ, task("2", "image-to-image", image=ref("1"))))


def test_dead_tasks_are_left_out_with_what_waits_for_them() -> None:
    made = plan(
        READ,
        task("2", "image-classification", image="scan.png"),
        task("3", "translation", text=ref("9")),  # the texts of tasks 1 and 2 are both free: nothing says which
        task("4", "summarization", text=ref("3")),
    )
    got = checked(made)
    assert got.tasks == made.tasks[:2]
    assert got.repairs == (
        "task 3 (translation) was left out: task 3 (translation), port text: refers to a task '9' that is not in the plan",
        "task 4 (summarization) was left out: task 4 (summarization), port text: refers to a task '3' that was left out",
    )


def test_a_cycle_is_refused_even_by_salvage() -> None:
    circle = plan(READ, task("2", "translation", text=ref("3")), task("3", "translation", text=ref("2")))
    for salvage in (False, True):
        with pytest.raises(PlanError, match="the tasks 2, 3 wait for each other"):
            checked(circle, salvage=salvage)


@pytest.mark.parametrize(
    "made",
    [
        plan(task("1", "Image-To-Text", image="scan.png")),
        plan(task("1", "image-to-text", picture="scan.png")),
        plan(task("1", "image-to-text", image=["scan.png"])),
        plan(task("1", "image-to-text")),
        plan(task("1", "translation", text="talk.wav")),
        plan(task("0", "image-to-text", image="scan.png"), task("1", "translation", text=ref("9"))),
    ],
)
@pytest.mark.parametrize("salvage", [False, True])
def test_a_task_that_has_started_is_never_touched(made: Plan, salvage: bool) -> None:
    assert checked(made, salvage=salvage).repairs
    with pytest.raises(PlanError, match="task 1 has started and must stay as it is"):
        checked(made, started=("1",), salvage=salvage)


def test_the_rest_is_repaired_around_a_task_that_has_started() -> None:
    got = checked(plan(READ, task("2", "text_to_speech", text=ref("1"))), started=("1",))
    assert got.tasks == (READ, SAY)


def test_a_plan_of_endless_length_is_refused() -> None:
    with pytest.raises(PlanError, match="the plan has 1,001 tasks, at most 1,000 are run"):
        checked(plan(*(task(str(i), "text-to-speech", text="a") for i in range(1001))))


@pytest.mark.parametrize("value", ["nan", "inf", float("nan"), 10**400, True])
def test_a_number_is_finite(value: object) -> None:
    with pytest.raises(PlanError, match="takes a number"):
        checked(plan(task("1", "summarization", text="a", max_sentences=value)))


@pytest.mark.parametrize(
    ("made", "left", "says"),
    [
        (plan(READ, task("2", "sing-it", text=ref("1"))), {"1": ("image-to-text",)}, "there is no task 'sing-it'"),
        (plan(READ, task("2", "sing-it", text=ref("1")), task("3", "translation", text=ref("2"))), {"1": ("image-to-text",)}, "left out"),
        (plan(task("1", "clean-it", x="talk.wav"), task("2", "audio-to-audio", audio=ref("1"))), {"2": ("audio-to-audio",)}, "'talk.wav'"),
        (
            plan(task("1", "find-words", x="scan.png"), task("2", "translation", text=ref("1"))),
            {"2-text": ("image-to-text",), "2": ("translation", "2-text")},
            "image-to-text was put between",
        ),
        (
            plan(task("1", "object-detection", image="scan.png"), task("2", "depth-estimation", image=ref("1"))),
            {"1": ("object-detection",), "2": ("depth-estimation",)},
            "instead of the output of task 1",
        ),
        (plan(task("1", "text-to-speech", text="a", colour="b")), {"1": ("text-to-speech",)}, "no port 'colour'.*; left out"),
        (plan(READ, task("2", "translation", text=ref("2"))), {"1": ("image-to-text",), "2": ("translation", "1")}, "is this one"),
        (
            plan(READ, task("2", "translation", text=[ref("1"), "b"])),
            {"1": ("image-to-text",), "2": ("translation", "1")},
            "the rest left out",
        ),
        (
            plan(task("1", "image-segmentation", image="scan.png"), task("2", "image-to-text", image=ref("1"))),
            {"1": ("image-segmentation",), "2": ("image-to-text", "1")},
            "runs once for each",
        ),
        (
            plan(READ, task("2", "sentence-similarity", source_sentence="a", sentences=[ref("1"), ref("9")])),
            {"1": ("image-to-text",), "2": ("sentence-similarity", "1")},
            "'9'.*left out",
        ),
        (plan(READ, task("2", "question-answering", context=ref("1"))), {"1": ("image-to-text",)}, "lacks its port question"),
    ],
)
def test_salvage_leaves_out_what_cannot_be_used_and_says_so(made: Plan, left: dict[str, Any], says: str) -> None:
    with pytest.raises(PlanError):
        checked(made)
    got = checked(made, salvage=True)
    assert links(got) == left
    assert re.search(says, " ".join(got.repairs))
    assert checked(got) == got  # what comes out needs no more


@pytest.mark.parametrize(
    "made",
    [
        plan(task("1", "image-to-text", image="letter.png"), SAY),  # another picture than the one that was named is not meant
        plan(task("1", "mood", x=ref("9")), task("2", "text-to-speech", text=ref("1"))),
        plan(task("1", "sing-it", text="la")),
    ],
)
def test_salvage_refuses_when_nothing_is_left(made: Plan) -> None:
    with pytest.raises(PlanError) as raised:
        checked(made, salvage=True)
    assert len(raised.value.problems) == len(made.tasks)


def test_salvage_never_passes_a_text_on_for_what_a_lost_task_makes_of_it() -> None:
    got = checked(plan(READ, task("2", "mood", text=ref("1")), task("3", "text-to-speech", text=ref("2"))), salvage=True)
    assert links(got) == {"1": ("image-to-text",)}


def test_nothing_stays_of_a_bridge_to_a_task_that_is_left_out() -> None:
    got = checked(plan(READ, task("2", "question-answering", context="talk.wav")), salvage=True)
    assert links(got) == {"1": ("image-to-text",)}
    assert "put between" not in " ".join(got.repairs)
