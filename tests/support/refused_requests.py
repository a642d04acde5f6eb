"""Requests that the API refuses: every route, every kind of refusal, every field of a spec.

`{queued}`, `{cancelled}`, `{study}` and `{cancelled_study}` in a path stand for what the lab has.
A request is known by its name: give each one that is not told by method, path and body alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

EXPERIMENTS = "/v1/experiments"
BULK = "/v1/experiments/bulk"
STUDIES = "/v1/studies"
JSON = "application/json"


@dataclass(frozen=True)
class Refused:
    """A request that is refused."""

    name: str
    method: str
    path: str
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    token: bool = True


def refused_requests() -> list[Refused]:
    """All of them."""
    return [
        *_not_json(),
        *_not_a_spec(),
        *_fields(),
        *_conflicts(),
        *_bulk(),
        *_studies(),
        *_too_much(),
        *_queries(),
        *_routes(),
    ]


def _post(path: str, body: Any, name: str | None = None, **options: Any) -> Refused:
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {"Content-Type": JSON, **options.pop("headers", {})}
    name = name or f"POST {path} {text}"
    return Refused(name, "POST", path, text.encode(), headers, **options)


def _get(path: str, **options: Any) -> Refused:
    return Refused(f"GET {path}", "GET", path, **options)


def _not_json() -> Iterator[Refused]:
    texts = {
        "an open brace": "{",
        "nothing": "",
        "blanks": "  \n ",
        "a bare word": "seven",
        "single quotes": "{'seeds': 1}",
        "a comma at the end": '{"seeds": 1,}',
        "a comment": '{"seeds": 1} // three',
        "two objects": "{} {}",
        "a hexadecimal number": '{"seeds": 0x3}',
        "a leading zero": '{"seeds": 03}',
        "a leading plus": '{"chain": {"corr_len": +7}}',
        "a key without quotes": "{seeds: 1}",
        "NaN": '{"chain": {"corr_len": NaN}}',
        "Infinity": '{"chain": {"corr_len": Infinity}}',
        "-Infinity": '{"chain": {"corr_len": -Infinity}}',
        "a number beyond a double": '{"chain": {"corr_len": 1e400}}',
        "a number beyond a double, below": '{"chain": {"corr_len": -1e400}}',
        "an integer of 400 digits": '{"seeds": ' + "9" * 400 + "}",
        "an integer of 21 digits": '{"chain": {"seed": ' + "9" * 21 + "}}",
        "NUL in a value": '{"label": "a\\u0000b"}',
        "NUL in a key": '{"a\\u0000b": 1}',
        "a raw NUL": '{"label": "a\x00b"}',
        "a lone surrogate": '{"label": "\\ud800"}',
        "a key twice": '{"seeds": 1, "seeds": 2}',
        "a key twice in a section": '{"chain": {"corr_len": 1, "corr_len": 2}}',
        "a long key twice": '{"' + "k" * 40 + '": 1, "' + "k" * 40 + '": 2}',
        "5,000 objects in each other": '{"a":' * 5000 + "1" + "}" * 5000,
        "5,000 lists in each other": "[" * 5000 + "]" * 5000,
    }
    for path in (EXPERIMENTS, BULK, STUDIES):
        for what, text in texts.items():
            yield _post(path, text, f"POST {path}: {what}")
        yield Refused(
            f"POST {path}: Latin-1", "POST", path, b'{"label": "\xe9"}', {"Content-Type": JSON}
        )
        yield Refused(
            f"POST {path}: UTF-16", "POST", path, "{}".encode("utf-16"), {"Content-Type": JSON}
        )
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", ""):
            headers = {"Content-Type": kind} if kind else {}
            name = f"POST {path}: Content-Type {kind or 'missing'}"
            yield Refused(name, "POST", path, b"{}", headers)
    yield _post(EXPERIMENTS, " " * 100_001, f"POST {EXPERIMENTS}: a body over the limit")
    yield _post(STUDIES, " " * 100_001, f"POST {STUDIES}: a body over the limit")
    yield _post(BULK, " " * 200_001, f"POST {BULK}: a body over the limit")


def _not_a_spec() -> Iterator[Refused]:
    for path in (EXPERIMENTS, BULK, STUDIES):
        for body in ("[]", "null", "7", '"x"', "true"):
            yield _post(path, body)
        yield _post(path, "[" * 300 + "]" * 300, f"POST {path}: 300 lists in each other")


WRONG_VALUES: dict[str, list[Any]] = {
    "chain": [7, [], None, "potts", True],
    "chain.family": ["ising", "", "Potts", None, 7, ["potts"], {}],
    "chain.n_states": [1, 257, -16, 0, 16.0, 1.5, "16", True, None, [4, 8], 2**63],
    "chain.corr_len": [0, 0.01, -1, 1001, 1e300, "7", True, None, [7], {}],
    "chain.seed": [-1, 2**31, 2**63, 1.0, "0", True, None, [0]],
    "chain.concentration": [0, 0.01, 101, "1", True, None],
    "chain.seeds": [0, 65, -1, [], "3", True, 1.5, {}, [1, 1], [1, -2], [1.5], ["1"], [True],
                    [2**31]],
    "chain.corr_length": [7],
    "chain.branching": [2],
    "chain.matrix": [[[0.5, 0.5], [0.5, 0.5]]],
    "chain.nothing_like_it": [1],
    "data": [7, [], None],
    "data.seq_len": [1, 0, 1025, 32.0, "32", True, None],
    "data.mask_prob": [0, 0.001, 0.91, 1, "0.15", True, None],
    "data.seqlen": [32],
    "model": [7, [], None],
    "model.mixing": ["contxt", "", None, 7, True, ["context"]],
    "model.context": [-1, 33, 1.5, "3", True],
    "model.depth": [0, 65, -1, 8.0, "8", True, None, [4]],
    "model.width": [1, 1025, 64.0, "64", True, None],
    "model.hidden_ratio": [0, 0.1, 9, "4", True, None],
    "model.activation": ["swish", "GELU", None, 7],
    "model.norm": ["batch", None, True, 0],
    "model.residual_scale": [0, -1, 11, "1", True, None],
    "model.init_scale": [0, -1, 11, "1", True, None],
    "model.init": ["orthogonal"],
    "training": [7, [], None],
    "training.steps": [0, -1, 1_000_001, 1.5, 1500.0, "1500", True, None],
    "training.batch_size": [0, 8193, 128.0, "128", True, None],
    "training.optimizer": ["lion", "Adam", None, 1],
    "training.lr": [0, 1e-8, 11, -0.001, "0.001", True, None],
    "training.schedule": ["linear", None, 1],
    "training.weight_decay": [-0.1, 1.1, "0", True, None],
    "training.grad_clip": [0, -1, 1e7, "1", True],
    "training.epochs": [3],
    "measurement": [7, [], None],
    "measurement.n_sequences": [15, 0, 262_145, 4096.0, "4096", True, None],
    "measurement.levels": [[], ["layer"], "position", 7, ["position"] * 6, [None]],
    "measurement.kernel": ["rbf", None],
    "measurement.at": ["first", None, 3],
    "seeds": [0, -1, 65, 1.5, "3", True, None, [], {}, [1, 1], [-1], [1.5], ["1"], [True],
              list(range(65)), [2**31]],
    "label": ["", 7, True, "x" * 201, []],
    "tags": ["a", 7, {}, [""], ["a b"], ["-a"], [7], ["a"] * 17, ["x" * 65]],
    "priority": [11, -11, 0.5, "0", True, None],
    "device": ["gpu", "", None, 7],
    "corr_len": [7],
    "depth": [4],
    "owner": ["me"],
    "chian": [{}],
    "target_error": [0.1],
}  # fmt: skip
"""Field of a submission -> values that it refuses."""


def _fields() -> Iterator[Refused]:
    for path, values in WRONG_VALUES.items():
        for value in values:
            yield _post(EXPERIMENTS, _nested(path, value))
    many = {"chain": {"corr_len": 0}, "model": {"depth": 0, "depht": 4}, "seeds": 0, "xi": 7}
    yield _post(EXPERIMENTS, many)


def _nested(path: str, value: Any) -> dict[str, Any]:
    section, _, name = path.partition(".")
    return {section: {name: value} if name else value}


def _conflicts() -> Iterator[Refused]:
    for chain in _chains():
        yield _post(EXPERIMENTS, {"chain": chain})
    rows = [[1 / 129] * 129] * 129
    large = {"chain": {"family": "explicit", "matrix": rows}}
    yield _post(EXPERIMENTS, large, f"POST {EXPERIMENTS}: a matrix of 129 states")
    bodies: list[dict[str, Any]] = [
        {"model": {"mixing": "flat", "context": 3}},
        {"model": {"mixing": "mixer", "context": 0}},
        {"model": {"mixing": "window", "context": 1}},
        {"model": {"mixing": "flat"}, "measurement": {"levels": ["position"]}},
        {"model": {"mixing": "window"}, "measurement": {"levels": ["sequence", "token"]}},
        {"measurement": {"levels": ["sequence"]}},
        {"data": {"seq_len": 6}},
        {"model": {"context": 16}},
        {"model": {"context": 32}, "data": {"seq_len": 64}},
    ]
    for body in bodies:
        yield _post(EXPERIMENTS, body)


def _chains() -> list[dict[str, Any]]:
    """Chains whose fields do not go together."""
    half = [0.5, 0.5]
    return [
        *({"family": family, "concentration": 1} for family in ("potts", "ring", "hierarchical")),
        *({"family": family, "seeds": 3} for family in ("potts", "ring", "hierarchical")),
        {"family": "potts", "corr_length": 7},
        {"family": "potts", "matrix": [half, half]},
        {"family": "ring", "eigenvalues": [0.5]},
        {"family": "random_reversible", "scales": [1, 2]},
        {"seed": 1, "seeds": [2, 3]},
        {"seed": 7, "seeds": 3},
        {"family": "hierarchical", "branching": 1},
        {"family": "hierarchical", "branching": 17},
        {"family": "hierarchical", "branching": 2.0},
        {"family": "hierarchical", "n_states": 12},
        {"family": "hierarchical", "branching": 3, "n_states": 16},
        {"family": "hierarchical", "scales": [1, 2]},
        {"family": "hierarchical", "scales": [1, 3, 2, 4]},
        {"family": "hierarchical", "scales": [1, 2, 3, True]},
        {"family": "hierarchical", "scales": []},
        {"family": "hierarchical", "scales": 3},
        {"family": "hierarchical", "scales": [1, 2, 3, 1001]},
        {"family": "hierarchical", "scales": [-1, 2, 3, 4]},
        {"family": "hierarchical", "corr_len": 3, "scales": [1, 2, 3, 4]},
        {"family": "hierarchical", "matrix": [half, half]},
        {"family": "spectrum"},
        {"family": "spectrum", "eigenvalues": []},
        {"family": "spectrum", "eigenvalues": 0.5},
        {"family": "spectrum", "eigenvalues": ["0.5"]},
        {"family": "spectrum", "eigenvalues": [1.0]},
        {"family": "spectrum", "eigenvalues": [-1.1]},
        {"family": "spectrum", "eigenvalues": [0.0]},
        {"family": "spectrum", "eigenvalues": [0.9, 0.0]},
        {"family": "spectrum", "eigenvalues": [0.5], "n_states": 3},
        {"family": "spectrum", "eigenvalues": [0.5], "corr_len": 3},
        {"family": "spectrum", "eigenvalues": [0.1] * 256},
        {"family": "explicit"},
        {"family": "explicit", "matrix": []},
        {"family": "explicit", "matrix": 0.5},
        {"family": "explicit", "matrix": [0.5, 0.5]},
        {"family": "explicit", "matrix": [half]},
        {"family": "explicit", "matrix": [half, [1.0]]},
        {"family": "explicit", "matrix": [half, [1.0, 0.1]]},
        {"family": "explicit", "matrix": [half, [1.5, -0.5]]},
        {"family": "explicit", "matrix": [half, ["0.5", 0.5]]},
        {"family": "explicit", "matrix": [[1, 0], half]},
        {"family": "explicit", "matrix": [[0, 1], [1, 0]]},
        {"family": "explicit", "matrix": [[0, 1, 0], [0, 0, 1], [1, 0, 0]]},
        {"family": "explicit", "matrix": [[1, 0], [0, 1]]},
        {"family": "explicit", "matrix": [half, half], "n_states": 3},
        {"family": "explicit", "matrix": [[0.9, 0.1], [0.1, 0.9]], "corr_len": 1},
        {"family": "explicit", "matrix": [[0.9999, 0.0001], [0.0001, 0.9999]]},
        {"family": "explicit", "matrix": [[0.9, 0.1], [0.1, 0.9]], "concentration": 1},
    ]


def _bulk() -> Iterator[Refused]:
    bodies: list[dict[str, Any]] = [
        {},
        {"experiments": []},
        {"experiments": {}},
        {"experiments": None},
        {"experiments": [7]},
        {"experiments": [None, {}]},
        {"experiments": [{}], "name": "x"},
        {"experiments": [{}, {"chain": {"corr_len": 0}}]},
        {"experiments": [{}, {"seeds": 0}, {"seeds": [1, 1]}]},
        {"experiments": [{"corr_len": 7}]},
        {"experiments": [{"chain": {"corr_length": 7}}]},
        {"experiments": [{}, {"chain": {"family": "ising"}}]},
        {"experiments": [{"chain": {"family": "potts", "concentration": 1}}]},
        {"experiments": [{"chain": {"family": "ring", "seeds": 3}}]},
        {"experiments": [{"chain": {"seed": 1, "seeds": [2, 3]}}]},
        {"experiments": [{"chain": {"family": "hierarchical", "n_states": 12}}]},
        {"experiments": [{}, {"chain": {"family": "explicit", "matrix": [[1, 0], [0, 1]]}}]},
        {"experiments": [{}, {"chain": {"family": "explicit", "matrix": [[0.9, 0.1], [0.1, 0.9]],
                                        "corr_len": 1}}]},
        {"experiments": [{"model": {"mixing": "flat", "context": 3}}]},
        {"experiments": [{"model": {"mixing": "fla"}}, {"measurement": {"levels": ["x"]}}]},
        {"experiments": [{"tags": ["a b"]}, {"priority": 11}, {"device": "gpu"}]},
        {"experiments": [{"model": {"depth": 0}}] * 30},
    ]  # fmt: skip
    for body in bodies:
        yield _post(BULK, body)
    yield _post(BULK, {"experiments": [{}] * 5001}, f"POST {BULK}: 5,001 experiments")


def _studies() -> Iterator[Refused]:
    bodies: list[dict[str, Any]] = [
        {"chain": 7},
        {"chain": [1, 7]},
        {"model": None},
        {"chain": {"corr_len": []}},
        {"chain": {"corr_len": [1, 7, 1]}},
        {"chain": {"corr_len": [7, 7.0]}},
        {"chain": {"corr_len": [1, "7"]}},
        {"chain": {"corr_len": [1, None]}},
        {"chain": {"corr_len": [1, [7]]}},
        {"chain": {"corr_len": [0, 1]}},
        {"chain": {"corr_length": 7}},
        {"chain": {"corr_length": [1, 7]}},
        {"chain": {"family": ["potts", "ising"]}},
        {"chain": {"family": "potts", "concentration": [1, 2]}},
        {"chain": {"family": "ring", "seeds": 3}},
        {"chain": {"family": ["potts", "random_reversible"], "concentration": 1}},
        {"chain": {"family": "hierarchical", "n_states": [8, 12]}},
        {"chain": {"seeds": 3}, "target_error": 0.01},
        {"chain": {"seeds": 0, "corr_len": [1, 7]}},
        {"model": {"depth": [4, 0]}},
        {"model": {"depth": [4, 0], "width": [8, 1]}},
        {"model": {"mixing": ["context", "fla"]}},
        {"model": {"mixing": "flat", "context": 2}},
        {"model": {"widht": [8, 16]}},
        {"data": {"seq_len": [4, 32]}, "model": {"context": 3}},
        {"training": {"epochs": [1, 2]}},
        {"measurement": {"levels": ["layer"]}},
        {"preset": "papper"},
        {"preset": 7},
        {"preset": "x" * 41},
        {"corr_len": [1, 7]},
        {"corr_length": [1, 7]},
        {"target_eror": 0.1},
        {"label": "x"},
        {"owner": "me"},
        {"name": ""},
        {"name": "x" * 201},
        {"name": 7},
        {"tags": "a"},
        {"tags": ["a b"]},
        {"tags": ["a"] * 17},
        {"priority": 11},
        {"priority": 0.5},
        {"device": "gpu"},
        {"seeds": 0},
        {"seeds": []},
        {"seeds": [1, 1]},
        {"seeds": [-1]},
        {"seeds": True},
        {"target_error": 0},
        {"target_error": 1.5},
        {"target_error": "0.1"},
        {"max_seeds": 0},
        {"max_seeds": 65},
        {"max_seeds": 1.5},
        {"preset": "smoke", "chain": {"n_states": 1}},
        {"preset": "smoke", "model": 7},
    ]
    for body in bodies:
        yield _post(STUDIES, body)
    name = f"POST {STUDIES}: 600 experiments"
    grid = {"chain": {"seed": list(range(100))}, "model": {"depth": [1, 2, 3, 4, 5, 6]}}
    yield _post(STUDIES, grid, name)
    name = f"POST {STUDIES}: 1,000 x 999 x 999 experiments"
    many = list(range(1, 1001))
    grid = {"chain": {"seed": many}, "training": {"steps": many[1:], "batch_size": many[1:]}}
    yield _post(STUDIES, grid, name)


def _too_much() -> Iterator[Refused]:
    large = {"model": {"depth": 64, "width": 1024}}
    yield _post(EXPERIMENTS, {**large, "training": {"steps": 1_000_000}})
    yield _post(EXPERIMENTS, {**large, "training": {"steps": 1_000_000, "batch_size": 8192}})
    yield _post(EXPERIMENTS, {"model": {"mixing": "flat", "width": 1024, "hidden_ratio": 8},
                              "data": {"seq_len": 1024}, "chain": {"n_states": 256},
                              "training": {"steps": 1, "batch_size": 8192}})  # fmt: skip
    yield _post(BULK, {"experiments": [{}, {**large, "training": {"steps": 1_000_000}}]})
    many = {"experiments": [{"chain": {"seeds": 64}, "seeds": 64}] * 13}
    yield _post(BULK, many, f"POST {BULK}: 53,248 runs")
    costly = {"model": {"depth": 16, "width": 256}, "training": {"steps": 60_000}, "seeds": 3}
    yield _post(STUDIES, {**costly, "chain": {"corr_len": [1, 2, 3, 4]}})


def _queries() -> Iterator[Refused]:
    listing = [
        "limit=0", "limit=-1", "limit=501", "limit=x", "limit=1.5", "limit=", "limit=1e2",
        "limit=99999999999999999999", "state=busy", "state=", "state=Done", "state=%00",
        "corr_len_min=nan", "corr_len_min=inf", "corr_len_min=-1", "corr_len_min=x",
        "corr_len_min=", "corr_len_max=nan", "corr_len_max=-0.1", "corr_len_max=x",
        "depth=0", "depth=1025", "depth=x", "depth=1.5", "depth=99999999999999999999",
        "width=0", "width=65537", "width=x", "width=", "tag=%00", f"tag={'x' * 65}",
        "owner=%00", f"owner={'x' * 201}", "family=%00", "mixing=%00",
        "cursor=abc", "cursor=%00", f"cursor={'x' * 201}", "cursor=MjAyNg==",
        "limit=0&state=busy&depth=x",
    ]  # fmt: skip
    for query in listing:
        yield _get(f"{EXPERIMENTS}?{query}")
    for query in ("limit=0", "limit=501", "limit=x", "owner=%00", f"owner={'x' * 201}",
                  "cursor=abc", "cursor=%00", "cursor="+"x" * 201):  # fmt: skip
        yield _get(f"{STUDIES}?{query}")
    for path in (EXPERIMENTS, BULK, STUDIES):
        for value in ("maybe", "", "2", "%00"):
            yield _post(f"{path}?dry_run={value}", "{}")
    for query in ("arrays=some", "arrays=", "partial=maybe", "arrays=x&partial=x"):
        yield _get(f"{EXPERIMENTS}/{{queued}}/result?{query}")
    for path in (EXPERIMENTS, BULK, STUDIES):
        for key in ("k" * 201, "a b", ""):
            name = f"POST {path}: Idempotency-Key {key!r}"
            yield _post(path, "{}", name, headers={"Idempotency-Key": key})
    name = f"POST {EXPERIMENTS}: an Idempotency-Key of another body"
    yield _post(EXPERIMENTS, {"seeds": 2}, name, headers={"Idempotency-Key": "of-another"})


def _routes() -> Iterator[Refused]:
    known = [
        ("GET", EXPERIMENTS), ("POST", EXPERIMENTS), ("POST", BULK), ("GET", STUDIES),
        ("POST", STUDIES), ("GET", f"{EXPERIMENTS}/{{queued}}"),
        ("GET", f"{EXPERIMENTS}/{{queued}}/result"), ("POST", f"{EXPERIMENTS}/{{queued}}/cancel"),
        ("POST", f"{EXPERIMENTS}/{{queued}}/retry"), ("GET", f"{STUDIES}/{{study}}"),
        ("GET", f"{STUDIES}/{{study}}/findings"), ("POST", f"{STUDIES}/{{study}}/cancel"),
        ("POST", f"{STUDIES}/{{study}}/retry"),
    ]  # fmt: skip
    for method, path in known:
        yield Refused(f"{method} {path} without a token", method, path, token=False)
    for given in ("Bearer rgl_wrong", "Bearer", "Basic YTpi", "rgl_wrong", "Bearer  "):
        name = f"GET {EXPERIMENTS} with Authorization {given!r}"
        headers = {"Authorization": given}
        yield Refused(name, "GET", EXPERIMENTS, headers=headers, token=False)
    yield Refused("another host", "GET", EXPERIMENTS, headers={"Host": "evil.example"})
    yield Refused("another host with a port", "GET", "/", headers={"Host": "evil.example:80"})
    for unknown in ("e-0000000000000000", "nothing", "%00", "a" * 5000):
        shown = unknown if len(unknown) < 50 else f"{len(unknown)} x {unknown[0]}"
        for method, end in [("GET", ""), ("GET", "/result"), ("POST", "/cancel"),
                            ("POST", "/retry")]:  # fmt: skip
            path = f"{EXPERIMENTS}/{unknown}{end}"
            yield Refused(f"{method} {EXPERIMENTS}/{shown}{end}", method, path)
        for method, end in [("GET", ""), ("GET", "/findings"), ("POST", "/cancel"),
                            ("POST", "/retry")]:  # fmt: skip
            path = f"{STUDIES}/{unknown}{end}"
            yield Refused(f"{method} {STUDIES}/{shown}{end}", method, path)
    for path in ("/v2/experiments", "/v1", "/v1/", "/v1/experiment", "/nothing",
                 f"{EXPERIMENTS}/a/b", f"{EXPERIMENTS}/a/cancel/b", f"{STUDIES}/a/b"):  # fmt: skip
        yield _get(path)
    for method in ("PUT", "PATCH", "DELETE"):
        for path in ("/", "/healthz", "/metrics", EXPERIMENTS, STUDIES, f"{STUDIES}/x/cancel",
                     f"{EXPERIMENTS}/x", f"{EXPERIMENTS}/x/result"):  # fmt: skip
            yield Refused(f"{method} {path}", method, path)
    for path in (f"{EXPERIMENTS}/x/cancel", f"{STUDIES}/x/retry"):
        yield _get(path)
    yield Refused("POST /readyz", "POST", "/readyz")
    for method, path in [
        ("GET", f"{EXPERIMENTS}/{{queued}}/result"),
        ("GET", f"{EXPERIMENTS}/{{queued}}/result?partial=true"),
        ("GET", f"{EXPERIMENTS}/{{cancelled}}/result"),
        ("POST", f"{EXPERIMENTS}/{{cancelled}}/cancel"),
        ("POST", f"{EXPERIMENTS}/{{queued}}/retry"),
        ("GET", f"{STUDIES}/{{study}}/findings"),
        ("GET", f"{STUDIES}/{{cancelled_study}}/findings"),
        ("POST", f"{STUDIES}/{{cancelled_study}}/cancel"),
        ("POST", f"{STUDIES}/{{study}}/retry"),
    ]:
        yield Refused(f"{method} {path}", method, path)
