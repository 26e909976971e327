"""For every test."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator

import pytest

LONG = frozenset(
    f"test_{name}.py" for name in "ray readme examples command_line trained training reranker other_encoders local_experts samples".split()
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark that langchain-tests uses; the plugin that owns it is switched off in pyproject.toml."""
    config.addinivalue_line("markers", "benchmark: used by langchain-tests")
    config.addinivalue_line("markers", "live: asks the real Hub; run by `make live` only")
    if not _is_live(config):
        cache = tempfile.mkdtemp(prefix="hugginggpt-hub-")  # what the person who runs the tests has downloaded changes what can run
        os.environ["HF_HUB_CACHE"] = cache  # before huggingface_hub is imported, which reads it then
        config.add_cleanup(lambda: shutil.rmtree(cache, ignore_errors=True))


def _is_live(config: pytest.Config) -> bool:
    return str(config.getoption("-m")) == "live"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that ask the real Hub are not even skipped: they are another suite. Files that take minutes come first, so that no core is left
    alone with one of them in the end."""
    if not _is_live(config):
        items[:] = [i for i in items if i.get_closest_marker("live") is None]
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(autouse=True)
def _ctrl_c_is_as_python_has_it() -> None:
    """Libraries that other tests use put handlers of their own in its place, and leave them there."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _no_data_of_a_real_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test, nor a process that it starts, reads or writes what the person who runs the tests has in the data folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield
