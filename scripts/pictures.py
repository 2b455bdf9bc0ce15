"""Takes the README's pictures: runs the demo in a folder of its own, plays it in a real Chromium, and photographs it.

    pictures.py [FOLDER]      into docs/pictures, or FOLDER

Needs the development set-up (`make setup-dev`) and Chromium.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
]
PHONE = {"width": 390, "height": 780}
DESK = {"width": 1280, "height": 760}


@contextmanager
def demo() -> Iterator[str]:
    """The address of a demo that nobody used before."""
    with tempfile.TemporaryDirectory() as folder:
        running = subprocess.Popen(
            [sys.executable, "-u", "-m", "bot", "demo", "--no-browser"],
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert running.stdout is not None
            found = re.search(r"http://\S+", running.stdout.readline())
            assert found, "the demo did not start"
            yield found[0]
        finally:
            running.terminate()
            running.wait(20)


class Visitor:
    """Somebody at the page, and the photographer behind him."""

    def __init__(self, browser: Browser, address: str, name: str, folder: Path, **context: object) -> None:
        self.page: Page = browser.new_context(**context).new_page()  # type: ignore[arg-type]
        self.folder = folder
        self.page.goto(address)
        self.page.get_by_text(name).first.click()

    def taps(self, label: str) -> None:
        self.page.get_by_role("button", name=re.compile(label)).last.click()
        self.page.wait_for_timeout(900)

    def says(self, *texts: str) -> None:
        for text in texts:
            box = self.page.get_by_role("textbox").last
            box.fill(text)
            box.press("Enter")
            self.page.wait_for_timeout(1000)

    def photographed(self, name: str) -> None:
        self.page.wait_for_timeout(700)
        self.page.screenshot(path=self.folder / f"{name}.png")


def french_phone(browser: Browser, address: str, folder: Path) -> None:
    anne = Visitor(browser, address, "Anne Delcourt", folder, viewport=PHONE, locale="fr-BE")
    for label in ("invitation", "Français", "J.ai lu", "Plus tard", "Donner un accès", "Hôpitaux du Midi"):
        anne.taps(label)
    anne.says("01.09.22-997.80")
    anne.photographed("wrong-number")
    anne.says("01.09.22-997.08", "Vermeulen", "Tom", "tom.vermeulen@example.org")
    for label in ("Colindos", "Suivant", "Collaborateur pharmacien", "Aujourd.hui"):
        anne.taps(label)
    anne.photographed("recap")
    anne.taps("Confirmer")
    anne.page.get_by_text("est actif").last.wait_for(timeout=40_000)
    anne.photographed("receipt")
    anne.page.context.close()


def german_phone_by_night(browser: Browser, address: str, folder: Path) -> None:
    heidi = Visitor(
        browser, address, "Heidi Kessel", folder, viewport=PHONE, locale="de-BE", color_scheme="dark"
    )
    for label in ("Einladung", "Deutsch", "Gelesen", "Später", "Stand der Zugänge"):
        heidi.taps(label)
    heidi.photographed("status-dark")
    heidi.page.context.close()


def dutch_desk(browser: Browser, address: str, folder: Path) -> None:
    bram = Visitor(browser, address, "Bram Claes", folder, viewport=DESK, locale="nl-BE")
    for label in (
        "uitnodiging",
        "Nederlands",
        "Gelezen",
        "Later",
        "Toegang geven",
        "Ziekenhuizen",
        "INSZ privé",
    ):
        bram.taps(label)
    bram.page.frame_locator("iframe").get_by_label("INSZ van de persoon").wait_for()
    bram.photographed("private-page")
    bram.page.context.close()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, demo() as address:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for scene in (french_phone, german_phone_by_night, dutch_desk):
            scene(browser, address, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
