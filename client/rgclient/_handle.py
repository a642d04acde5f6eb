"""When two handles are handles on one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rgclient._client import Client


class Handle:
    """Equal to a handle of its kind on the same id of the same server, whatever each last heard.

    So handles can be kept in sets and found in lists. The address of the server is compared as it
    is written: `localhost` and `127.0.0.1` are two.
    """

    _client: Client

    @property
    def id(self) -> str:
        """Its name on the server."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        """Whether it is the same experiment, or the same study."""
        if not isinstance(other, Handle) or type(other) is not type(self):
            return NotImplemented
        return (self._client.url, self.id) == (other._client.url, other.id)

    def __hash__(self) -> int:
        """Of what is compared; it never changes."""
        return hash((type(self), self._client.url, self.id))
