"""Check how the code speaks: one meaning per public name, docstrings that say what things do, standard log events.

`python -m tests.naming` prints what breaks a rule and how many; `--measure` prints the figures of a tree. The rules are
in CONTRIBUTING.md; `tests/unit/test_naming.py` holds the code to them.
"""

import ast
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("bot", "adapters", "benchmarks", "tests")
BANNED_OPENINGS = ("The same", "What", "Who", "Whoever", "Whatever", "Whether", "Whom", "Whose")
"""Docstrings that begin so are riddles: they say of what, not what it does."""
LOGGERS = {"debug", "info", "warning", "error", "exception", "critical"}
PARTICIPLES = re.compile(
    r"(?:^|_)(?:[a-z]+ed|begun|bound|brought|built|done|drawn|found|given|gone|heard|held|kept|known|left|lost|made|"
    r"meant|paid|put_down|read_out|said|seen|sent|shown|spent|spoken|taken|told|understood|worn|written)$"
)
VERBS = re.compile(r"(?:^|_)(?:need|feed|seed|embed|proceed|exceed|succeed)$")
QUALIFIED = re.compile(r"^_?(?:is|has|was|were|are|may|can|could|should|must|needs|wants)_")
"""Booleans ask, and may do so in the past: `was_sent`."""
TERMS = {
    *("increment_unanswered", "workspace_installed", "workspace_uninstalled", "_claim_expired"),
    *("connection_made", "data_received", "eof_received", "connection_lost"),  # asyncio.Protocol's
}
"""Terms of the house and of asyncio that end in a participle: what is acted on, or the event that is handled."""


@dataclass(frozen=True, order=True)
class Finding:
    """A place that breaks a rule."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def sources(*folders: str, root: Path = ROOT) -> Iterator[tuple[Path, ast.Module]]:
    """Parse every Python file of some folders, each once per process."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path.relative_to(root), _parse(path.absolute())


@cache
def _parse(path: Path) -> ast.Module:
    # Five checks read the same trees; none of them changes one.
    return ast.parse(path.read_text(encoding="utf-8"))


def public_definitions(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    """List a module's public classes, functions and constants: name, line and what it is defined as.

    Two definitions with the same text mean the same; of a function or class the text is its whole source.
    """
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if not node.name.startswith("_"):
                yield node.name, node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                yield from _constants(target, node.value)


def _constants(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, int, str]]:
    if isinstance(target, ast.Name):
        if not target.id.startswith("_") and target.id not in SHARED:
            yield target.id, target.lineno, ast.unparse(value)
    elif isinstance(target, ast.Tuple):
        values = value.elts if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts) else None
        for number, one in enumerate(target.elts):
            yield from _constants(one, values[number] if values else value)


SHARED = {"log", "T", "R", "P"}
"""A module's logger, and type variables: local by nature, and the same in every module of every project."""


def duplicate_names(*folders: str, root: Path = ROOT) -> list[Finding]:
    """Find public names of modules that are defined more than once.

    Use cases are functions named by a verb within their family (`stuck.save`, `story.save`): they are always used with
    their module's name before them, as are the composers; migrations are history.
    """
    places: dict[str, list[tuple[str, int, str]]] = defaultdict(list)
    for path, tree in sources(*folders, root=root):
        qualified = path.parts[:2] == ("bot", "use_cases")
        for name, line, text in public_definitions(tree):
            if not (qualified and name.islower()):
                places[name].append((str(path), line, text))
    return sorted(
        Finding(path, line, f"{name} is defined in {len(found)} places: {', '.join(sorted({p for p, _, _ in found}))}")
        for name, found in places.items()
        if len(found) > 1
        for path, line, _ in found
    )


