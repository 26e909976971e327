"""The report: what it tells, and that text of others can neither break it nor run in it."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from langchain_hugginggpt.evaluation.agent_runs import AgentEvaluation
from langchain_hugginggpt.evaluation.errors import RunFolderError
from langchain_hugginggpt.evaluation.evaluating import Evaluation
from langchain_hugginggpt.evaluation.metrics.counts import of_sets
from langchain_hugginggpt.evaluation.metrics.runs import Price
from langchain_hugginggpt.evaluation.record import Record
from langchain_hugginggpt.evaluation.report.report import render, write_report
from langchain_hugginggpt.evaluation.report.text import clean, duration, one_line
from langchain_hugginggpt.evaluation.summary import summarise
from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.tools.errors import MissingExtraError

AT = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """A page, read: its elements, its text, and whether every element is closed where it should be."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.inside: dict[str, list[str]] = {}
        self.faults: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.faults.append(f"</{tag}> inside {self._open[-1:]}")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("script", "style"):
            self.inside.setdefault(self._open[-1], []).append(data)
        elif data.strip():
            self.texts.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    def count(self, tag: str, **attributes: str) -> int:
        return sum(t == tag and all(a.get(k.rstrip("_")) == v for k, v in attributes.items()) for t, a in self.elements)


def planned(ident: str, gold: tuple[str, ...], came: tuple[str, ...], **fields: Any) -> Record:
    n = of_sets(gold, came)
    return Record(
        id=ident,
        groups={"type": "single" if len(gold) == 1 else "chain", "number of tasks": str(len(gold))},
        scores={
            "strict.n_f1": n.f1,
            "strict.edit_distance": (float(gold != came), 1.0),
            "official.n_f1": n.f1,
            "official.scored": (1.0, 1.0),
        },
        gold=gold,
        predicted=came,
        **fields,
    )


PLANNING = (
    planned("a", ("image-to-text",), ("image-to-text",), seconds=0.01),
    planned("b", ("image-to-text", "text-to-speech"), ("image-to-text", "translation"), seconds=0.02, detail={"request": "Read it to me."}),
    planned("c", ("translation",), (), seconds=0.04, error="The plan is no JSON."),
)


def evaluation(kind: str, records: Iterable[Record], *, primary: str = "strict.n_f1", **fields: Any) -> Evaluation:
    summary = summarise(kind, records, primary=primary)
    return Evaluation(**{"name": "a planner on three cases", "problems": Problems(), "seconds": 75.0, **fields}, summary=summary)


def page(found: Evaluation, command: str = "") -> Page:
    read = Page(render(found, command, at=AT))
    assert read.faults == []
    return read


def cells(read: Page, cls: str) -> int:
    return sum(cls in a.get("class", "").split() for _, a in read.elements)


def test_a_planning_run_is_told() -> None:
    problems = Problems()
    problems.add("line is not JSON", "dev.jsonl:7")
    found = evaluation("planning", PLANNING, problems=problems, notes=("Two of the labels are old.",), folder=Path("runs/one"))
    read = page(found, "hugginggpt evaluate planning --data dev.jsonl")
    for told in (
        "a planner on three cases", "planning evaluation", "2026-11-21 08:30 UTC", "75 s", "20 ms / 38 ms", "runs/one",
        "hugginggpt evaluate planning --data dev.jsonl", "Two of the labels are old.", "Official", "Strict",
        "57.1",  # n-F1: 2 x 2 hits over 4 labelled and 3 planned tasks
        "0.667",  # edit distance: two of three plans differ
        "By type", "By number of tasks", "F1 by task", "Task confusion", "Latency", "p50 20 ms",
        "Read it to me.", "The plan is no JSON.", "line is not JSON", "dev.jsonl:7",
    ):  # fmt: skip
        assert told in read.text
    assert "scored" not in read.text  # the official scorer drops none
    assert (cells(read, "hit") - 1, cells(read, "missed") - 1, cells(read, "extra") - 1) == (1, 2, 1)  # one each is the key
    assert read.count("svg", role="img") == 4
    assert read.count("details") == 3  # cases b and c, and a problem


