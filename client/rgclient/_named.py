"""When two handles are handles on one thing."""

from __future__ import annotations


class Named:
    """Something that has a name on a server: an experiment, a study.

    Equal to another of its kind with the same name on the same server, whatever each last heard. So
    handles can be kept in sets and found in lists. The address of the server is compared as it is
    written: `localhost` and `127.0.0.1` are two.
    """

    @property
    def id(self) -> str:
        """Its name on the server."""
        raise NotImplementedError

    @property
    def _server(self) -> str:
        """Address of the server."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        """Whether it is the same experiment, or the same study."""
        if not isinstance(other, Named) or type(other) is not type(self):
            return NotImplemented
        return (self._server, self.id) == (other._server, other.id)

    def __hash__(self) -> int:
        """Of what is compared; it never changes."""
        return hash((type(self), self._server, self.id))
