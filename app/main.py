"""The command line: `hugginggpt`."""

import io
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from .evaluate import evaluate
from .index import index as indexes

app = typer.Typer(
    name="hugginggpt",
    help="Plans a request into Hugging Face Hub tasks, chooses an expert model for each, runs them and answers.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Text = Annotated[str | None, typer.Argument(help="The request; '-' reads it from standard input.", show_default=False)]
Files = Annotated[
    list[str] | None,
    typer.Option("--file", "-f", metavar="PATH|URL", help="A file or an address that the request is about; may be repeated."),
]
Llm = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL", help="Chat model that plans and answers, e.g. openai:gpt-5-mini. [HUGGINGGPT_LLM]", rich_help_panel="Planning"
    ),
]
PlannerName = Annotated[
    str | None,
    typer.Option(
        "--planner",
        metavar="embedded|llm|FILE",
        help="Who plans; default llm when there is one. [HUGGINGGPT_PLANNER]",
        rich_help_panel="Planning",
    ),
]
EncoderFolder = Annotated[
    Path | None,
    typer.Option(
        "--encoder",
        metavar="FOLDER",
        help="Encoder that the weights of --planner FILE stand on; default English. [HUGGINGGPT_ENCODER]",
        rich_help_panel="Planning",
    ),
]
ContextTokens = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="Tokens that the chat model takes when it plans, its answer included. [HUGGINGGPT_CONTEXT_TOKENS]",
        rich_help_panel="Planning",
    ),
]
Index = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH", help="Folder of a model-card index; default the one in use. [HUGGINGGPT_INDEX]", rich_help_panel="Experts"
    ),
]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for the files that tasks make. [HUGGINGGPT_OUT]")]
Models = Annotated[
    list[Path] | None,
    typer.Option(
        "--models",
        metavar="DIR",
        help="Folder of models to run, NAME/ or ORG/NAME/ in it; may be repeated. [HUGGINGGPT_MODELS]",
        rich_help_panel="Experts",
    ),
]
MaxDownload = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="What may be downloaded for one model: 500MB, 2GB; default nothing. [HUGGINGGPT_MAX_DOWNLOAD]",
        rich_help_panel="Experts",
    ),
]
MaxMemory = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="What models in memory may take together; default half of what is free. [HUGGINGGPT_MAX_MEMORY]",
        rich_help_panel="Experts",
    ),
]
DeviceName = Annotated[
    str | None,
    typer.Option(
        "--device", metavar="cpu|cuda|mps", help="Where models compute; default the best. [HUGGINGGPT_DEVICE]", rich_help_panel="Experts"
    ),
]
Experts = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help="embedded: those that come along; local (default): and models on this machine; hosted; hybrid: all. [HUGGINGGPT_EXPERTS]",
        rich_help_panel="Experts",
    ),
]
Private = Annotated[
    bool,
    typer.Option("--private", help="Nothing leaves this machine, whatever else is set. [HUGGINGGPT_PRIVATE]", rich_help_panel="Experts"),
]
Provider = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Who runs hosted models; default as the account is set. [HUGGINGGPT_PROVIDER]", rich_help_panel="Experts"
    ),
]
Endpoints = Annotated[
    list[str] | None,
    typer.Option(
        "--endpoint",
        metavar="NAME=URL",
        help="Address of a model, by task or model id; may be repeated. [HUGGINGGPT_ENDPOINTS]",
        rich_help_panel="Experts",
    ),
]
Agree = Annotated[
    str | None,
    typer.Option(
        metavar="K", help="Ask K experts for each task, and say how far they agree. [HUGGINGGPT_AGREE]", rich_help_panel="Experts"
    ),
]
AllowHosts = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host",
        metavar="HOST[:PORT]",
        help="A private host that files may be fetched from; may be repeated. [HUGGINGGPT_ALLOW_HOSTS]",
        rich_help_panel="Experts",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, and nothing else.")]


