"""Where a file can be changed, found in its syntax tree; the text around a change stays as it is.

Left alone, since nothing could fail: docstrings, texts, annotations (bounds inside `Annotated` are
no annotation), what is logged, what is raised beyond that it is, `TYPE_CHECKING` blocks, how a
dataclass is made, how much a cache holds, `zip(strict=)`, encodings, `synchronize_session`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from scripts.mutation.mutant import Mutant, Operator

COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"), ast.In: ("in", "not in"), ast.NotIn: (r"not\s+in", "in"),
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"), ast.Mod: ("%", "*"), ast.Pow: ("**", "*"),
}  # fmt: skip
UNSEEN_KEYWORDS = {
    "description", "title", "summary", "examples", "encoding", "strict", "help", "metavar",
    "stacklevel", "cls", "synchronize_session", "prog",
}  # fmt: skip
LOGS = {"log", "logging", "warnings"}
NOT_READ = {"cast", "TypeVar", "print", "lru_cache", "cache"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class _Place:
    """What is known of where the walk is."""

    scope: tuple[str, ...] = ()
    name: str = ""
    function: int | None = None
    statement: int = 1
    default: bool = False
    returns_none: bool = False


@dataclass
class _Walk:
    package: str
    file: str
    source: bytes
    lines: list[bytes]
    offsets: list[int]
    found: list[Mutant] = field(default_factory=list)

    def start(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        return self.offsets[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        assert node.end_lineno is not None and node.end_col_offset is not None  # noqa: PT018
        return self.offsets[node.end_lineno - 1] + node.end_col_offset

    def add(self, at: _Place, operator: Operator, start: int, end: int, put: str) -> None:
        line = self.source.count(b"\n", 0, start)
        text = self.lines[line]
        indent = len(text) - len(text.lstrip())
        mutant = Mutant(
            package=self.package, file=self.file, operator=operator, start=start, end=end, put=put,
            line=line + 1, statement=at.statement, function=at.function,
            scope=".".join(at.scope), name=at.name, source=text.strip().decode(),
            column=start - self.offsets[line] - indent,
        )  # fmt: skip
        self.found.append(mutant)

    def between(
        self, at: _Place, operator: Operator, left: ast.expr, right: ast.expr, was: str, put: str
    ) -> None:
        """Change the sign that stands between two expressions."""
        start, end = self.end(left), self.start(right)
        pattern = was if was.startswith(("is", "not")) or was == "in" else re.escape(was)
        found = re.search(pattern.encode(), self.source[start:end])
        if found:
            self.add(at, operator, start + found.start(), start + found.end(), put)

    # Statements

    def statements(self, body: list[ast.stmt], at: _Place) -> None:
        for number, statement in enumerate(body):
            if number == 0 and _is_text(statement):
                continue
            self.statement(statement, replace(at, statement=statement.lineno))

    def statement(self, node: ast.stmt, at: _Place) -> None:  # noqa: PLR0912 - a case a kind
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.function(node, at)
            case ast.ClassDef():
                inside = replace(at, scope=(*at.scope, node.name), name=node.name)
                for decorator in node.decorator_list:
                    if "dataclass" not in ast.unparse(decorator):
                        self.expression(decorator, inside)
                self.statements(node.body, inside)
            case ast.If() if "TYPE_CHECKING" in ast.unparse(node.test):
                self.statements(node.orelse, at)
            case ast.If() if "__name__" in ast.unparse(node.test):
                pass
            case ast.Raise():
                self.removed(node, at, Operator.RAISE)
            case ast.Import() | ast.ImportFrom() | ast.Assert():
                pass
            case ast.Expr(value=ast.Call()) if not _logs(node.value):
                self.removed(node, at, Operator.STATEMENT)
                self.expression(node.value, at)
            case ast.Expr():
                self.expression(node.value, at)
            case ast.Return(value=ast.expr() as value):
                if not (isinstance(value, ast.Constant) and value.value is None):
                    start, end = self.start(value), self.end(node)
                    self.add(at, Operator.RETURN, start, end, "None")
                self.expression(value, at)
            case ast.AnnAssign():
                inside = self.named(at, node.target)
                self.annotation(node.annotation, inside)
                if node.value is not None:
                    self.expression(node.value, replace(inside, default=bool(at.scope)))
            case ast.Assign():
                if not _names(node.targets[0]).startswith("__"):
                    self.expression(node.value, self.named(at, node.targets[0]))
            case ast.AugAssign(op=op):
                if type(op) in ARITHMETIC:
                    was, put = ARITHMETIC[type(op)]
                    self.between(
                        at, Operator.ARITHMETIC, node.target, node.value, f"{was}=", f"{put}="
                    )
                self.expression(node.value, at)
            case ast.With() | ast.AsyncWith():
                self.with_block(node, at)
            case _:
                self.compound(node, at)

    def named(self, at: _Place, target: ast.expr) -> _Place:
        return at if at.function is not None else replace(at, name=_names(target))

    def compound(self, node: ast.AST, at: _Place) -> None:
        """Any other statement: its expressions and its blocks."""
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr) and name != "target":
                self.expression(value, at)
            elif isinstance(value, list):
                blocks = [item for item in value if isinstance(item, ast.stmt)]
                self.statements(blocks, at)
                for item in value:
                    if isinstance(item, ast.ExceptHandler | ast.match_case):
                        self.statements(item.body, at)

    def removed(self, node: ast.stmt, at: _Place, operator: Operator) -> None:
        self.add(at, operator, self.start(node), self.end(node), "pass")

    def with_block(self, node: ast.With | ast.AsyncWith, at: _Place) -> None:
        if len(node.items) == 1 and node.items[0].optional_vars is None:
            start, end = self.start(node), self.end(node.items[0].context_expr)
            self.add(at, Operator.LOCK, start, end, "if True")
        for item in node.items:
            self.expression(item.context_expr, at)
        self.statements(node.body, at)

    def function(self, node: Function, at: _Place) -> None:
        body = node.body[1] if _is_text(node.body[0]) and len(node.body) > 1 else node.body[0]
        inside = replace(at, scope=(*at.scope, node.name), name=node.name)
        outside = replace(inside, function=at.function, statement=body.lineno)
        for decorator in node.decorator_list:
            self.expression(decorator, outside)
        arguments = node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.annotation is not None:
                self.annotation(argument.annotation, outside)
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self.expression(default, replace(outside, function=body.lineno, default=True))
        self.statements(node.body, replace(inside, function=body.lineno))

    # Expressions

    def annotation(self, node: ast.expr, at: _Place) -> None:
        """Of an annotation, only what stands in `Annotated` beside the type."""
        for part in ast.walk(node):
            if isinstance(part, ast.Subscript) and ast.unparse(part.value) == "Annotated":
                assert isinstance(part.slice, ast.Tuple)
                for beside in part.slice.elts[1:]:
                    self.expression(beside, at)

    def expression(self, node: ast.expr, at: _Place) -> None:  # noqa: PLR0912 - a case a kind
        match node:
            case ast.JoinedStr():
                return
            case ast.Call() if _logs(node) or _names(node.func) in NOT_READ:
                return
            case ast.Compare():
                sides = [node.left, *node.comparators]
                for left, op, right in zip(sides, node.ops, sides[1:], strict=False):
                    was, put = COMPARISONS[type(op)]
                    self.between(at, Operator.COMPARISON, left, right, was, put)
            case ast.BinOp(op=op) if type(op) in ARITHMETIC and not _is_string(node):
                was, put = ARITHMETIC[type(op)]
                self.between(at, Operator.ARITHMETIC, node.left, node.right, was, put)
            case ast.BoolOp(op=op):
                was, put = ("and", "or") if isinstance(op, ast.And) else ("or", "and")
                for left, right in zip(node.values, node.values[1:], strict=False):
                    self.between(at, Operator.BOOLEAN, left, right, was, put)
            case ast.UnaryOp(op=ast.Not()):
                self.add(at, Operator.NEGATION, self.start(node), self.start(node.operand), "")
            case ast.Constant():
                self.constant(node, at)
            case ast.Call():
                self.keywords(node, at)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child, at)
            elif isinstance(child, ast.keyword) and child.arg not in UNSEEN_KEYWORDS:
                self.expression(child.value, at)
            elif isinstance(child, ast.comprehension):
                for part in (child.iter, *child.ifs):
                    self.expression(part, at)

    def constant(self, node: ast.Constant, at: _Place) -> None:
        operator = Operator.DEFAULT if at.default else Operator.CONSTANT
        match node.value:
            case bool():
                put = str(not node.value)
            case int():
                put = str(node.value + 1)
            case float():
                put = repr(2 * node.value) if node.value else "1.0"
            case _:
                return
        self.add(at, operator, self.start(node), self.end(node), put)

    def keywords(self, node: ast.Call, at: _Place) -> None:
        """Remove one keyword argument, with the comma before or after it."""
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg in UNSEEN_KEYWORDS:
                continue
            start, end = self.start(keyword), self.end(keyword)
            after = re.match(rb"\s*,\s*", self.source[end:])
            if after:
                end += after.end()
            else:
                before = re.search(rb",\s*$", self.source[:start])
                start = before.start() if before else start
            self.add(at, Operator.KEYWORD, start, end, "")


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_string(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in sides
    )


def _names(node: ast.expr) -> str:
    """The last name of `a.b.c`; "" of anything else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _logs(node: ast.expr) -> bool:
    return ast.unparse(node).split(".")[0] in LOGS


def sites(root: Path, package: str) -> Iterator[Mutant]:
    """Every mutant of a package, in the order of files and lines."""
    for path in sorted((root / package).rglob("*.py")):
        source = path.read_bytes()
        lines = source.split(b"\n")
        offsets = [0]
        for line in lines:
            offsets.append(offsets[-1] + len(line) + 1)
        walk = _Walk(package, str(path.relative_to(root)), source, lines, offsets)
        walk.statements(ast.parse(source).body, _Place())
        yield from walk.found
