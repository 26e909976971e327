"""`hugginggpt evaluate planning|selection|agent|compare`: the options."""

from pathlib import Path
from typing import Annotated

import typer

evaluate = typer.Typer(
    name="evaluate",
    help="Measure planning, selection or whole runs, on benchmarks or on your own cases; compare two runs.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Llm = Annotated[str | None, typer.Option(metavar="MODEL", help="Chat model, e.g. openai:gpt-5-mini. [HUGGINGGPT_LLM]")]
PlannerName = Annotated[str | None, typer.Option("--planner", metavar="embedded|llm|FILE", help="Who plans. [HUGGINGGPT_PLANNER]")]
EncoderFolder = Annotated[
    Path | None, typer.Option("--encoder", metavar="FOLDER", help="Encoder of the planner's weights. [HUGGINGGPT_ENCODER]")
]
Index = Annotated[Path | None, typer.Option(metavar="PATH", help="Folder of a model-card index. [HUGGINGGPT_INDEX]")]
Limit = Annotated[int | None, typer.Option(metavar="N", min=1, help="Only the first N cases.")]
Workers = Annotated[
    int, typer.Option(metavar="N", min=1, max=256, help="Cases at a time. More than one makes the seconds a case less honest.")
]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for records and report; default a new one in your data folder.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run that --out holds.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, and nothing else.")]


@evaluate.command()
def planning(
    data: Annotated[Path, typer.Option(metavar="PATH", help="TaskBench's folder or one of its files, or your cases (.yaml).")],
    planner: PlannerName = None,
    encoder: EncoderFolder = None,
    llm: Llm = None,
    predictions: Annotated[Path | None, typer.Option(metavar="FILE", help="Score these recorded plans instead of planning.")] = None,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="With --predictions: leave out cases that have none, instead of counting them as empty.")
    ] = False,
    limit: Limit = None,
    workers: Workers = 1,
    out: Out = None,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Plan requests and score the plans against their labels."""
    from .evaluations import Run, run_planning
    from .options import settings

    run = Run(kind="planning", limit=limit, workers=workers, out=out, resume=resume, as_json=as_json)
    run_planning(run, data, settings(llm=llm, planner=planner, encoder=encoder), predictions, skip_missing=skip_missing)


@evaluate.command()
def selection(
    data: Annotated[Path, typer.Option(metavar="PATH", help="APIBench's folder.")],
    index: Index = None,
    cards: Annotated[Path | None, typer.Option(metavar="FILE", help="Model cards to choose from, instead of the data set's own.")] = None,
    downloads: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Model cards whose downloads are taken where the cards tell none.")
    ] = None,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Judge the re-ranker that ships as it is, also on requests that it was trained on.")
    ] = False,
    limit: Limit = None,
    workers: Workers = 1,
    out: Out = None,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Search the model-card index for each request, and see at which rank the right model comes; baselines beside it."""
    from .evaluations import Run, run_selection
    from .options import settings

    run = Run(kind="selection", limit=limit, workers=workers, out=out, resume=resume, as_json=as_json)
    run_selection(run, data, settings(index=index), cards=cards, downloads=downloads, shipped=shipped)


@evaluate.command()
def agent(
    data: Annotated[Path, typer.Option(metavar="PATH", help="Your cases (.yaml), or a folder of such files.")],
    planner: PlannerName = None,
    encoder: EncoderFolder = None,
    llm: Llm = None,
    index: Index = None,
    traces: Annotated[Path | None, typer.Option(metavar="FILE", help="Score these recorded runs instead of running anything.")] = None,
    prices: Annotated[Path | None, typer.Option(metavar="FILE", help="YAML: {MODEL: {input: USD per million tokens, output: …}}.")] = None,
    limit: Limit = None,
    workers: Workers = 1,
    out: Out = None,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Run whole requests and check what came out. Exit code 3 when a case fails."""
    from .evaluations import Run, run_agent
    from .options import settings, with_index_in_use

    run = Run(kind="agent", limit=limit, workers=workers, out=out, resume=resume, as_json=as_json)
    chosen = with_index_in_use(settings(llm=llm, planner=planner, encoder=encoder, index=index))
    raise typer.Exit(run_agent(run, data, chosen, traces=traces, prices=prices))


@evaluate.command()
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="Folder of the one run.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Folder of the other.")],
    as_json: AsJson = False,
) -> None:
    """Compare two runs over the same cases: paired differences with their intervals, and the cases that changed."""
    from .evaluations import run_compare

    run_compare(a, b, as_json=as_json)