@app.command()
def ask(
    text: Text = None,
    file: Files = None,
    llm: Llm = None,
    planner: PlannerName = None,
    encoder: EncoderFolder = None,
    context_tokens: ContextTokens = None,
    index: Index = None,
    models: Models = None,
    max_download: MaxDownload = None,
    max_memory: MaxMemory = None,
    device: DeviceName = None,
    experts: Experts = None,
    private: Private = False,
    provider: Provider = None,
    endpoint: Endpoints = None,
    agree: Agree = None,
    allow_host: AllowHosts = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Answer a request; without TEXT, chat."""
    from .ask import answer
    from .chat import chat
    from .options import settings, with_index_in_use

    chosen = with_index_in_use(
        settings(
            llm=llm,
            planner=planner,
            encoder=encoder,
            index=index,
            out=out,
            context_tokens=context_tokens,
            models=models,
            max_download=max_download,
            max_memory=max_memory,
            device=device,
            kinds=experts,
            private=private,
            provider=provider,
            endpoint=endpoint,
            agree=agree,
            allow_host=allow_host,
        )
    )
    if text is None:
        raise typer.Exit(chat(chosen, file or []))
    raise typer.Exit(answer(chosen, _text(text), file or [], as_json=as_json))


@app.command()
def plan(
    text: Text = None,
    file: Files = None,
    llm: Llm = None,
    planner: PlannerName = None,
    encoder: EncoderFolder = None,
    context_tokens: ContextTokens = None,
    index: Index = None,
    as_json: AsJson = False,
) -> None:
    """Show the plan of a request without running it."""
    from .options import settings, with_index_in_use
    from .show import show_plan

    chosen = with_index_in_use(settings(llm=llm, planner=planner, encoder=encoder, index=index, context_tokens=context_tokens))
    show_plan(chosen, _text(text or "-"), file or [], as_json=as_json)


@app.command()
def tasks(
    models: Models = None,
    max_download: MaxDownload = None,
    experts: Experts = None,
    private: Private = False,
    provider: Provider = None,
    endpoint: Endpoints = None,
    as_json: AsJson = False,
) -> None:
    """List the Hub's tasks, and which can run here and now."""
    from .options import settings
    from .show import show_tasks

    chosen = settings(models=models, max_download=max_download, kinds=experts, private=private, provider=provider, endpoint=endpoint)
    show_tasks(chosen, as_json=as_json)


@app.command()
def models(
    query: Annotated[str, typer.Argument(help="What the model shall do, in words.")],
    task: Annotated[str | None, typer.Option(metavar="TASK", help="Only models for this Hub task.")] = None,
    license: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only under this licence; may be repeated for others.")] = None,
    language: Annotated[str | None, typer.Option(metavar="CODE", help="Only models that know this language, e.g. de.")] = None,
    library: Annotated[str | None, typer.Option(metavar="NAME", help="Only models of this library, e.g. transformers.")] = None,
    max_parameters: Annotated[str | None, typer.Option(metavar="N", help="Only models of at most so many weights: 350M, 1.5B.")] = None,
    max_bytes: Annotated[str | None, typer.Option(metavar="SIZE", help="Only models whose weights take at most this: 500MB, 2GB.")] = None,
    no_gated: Annotated[bool, typer.Option("--no-gated", help="Only models that the Hub gives without consent.")] = False,
    provider: Annotated[str | None, typer.Option(metavar="NAME", help="Only models that this inference provider serves.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many at most.")] = 10,
    index: Index = None,
    as_json: AsJson = False,
) -> None:
    """Search the model-card index. A card that does not tell a fact does not pass a filter on it."""
    from ..agent.amounts import count, size
    from ..index.filters import CardFilter
    from .options import settings, with_index_in_use
    from .show_models import show_models

    filters = CardFilter(
        license=tuple(license or ()),
        language=language,
        library=library,
        max_parameters=count(max_parameters, "--max-parameters") if max_parameters is not None else None,
        max_bytes=size(max_bytes, "--max-bytes") if max_bytes is not None else None,
        gated=False if no_gated else None,
        provider=provider,
    )
    show_models(with_index_in_use(settings(index=index)), query, filters, task=task, limit=limit, as_json=as_json)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what is installed, reachable and missing, and how to get it."""
    from .doctor import examine

    raise typer.Exit(examine(as_json=as_json))


training = typer.Typer(help="Train weights of your own.", no_args_is_help=True, rich_markup_mode="rich")


@training.command()
def planner(
    data: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="Labelled requests in TaskBench's layout, beside those that come along; may be repeated."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the weights are written.")] = Path("planner.safetensors"),
    encoder: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Encoder to train on, which the planner then needs as well. [HUGGINGGPT_ENCODER]")
    ] = None,
    epochs: Annotated[int, typer.Option(metavar="N", min=1, max=100, help="Passes over the data.")] = 6,
    seed: Annotated[int, typer.Option(metavar="N", help="Of everything that is random.")] = 0,
) -> None:
    """Train the embedded planner on labelled requests, beside those that come along; use it with --planner FILE."""
    from .options import settings
    from .train import train

    train(data or [], out, encoder=settings(encoder=encoder).encoder, epochs=epochs, seed=seed)


@training.command()
def reranker(
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="APIBench's folder: requests and the right model for each.")],
    cards: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Whole model cards: trained on as well, and their downloads for APIBench's cards.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the weights are written.")] = Path("reranker.safetensors"),
    seed: Annotated[int, typer.Option(metavar="N", help="Of everything that is random.")] = 0,
) -> None:
    """Train the re-ranker of the model-card index on requests whose right model is known, and score it by cross-fitting."""
    from .train import train_ranking

    train_ranking(data, out, cards=cards, seed=seed)


@app.callback(invoke_without_command=True)
def version_option(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        sys.stdout.write(installed("langchain-hugginggpt") + "\n")
        raise typer.Exit


def _text(text: str) -> str:
    return sys.stdin.read() if text == "-" else text


def main() -> NoReturn:
    """Run the command line. Exit codes: 0, 3 some task did not run, 2 the caller's input is wrong, 130 Ctrl-C, 1 anything else."""
    as_json = "--json" in sys.argv
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file name may hold what the terminal's encoding cannot show
    app.add_typer(evaluate)
    app.add_typer(indexes)
    app.add_typer(training, name="train")
    try:
        app()
        code = 0
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else 1
    except KeyboardInterrupt:
        code = 130
        _fail("Interrupted", "Stopped.", "", as_json)
    except BrokenPipeError:
        code = 1
    except Exception as e:  # the last resort: no traceback reaches the user
        code = _explain(e, as_json)
    _leave(code)


def _explain(error: Exception, as_json: bool) -> int:
    from ..index.errors import CallerError, HuggingGPTError

    if isinstance(error, HuggingGPTError):
        _fail(type(error).__name__, error.message, error.remedy, as_json)
        return 2 if isinstance(error, CallerError) else 1
    if isinstance(error, OSError):
        where = f" {error.filename!r}" if error.filename else ""
        _fail(
            type(error).__name__,
            f"A file cannot be read or written{where}: {error.strerror or error}.",
            "Check path, rights and room.",
            as_json,
        )
        return 1
    remedy = "This is a fault in hugginggpt; please report it, with what `hugginggpt doctor` prints."
    _fail(type(error).__name__, f"{type(error).__name__}: {error}", remedy, as_json)
    return 1


def _fail(kind: str, message: str, remedy: str, as_json: bool) -> None:
    if as_json:
        import json

        sys.stdout.write(json.dumps({"error": {"type": kind, "message": message, "remedy": remedy}}, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"hugginggpt: {message} {remedy}".rstrip() + "\n")


def _leave(code: int) -> NoReturn:
    """End now: an expert's thread that cannot be stopped must not hold up the exit after Ctrl-C."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if code == 130:
        os._exit(code)
    sys.exit(code)
