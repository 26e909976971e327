"""Where model cards come from: JSON lines, parquet, folders of READMEs, the Hub."""

from .choosing import Chosen, First
from .errors import SourceError
from .hub import HubAccess, HubSource
from .jsonl import JsonLines
from .opening import open_source
from .parquet import Parquet
from .readmes import ReadmeFolder
from .rows import Rows
from .source import CardSource, SourceCard

__all__ = [
    "CardSource",
    "Chosen",
    "First",
    "HubAccess",
    "HubSource",
    "JsonLines",
    "Parquet",
    "ReadmeFolder",
    "Rows",
    "SourceCard",
    "SourceError",
    "open_source",
]
