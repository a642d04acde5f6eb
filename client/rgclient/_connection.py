"""One request and its answer: authentication, trying again, parsing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from rgclient._answers import error_of, is_of_a_quota, unexpected
from rgclient._arguments import attempts_in_all, seconds
from rgclient._backoff import ATTEMPTS, PASSING, PATIENCE, asked_seconds, delay
from rgclient._errors import ClientClosed, InvalidValue, NoServer, ServerUnreachable
from rgclient._newer import Remarks
from rgclient._per_process import PerProcess, this_process
from rgcontract.reading import read
from rgcontract.version import CONTRACT, CONTRACT_HEADER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rgclient._clock import Clock
    from rgcontract.credentials import Credentials

Answer = TypeVar("Answer", bound=BaseModel)

REMARKS = Remarks()
"""What this process has said of servers of other releases."""
OWN_TRANSPORT = "a client with a transport of its own"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Connection:
    """A server, seen through its contract. Safe to share between threads, and across a fork."""

    def __init__(
        self,
        credentials: Credentials,
        clock: Clock,
        timeout: float | httpx.Timeout,
        transport: httpx.BaseTransport | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        if not isinstance(timeout, httpx.Timeout):
            seconds("timeout", timeout)
        self.clock = clock
        self._credentials = credentials
        self._timeout = timeout
        self._transport = transport
        self._attempts = attempts_in_all(attempts)
        self._closed = False
        try:
            url = httpx.URL(credentials.url.rstrip("/"))
        except httpx.InvalidURL as error:
            raise NoServer(f"{credentials.url!r} is not an address: {error}") from error
        if url.scheme not in {"http", "https"} or not url.host:
            raise NoServer(f"{credentials.url!r} is not an address: it starts with http:// or so")
        if url.userinfo:  # httpx would send these in place of the token
            raise NoServer(f"leave user and password out of the address of {url.host}")
        if not credentials.token.isascii() or not credentials.token.isprintable():
            raise NoServer("the token has characters that a token cannot have")
        self.url = str(url).rstrip("/")
        origin = this_process()
        self._http = PerProcess(partial(_open, self.url, credentials, timeout, transport, origin))

    def __reduce__(self) -> tuple[type[Connection], tuple[Any, ...]]:
        """What it takes to open another one elsewhere, the token included.

        Raises:
            InvalidValue: a transport is its process's own.
        """
        if self._transport is not None:
            raise InvalidValue(f"{OWN_TRANSPORT} cannot be pickled; leave transport out")
        state = self._credentials, self.clock, self._timeout, None, self._attempts
        return Connection, state

    def close(self) -> None:
        """Close the sockets of this process."""
        self._closed = True
        if self._http.made is not None:
            self._http.made.close()

    def ask(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        *,
        params: Mapping[str, str] | None = None,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        attempts: int | None = None,
    ) -> Answer:
        """Send a request and parse the answer.

        Args:
            method: HTTP method.
            path: below the address of the server.
            answer: what a success is parsed as.
            params: the query.
            body: JSON.
            headers: beside those of every request.
            attempts: 1 for a request that is not safe to repeat; else the connection's own.

        Raises:
            ServerUnreachable: no answer came.
            ResponseError: the answer is an error, or not what the contract says.
            ContractMismatch: the server speaks another contract.
            ClientClosed: by whoever closed it.
        """
        if self._closed:
            raise ClientClosed(f"this client is closed; make another: Client({self.url!r})")
        extra = {**({"Content-Type": "application/json"} if body else {}), **(headers or {})}
        request = self._http().build_request(
            method, path, params=dict(params or {}), content=body, headers=extra
        )
        response = self._send(request, attempts or self._attempts)
        if not response.is_success:
            raise error_of(response)
        REMARKS.version(response, self.url)
        try:
            found = read(answer, response.content)
        except ValidationError as error:
            raise unexpected(response) from error
        REMARKS.about(found, self.url)
        return found

    def _send(self, request: httpx.Request, attempts: int) -> httpx.Response:
        for attempt in range(1, attempts + 1):
            is_last = attempt == attempts
            try:
                response = self._http().send(request)
            except httpx.TransportError as error:
                if is_last:
                    raise self._unreachable(request, error) from error
                pause = delay(attempt, self.clock)
            except httpx.RequestError as error:
                raise self._unreachable(request, error) from error
            else:
                asked = asked_seconds(response.headers.get("retry-after"))
                passing = response.status_code in PASSING and (asked or 0) <= PATIENCE
                if is_last or not passing or is_of_a_quota(response):
                    return response
                pause = delay(attempt, self.clock, asked)
            self.clock.sleep(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _unreachable(self, request: httpx.Request, error: httpx.RequestError) -> ServerUnreachable:
        cause = str(error) or type(error).__name__
        never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
        doubt = request.method == "POST" and not never_sent
        hint = (
            "It is not known whether it took effect: look before you repeat it."
            if doubt
            else "Is it running (`rglab up`), and is RGLAB_URL right?"
        )
        return ServerUnreachable(f"no answer from {self.url}: {cause}. {hint}")


def _open(
    url: str,
    credentials: Credentials,
    timeout: float | httpx.Timeout,
    transport: httpx.BaseTransport | None,
    origin: tuple[int, int],
) -> httpx.Client:
    """The sockets of one process; the transport is of the process of origin."""
    if transport is not None and this_process() != origin:
        raise InvalidValue(
            f"{OWN_TRANSPORT} cannot be used in a forked process; make one there, "
            "or leave transport out"
        )
    return httpx.Client(
        base_url=url,
        headers={
            "Authorization": f"Bearer {credentials.token}",
            "User-Agent": "rgclient",
            CONTRACT_HEADER: str(CONTRACT),
        },
        timeout=timeout,
        transport=transport,
        # a proxy cannot reach the loopback of this machine
        trust_env=httpx.URL(url).host not in LOOPBACK,
    )
