"""`hugginggpt index build|update|use|info`: the options."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

index = typer.Typer(
    name="index",
    help="Build the index of model cards from which experts are chosen, at any size; keep it up to date; look at it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Engine(StrEnum):
    """Who encodes the cards."""

    LOCAL = "local"
    RAY = "ray"


_KINDS = "A file (.jsonl, .jsonl.gz, .parquet), a folder of parquet or README.md files, or hub."
Tasks = Annotated[list[str] | None, typer.Option("--task", metavar="TASK", help="Only cards of this Hub task; may be repeated.")]
Authors = Annotated[
    list[str] | None, typer.Option("--author", metavar="NAME", help="Only models of this user or organisation; may be repeated.")
]
Resume = Annotated[bool, typer.Option("--resume/--no-resume", help="Go on with a build that was broken off, or begin anew.")]
EngineName = Annotated[Engine, typer.Option("--engine", help="ray: encode on a Ray cluster (RAY_ADDRESS).")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, and nothing else.")]
Folder = Annotated[Path | None, typer.Argument(metavar="DIR", help="Folder of the index; default the one in use.", show_default=False)]


@index.command()
def build(
    source: Annotated[str, typer.Option("--from", metavar="FILE|FOLDER|hub", help=_KINDS)],
    task: Tasks = None,
    author: Authors = None,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Only the first N cards.")] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="minilm, a folder, org/name on the Hub, or provider:model; it encodes the queries as well. "
            "Default: that of the index in DIR, else minilm.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the index goes; default your data folder.")] = None,
    resume: Resume = True,
    engine: EngineName = Engine.LOCAL,
    as_json: AsJson = False,
) -> None:
    """Make an index of the cards of a source. An index that is there answers until the new one is done; unchanged cards are kept."""
    from .index_sources import Wanted
    from .indexing import How, run_build

    wanted = Wanted(where=source, tasks=tuple(task or ()), authors=tuple(author or ()), limit=limit)
    run_build(wanted, out, encoder, How(engine=engine.value, resume=resume, as_json=as_json))


@index.command()
def update(
    folder: Folder = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE|FOLDER|hub",
            help="Default: where the index came from. A file or a folder names every card; hub: what has changed since.",
        ),
    ] = None,
    task: Tasks = None,
    author: Authors = None,
    resume: Resume = True,
    engine: EngineName = Engine.LOCAL,
    as_json: AsJson = False,
) -> None:
    """Bring an index up to date. Only cards that are new or changed are encoded."""
    from .index_sources import Wanted
    from .indexing import How, run_update

    wanted = Wanted(where=source, tasks=tuple(task or ()), authors=tuple(author or ()))
    run_update(folder, wanted, How(engine=engine.value, resume=resume, as_json=as_json))


@index.command()
def use(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="Folder of the index.", show_default=False)] = None,
    embedded: Annotated[bool, typer.Option("--embedded", help="Go back to the catalogue that ships.")] = False,
) -> None:
    """Choose the index that ask, chat, plan, models and evaluate agent use from now on. --index and HUGGINGGPT_INDEX go before it."""
    from .index_info import run_use

    run_use(folder, embedded=embedded)


@index.command()
def info(
    folder: Folder = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw it as well: tasks, licences, languages, age.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what an index holds, and how it was made."""
    from .index_info import run_info

    run_info(folder, plot, as_json=as_json)
