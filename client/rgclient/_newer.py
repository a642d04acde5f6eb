"""A server of another release: what is not known of its answers is said once, and kept."""

from __future__ import annotations

import importlib.metadata
import warnings
from typing import TYPE_CHECKING

from rgclient._errors import ContractMismatch
from rgcontract.reading import unknown_in
from rgcontract.version import CONTRACT, CONTRACT_HEADER, Version

if TYPE_CHECKING:
    import httpx
    from pydantic import BaseModel

MOST_NAMED = 8
"""Things that one sentence names."""
UPGRADE_THE_SERVER = (
    "The server is of an earlier release than this rgclient; "
    "if this is not mistyped, upgrade the server (RGLab)"
)
"""Said beside a refusal of what the server does not have."""


class NewerServer(UserWarning):
    """The server knows more than this client, which goes on: what it does not know it keeps."""


class Remarks:
    """What has been said in this process, so that it is said once."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def about(self, answer: BaseModel, url: str) -> None:
        """Name what is not known of an answer."""
        new = sorted({*unknown_in(answer)} - self._said)
        if not new:
            return
        self._said.update(new)
        more = f" and {len(new) - MOST_NAMED} more" if len(new) > MOST_NAMED else ""
        self._warn(
            f"{url} says what rgclient {_release()} does not know "
            f"({', '.join(new[:MOST_NAMED])}{more}): it is kept, unknown fields in `.extra`; "
            "upgrade rgclient to make use of it"
        )

    def version(self, response: httpx.Response, url: str) -> None:
        """Compare the contract that the server speaks with this one; without a word, go on.

        Raises:
            ContractMismatch: it is another contract.
        """
        spoken = _spoken(response)
        if spoken is None or spoken == CONTRACT:
            return
        if spoken.major != CONTRACT.major:
            behind = "the server (RGLab)" if spoken < CONTRACT else "rgclient"
            raise ContractMismatch(
                f"{url} speaks contract {spoken} and rgclient {_release()} contract {CONTRACT}: "
                f"upgrade {behind}",
                status=response.status_code,
            )
        if spoken > CONTRACT and str(spoken) not in self._said:
            self._said.add(str(spoken))
            self._warn(
                f"{url} speaks contract {spoken} and rgclient {_release()} contract {CONTRACT}: "
                "all of it works; upgrade rgclient to make use of what is new"
            )

    def _warn(self, text: str) -> None:
        warnings.warn(text, NewerServer, stacklevel=5)


def is_older(response: httpx.Response) -> bool:
    """Whether RGLab's server is of an earlier release than this client, as far as is known."""
    spoken = _spoken(response)
    return spoken is None or spoken < CONTRACT


def _spoken(response: httpx.Response) -> Version | None:
    """The contract of the server; None for one from before there was a header."""
    try:
        return Version.parse(response.headers.get(CONTRACT_HEADER, ""))
    except ValueError:
        return None


def _release() -> str:
    return importlib.metadata.version("rgclient")
