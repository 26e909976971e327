"""A process that is forked after the first call works as its parent did."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system knows no fork")

_PRELUDE = """
import os, signal, threading, warnings
warnings.simplefilter("ignore")  # from 3.12 on: threads do not follow into a fork, which is the point here

def in_child(act):
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)  # one that hangs is ended by this, and with another status
        os._exit(0 if act() else 3)
    status = os.waitpid(pid, 0)[1]
    assert status == 0, f"the child ended with {status}"

def another_thread(act):
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
"""

_WORKERS = """
from langchain_hugginggpt.tools.runners.workers import Workers

workers = Workers(2)
assert workers.submit(lambda job: 1).future.result() == 1  # its thread rests now, and will not be there in the child
in_child(lambda: [workers.submit(lambda job: n).future.result(20) for n in range(5)] == [0, 1, 2, 3, 4])
begun, gate = threading.Event(), threading.Event()
held = [workers.submit(lambda job: (begun.set(), gate.wait())) for _ in range(3)]  # both places taken, one more in line
assert begun.wait(20)
in_child(lambda: workers.submit(lambda job: 7).future.result(20) == 7)
gate.set()
assert all(job.future.result(20) for job in held)
assert workers.submit(lambda job: 8).future.result(20) == 8
"""

_FACTS = """
from langchain_hugginggpt.tools.runners.hosted import Facts

within, gate, main = threading.Event(), threading.Event(), threading.get_ident()

def clock():
    if threading.get_ident() != main:
        within.set()
        gate.wait()
    return 1000.0

facts = Facts(clock=clock)
another_thread(lambda: facts.failed("a", "why", ""))
assert within.wait(20)
in_child(lambda: (facts.failed("b", "why", ""), facts.about("b"))[1] is not None)
gate.set()
"""

_INDEX = """
from langchain_hugginggpt.index import ModelCardIndex
from langchain_hugginggpt.tools import Experts

within, gate, main = threading.Event(), threading.Event(), threading.get_ident()

def opened():
    if threading.get_ident() != main:
        within.set()
        gate.wait()
    return "the index"

experts = Experts(opened, [])
another_thread(lambda: experts.index)
assert within.wait(20)
in_child(lambda: experts.index == "the index")
gate.set()
"""


@pytest.mark.parametrize("script", [_WORKERS, _FACTS, _INDEX], ids=["calls", "facts", "index"])
def test_a_fork_does_not_wait_for_threads_of_its_parent(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", _PRELUDE + script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
