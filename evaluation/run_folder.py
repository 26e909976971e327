"""The folder of one run: `run.json` says what was run, `records.jsonl` holds one line for each finished case.

Only one process at a time appends to `records.jsonl`, one whole line at a time; a run that was killed leaves at most one torn line,
which is dropped when the run is resumed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from .errors import RunFolderError
from .record import Record

VERSION = 1
RUN, RECORDS = "run.json", "records.jsonl"
OWN = (RUN, RECORDS, "summary.json", "report.html", "predictions.jsonl")


class RunFolder:
    """A folder of records.

    Args:
        path: the folder.

    Attributes:
        run: what `run.json` says: `{"version", "kind", "settings"}`.
        finished: ids of the cases that have a record, after `begin`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run: dict[str, Any] = {}
        self.finished: set[str] = set()
        self._file: IO[bytes] | None = None
        self._lock: int | None = None

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """A folder that holds a run, to be read. Raises RunFolderError when it does not."""
        folder = cls(path)
        folder.run = folder._read_run()
        return folder

    @property
    def kind(self) -> str:
        """`planning`, `selection` or `agent`."""
        return str(self.run["kind"])

    def check(self, *, resume: bool) -> None:
        """Refuse at once what `begin` would refuse after longer work: records that are there, while `resume` was not asked for.

        Raises:
            RunFolderError: the folder holds a run, or files that a run would overwrite; or it is no folder.
        """
        try:
            there = [name for name in OWN if (self.path / name).exists()]
            is_file = self.path.exists() and not self.path.is_dir()
        except OSError as e:  # a name that is too long, or a folder above it that may not be read
            raise RunFolderError(f"{str(self.path)!r} cannot be read: {e.strerror}.", remedy="Choose another folder (--out DIR).") from e
        if is_file:
            raise RunFolderError(f"{str(self.path)!r} cannot be written: it is a file.", remedy="Choose another folder (--out DIR).")
        if there and RUN not in there:
            raise RunFolderError(
                f"{str(self.path)!r} holds {', '.join(there)}, and no {RUN}: a run would overwrite what is not its own.",
                remedy="Choose another --out; nothing was changed.",
            )
        if there and not resume:
            n = sum(1 for _ in self.records())
            raise RunFolderError(
                f"{str(self.path)!r} holds the records of a run already ({n} cases).",
                remedy="Go on with it (--resume), or choose another --out; nothing was changed.",
            )

    def begin(self, kind: str, settings: Mapping[str, Any], *, resume: bool) -> None:
        """Make the folder ready to append to.

        Args:
            kind: what is evaluated.
            settings: plain JSON; what must be the same for a run to be resumed.
            resume: go on with the run that is there, if there is one.

        Raises:
            RunFolderError: there are records of another run, or of this one and `resume` was not asked for; another process is writing
                there; or it cannot be written.
        """
        self.check(resume=resume)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._keep_others_out()
            self.check(resume=resume)  # again: another process may have begun in between
            self._begin({"version": VERSION, "kind": kind, "settings": json.loads(json.dumps(settings, default=str))})
        except OSError as e:
            self.close()
            raise RunFolderError(f"{str(self.path)!r} cannot be written: {e.strerror}.", remedy="Choose another folder (--out DIR).") from e
        except BaseException:
            self.close()
            raise

    def append(self, record: Record) -> None:
        """Write one line. Once it is written, the death of this process does not lose it."""
        if self._file is None:
            raise RunFolderError(f"{str(self.path)!r} was not begun.")
        try:
            self._file.write(record.as_line().encode(errors="surrogatepass") + b"\n")
            self._file.flush()
        except OSError as e:
            raise RunFolderError(
                f"A record cannot be written to {str(self.path)!r}: {e.strerror}.", remedy="Make room there, then go on with --resume."
            ) from e
        self.finished.add(record.id)

    def close(self) -> None:
        """No more records."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def records(self) -> Iterator[Record]:
        """Every record, each id once, read one by one. A torn line is passed over."""
        seen: set[str] = set()
        path = self.path / RECORDS
        if not path.exists():
            return
        try:
            with path.open("rb") as lines:
                for line in lines:
                    try:
                        record = Record.from_line(line)
                    except (ValueError, RecursionError):
                        continue
                    if record.id not in seen:
                        seen.add(record.id)
                        yield record
        except OSError as e:
            raise RunFolderError(f"{str(path)!r} cannot be read: {e.strerror}.") from e

    def write(self, name: str, text: str) -> Path:
        """Write a file of this folder whole or not at all."""
        new = self.path / f".{name}.new"
        new.write_text(text, encoding="utf-8", errors="backslashreplace")
        return new.replace(self.path / name)

    def _read_run(self) -> dict[str, Any]:
        path = self.path / RUN
        try:
            found = json.loads(path.read_bytes())
        except FileNotFoundError as e:
            raise RunFolderError(
                f"{str(self.path)!r} holds no run: there is no {RUN} in it.", remedy="Name a folder that `hugginggpt evaluate` wrote."
            ) from e
        except (OSError, ValueError, RecursionError) as e:
            raise RunFolderError(f"{str(path)!r} cannot be read: {e}.", remedy="Name another folder.") from e
        known = isinstance(found, dict) and found.get("version") == VERSION
        if not known or not isinstance(found.get("settings"), dict) or not isinstance(found.get("kind"), str):
            raise RunFolderError(
                f"{str(path)!r} is not of this version ({VERSION}).", remedy="Run the evaluation again, into another folder."
            )
        return dict(found)

    def _keep_others_out(self) -> None:
        """Until `close`, or the end of this process however it comes: two that append would lose each other's records.

        Where the system knows no such lock (Windows, some network drives) there is none.
        """
        try:
            import fcntl
        except ImportError:
            return
        self._lock = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise RunFolderError(
                f"Another process is writing its records to {str(self.path)!r}.", remedy="Wait for it, or choose another --out."
            ) from e
        except OSError:  # a file system without locks
            return

    def _begin(self, wanted: dict[str, Any]) -> None:
        if (self.path / RUN).exists():
            self._agree(wanted)
            self._compact()
        else:
            self.write(RUN, json.dumps(wanted, indent=1, ensure_ascii=False))
        self.run = wanted
        self._file = (self.path / RECORDS).open("ab")

    def _agree(self, wanted: Mapping[str, Any]) -> None:
        there = self._read_run()
        before, now = there["settings"], wanted["settings"]
        differing = ["kind"] if there["kind"] != wanted["kind"] else []
        differing += sorted(k for k in {*before, *now} - {"name"} if before.get(k) != now.get(k))
        if differing:
            told = "; ".join(f"{k}: {_value(there, k)} there, {_value(wanted, k)} now" for k in differing)
            raise RunFolderError(
                f"{str(self.path)!r} holds the records of another run ({told}).", remedy="Choose another --out; nothing was changed."
            )

    def _compact(self) -> None:
        """Drop what a killed run may leave: a torn line; and what shall be tried again."""
        new = self.path / f".{RECORDS}.new"
        with new.open("wb") as out:
            for record in self.records():
                if not record.again:
                    out.write(record.as_line().encode(errors="surrogatepass") + b"\n")
                    self.finished.add(record.id)
            out.flush()
            os.fsync(out.fileno())
        new.replace(self.path / RECORDS)


def _value(run: Mapping[str, Any], key: str) -> str:
    return repr(run["kind"] if key == "kind" else run["settings"].get(key))[:100]
