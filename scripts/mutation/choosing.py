"""Which tests a mutant is tried with: those that touch its line, the likeliest first.

What stands outside functions (constants, bounds of fields, decorators) is read when a module is
imported, while no test runs. Then it is the tests that name it, and those that touch a line which
names it; after them the other tests of the package.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from scripts.mutation.mutant import Mutant
from scripts.mutation.places import PACKAGES

MOST_SECONDS = 90.0
"""Of tests for one mutant, as they were timed with coverage on, which about doubles it."""
MOST_TESTS = 600


@dataclass(frozen=True)
class Choosing:
    """What is known of the tests.

    Attributes:
        root: of the tree.
        seconds: of each test that passes without a mutant.
        lines: file -> line -> tests that touch it.
    """

    root: Path
    seconds: dict[str, float]
    lines: dict[str, dict[str, list[str]]]

    @classmethod
    def read(cls, root: Path, records: Iterable[Path]) -> Choosing:
        """Put together what several recordings wrote."""
        seconds: dict[str, float] = {}
        lines: dict[str, dict[str, list[str]]] = {}
        for path in records:
            record = json.loads(path.read_text())
            seconds |= record["seconds"]
            for file, touched in record["lines"].items():
                for line, tests in touched.items():
                    lines.setdefault(file, {}).setdefault(line, []).extend(tests)
        return cls(root, seconds, lines)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """In the order they are run; empty where nothing touches the line."""
        if mutant.function is not None:
            return self._within(sorted(self._touching(mutant), key=self._unlikeliness))
        return self._within(dict.fromkeys(self._of_a_name(mutant)))

    def expected_seconds(self, tests: Iterable[str]) -> float:
        """How long they take, all of them."""
        return sum(self.seconds[test] for test in tests)

    def _touching(self, mutant: Mutant) -> set[str]:
        touched = self.lines.get(mutant.file, {})
        near = {mutant.line, mutant.statement}  # Python does not visit each line of a statement
        if mutant.function is not None and mutant.line < mutant.function:
            near = {mutant.function}  # a default
        return {test for line in near for test in touched.get(str(line), ())}

    def _unlikeliness(self, test: str) -> float:
        """A quick test that touches little else comes first."""
        return (0.05 + self.seconds[test]) * self._breadth[test]

    @cached_property
    def _breadth(self) -> Counter[str]:
        return Counter(
            test for lines in self.lines.values() for tests in lines.values() for test in tests
        )

    def _of_a_name(self, mutant: Mutant) -> Iterator[str]:
        name = re.compile(rf"\b{re.escape(mutant.name or mutant.scope.split('.')[-1])}\b")
        naming = {file for file, text in self._sources("tests").items() if name.search(text)}
        touching = set(self._touching(mutant))
        for package in PACKAGES:
            for file, text in self._sources(package).items():
                if name.search(text):
                    touching |= self._at_names(file, text, name)
        everything = sorted(self.seconds, key=self._unlikeliness)
        yield from (one for one in everything if one.split("::")[0] in naming)
        yield from (one for one in everything if one in touching)
        own = f"{PACKAGES[mutant.package]}/"
        yield from (one for one in everything if one.startswith(own))

    def _at_names(self, file: str, text: str, name: re.Pattern[str]) -> set[str]:
        touched = self.lines.get(file, {})
        return {
            test
            for number, line in enumerate(text.splitlines(), start=1)
            if name.search(line)
            for test in touched.get(str(number), ())
        }

    def _sources(self, directory: str) -> dict[str, str]:
        if directory not in self._texts:
            self._texts[directory] = {
                str(path.relative_to(self.root)): path.read_text()
                for path in sorted((self.root / directory).rglob("*.py"))
            }
        return self._texts[directory]

    @cached_property
    def _texts(self) -> dict[str, dict[str, str]]:
        return {}

    def _within(self, tests: Iterable[str]) -> list[str]:
        """As many as there is time for."""
        chosen: list[str] = []
        left = MOST_SECONDS
        for test in tests:
            if len(chosen) == MOST_TESTS:
                break
            if self.seconds[test] <= left:
                chosen.append(test)
                left -= self.seconds[test]
        return chosen
