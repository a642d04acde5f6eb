"""Where a server on this machine leaves its address and a token, and how the client finds them."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from rgcontract.files import write_text

FILE_NAME = "credentials.json"


class CredentialsError(Exception):
    """The credentials file is there and cannot be used; the message says what to do."""


@dataclass(frozen=True, repr=False)
class Credentials:
    """Address of a server and a token for it."""

    url: str
    token: str

    def __repr__(self) -> str:
        """The address; the token is masked."""
        return f"Credentials(url={self.url!r}, token='***')"


def data_dir() -> Path:
    """`RGLAB_DATA_DIR`, or else the user's data directory."""
    chosen = os.environ.get("RGLAB_DATA_DIR")
    return Path(chosen).expanduser() if chosen else user_data_path("rglab")


def credentials_path() -> Path:
    """Where the credentials file is, or would be."""
    return data_dir() / FILE_NAME


def read_credentials(path: Path | None = None) -> Credentials | None:
    """The credentials in the file; None if there is no file.

    Raises:
        CredentialsError: others can read the file, or it is not what `write_credentials` writes.
    """
    path = path or credentials_path()
    try:
        with path.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise CredentialsError(_malformed(path)) from error
    except OSError as error:
        raise CredentialsError(f"cannot read {path}: {error}") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CredentialsError(f"others can read {path}, which holds a token: chmod 600 {path}")
    try:
        found = json.loads(text)
        url, token = found["url"], found["token"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CredentialsError(_malformed(path)) from error
    if not (isinstance(url, str) and isinstance(token, str) and url and token):
        raise CredentialsError(_malformed(path))
    return Credentials(url, token)


def write_credentials(credentials: Credentials, path: Path | None = None) -> Path:
    """Write the file for this user only; a reader sees the old one or the new one, whole."""
    path = path or credentials_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = json.dumps({"url": credentials.url, "token": credentials.token})
    return write_text(path, text, private=True)


def _malformed(path: Path) -> str:
    return f'{path} is not {{"url": ..., "token": ...}}: delete it and run `rglab up`'
