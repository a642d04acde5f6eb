"""A client and its handles in processes that fork, and in threads: each gets its own answers."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

import rgclient
from rgclient import Client, InvalidValue
from rgclient._default import DefaultClient
from rgclient._progress import ProgressBar
from rgcontract.credentials import Credentials, write_credentials

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here"),
    # what Python 3.12 says of every fork beside threads, which is what is tested
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
]
FORK = multiprocessing.get_context("fork")
TIMES = 200
PATIENCE = 60
"""Seconds until a child that hangs is given up."""


class Lab:
    """A real server: the experiment it answers with has the id that is in the path."""

    def __init__(self, template: dict[str, Any]) -> None:
        self.template = template
        self.connections = 0
        self.held = threading.Event()
        self.release = threading.Event()
        lab = self

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # connections are kept, and so could be shared
            disable_nagle_algorithm = True

            def setup(self) -> None:
                lab.connections += 1
                super().setup()

            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                if name == "held":
                    lab.held.set()
                    lab.release.wait(PATIENCE)
                body = json.dumps(lab.template | {"id": name}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def lab(answer: Any) -> Iterator[Lab]:
    found = Lab(json.loads(answer.experiment("running").content))
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.release.set()
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def wrong_answers(client: Client, who: str) -> list[tuple[str, str]]:
    """(asked, answered) where the two differ, in many requests."""
    names = [f"{who}-{number}" for number in range(TIMES)]
    answers = [client.get(name).id for name in names]
    return [(asked, got) for asked, got in zip(names, answers, strict=True) if asked != got]


def forked(function: Any, queue: Any) -> Any:
    """A started child that puts into a queue what a function returns."""
    child = FORK.Process(target=lambda: queue.put(function()))
    child.start()
    return child


def outcomes(queue: Any, children: Any) -> list[Any]:
    found = [queue.get(timeout=PATIENCE) for _ in children]
    for child in children:
        child.join(PATIENCE)
    return found


def test_parent_and_children_get_their_own_answers_side_by_side(lab: Lab) -> None:
    with Client(lab.url, "t") as client:
        client.get("first")  # the connection that would be shared
        queue = FORK.Queue()
        children = [
            forked(lambda who=f"child{number}": wrong_answers(client, who), queue)
            for number in range(3)
        ]
        assert wrong_answers(client, "parent") == []
        assert outcomes(queue, children) == [[], [], []]


def test_threads_that_fork_get_their_own_answers(lab: Lab) -> None:
    with Client(lab.url, "t") as client:

        def forks(number: int) -> list[Any]:
            client.get("first")
            queue = FORK.Queue()
            children = [forked(lambda: wrong_answers(client, f"child{number}"), queue)]
            return wrong_answers(client, f"thread{number}") + outcomes(queue, children)

        with ThreadPoolExecutor(3) as threads:
            assert list(threads.map(forks, range(3))) == [[[]]] * 3


def test_a_grandchild_gets_its_own_answers(lab: Lab) -> None:
    with Client(lab.url, "t") as client:
        client.get("first")

        def child() -> list[Any]:
            client.get("second")
            queue = FORK.Queue()
            grandchildren = [forked(lambda: wrong_answers(client, "grandchild"), queue)]
            return wrong_answers(client, "child") + outcomes(queue, grandchildren)

        queue = FORK.Queue()
        children = [forked(child, queue)]
        assert outcomes(queue, children) == [[[]]]


def test_handles_made_before_the_fork_work_after_it(lab: Lab) -> None:
    with Client(lab.url, "t") as client:
        handle = client.get("mine")
        queue = FORK.Queue()
        children = [forked(lambda: handle.refresh().id, queue)]
        assert (handle.refresh().id, outcomes(queue, children)) == ("mine", ["mine"])


def test_a_child_that_closes_leaves_the_parents_connection_open(lab: Lab) -> None:
    with Client(lab.url, "t") as client:
        client.get("first")
        queue = FORK.Queue()
        children = [forked(client.close, queue)]
        outcomes(queue, children)
        before = lab.connections
        assert client.get("second").id == "second"
        assert lab.connections == before == 1


def test_a_request_of_a_thread_neither_blocks_a_child_nor_loses_its_answer(lab: Lab) -> None:
    with Client(lab.url, "t") as client:
        found = []
        thread = threading.Thread(target=lambda: found.append(client.get("held").id))
        thread.start()
        assert lab.held.wait(PATIENCE)
        queue = FORK.Queue()
        children = [forked(lambda: wrong_answers(client, "child"), queue)]
        assert outcomes(queue, children) == [[]]
        lab.release.set()
        thread.join(PATIENCE)
        assert found == ["held"]


def test_a_default_client_that_is_just_being_made_does_not_block_a_child(lab: Lab) -> None:
    write_credentials(Credentials(lab.url, "t"))
    making, made = threading.Event(), threading.Event()
    parent = os.getpid()

    def connect(credentials: Credentials) -> Client:
        if os.getpid() == parent:
            making.set()
            made.wait(PATIENCE)
        return Client(credentials.url, credentials.token)

    default = DefaultClient(connect)
    thread = threading.Thread(target=default)
    thread.start()
    assert making.wait(PATIENCE)
    queue = FORK.Queue()
    children = [forked(lambda: default().get("mine").id, queue)]
    assert outcomes(queue, children) == ["mine"]
    made.set()
    thread.join(PATIENCE)
    default().close()


def test_a_bar_that_is_being_drawn_does_not_block_a_child() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def draws() -> str:
        bar = ProgressBar("exp1", file=(file := Terminal()))
        bar.move(0.5, "half")
        bar.close()
        return file.getvalue()

    drawing, drawn = threading.Event(), threading.Event()

    class Slow(Terminal):
        def write(self, text: str) -> int:
            drawing.set()
            drawn.wait(PATIENCE)
            return super().write(text)

    thread = threading.Thread(target=lambda: ProgressBar("slow", file=Slow()).close())
    thread.start()
    assert drawing.wait(PATIENCE)
    queue = FORK.Queue()
    (shown,) = outcomes(queue, [forked(draws, queue)])
    drawn.set()
    thread.join(PATIENCE)
    assert "half" in shown


def test_the_functions_of_the_package_work_in_a_pool(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_credentials(Credentials(lab.url, "t"))
    default = DefaultClient()
    monkeypatch.setattr("rgclient._default.default_client", default)
    assert rgclient.get("first").id == "first"
    with FORK.Pool(3) as pool:
        names = [f"task-{number}" for number in range(TIMES)]
        found = pool.map_async(_get_by_default, names).get(PATIENCE)
    assert found == names
    assert rgclient.get("last").id == "last"
    default().close()


def _get_by_default(name: str) -> str:
    return rgclient.get(name).id


def test_many_threads_share_a_client_that_none_has_used(lab: Lab) -> None:
    with Client(lab.url, "t") as client, ThreadPoolExecutor(16) as threads:
        names = [f"thread-{number}" for number in range(TIMES)]
        found = list(threads.map(lambda name: client.get(name).id, names))
    assert found == names


def test_a_transport_of_ones_own_says_that_it_cannot_be_forked(server: Any, answer: Any) -> None:
    server.will(answer.experiment())
    with Client("http://lab", "t", transport=httpx.MockTransport(server)) as client:
        client.get("exp1")

        def refusal() -> str:
            with pytest.raises(InvalidValue) as caught:
                client.get("exp1")
            return str(caught.value)

        queue = FORK.Queue()
        (said,) = outcomes(queue, [forked(refusal, queue)])
    assert "cannot be used in a forked process; make one there" in said


def test_a_closed_client_is_closed_in_a_child_too(lab: Lab) -> None:
    client = Client(lab.url, "t")
    client.get("first")
    client.close()

    def refusal() -> str:
        with pytest.raises(rgclient.ClientClosed) as caught:
            client.get("second")
        return str(caught.value)

    queue = FORK.Queue()
    (said,) = outcomes(queue, [forked(refusal, queue)])
    assert said == f"this client is closed; make another: Client('{lab.url}')"
