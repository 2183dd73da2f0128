"""A real headless Chromium from the system's packages, cut off from the network."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@dataclass
class Visit:
    """A page with what went wrong on it: addresses asked of a host, and errors in the console."""

    page: Any
    asked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(_NAMES)} is installed")
    with sync_api.sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        yield instance
        instance.close()


@pytest.fixture
def visit(browser) -> Iterator[Callable[..., Visit]]:
    """Make pages: `visit(width=360, color_scheme="dark")`; any option of a browser context goes.

    Whatever a page asks of a host is refused and noted; local files are read.
    """
    contexts = []

    def open_page(width: int = 1000, height: int = 900, **options) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        made = Visit(context.new_page())

        def refuse(route):
            address = route.request.url
            if address.startswith(("file:", "blob:", "data:")):
                route.continue_()
            else:
                made.asked.append(address)
                route.abort()

        context.route("**/*", refuse)
        made.page.on("pageerror", lambda error: made.problems.append(str(error)))
        made.page.on(
            "console",
            lambda message: made.problems.append(message.text) if message.type == "error" else None,
        )
        return made

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(visit) -> Iterator[Any]:
    """Give a page of usual size that must ask no host for anything and log no error."""
    made = visit()
    yield made.page
    assert made.asked == []
    assert made.problems == []
