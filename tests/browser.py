"""A real Chromium for the tests of pages, at the width of a computer or of a phone.

`open_page` (a fixture) opens pages, each in a profile of its own, and fails the test where one of them writes an
error to its console or throws. The browser lives as long as a module's tests: its event loop must be gone before
a test of asyncio begins in the same process.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
STILL = {"reduced_motion": "reduce"}
"""What moves is painted sixty times a second, on a processor that the other tests need."""
PATIENCE = 30_000
"""Milliseconds until something that should be seen counts as missing; long, for a machine that is busy."""
WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
OpenPage: TypeAlias = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    assert path, "The tests of pages need Chromium; scripts/chromium.sh installs it."
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def kept_pages() -> dict[Any, Page]:
    """Pages that are used again: a new one costs a second. Their storage is emptied between."""
    return {}


@pytest.fixture
def open_page(chromium: Browser, kept_pages: dict[Any, Page]) -> Iterator[OpenPage]:
    """`open_page(address, width="phone", scheme="dark", language="nl-BE", allowed=("ERR_…",))` → the page.

    `beside=` another page opens a further tab of the same profile; `allowed` are parts of errors that are expected.
    """
    used: list[tuple[Any, Page, dict[str, Any]]] = []
    errors: list[str] = []

    def opens(
        address: str,
        width: str = "desktop",
        scheme: str = "light",
        language: str = "en-GB",
        beside: Page | None = None,
        allowed: tuple[str, ...] = (),
        **options: Any,
    ) -> Page:
        key = (width, scheme, language) if not options and beside is None else None
        page = kept_pages.pop(key, None)
        if page is None:
            settings = {**WIDTHS[width], "color_scheme": scheme, "locale": language, **STILL, **options}
            context = (
                beside.context if beside else chromium.new_context(timezone_id="Europe/Brussels", **settings)
            )
            context.set_default_timeout(PATIENCE)
            page = context.new_page()

        def noted(text: str) -> None:
            if not any(part in text for part in allowed):
                errors.append(text)

        listeners = {
            "console": lambda said: noted(said.text) if said.type in {"error", "warning"} else None,
            "pageerror": lambda error: noted(str(error)),
        }
        for name, listener in listeners.items():
            page.on(name, listener)
        used.append((key, page, listeners))
        page.goto(address)
        return page

    yield opens
    for key, page, listeners in used:
        for name, listener in listeners.items():
            page.remove_listener(name, listener)
        if key and not page.is_closed() and len(page.context.pages) == 1:
            page.unroute_all()
            page.evaluate("localStorage.clear(), sessionStorage.clear()")
            page.goto("about:blank")
            kept_pages[key] = page
    for context in chromium.contexts:
        if not any(page.context is context for page in kept_pages.values()):
            context.close()
    assert errors == [], errors  # this file is not rewritten by pytest


def violations(page: Page, *, as_it_is: bool = False) -> list[str]:
    """What axe finds against WCAG 2.2 AA, a line each: all rules in the light, in the dark those about colours.

    `as_it_is`: all rules once, in the scheme that the page was opened in; for tests that spread the looks over their runs.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    dark = as_it_is and page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    looks = (("dark" if dark else "light", WCAG),) if as_it_is else (("dark", COLOURS), ("light", WCAG))
    found = []
    for scheme, rules in looks:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += page.evaluate(
            """async ([scheme, runOnly]) => (await axe.run({ runOnly, resultTypes: ['violations'] })).violations
                .flatMap((each) => each.nodes.map((node) => `${scheme}: ${each.id}: ${node.html.slice(0, 120)}`))""",
            [scheme, rules],
        )
    return found
