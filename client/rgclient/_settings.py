"""Which server and which token: arguments, then the environment, then the credentials file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rgclient._arguments import text
from rgclient._errors import NoServer
from rgcontract.credentials import Credentials, CredentialsError, credentials_path, read_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping


def find_credentials(
    url: str | None = None, token: str | None = None, environ: Mapping[str, str] = os.environ
) -> Credentials:
    """The address and token to use.

    A token from the file goes to the server that the file names and to no other: a token for
    this machine is never sent to an address that came from elsewhere.

    Raises:
        NoServer: one of them is nowhere to be found, or the file cannot be used.
        InvalidValue: one of them is no text.
    """
    text("url", url)
    text("token", token)
    url = url or _variable(environ, "RGLAB_URL")
    token = token or _variable(environ, "RGLAB_TOKEN")
    if url and token:
        return Credentials(url, token)
    try:
        stored = read_credentials()
    except CredentialsError as error:
        raise NoServer(str(error)) from error
    if stored is None:
        missing = " and ".join(
            name for name, value in (("RGLAB_URL", url), ("RGLAB_TOKEN", token)) if not value
        )
        raise NoServer(
            f"no server is known: {missing} not set and {credentials_path()} does not exist. "
            "Run `rglab up` on this machine, or set RGLAB_URL and RGLAB_TOKEN"
        )
    if url and url.rstrip("/") != stored.url.rstrip("/"):
        raise NoServer(
            f"no token for {url}: the one in {credentials_path()} is for {stored.url}. "
            "Set RGLAB_URL and RGLAB_TOKEN together, or run `rglab up` on this machine"
        )
    return Credentials(url or stored.url, token or stored.token)


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    return environ.get(name, "").strip() or None
