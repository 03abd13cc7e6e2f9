"""Output files in the making: what was made sure of is there after a kill, what was not is cut off."""

from __future__ import annotations

from pathlib import Path

from matinee.jobs.part_file import Mark, PartFile
from matinee.storage.locations import SourceFile

SOURCE = SourceFile("in.json", 100, "1")


def test_work_goes_on_from_the_mark(tmp_path: Path) -> None:
    part = PartFile(tmp_path, SOURCE)
    with part.writing() as output:
        output.write(b"one\n")
        part.make_sure(output, Mark(read=10, done=1))
        output.write(b"lost when the process is killed")
    again = PartFile(tmp_path, SOURCE)
    assert again.mark == Mark(read=10, written=4, done=1)
    with again.writing() as output:
        output.write(b"two\n")
        again.make_sure(output, Mark(read=20, done=2))
    again.publish(f"file://{tmp_path}/out/in.json.out", ())
    assert (tmp_path / "out" / "in.json.out").read_bytes() == b"one\ntwo\n"


def test_another_content_is_begun_anew(tmp_path: Path) -> None:
    part = PartFile(tmp_path, SOURCE)
    with part.writing() as output:
        output.write(b"old\n")
        part.make_sure(output, Mark(read=10, done=1))
    assert PartFile(tmp_path, SourceFile("in.json", 100, "2")).mark == Mark()


def test_what_was_published_is_remembered_and_takes_no_room(tmp_path: Path) -> None:
    part = PartFile(tmp_path, SOURCE)
    with part.writing() as output:
        part.make_sure(output, Mark(read=100))
    part.publish(f"file://{tmp_path}/out/in.json.out", ())
    assert PartFile(tmp_path, SOURCE).mark.published
    assert [path.suffix for path in tmp_path.iterdir() if path.is_file()] == [".json"]
