"""Pages of the package's functions and classes, from their docstrings.

```{api} amdahl_lab.laws
```

The source is parsed and never run, so that the site needs nothing that only a lab needs, and a
docstring may be any text: it is read by the few rules of numpydoc that the package keeps.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
LISTS = {"Parameters", "Returns", "Raises", "Yields", "Attributes"}
_UNDERLINED = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
_QUOTED = re.compile(r"(`+)(.+?)\1", re.DOTALL)
Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Entry:
    """A public name: how it is called, and what its docstring says."""

    name: str
    signature: str
    text: str


def module_path(root: Path, module: str) -> Path:
    """Return the file of a module or package.

    Raises
    ------
    ValueError
        If there is none below `root`.
    """
    path = root.joinpath(*module.split("."))
    for file in (path / "__init__.py", path.with_suffix(".py")):
        if file.is_file():
            return file
    raise ValueError(f"no module {module}")


def read_module(root: Path, module: str) -> tuple[str, list[Entry], list[Path]]:
    """Return the docstring of a module, its public names, and the files that were read."""
    path = module_path(root, module)
    files = {path: ast.parse(path.read_text(encoding="utf-8"))}
    tree = files[path]
    entries = []
    for name in public_names(tree):
        source = imported_from(tree, name)
        file = module_path(root, source) if source else path
        if file not in files:
            files[file] = ast.parse(file.read_text(encoding="utf-8"))
        definition = defined(files[file], name)
        if definition is not None:  # constants have no docstring
            entries.append(Entry(name, signature(definition), documentation(definition)))
    return ast.get_docstring(tree) or "", entries, list(files)


def public_names(tree: ast.Module) -> list[str]:
    """Return what `__all__` lists, or else every function and class without an underscore."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return list(ast.literal_eval(node.value))
    names = [node.name for node in tree.body if isinstance(node, Definition)]
    return [name for name in names if not name.startswith("_")]


def imported_from(tree: ast.Module, name: str) -> str | None:
    """Return the module that a package takes `name` from; None where it defines it itself."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}:
            return node.module
    return None


def defined(tree: ast.Module, name: str) -> Definition | None:
    """Return the function or class of that name."""
    found = (node for node in tree.body if isinstance(node, Definition) and node.name == name)
    return next(found, None)


def documentation(definition: Definition) -> str:
    """Return the docstring; of a class, followed by the first lines of its public methods."""
    text = ast.get_docstring(definition) or ""
    if isinstance(definition, ast.FunctionDef):
        return text
    methods = [
        f"{node.name}\n    {(ast.get_docstring(node) or '').splitlines()[0]}"
        for node in definition.body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node)
    ]
    return "\n\n".join([text, *(["Attributes\n----------\n" + "\n".join(methods)] * bool(methods))])


def signature(definition: Definition) -> str:
    """Return how a thing is called, with names and defaults and without types."""
    if isinstance(definition, ast.FunctionDef):
        return f"{definition.name}({_arguments(definition.args)})"
    fields = [
        node.target.id + _default(node.value)
        for node in definition.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and not node.target.id.startswith("_")
    ]
    start = defined(definition, "__init__")  # a class body is searched as a module's is
    if start is not None:
        return f"{definition.name}({_arguments(start.args).removeprefix('self').lstrip(', ')})"
    return f"{definition.name}({', '.join(fields)})" if fields else definition.name


def _default(value: ast.expr | None) -> str:
    if value is None:
        return ""
    return "=..." if isinstance(value, ast.Call) else f"={ast.unparse(value)}"


def _arguments(arguments: ast.arguments) -> str:
    bare = ast.parse(f"def f({ast.unparse(arguments)}): ...").body[0].args
    for argument in (*bare.posonlyargs, *bare.args, *bare.kwonlyargs, bare.vararg, bare.kwarg):
        if argument is not None:
            argument.annotation = None
    return ast.unparse(bare)


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield (title, body) of the parts of a docstring; the first has no title."""
    parts = _UNDERLINED.split(text)
    yield "", parts[0].strip("\n")
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        yield title, body.strip("\n")


def inline(text: str) -> list[nodes.Node]:
    """Return running text as nodes; what stands in backquotes is code."""
    found: list[nodes.Node] = []
    for number, part in enumerate(re.split(r"(`+.+?`+)", " ".join(text.split()))):
        if part:
            code = number % 2 and _QUOTED.fullmatch(part)
            found.append(nodes.literal("", code[2]) if code else nodes.Text(part))
    return found


def paragraphs(text: str) -> list[nodes.Node]:
    """Return text as paragraphs; what is indented or a session with Python stays as it is."""
    found: list[nodes.Node] = []
    for block in re.split(r"\n\s*\n", text):
        if block.startswith((" ", ">>>")):
            plain = inspect.cleandoc(block)
            found.append(nodes.literal_block(plain, plain, language="pycon"))
        elif block.strip():
            found.append(nodes.paragraph("", "", *inline(re.sub(r"::$", ":", block))))
    return found


def listed(body: str) -> nodes.definition_list:
    """Return a section of parameters, results or errors as a list of definitions."""
    items = nodes.definition_list()
    for block in re.split(r"\n(?=\S)", body):
        head, _, told = block.partition("\n")
        name, _, kind = head.partition(" : ")
        term = nodes.term("", "", nodes.literal("", name.strip()))
        if kind:
            term += [nodes.Text(" "), nodes.emphasis("", kind.strip())]
        definition = nodes.definition(
            "", *(paragraphs(inspect.cleandoc(told)) or [nodes.paragraph()])
        )
        items += nodes.definition_list_item("", term, definition)
    return items


class ApiDirective(SphinxDirective):
    """The public names of a module, each in a section of its own."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return what the module says of itself, and its sections."""
        module = self.arguments[0]
        root = Path(self.env.srcdir)
        try:
            said, entries, files = read_module(root, module)
        except ValueError as problem:
            LOGGER.warning("%s", problem, location=self.get_location(), type="amdahl_book")
            return []
        for file in files:
            self.env.note_dependency(file.relative_to(root).as_posix())
        return [*paragraphs(said), *(self._section(module, entry) for entry in entries)]

    def _section(self, module: str, entry: Entry) -> nodes.section:
        name = f"api-{module.partition('.')[2]}-{entry.name}".replace("_", "-").replace(".", "-")
        call = nodes.literal_block(entry.signature, entry.signature, language="python")
        section = nodes.section(
            "", nodes.title("", "", nodes.Text(entry.name)), call, ids=[name.lower()]
        )
        for title, body in sections(entry.text):
            if title:
                section += nodes.paragraph("", "", nodes.strong("", title))
            section += listed(body) if title in LISTS else paragraphs(body)
        return section


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("api", ApiDirective)
