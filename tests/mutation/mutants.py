"""Making mutants: one small change to one place of a module, of the sort that people make by mistake."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

#: What a comparison becomes: its boundary moves, or its sense turns.
_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """``source`` is the whole module ``path`` with one change at ``line``; ``what`` describes the change."""

    path: Path
    line: int
    what: str
    source: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a module can be changed: the node number ``node`` of its tree, by the change number ``change``."""

    path: Path
    line: int
    what: str
    node: int
    change: int

    def mutant(self, root: Path) -> Mutant:
        """Return the mutant; ``path`` is seen from ``root``."""
        tree = ast.parse((root / self.path).read_text(encoding="utf-8"))
        node = next(islice(ast.walk(tree), self.node, None))
        _, change = list(_changes(node))[self.change]
        change(node)
        return Mutant(self.path, self.line, self.what, ast.unparse(ast.fix_missing_locations(tree)))


def places(path: Path, root: Path) -> Iterator[Place]:
    """Yield every place of the module at ``path``, seen from ``root``, where a mutant can be made.

    Decorators are left out, and ``strict=`` of ``zip``: a class without slots and a check of our own assumption that
    is taken away change nothing that a test could see.
    """
    tree = ast.parse((root / path).read_text(encoding="utf-8"))
    silent = {id(each) for node in ast.walk(tree) for part in _silent(node) for each in ast.walk(part)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) not in silent:
            for index, (what, _) in enumerate(_changes(node)):
                yield Place(path, getattr(node, "lineno", 0), what, number, index)


def _silent(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.ClassDef(decorator_list=decorators) | ast.FunctionDef(decorator_list=decorators):
            yield from decorators
        case ast.Call(func=ast.Name("zip"), keywords=keywords):
            yield from keywords


def _changes(node: ast.AST) -> Iterator[tuple[str, _Change]]:
    match node:
        case ast.Compare(ops=[op, *_]) if type(op) in _COMPARISONS:
            new = _COMPARISONS[type(op)]
            yield f"{type(op).__name__} -> {new.__name__}", _Change("ops", [new(), *node.ops[1:]])
        case ast.BinOp(op=op, left=left) if type(op) in _ARITHMETIC and not isinstance(left, ast.JoinedStr):
            yield f"{type(op).__name__} -> {_ARITHMETIC[type(op)].__name__}", _Change("op", _ARITHMETIC[type(op)]())
        case ast.BoolOp(op=op):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"{type(op).__name__} -> {type(other).__name__}", _Change("op", other)
        case ast.UnaryOp(op=ast.Not()):
            yield "not dropped", _Change("operand", _negated(node.operand))
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) if not isinstance(
            test, ast.Compare | ast.UnaryOp
        ):
            yield "condition turned", _Change("test", _negated(test))
        case ast.Constant(value=bool(value)):
            yield f"{value} -> {not value}", _Change("value", not value)
        case ast.Constant(value=int(value)):
            yield f"{value} -> {value + 1}", _Change("value", value + 1)
        case ast.Return(value=ast.AST() as value) if not isinstance(value, ast.Constant):
            yield "returns None", _Change("value", ast.Constant(None))


def _negated(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), node)


@dataclass(frozen=True, slots=True)
class _Change:
    field: str
    value: object

    def __call__(self, node: ast.AST) -> None:
        setattr(node, self.field, self.value)
