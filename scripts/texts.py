"""The catalogues from the command line.

    texts.py add FILE.toml   add or replace texts; safe to run several at once
    texts.py check           every key in four languages, same parameters, none unused; exit 1 if not
    texts.py drop KEY …      take keys out

FILE.toml has one table a key:

    ["grant.person.ask"]
    fr = "À qui ? …"
    nl = "…"
    de = "…"
    en = "…"
    # a text with a plural has two forms a language, chosen by the parameter n:
    ["users.found"]
    fr = ["{n} utilisateur trouvé", "{n} utilisateurs trouvés"]
"""

from __future__ import annotations

import fcntl
import re
import sys
import tomllib
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("fr", "nl", "de", "en")
Text = str | list[str]


def path_of(lang: str) -> Path:
    return ROOT / "locales" / lang / "LC_MESSAGES" / "bot.po"


def read(lang: str) -> Catalog:
    path = path_of(lang)
    if not path.exists():
        return Catalog(locale=lang, domain="bot", project="accessbot", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=lang, domain="bot")


def write(lang: str, catalogue: Catalog) -> None:
    path_of(lang).parent.mkdir(parents=True, exist_ok=True)
    with path_of(lang).open("wb") as file:
        write_po(file, catalogue, width=0, sort_output=True, omit_header=False)


def entries(catalogue: Catalog) -> dict[str, Text]:
    return {
        message.id if isinstance(message.id, str) else message.id[0]: (
            message.string if isinstance(message.string, str) else list(message.string)
        )
        for message in catalogue
        if message.id
    }


def set_as(lang: str, text: str) -> str:
    """The text with the no-break spaces that French wants, which a keyboard does not have."""
    if lang != "fr":
        return text
    return re.sub(r"(?<=«) | (?=[;?!:»])", "\u00a0", text)


def add(source: Path) -> int:
    new: dict[str, dict[str, Text]] = tomllib.loads(source.read_text(encoding="utf-8"))
    faults = [
        f"{key}: needs {', '.join(sorted(set(LANGUAGES) - set(texts)))}"
        for key, texts in new.items()
        if set(texts) != set(LANGUAGES)
    ]
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    with (ROOT / "locales" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for lang in LANGUAGES:
            catalogue = read(lang)
            for key, texts in new.items():
                catalogue.delete(key)
                text = texts[lang]
                if isinstance(text, list):
                    catalogue.add((key, key), tuple(set_as(lang, each) for each in text))
                else:
                    catalogue.add(key, set_as(lang, text))
            write(lang, catalogue)
    return 0


def drop(keys: list[str]) -> int:
    with (ROOT / "locales" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for lang in LANGUAGES:
            catalogue = read(lang)
            for key in keys:
                catalogue.delete(key)
            write(lang, catalogue)
    return 0


def parameters(text: Text) -> set[str]:
    forms = [text] if isinstance(text, str) else text
    return {name for form in forms for _, name, _, _ in Formatter().parse(form) if name is not None}


def check() -> int:
    texts = {lang: entries(read(lang)) for lang in LANGUAGES}
    every = set().union(*texts.values())
    faults: list[str] = []
    for key in sorted(every):
        missing = [lang for lang in LANGUAGES if not texts[lang].get(key) or not all(texts[lang][key])]
        if missing:
            faults.append(f"{key}: no text in {', '.join(missing)}")
            continue
        wanted = parameters(texts["fr"][key])
        faults += [
            f"{key}: other parameters in {lang}"
            for lang in LANGUAGES
            if parameters(texts[lang][key]) != wanted
        ]
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "bot").rglob("*"))
        if path.suffix in {".py", ".toml", ".html"}
    )
    # a key stands in the source whole, or is made from a prefix that ends in a dot: m(f"status.{name}")
    # or t("web.how." ~ name) in a template
    prefixes = tuple(set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)*\.)(?:\{|" ~)', sources)))
    faults += [
        f"{key}: no longer used"
        for key in sorted(every)
        if not re.search(rf"""["']{re.escape(key)}["']""", sources)
        and not key.startswith(prefixes or ("\0",))
    ]
    print(
        "\n".join(faults) or f"{len(every)} texts in {len(LANGUAGES)} languages",
        file=sys.stderr if faults else sys.stdout,
    )
    return 1 if faults else 0


def main(arguments: list[str]) -> int:
    match arguments:
        case ["add", *files] if files:
            return max(add(Path(file)) for file in files)
        case ["drop", *keys] if keys:
            return drop(keys)
        case ["check"]:
            return check()
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
