"""What a worker and its trainer say to each other, on a pipe: JSON and bytes.

Nothing of it is run when it is read; what is read is of the type that it says, or refused. Floats
are written with all their digits, NaN and infinities too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.connection import Connection
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from rgworker.protocol import Advanced, Broken, Event, Finished, Job, Leave, Left, Ready, Unread

Numbers = Callable[[], AbstractContextManager[None]]
Message = Job | Leave | Event
KINDS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (Job, Leave, Ready, Advanced, Finished, Broken, Unread, Left)
}
FRAME = "$bytes"
"""The one key of what stands for bytes, which follow by themselves: weights are long."""
MOST_DIGITS = 4
"""Of the number of such parts."""


class UnreadableMessageError(ValueError):
    """What came is no message."""


class Wire:
    """One end of the pipe."""

    def __init__(self, descriptor: int, numbers: Numbers = nullcontext) -> None:
        """Take over an open socket.

        Args:
            descriptor: of the socket.
            numbers: opened where numbers become text or text numbers.
        """
        self._connection, self._numbers = Connection(descriptor), numbers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, message: Message) -> None:
        """Say something.

        Raises:
            OSError: the other end is gone.
        """
        with self._numbers():
            head, *frames = encoded(message)
        self._connection.send_bytes(b"%d %b" % (len(frames), head))
        for frame in frames:
            self._connection.send_bytes(frame)

    def poll(self, seconds: float = 0.0) -> bool:
        """Whether there is something to receive, or the other end is gone, within so long."""
        return self._connection.poll(seconds)

    def receive(self) -> Any:
        """The next message.

        Raises:
            EOFError, OSError: the other end is gone. UnreadableMessageError: it is none.
        """
        count, _, head = self._connection.recv_bytes().partition(b" ")
        if not count.isdigit() or len(count) > MOST_DIGITS:
            raise UnreadableMessageError("no message: it does not say of how many parts it is")
        frames = [self._connection.recv_bytes() for _ in range(int(count))]
        with self._numbers():
            return decoded(head, frames)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def encoded(message: Message) -> list[bytes]:
    """A message as it is sent: its head, then what it holds of bytes."""
    frames: list[bytes] = []

    def other(value: Any) -> Any:
        if isinstance(value, bytes):
            frames.append(value)
            return {FRAME: len(frames) - 1}
        if isinstance(value, Collection):
            return list(value)
        raise TypeError(f"a {type(value).__name__} is not sent")

    kind = type(message).__name__
    body = json.dumps(KINDS[kind].dump_python(message, warnings="error"), default=other)
    return [f'{{"kind": "{kind}", "body": {body}}}'.encode(), *frames]


def decoded(head: bytes, frames: list[bytes]) -> Any:
    """The message again.

    Raises:
        UnreadableMessageError: it is none.
    """

    def with_bytes(value: dict[str, Any]) -> Any:
        return frames[value[FRAME]] if value.keys() == {FRAME} else value

    try:
        said = json.loads(head, object_hook=with_bytes)
        return KINDS[said["kind"]].validate_python(said["body"])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UnreadableMessageError(f"{said['kind']}.{place}: {first['msg']}") from error
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise UnreadableMessageError(f"no message: {type(error).__name__}") from error