def test_what_the_official_scorer_drops_is_told() -> None:
    dropped = Record(id="d", scores={"official.scored": (0.0, 1.0), "strict.n_f1": (0.0, 2.0)})
    assert "It drops 1 of 4 cases." in page(evaluation("planning", (*PLANNING, dropped))).text


def test_the_f1_chart_tells_f1_and_support() -> None:
    source = render(evaluation("planning", PLANNING), at=AT)
    told = re.search(r'role="img" aria-label="(F1 by task[^"]*)"', source)
    assert told
    assert told[1] == "F1 by task, in percent: image-to-text 100, text-to-speech 0, translation 0."


def test_the_confusion_tells_what_came_instead() -> None:
    source = render(evaluation("planning", PLANNING), at=AT)
    told = re.search(r'role="img" aria-label="(Task confusion[^"]*)"', source)
    assert told
    assert told[1] == "Task confusion; most often: translation as (nothing) 1; text-to-speech as translation 1."


def test_figures_by_number_are_in_the_order_of_the_number() -> None:
    sizes = [planned(f"{n}-{i}", tuple(f"t{k}" for k in range(n)), ("t0",)) for n in (10, 2, 1) for i in range(3)]
    unknown = Record(id="u", groups={"number of tasks": "unknown"}, scores={"strict.n_f1": (0.0, 1.0)})
    told = re.search(r'role="img" aria-label="(n-F1 by number[^"]*)"', render(evaluation("planning", [*sizes, unknown]), at=AT))
    assert told
    assert told[1] == "n-F1 by number of tasks, in percent: 1: 100.0; 2: 66.7; 10: 18.2."


def ranked(ident: str, ranks: Mapping[str, int]) -> Record:
    scores = {f"{name}filtered.r1": (float(rank == 1), 1.0) for name, rank in ranks.items()}
    scores |= {f"{name}filtered.mrr": (1 / rank, 1.0) for name, rank in ranks.items()}
    detail = {
        "query": f"query {ident}",
        "model": "org/right",
        "ranks": {"index": {"filtered": 2, "unfiltered": None}},
        "filtered": ["org/x"],
    }
    return Record(id=ident, groups={"task": "fill-mask"}, scores=scores, gold=("fill-mask",), predicted=("fill-mask",), detail=detail)


def test_baselines_stand_in_one_table_with_the_best_marked() -> None:
    records = (ranked("1", {"": 1, "bm25/": 1, "most-downloads/": 2}), ranked("2", {"": 2, "bm25/": 4, "most-downloads/": 1}))
    read = page(evaluation("selection", records, primary="filtered.mrr"))
    at = read.texts.index("this index")
    assert [t for t in read.texts[at:] if re.fullmatch(r"[a-z][a-z0-9 -]+|\d+\.\d", t)][:9] == [
        "this index", "50.0", "75.0", "bm25", "50.0", "62.5", "most-downloads", "50.0", "75.0",
    ]  # fmt: skip
    assert cells(read, "best") == 5  # R@1 is the same for all three, MRR for two
    for told in ("query 2", "org/right", "index: filtered 2 · unfiltered –", "First models with the task filter", "first found"):
        assert told in read.text
    assert "Without the task filter" not in read.text


def ran(ident: str, **detail: Any) -> Record:
    scores = {"agent.success": (0.0, 1.0), "agent.faithfulness": (2.0, 3.0), "agent.makespan": (3.0, 2.0), "strict.n_f1": (2.0, 2.0)}
    usage = {"gpt": {"input_tokens": 1_000_000, "output_tokens": 2_000}, "other": {"input_tokens": 5, "output_tokens": 6}}
    return Record(id=ident, scores=scores, gold=("fill-mask",), predicted=("fill-mask",), usage=usage, detail=detail)


