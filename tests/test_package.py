"""What is installed is whole: the wheel bears the pages, their texts and everything else that is no Python."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files of a wheel built here, by the build's own back end and without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-c", BUILD, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(folder / done.stdout.strip().splitlines()[-1]) as wheel:
        return set(wheel.namelist())


def kept(folder: str) -> set[str]:
    """The files of a folder of the repository, without what Python leaves behind."""
    found = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}


@pytest.mark.parametrize("folder", ["bot/web/templates", "bot/web/static", "bot/demo/page"])
def test_the_wheel_bears_every_file_of_the_pages(names: set[str], folder: str):
    files = kept(folder)
    assert files
    assert files - names == set()


def test_the_wheel_bears_the_program_and_the_texts_and_no_test(names: set[str]):
    assert {name for name in kept("bot") if name.endswith((".py", ".toml"))} - names == set()
    for lang in ("fr", "nl", "de", "en"):
        assert f"bot/locales/{lang}/LC_MESSAGES/bot.po" in names
        assert f"bot/locales/{lang}/LC_MESSAGES/bot.mo" in names
    assert not [name for name in names if name.startswith(("tests/", "scripts/", "data/"))]
