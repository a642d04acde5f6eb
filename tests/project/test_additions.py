"""Recipes of docs/contributing.md, each followed on a copy of the tree: what it takes, no more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rgcontract import SCHEMA, Submission, measurement_hash

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
COPIED = ("client", "service", "worker", "migrations", "scripts", "docs", "tests", "pyproject.toml")

ASKED_BY_THE_NEW_FILTER = """
import inspect
from typing import Annotated
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
import rgclient
from rgservice.experiments.listing import Filters

app = FastAPI()

@app.get("/")
def listed(asked: Annotated[Filters, Depends()]):
    return {}

name, lab = "stable_rank_ratio_min", TestClient(app)
print(name in {one["name"] for one in app.openapi()["paths"]["/"]["get"]["parameters"]})
print(name in inspect.signature(rgclient.Client.experiments).parameters)
print(lab.get(f"/?{name}=-1").status_code, lab.get(f"/?{name}=1").status_code)
"""

LISTED_WITH_THE_NEW_COLUMN = """
from sqlalchemy import update

from rgservice.experiments.views import summary_views
from rgstore import experiments
from rgstore.tables import ExperimentRow


def listed(database):
    with database.begin() as session:
        rows = experiments.page(session, {}, after=None, limit=10)
        return [one.n_states for one in summary_views(session, rows, "alice")]


def test_what_the_spec_says_is_stored_and_listed(database, put):
    put(chain={"n_states": 5})
    assert listed(database) == [5]


def test_what_a_release_without_the_column_stored_is_listed_without_it(database, put):
    put()
    with database.begin() as session:
        session.execute(update(ExperimentRow).values(n_states=None))
    assert listed(database) == [None]
