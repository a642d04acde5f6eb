"""Where the client finds the server and the token."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest

from rgclient import Client, NoServer
from rgclient._default import DefaultClient
from rgclient._settings import find_credentials
from rgcontract.credentials import (
    Credentials,
    CredentialsError,
    credentials_path,
    data_dir,
    read_credentials,
    write_credentials,
)
from rglab.embedded import lab
from rglab.embedded.lab import LabError
from rgstore.settings import Settings

HERE = Credentials("http://127.0.0.1:8321", "tok-file")


def test_the_data_dir_is_the_one_of_the_environment(tmp_path: Path) -> None:
    assert data_dir() == tmp_path / "rglab"
    assert credentials_path() == tmp_path / "rglab" / "credentials.json"


def test_without_an_environment_it_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RGLAB_DATA_DIR")
    assert data_dir().name == "rglab"


def test_what_is_written_is_read() -> None:
    assert write_credentials(HERE) == credentials_path()
    assert read_credentials() == HERE


def test_the_file_is_json_for_other_programs() -> None:
    assert json.loads(write_credentials(HERE).read_text()) == {
        "url": HERE.url,
        "token": HERE.token,
    }


def test_only_its_user_can_read_it() -> None:
    assert stat.S_IMODE(write_credentials(HERE).stat().st_mode) == 0o600


def test_writing_leaves_nothing_but_the_file() -> None:
    write_credentials(HERE)
    path = write_credentials(Credentials("http://other", "tok2"))
    assert list(path.parent.iterdir()) == [path]
    assert read_credentials() == Credentials("http://other", "tok2")


def test_a_write_that_fails_leaves_no_copy_of_the_token(tmp_path: Path) -> None:
    in_the_way = tmp_path / "credentials.json"
    in_the_way.mkdir()
    with pytest.raises(OSError, match=r"credentials\.json"):
        write_credentials(HERE, in_the_way)
    assert list(tmp_path.iterdir()) == [in_the_way]


def test_no_file_is_none() -> None:
    assert read_credentials() is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_is_refused(mode: int) -> None:
    path = write_credentials(HERE)
    path.chmod(mode)
    with pytest.raises(CredentialsError, match="chmod 600"):
        read_credentials()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"url": "x"}', '{"url": "", "token": "t"}', '{"url":1,"token":2}']
)
def test_a_file_that_is_something_else_is_refused(text: str) -> None:
    path = write_credentials(HERE)
    path.write_text(text)
    with pytest.raises(CredentialsError, match="rglab up"):
        read_credentials()


def test_the_repr_masks_the_token() -> None:
    assert "tok-file" not in repr(HERE)
    assert "tok-file" not in str(HERE)


def test_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    write_credentials(HERE)
    monkeypatch.setenv("RGLAB_URL", "http://env")
    monkeypatch.setenv("RGLAB_TOKEN", "tok-env")
    assert find_credentials("http://arg", "tok-arg", os.environ) == Credentials(
        "http://arg", "tok-arg"
    )


def test_the_environment_wins_over_the_file() -> None:
    write_credentials(HERE)
    environ = {"RGLAB_URL": "http://env", "RGLAB_TOKEN": " tok-env\n"}
    assert find_credentials(environ=environ) == Credentials("http://env", "tok-env")


def test_the_file_serves_when_nothing_is_set() -> None:
    write_credentials(HERE)
    assert find_credentials(environ={}) == HERE


def test_a_token_of_the_environment_goes_to_the_server_of_the_file() -> None:
    write_credentials(HERE)
    found = find_credentials(environ={"RGLAB_TOKEN": "tok-env"})
    assert found == Credentials(HERE.url, "tok-env")


def test_the_token_of_the_file_serves_for_the_same_address_written_out() -> None:
    write_credentials(HERE)
    found = find_credentials(environ={"RGLAB_URL": HERE.url + "/"})
    assert found.token == HERE.token


def test_the_token_of_the_file_is_never_sent_elsewhere() -> None:
    write_credentials(HERE)
    with pytest.raises(NoServer, match="no token for http://elsewhere"):
        find_credentials("http://elsewhere", environ={})


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({}, "RGLAB_URL and RGLAB_TOKEN not set"),
        ({"RGLAB_URL": "http://x"}, "RGLAB_TOKEN not set"),
        ({"RGLAB_TOKEN": "t"}, "RGLAB_URL not set"),
    ],
)
def test_a_missing_setting_says_what_to_do(environ: Any, missing: str) -> None:
    with pytest.raises(NoServer, match=f"{missing}.*rglab up.*RGLAB_URL and RGLAB_TOKEN"):
        find_credentials(environ=environ)


def test_a_file_that_others_can_read_stops_the_client() -> None:
    write_credentials(HERE).chmod(0o644)
    with pytest.raises(NoServer, match="chmod 600"):
        Client()


@pytest.mark.parametrize("url", ["lab", "ftp://lab", "http://", "localhost:8321"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(NoServer, match="not an address"):
        Client(url, "t")


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(NoServer, match="user and password") as caught:
        Client("http://ada:hunter2@lab", "t")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("token", ["line\nbreak", "ünïcode"])
def test_a_token_that_no_header_carries_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(NoServer, match="token") as caught:
        Client("http://lab", token)
    assert token not in str(caught.value)


def test_the_repr_of_a_client_masks_the_token(client: Any) -> None:
    assert repr(client) == "Client(url='http://lab.test:8321', token='***')"


def _connect(credentials: Credentials) -> Client:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"status": "ok"}))
    return Client(credentials.url, credentials.token, transport=transport)


def test_the_default_client_is_made_once() -> None:
    write_credentials(HERE)
    default = DefaultClient(_connect)
    assert default() is default()


def test_the_default_client_follows_the_credentials() -> None:
    write_credentials(HERE)
    default = DefaultClient(_connect)
    before = default()
    write_credentials(Credentials("http://127.0.0.1:9999", "tok2"))
    assert default().url == "http://127.0.0.1:9999"
    assert before.health().status == "ok"  # handles that hold it go on


def test_no_default_client_without_credentials() -> None:
    with pytest.raises(NoServer, match="rglab up"):
        DefaultClient(_connect)()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"url": "http://x", "tok',
        b'{"url"',
        b"\xff\xfe",
        b"[" * 100_000,
        b"null",
        b"7" * 5000,
    ],
    ids=range(7),
)
def test_a_file_that_was_cut_off_says_what_to_do(content: Any) -> None:
    path = credentials_path()
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(NoServer, match=r"delete it and run `rglab up`"):
        Client()
    with pytest.raises(LabError, match=r"delete it and run `rglab up`"):
        lab._known(Settings(data_dir=path.parent))
