"""A network link to a server of this machine, that can freeze: open, and silent."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class Link:
    """Hands bytes through until it freezes; what is frozen stays so, new connections work.

    Attributes:
        freeze_at: a connection freezes for good just before it would hand these bytes on.
        late_s: seconds by which each piece arrives late, either way.
    """

    def __init__(self, port: int) -> None:
        self.freeze_at: bytes | None = None
        self.late_s = 0.0
        self._port = port
        self._frozen: set[int] = set()
        self._open: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0), backlog=100)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Of the broker behind it."""
        return f"redis://127.0.0.1:{self._server.getsockname()[1]}/0"

    def freeze(self) -> None:
        """Nothing goes through any more on the connections that there are."""
        self._frozen = set(range(len(self._open)))

    def close(self) -> None:
        """Cut everything."""
        self._server.close()
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                index = len(self._open)
                self._open += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(
                        target=self._pass_on, args=(index, source, target), daemon=True
                    ).start()

    def _pass_on(self, index: int, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.freeze_at is not None and self.freeze_at in data:
                    self._frozen.add(index)
                if index not in self._frozen:
                    time.sleep(self.late_s)
                    target.sendall(data)
        if index not in self._frozen:
            with suppress(OSError):
                target.shutdown(socket.SHUT_RDWR)