def test_a_whole_run_is_told() -> None:
    record = ran(
        "r", request="What is it?", problems=["The reply must contain 'cat'."], unsupported=["117.50"], reply="A dog.", trace={"x": 1}
    )
    found = evaluation("agent", [record], primary="agent.success")
    read = page(found)
    for told in ("66.7", "1.500", "Failed checks", "The reply must contain 'cat'.", "117.50", "A dog.", "1,000,000", "success 0.0"):
        assert told in read.text
    assert read.text.index("Whole runs") < read.text.index("Strict")
    assert "cost" not in read.texts
    priced = AgentEvaluation(**vars(found), prices={"gpt": Price(input=0.25, output=2.0)})
    assert page(priced).texts[-8:-1] == ["1,000,000", "2,000", "0.2540", "other", "5", "6", "–"]


def test_without_any_case_there_is_a_report() -> None:
    read = page(evaluation("planning", ()))
    assert read.count("svg") == read.count("table") == read.count("section") == 0
    assert "a planner on three cases" in read.text


HOSTILE = {
    "script": "</script><script>alert(1)</script>",
    "picture": "\"><img src=x onerror='alert(1)'>",
    "style": "</style></svg><style>*{display:none}</style>",
    "template": "{{ 7*7 }}{% raw %}",
    "mathematics": r"$\frac{1}{0}$ $$ _^ Tg0 \ud83d",
    "entities": "&lt;b&gt; &amp; ]]> <!-- <![CDATA[",
    "control": "a\x00b\x07c\x1b[31md\x85e\u2028f",
    "surrogates": "half \ud83d, half \udc00",
    "turned": "\u202egnp.exe\u202c \u2067שלום\u2069 مرحبا",
    "letters": "日本語 🧑‍🚀 Z̶̛̗a̶l̶g̶o̶",
    "long": "x" * 100_000,
    "words": "word <b> " * 12_000,
    "empty": "",
    "blank": " \n\t\r\n ",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_text_of_others_stays_text(text: str) -> None:
    problems = Problems()
    for _ in range(30):
        problems.add(text, text)
    detail: dict[str, Any] = {k: [text] * 50 for k in ("problems", "unsupported", "repairs", "filtered")}
    detail |= {"request": text, "reply": text, "model": {text: {text: None}}, "ranks": text}
    detail |= {"label": {"task_links": [{"source": text, "target": text}, text, None]}, "result": text}
    records = [
        planned(
            f"{i} {text}",
            (text, f"{text}{i}", "t"),
            (f"{text}!", "u"),
            seconds=float(i + 1),
            error=text,
            detail=detail,
            usage={text: {text: 1}},
        )
        for i in range(70)
    ]
    records += [Record(id=f"g{i}", groups={text: f"{text}{i}", "n": str(i)}, scores={f"{text}/filtered.r1": (0.0, 1.0)}) for i in range(3)]
    source = render(evaluation("planning", records, problems=problems, name=text, notes=(text,), folder=Path("x" + text[:99])), text, at=AT)
    read = Page(source)
    assert read.faults == []
    source.encode()  # raises on half of a surrogate pair
    assert len(source) < 1_500_000
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", source)
    assert {t for t, _ in read.elements} <= PLAIN
    assert [a for _, a in read.elements if any(k == "style" or k.startswith("on") for k in a)] == []
    assert read.count("script") == read.count("style") == 1


PLAIN = set(
    "a b bdi blockquote body button circle clippath code dd defs details div dl dt figcaption figure footer g h1 h2 h3 h4 head header html "
    "i li main meta nav p path pre rect script section small span style summary svg table tbody td text th thead title tr ul use".split()
)


def test_mathematics_in_a_label_is_text() -> None:
    read = page(evaluation("planning", [planned("a", (r"$\alpha$", "Tg0"), ("$",))]))
    assert r"$\alpha$" in read.texts
    assert "Tg0" in read.texts


def test_the_policy_allows_its_own_style_and_script_only() -> None:
    read = page(evaluation("planning", PLANNING))
    policy = next(a["content"] for t, a in read.elements if t == "meta" and a.get("http-equiv") == "Content-Security-Policy")
    hashes = {tag: base64.b64encode(hashlib.sha256("".join(read.inside[tag]).encode()).digest()).decode() for tag in ("style", "script")}
    allowed = f"style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}'"
    assert policy == f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def test_it_needs_nothing_from_outside_and_each_id_is_there_once() -> None:
    source = render(evaluation("planning", PLANNING), at=AT)
    read = Page(source)
    assert "http://" not in source
    assert "https://" not in source
    assert [a for t, a in read.elements if "src" in a or t == "link"] == []
    ids = Counter(a["id"] for _, a in read.elements if "id" in a)
    assert set(ids.values()) == {1}
    used = {a["href"].removeprefix("#") for _, a in read.elements if "href" in a} | set(re.findall(r"url\(#([^)]*)\)", source))
    assert used - set(ids) == set()


def test_thousands_of_tasks_are_cut_and_said_so() -> None:
    records = [planned(f"c{i}", (f"task-{i}",), (f"task-{i + 1}",)) for i in range(3000)]
    source = render(evaluation("planning", records), at=AT)
    assert len(source) < 1_000_000
    assert "2,701 rarer tasks are not shown." in Page(source).text
    assert "The 25 commonest of 3001 tasks, best first." in Page(source).text


def test_the_same_evaluation_gives_the_same_report_whatever_the_users_own_settings() -> None:
    import matplotlib

    found = evaluation("planning", PLANNING)
    plain = render(found, at=AT)
    own: dict[Any, Any] = {"axes.grid": True, "savefig.bbox": "tight", "font.size": 30.0, "axes.facecolor": "red", "text.usetex": True}
    with matplotlib.rc_context():
        matplotlib.rcParams.update(own)
        assert render(found, at=AT) == plain
        assert {k: matplotlib.rcParams[k] for k in own} == own


def test_the_file_is_written_and_written_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.html"
    assert write_report(evaluation("planning", PLANNING), path, command="first") == path
    assert write_report(evaluation("planning", PLANNING), path, command="second") == path
    assert "<code>second</code>" in path.read_text(encoding="utf-8")
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    (path / "in the way").mkdir(parents=True)
    with pytest.raises(RunFolderError, match=r"report\.html' cannot be written: .*Choose another path"):
        write_report(evaluation("planning", PLANNING), path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_a_missing_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # what the import system itself does for a package that is not there
    with pytest.raises(MissingExtraError, match=rf"'{package}' is not installed.*langchain-hugginggpt\[evaluation\]"):
        write_report(evaluation("planning", PLANNING), tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = ("matplotlib", "jinja2", "torch")
    code = f"import sys, langchain_hugginggpt.evaluation.report.report; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, "0 µs"), (0.00034, "340 µs"), (0.0009996, "1 ms"), (0.0126, "12.6 ms"), (0.9996, "1 s"), (1.94, "1.94 s"),
        (99.96, "1 min 40 s"), (320, "5 min 20 s"), (7500, "2 h 05 min"),
    ],
)  # fmt: skip
def test_duration(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_text_is_cut_and_cleaned() -> None:
    assert clean("abcdef", 6) == "abcdef"
    assert clean("abcdefg", 6) == "abcde…"
    assert clean("a\x00\n\tb\ud800", 9) == "a\ufffd\n\tb\ufffd"
    assert clean("one\r\ntwo\rthree", 99) == "one\ntwo\ufffdthree"
    assert one_line(" a\r\n b  c ", 9) == "a b c"
    assert one_line("ab " * 100, 5) == "ab a…"