def riddles(*folders: str, root: Path = ROOT) -> list[Finding]:
    """Find docstrings, of anything and after any constant, that begin with a banned opening."""
    found = []
    for path, tree in sources(*folders, root=root):
        for line, text in docstrings(tree):
            if text.lstrip().startswith(BANNED_OPENINGS):
                found.append(Finding(str(path), line, f"docstring begins with {text.split(chr(10))[0][:60]!r}"))
    return found


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """List every string that stands by itself: docstrings, and the explanations of constants and fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def undocumented(*folders: str, root: Path = ROOT) -> list[Finding]:
    """Find public classes, functions and methods without a docstring.

    A method may leave it to the class it overrides or the protocol it implements; properties and dunder methods are
    excused.
    """
    trees = list(sources(*folders, root=root))
    classes = {node.name: node for _, tree in trees for node in tree.body if isinstance(node, ast.ClassDef)}
    promised = {
        method.name for node in classes.values() if "Protocol" in bases(node) for method in methods(node) if doc(method)
    }
    found = []
    for path, tree in trees:
        for node in tree.body:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
                continue
            if not doc(node):
                found.append(Finding(str(path), node.lineno, f"{node.name} has no docstring"))
            if not isinstance(node, ast.ClassDef):
                continue
            inherited = {method.name for base in ancestors(node, classes) for method in methods(base)}
            for method in methods(node):
                excused = method.name.startswith("_") or method.name in promised | inherited
                if not excused and not doc(method) and not is_property(method):
                    found.append(Finding(str(path), method.lineno, f"{node.name}.{method.name} has no docstring"))
    return found


def bases(node: ast.ClassDef) -> set[str]:
    """Return the names of the classes a class is derived from."""
    return {ast.unparse(base).split("[")[0].rpartition(".")[2] for base in node.bases}


def ancestors(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> Iterator[ast.ClassDef]:
    """List the classes of these folders that a class is derived from, directly or not."""
    for base in bases(node) & set(classes) - {node.name}:
        yield classes[base]
        yield from ancestors(classes[base], classes)


def methods(node: ast.ClassDef) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """List the functions defined in a class."""
    return [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]


def doc(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return a docstring; empty where there is none."""
    return ast.get_docstring(node) or ""


def is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a method is read like a value."""
    names = {ast.unparse(one).split("(")[0].rpartition(".")[2] for one in node.decorator_list}
    return bool(names & {"property", "cached_property", "fixture", "setter"})


def broken_events(*folders: str, root: Path = ROOT) -> list[Finding]:
    """Find log events that end in `_broke`, or are not one word of snake_case."""
    found = []
    for path, tree in sources(*folders, root=root):
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            event = node.args[0]
            if node.func.attr in LOGGERS and isinstance(event, ast.Constant) and isinstance(event.value, str):
                if ast.unparse(node.func.value) not in ("log", "self._log"):
                    continue
                if event.value.endswith("_broke") or not re.fullmatch(r"[a-z]+(_[a-z]+)*", event.value):
                    found.append(Finding(str(path), node.lineno, f"log event {event.value!r}"))
    return found


def participles(*folders: str, root: Path = ROOT) -> list[Finding]:
    """Find functions and methods named by a participle, as if they were values; properties are values."""
    found = []
    for path, tree in sources(*folders, root=root):
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            is_named_so = PARTICIPLES.search(node.name) and not VERBS.search(node.name)
            is_excused = QUALIFIED.match(node.name) or node.name in TERMS or is_property(node)
            if is_named_so and not is_excused:
                found.append(Finding(str(path), node.lineno, f"{node.name}() is named by a participle"))
    return found


def comment_share(*folders: str, root: Path = ROOT) -> float:
    """Return which share of the lines with code also has, or follows, a comment, in per cent."""
    comments = lines = 0
    for path, _ in sources(*folders, root=root):
        with (root / path).open("rb") as file:
            for token in tokenize.tokenize(file.readline):
                if token.type == tokenize.COMMENT and not re.match(r"#\s*(type:|noqa|pragma)", token.string):
                    comments += 1
        lines += sum(bool(line.strip()) for line in (root / path).read_text(encoding="utf-8").splitlines())
    return 100 * comments / lines if lines else 0.0


def problems(root: Path = ROOT) -> list[Finding]:
    """Find all that breaks a rule that `make check` holds the code to."""
    return [
        *duplicate_names("bot", "adapters", root=root),
        *riddles(*FOLDERS, root=root),
        *undocumented("bot", "adapters", root=root),
        *participles("bot", "adapters", root=root),
        *broken_events(*FOLDERS, root=root),
    ]


def figures(root: Path = ROOT) -> dict[str, float]:
    """Measure a tree."""

    def names(found: Iterable[Finding]) -> int:
        return len({one.text.split()[0] for one in found})

    return {
        "public names defined twice": names(duplicate_names("bot", "adapters", root=root)),
        "functions named by a participle": len(participles("bot", "adapters", root=root)),
        "docstrings that open as a riddle": len(riddles("bot", "adapters", root=root)),
        "public things without a docstring": len(undocumented("bot", "adapters", root=root)),
        "comments, per cent of lines": round(comment_share("bot", "adapters", root=root), 2),
    }


def main() -> int:
    """Print what was asked for; return the exit code."""
    root = Path(sys.argv[sys.argv.index("--root") + 1]) if "--root" in sys.argv else ROOT
    if "--measure" in sys.argv:
        for what, value in figures(root).items():
            print(f"{value:>8}  {what}")  # noqa: T201  # a script for a terminal
        return 0
    found = problems(root)
    for one in found:
        print(one)  # noqa: T201  # a script for a terminal
    print(f"{len(found)} to mend")  # noqa: T201  # a script for a terminal
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
