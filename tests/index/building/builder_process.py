"""A build in a process of its own, to be killed: `python builder_process.py SOURCE FOLDER WINDOW DIMENSION`."""

from __future__ import annotations

import sys

from langchain_hugginggpt.index.building import BuildOptions, build_index
from langchain_hugginggpt.index.sources import open_source
from tests.index.building.made_cards import CountingEncoder


def main() -> None:
    """Build, and say how many cards were taken up from a run before, and how many texts this one encoded."""
    source, folder, window, dimension = sys.argv[1:]
    encoder = CountingEncoder(int(dimension))
    report = build_index(open_source(source), folder, encoder, BuildOptions(window=int(window), slice=64, checkpoint_seconds=0))
    sys.stdout.write(f"{int(report.resumed)} {encoder.texts} {report.read} {report.unchanged}\n")


if __name__ == "__main__":
    main()