"""


class Tree:
    """A copy of the project that a contributor works in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        listed = ["git", "ls-files", "-co", "--exclude-standard", *COPIED]
        for name in subprocess.check_output(listed, cwd=ROOT, text=True).splitlines():
            if (ROOT / name).exists():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, root / name)
        self._before = self._contents()

    def _contents(self) -> dict[str, bytes]:
        kept = (path for path in self.root.rglob("*") if path.is_file())
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in kept
            if path.suffix in {".py", ".md", ".json"}
        }

    @property
    def touched(self) -> set[str]:
        """Files that are new or changed since this was last asked."""
        now = self._contents()
        found = {name for name, content in now.items() if self._before.get(name) != content}
        self._before = now
        return found

    def write(self, name: str, text: str) -> None:
        """A new file."""
        with (self.root / name).open("x") as file:
            file.write(text)

    def change(self, name: str, old: str, new: str) -> None:
        """In a file, what stands there once."""
        text = (self.root / name).read_text()
        assert text.count(old) == 1, (name, old)
        (self.root / name).write_text(text.replace(old, new))

    def python(self, *arguments: str) -> str:
        """What Python prints, run on the copy."""
        path = os.pathsep.join(str(self.root / part) for part in ("client", "service", "worker"))
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env={
                **os.environ,
                "PYTHONPATH": f"{self.root}{os.pathsep}{path}",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def passes(self, *tests: str) -> None:
        """These tests are there, and pass."""
        printed = self.python("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
        assert " passed" in printed, printed

    def read(self, name: str) -> str:
        """A file."""
        return (self.root / name).read_text()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_a_new_observable_is_its_function_its_row_and_its_test(tree: Tree) -> None:
    tree.write(
        "worker/rgcore/observables/top_share.py",
        '''"""Share of the variance that the largest direction holds."""

import numpy as np

from rgcore.observables.centring import without_noise
from rgcore.observables.registry import PER_LAYER, measured


@measured(PER_LAYER, "top_share")
def top_share(moments):
    """max v / sum v of the eigenvalues v; shape (G, K)."""
    values = without_noise(moments.spectrum)
    with np.errstate(invalid="ignore"):
        return np.asarray(values.max(axis=-1) / values.sum(axis=-1))
''',
    )
    tree.change(
        "client/rgcontract/observables/ranks.py",
        '    Observable(\n        name="stable_rank",',
        """    Observable(
        name="top_share", label="share of the largest direction", symbol="p_1", unit="",
        meaning="The share of the variance in one direction.", formula="max v / Σ v", source="",
        group=Group.RANKS, levels=AT_EVERY_LEVEL, axes=(Axis.LAYER,), needs=Need.MOMENTS,
        estimator="plug-in, biased high for small n", bias="high for small n", null=_NULL,
        reasons=OF_POSITIONS, laws=ALL_LAWS,
    ),
    Observable(
        name="stable_rank",""",
    )
    tree.write(
        "tests/core/observables/test_top_share.py",
        """import numpy as np
import pytest

from rgcore.observables.registry import PER_LAYER, LayerMoments


def test_it_is_the_largest_variance_over_their_sum():
    none = np.zeros((1, 1, 1))
    grams = np.diag([18.0, 2.0])[None, None]
    moments = LayerMoments(4, grams, none[None], none, none, none[0])
    assert PER_LAYER["top_share"](moments) == pytest.approx(0.9, rel=1e-14)
""",
    )
    assert tree.touched == {
        "worker/rgcore/observables/top_share.py",
        "client/rgcontract/observables/ranks.py",
        "tests/core/observables/test_top_share.py",
    }
    tree.python("scripts/observables_page.py")
    assert tree.touched == {"docs/observables.md"}
    assert "| `top_share` | p_1 | max v / Σ v |" in tree.read("docs/observables.md")
    told = "from rgcontract.schema import schema; print([o.name for o in schema().observables])"
    assert "'top_share'" in tree.python("-c", told)
    tree.passes("tests/core/observables/test_top_share.py")
    tree.passes("tests/laws", "-k", "top_share")


def test_a_new_filter_is_its_row(tree: Tree) -> None:
    tree.change(
        "client/rgcontract/filters.py",
        '        *_range(\n            "under_trained",',
        """        *_range(
            "stable_rank_ratio",
            Measured("stable_rank", DECIDING_LEVELS, last_over_first=True), Ratio,
            "mean stable rank of the last layer over that of the first, after training",
        ),
        *_range(
            "under_trained",""",
    )
    assert tree.touched == {"client/rgcontract/filters.py"}
    tree.python("scripts/filters_table.py")
    assert tree.touched == {"docs/api.md"}
    assert "| `stable_rank_ratio_min` | a number >= 0 |" in tree.read("docs/api.md")
    told = "from rgcontract.schema import schema; print([f.name for f in schema().filters])"
    assert "'stable_rank_ratio_max'" in tree.python("-c", told)
    assert tree.python("-c", ASKED_BY_THE_NEW_FILTER).split() == ["True", "True", "422", "200"]


def test_a_new_figure_is_its_file_its_row_and_its_line(tree: Tree) -> None:
    tree.write(
        "client/rgfigures/_sizes.py",
        '''"""The size of the network."""

from matplotlib.figure import Figure


def sizes(results):
    """Depth and width as two bars."""
    (result,) = results
    figure = Figure()
    figure.subplots().bar(["depth", "width"], [result.spec.model.depth, result.spec.model.width])
    return figure
''',
    )
    registry = "client/rgfigures/_registry.py"
    tree.change(
        registry,
        "from rgfigures._ranks import ranks\n",
        "from rgfigures._ranks import ranks\nfrom rgfigures._sizes import sizes\n",
    )
    tree.change(registry, '    "ranks": ranks,\n', '    "ranks": ranks,\n    "sizes": sizes,\n')
    rows = "client/rgcontract/figures.py"
    tree.change(
        rows,
        '        FigureRow(\n            "contrast",',
        '        FigureRow("sizes", "Depth and width.", 1, ()),\n'
        '        FigureRow(\n            "contrast",',
    )
    assert tree.touched == {"client/rgfigures/_sizes.py", registry, rows}
    told = (
        "from types import SimpleNamespace as N; from rgfigures import drawn;"
        "figure = drawn('sizes', [N(spec=N(model=N(depth=3, width=5)))]);"
        "print([float(bar.get_height()) for bar in figure.axes[0].patches])"
    )
    assert tree.python("-c", told).strip() == "[3.0, 5.0]"


def test_a_new_family_is_its_file_its_row_its_test_and_its_page(tree: Tree) -> None:
    tree.write(
        "worker/rgcore/chain/families/zipf.py",
        '''"""Potts with an uneven law: stay, or draw a state with probability pi_i ~ 1 / i."""

import math

import numpy as np

from rgcore.chain.families.registry import family
from rgcore.chain.markov import markov_chain


@family
def zipf(n_states, corr_len, seed):  # noqa: ARG001
    """P = t I + (1 - t) 1 pi^T: eigenvalues 1, and t = exp(-1 / xi) V - 1 times."""
    law = 1.0 / np.arange(1.0, n_states + 1.0)
    law /= law.sum()
    stay = math.exp(-1.0 / corr_len)
    transition = stay * np.eye(n_states) + (1.0 - stay) * law
    return markov_chain("zipf", transition, law)
''',
    )
    contract = "client/rgcontract/chains.py"
    tree.change(
        contract,
        "FAMILY = About()",
        f'FAMILY = About(new_values={{"zipf": {SCHEMA + 1}}})',
    )
    tree.change(
        contract, '    EXPLICIT = "explicit"\n', '    EXPLICIT = "explicit"\n    ZIPF = "zipf"\n'
    )
    tree.change(
        contract,
        "class RandomReversibleChain(Chain):",
        '''class ZipfChain(Chain):
    """Stays, or draws a state with probability pi_i ~ 1 / i."""

    exact: ClassVar[str] = "every eigenvalue but the first is exp(-1 / xi); pi_i ~ 1 / i"
    family: Annotated[Literal[Family.ZIPF], FAMILY] = Family.ZIPF
    """Construction of the transition matrix."""


class RandomReversibleChain(Chain):''',
    )
    tree.change(contract, "    ExplicitChain,\n)", "    ExplicitChain,\n    ZipfChain,\n)")
    tree.write(
        "tests/core/chain/test_zipf.py",
        """import math

import numpy as np
import pytest

from rgcore.chain import make_chain


def test_every_eigenvalue_but_the_first_is_that_of_the_correlation_length():
    chain = make_chain("zipf", 3, 2.0)
    stay = math.exp(-0.5)
    assert np.asarray(chain.eigenvalues) == pytest.approx([1.0, stay, stay], abs=1e-12)
""",
    )
    tree.change(
        "docs/chains.md",
        "| states with a geometry: near and far |",
        "| tokens of uneven frequency | `zipf` |\n| states with a geometry: near and far |",
    )
    assert tree.touched == {
        "worker/rgcore/chain/families/zipf.py",
        contract,
        "tests/core/chain/test_zipf.py",
        "docs/chains.md",
    }
    tree.python("scripts/spec_fields.py")
    tree.python("tests/support/golden_names.py")
    assert tree.touched == {
        "client/rgclient/_keywords.py",
        "docs/fields.md",
        "tests/contract/golden/names.json",
    }
    assert "zipf" in tree.read("docs/fields.md")
    told = (
        "from rgcontract import Submission; from rgcontract.schema import schema;"
        "asked = Submission.model_validate({'chain': {'family': 'zipf', 'corr_len': 2.0}});"
        "print(asked.chain.family, 'zipf' in [row.name for row in schema().families])"
    )
    assert tree.python("-c", told).split() == ["zipf", "True"]
    tree.passes(
        "tests/core/chain/test_zipf.py",
        "tests/contract/test_schema_number.py",
        "tests/contract/test_specs_outlive_their_code.py",
        "tests/contract/test_identity.py",
        "tests/project/test_spec_fields.py",
        "tests/worker/test_contract_and_core.py",
    )


def test_a_new_field_of_the_model_is_its_row_its_use_and_its_test(tree: Tree) -> None:
    tree.change(
        "client/rgcontract/spec.py",
        "    activation: Annotated[Activation,",
        f'''    hidden_multiple: Annotated[int, About(since={SCHEMA + 1}, as_before=1)] = Field(
        default=1, ge=1, le=64
    )
    """Hidden units of a block are rounded up to a multiple of this."""
    activation: Annotated[Activation,''',
    )
    use = "worker/rgcore/architecture.py"
    tree.change(
        use,
        "    init_scale: float\n",
        "    init_scale: float\n    hidden_multiple: int = 1\n",
    )
    tree.change(
        use,
        "        return max(1, round(self.hidden_ratio * self.width))",
        "        units = max(1, round(self.hidden_ratio * self.width))\n"
        "        return -(-units // self.hidden_multiple) * self.hidden_multiple",
    )
    tree.write(
        "tests/core/network/test_hidden_multiple.py",
        """import pytest

from rgcore.cost import parameter_count
from rgcore.network import build_network
from rgcore.random import derive_generator


@pytest.mark.parametrize(("multiple", "units"), [(1, 12), (5, 15), (12, 12), (64, 64)])
def test_hidden_units_are_rounded_up_to_a_multiple(make_arch, multiple, units):
    arch = make_arch("context", hidden_multiple=multiple)
    assert arch.hidden == units
    weights = build_network(arch, derive_generator(0, "init")).parameters()
    assert parameter_count(arch) == sum(weight.numel() for weight in weights)
""",
    )
    assert tree.touched == {
        "client/rgcontract/spec.py",
        use,
        "tests/core/network/test_hidden_multiple.py",
    }
    tree.python("scripts/spec_fields.py")
    assert tree.touched == {"client/rgclient/_keywords.py", "docs/fields.md"}
    assert "| `model.hidden_multiple` |" in tree.read("docs/fields.md")
    told = (
        "from rgcontract import SCHEMA, Submission, measurement_hash, schema_of;"
        "from rgworker.unpack import architecture_of;"
        "made = lambda **model: Submission.model_validate({'model': {'width': 10, **model}});"
        "before, new = made(hidden_multiple=1), made(hidden_multiple=64);"
        "print(architecture_of(new).hidden, schema_of(before), schema_of(new) == SCHEMA,"
        " measurement_hash(before))"
    )
    before = Submission.model_validate({"model": {"width": 10}})
    assert tree.python("-c", told).split() == ["64", "1", "True", measurement_hash(before)]
    tree.passes(
        "tests/core/network/test_hidden_multiple.py",
        "tests/contract/test_schema_number.py",
        "tests/contract/test_identity.py",
        "tests/contract/test_specs_outlive_their_code.py",
        "tests/project/test_spec_fields.py",
        "tests/worker/test_contract_and_core.py",
    )


def test_a_new_column_of_a_list_is_its_row_and_a_migration(tree: Tree) -> None:
    tree.change(
        "client/rgcontract/status.py",
        '    width: Annotated[int, Shows("model.width")]\n',
        '    width: Annotated[int, Shows("model.width")]\n'
        '    n_states: Annotated[int | None, Shows("chain.n_states")] = None\n',
    )
    last = max(path.name[:4] for path in (tree.root / "migrations/versions").glob("[0-9]*.py"))
    number = f"{int(last) + 1:04}"
    migration = f"migrations/versions/{number}_states_in_lists.py"
    tree.write(
        migration,
        f'''"""Lists show the number of states of a chain."""

import sqlalchemy as sa
from alembic import op

revision = "{number}"
down_revision = "{last}"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("experiments", sa.Column("n_states", sa.Integer()))
    op.execute("UPDATE experiments SET n_states = (spec #>> '{{chain,n_states}}')::integer")


def downgrade():
    op.drop_column("experiments", "n_states")
''',
    )
    assert tree.touched == {"client/rgcontract/status.py", migration}
    told = "from rgcontract.schema import schema; print([c.name for c in schema().columns])"
    assert "'n_states'" in tree.python("-c", told)
    tree.write("tests/store/test_states_in_lists.py", LISTED_WITH_THE_NEW_COLUMN)
    tree.passes(
        "tests/store/test_states_in_lists.py",
        "tests/store/test_schema.py::test_the_migrations_build_what_the_models_describe",
        "tests/contract/test_lists.py",
        "tests/project/test_spec_fields.py",
    )
