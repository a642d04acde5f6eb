"""A file is there whole or as it was before, whatever fails."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from rgcontract.files import replacing, write_bytes, write_text

POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")


@pytest.fixture
def kept(tmp_path: Path) -> Any:
    path = tmp_path / "kept.json"
    path.write_text("before")
    return path


def half_of_it(path: Any, error: Any) -> None:
    with replacing(path) as file:
        file.write(b"half of it")
        raise error


def alone(path: Any) -> bool:
    """Whether nothing is left beside it."""
    return [found.name for found in path.parent.iterdir()] == [path.name]


def test_what_is_written_is_there(tmp_path: Path) -> None:
    path = tmp_path / "new.txt"
    assert write_text(path, "ξ = 7") == path
    assert path.read_bytes() == "ξ = 7".encode()
    write_bytes(str(path), b"\x00")
    assert path.read_bytes() == b"\x00"
    assert alone(path)


@pytest.mark.parametrize("error", [OSError(28, "No space left"), ValueError(), KeyboardInterrupt()])
def test_a_writer_that_fails_leaves_what_was_there(kept: Any, error: Any) -> None:
    with pytest.raises(type(error)):
        half_of_it(kept, error)
    assert kept.read_text() == "before"
    assert alone(kept)


def test_a_writer_that_fails_leaves_nothing_where_nothing_was(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"):
        half_of_it(tmp_path / "new", ValueError("no"))
    assert list(tmp_path.iterdir()) == []


def test_a_reader_sees_the_old_or_the_new_one_whole(kept: Any) -> None:
    versions = [letter * 200_000 for letter in "ab"]
    write_text(kept, versions[0])
    stop = threading.Event()

    def writes() -> None:
        while not stop.is_set():
            for version in versions:
                write_text(kept, version)

    thread = threading.Thread(target=writes)
    thread.start()
    seen = {kept.read_text() for _ in range(50)}
    stop.set()
    thread.join()
    assert seen <= set(versions)


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_the_permissions_stay(kept: Any, mode: int) -> None:
    kept.chmod(mode)
    write_text(kept, "after")
    assert stat.S_IMODE(kept.stat().st_mode) == mode


@POSIX
def test_a_new_file_has_the_permissions_that_open_gives(tmp_path: Path) -> None:
    (tmp_path / "opened").touch()
    write_text(tmp_path / "written", "x")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


@POSIX
def test_a_private_file_is_for_this_user_only_from_the_start(kept: Any) -> None:
    kept.chmod(0o644)
    with replacing(kept, private=True) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@POSIX
def test_a_link_stays_one(kept: Any, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "latest.json"
    link.symlink_to("../kept.json")
    write_text(link, "after")
    assert link.is_symlink()
    assert kept.read_text() == "after"
    assert alone(link)


@POSIX
def test_a_link_to_nothing_yet_makes_what_it_points_to(tmp_path: Path) -> None:
    link = tmp_path / "latest.json"
    link.symlink_to("made.json")
    write_text(link, "after")
    assert link.is_symlink()
    assert (tmp_path / "made.json").read_text() == "after"


@POSIX
def test_what_is_no_file_is_written_to_and_stays(tmp_path: Path) -> None:
    write_text("/dev/null", "x")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)  # noqa: PTH116 - not the link's
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    thread = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    thread.start()
    write_text(pipe, "through")
    thread.join()
    assert read == [b"through"]
    assert pipe.is_fifo()


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="is a directory; name a file in it"):
        write_text(tmp_path, "x")


def test_a_directory_that_is_missing_is_named_and_not_a_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "result.json"
    with pytest.raises(FileNotFoundError) as caught:
        write_text(path, "x")
    assert caught.value.filename == str(path)


def test_the_longest_name_that_a_file_can_have_can_be_saved(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250 + ".json")
    write_text(path, "x")
    assert path.read_text() == "x"


@POSIX
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_refused(kept: Any) -> None:
    kept.chmod(0o444)
    with pytest.raises(PermissionError, match="is read-only"):
        write_text(kept, "after")
    assert kept.read_text() == "before"
