"""An output file in the making: a job that was killed goes on with it from where it last made sure."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from matinee.storage.locations import SourceFile, open_output


@dataclass(frozen=True)
class Mark:
    """How far a file is: bytes `read` of the source and `written` of the output, lines `done` and `failed` of them."""

    read: int = 0
    written: int = 0
    done: int = 0
    failed: int = 0
    published: bool = False


class PartFile:
    """What is made of one source file, in a job's working folder; `mark` is what survives a kill at any moment.

    A source whose content is another than at the mark is begun anew.
    """

    def __init__(self, folder: Path, source: SourceFile) -> None:
        name = hashlib.sha256(f"{source.name}\n{source.size}\n{source.version}".encode()).hexdigest()[:32]
        self._path, self._mark_path = folder / f"{name}.part", folder / f"{name}.json"
        self.mark = Mark(**json.loads(self._mark_path.read_bytes())) if self._mark_path.exists() else Mark()

    @contextmanager
    def writing(self) -> Iterator[IO[bytes]]:
        """The file, open at the mark: what was written after it is cut off."""
        self._path.touch()
        with self._path.open("r+b") as part:
            part.truncate(self.mark.written)
            part.seek(self.mark.written)
            yield part

    def make_sure(self, part: IO[bytes], mark: Mark) -> None:
        """Have all that was written reach the disk, then note `mark`, whose `written` is taken from the file."""
        part.flush()
        os.fsync(part.fileno())
        self._note(replace(mark, written=part.tell()))

    def publish(self, location: str, roots: Sequence[Path], writer: str = "") -> None:
        """Put the finished file in its place, as a whole. Doing it again after a crash puts the same content there.

        `writer` names who does it: see `open_output`.
        """
        with self._path.open("rb") as part, open_output(location, roots=roots, writer=writer) as output:
            shutil.copyfileobj(part, output, 1 << 20)
        self._note(replace(self.mark, published=True))
        self._path.unlink()

    def _note(self, mark: Mark) -> None:
        aside = self._mark_path.with_suffix(".aside")
        with aside.open("w") as file:
            json.dump(asdict(mark), file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._mark_path)
        self.mark = mark
