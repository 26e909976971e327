"""A reader in a process of its own: searches without pause until a file appears, and says what it saw.

Every card of a generation carries its version, so that an answer that mixes two generations shows.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from langchain_hugginggpt.index import CardFilter, ModelCardIndex
from tests.index.building.made_cards import TASKS, CountingEncoder


def main() -> None:
    """`python reader_process.py FOLDER STOP`: one line of JSON with the number of searches, the versions seen, and what went wrong."""
    folder, stop = Path(sys.argv[1]), Path(sys.argv[2])
    index = ModelCardIndex.open(folder, encoder=CountingEncoder())
    searches, versions, wrong = 0, set(), []
    (stop.parent / f"ready-{len(list(stop.parent.glob('ready-*')))}-{id(index)}").touch()
    while not stop.exists():
        task = (None, *TASKS)[searches % (len(TASKS) + 1)]
        filters = (None, CardFilter(license=("mit",)), CardFilter(where=lambda c: c.id.startswith("org-1")))[searches % 3]
        try:
            hits = index.search("german speech medical", task=task, filters=filters, limit=20)
        except Exception as e:
            wrong.append(f"{type(e).__name__}: {e}")
            break
        seen = {m[1] for h in hits if (m := re.match(r"Version (\d+)", h.card.text))}
        if len(seen) != 1 or len(hits) != 20:
            wrong.append(f"versions {sorted(seen)}, {len(hits)} hits")
        versions |= seen
        searches += 1
    sys.stdout.write(json.dumps({"searches": searches, "versions": sorted(versions), "wrong": wrong[:5]}) + "\n")


if __name__ == "__main__":
    main()
