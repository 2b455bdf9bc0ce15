"""From `git clone` to a receipt, as somebody does who has never seen this project: clone, `make run`, the page, a grant.

    make newcomer            (or: python scripts/newcomer.py [--from REPOSITORY])

Clones into a temporary folder, runs `make run` there with an environment that knows nothing of here, and drives a real
Chromium on the chat page: Anne, her invitation, her language, the privacy notice, the way back put off, an access for somebody, the receipt.
Prints what the set-up took (the virtual environment and its downloads) apart from the rest, and fails where the rest is
over a minute. Needs the development set-up for Playwright.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 60.0
"""Seconds for everything but the downloads."""
SETUP_SECONDS = 900.0
READY = re.compile(r"http://\S+")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    """Runs it all; the exit code."""
    parser = argparse.ArgumentParser(description="From git clone to a receipt, timed.")
    parser.add_argument("--from", dest="source", default=str(ROOT), help="the repository to clone")
    source = parser.parse_args().source
    with tempfile.TemporaryDirectory(prefix="newcomer-") as folder:
        there = Path(folder) / "clone"
        cloning = timed(["git", "clone", "--quiet", source, str(there)])
        setting_up = timed(["make", "--silent", "-C", str(there), "setup"])
        begin = time.monotonic()
        with demo(there) as address:
            starting = time.monotonic() - begin
            number = grant(address)
        granting = time.monotonic() - begin - starting
    rest = cloning + starting + granting
    print(f"set-up with its downloads {setting_up:.1f} s")
    print(
        f"the rest {rest:.1f} s: clone {cloning:.1f}, start {starting:.1f}, from the page to the receipt {granting:.1f}"
    )
    print(f"recorded as {number}")
    if rest > LIMIT:
        print(f"more than {LIMIT:.0f} s", file=sys.stderr)
        return 1
    return 0


def timed(command: list[str]) -> float:
    """Runs a command; the seconds that it took."""
    begin = time.monotonic()
    subprocess.run(command, check=True, env=environment(), timeout=SETUP_SECONDS)
    return time.monotonic() - begin


def environment() -> dict[str, str]:
    """What a newcomer's shell holds: nothing of ours, and no virtual environment."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ACCESSBOT_", "PYTHON", "MAKE", "MFLAGS")) and name != "VIRTUAL_ENV"
    }


@contextmanager
def demo(there: Path) -> Iterator[str]:
    """`make run` in that folder until the block ends; the address that it names."""
    command = ["make", "--silent", "run", f"DEMO=--port {free_port()} --no-browser"]
    process = subprocess.Popen(
        command,
        cwd=there,
        env=environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout
        for line in process.stdout:
            if found := READY.search(line):
                yield found.group()
                return
        raise SystemExit(f"'make run' ended with {process.wait()} and named no address.")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def grant(address: str) -> str:
    """Anne's first minutes on the page; the number of her change."""
    browser_path = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=sandbox)
        page = browser.new_page(locale="fr-BE")
        page.set_default_timeout(20_000)
        expect.set_options(timeout=20_000)
        page.goto(address)
        page.get_by_role("link", name="Anne").click()
        chat = page.get_by_role("main")
        chat.get_by_role("button", name=re.compile("invitation", re.IGNORECASE)).first.click()
        for label in ("Français", "J'ai lu", "Plus tard", "Donner un accès", "Hôpitaux du Midi"):
            taps(page, label)
        box = chat.get_by_role("textbox")
        box.fill("Hendrickx")
        box.press("Enter")
        for label in ("Hospiliss", "Suivant", "Confirmer"):
            taps(page, label)
        receipt = chat.get_by_text(re.compile("Enregistré sous le n°")).last
        expect(receipt).to_be_visible()
        number = re.search(r"\d{4}-\d{6}", receipt.inner_text())
        browser.close()
    assert number, "a receipt without a number"
    return number.group()


def taps(page: Page, label: str) -> None:
    """Taps the newest button whose label has this in it."""
    page.get_by_role("main").get_by_role("button", name=re.compile(re.escape(label))).last.click()


if __name__ == "__main__":
    sys.exit(main())
