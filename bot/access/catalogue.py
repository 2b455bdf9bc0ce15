"""What can be given: applications, functions and qualities, and the professions that decide on a function.

The built-ins stand in `catalogue.toml`; an operator's register file adds to them or replaces them by key, so a
new application needs no code (domain.md 3). May import: the standard library, `bot.msg`, `bot.errors`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Protocol, TypeVar

from bot.errors import RegisterFileError
from bot.msg import LANGUAGES, Msg, Texts, m

LABEL_MAX = 34
"""Characters of a label in a full row (product.md); names and short labels stay within it."""


class Declared(StrEnum):
    """A profession as the register keeps it: declared by the manager, never a licence."""

    SPECIALIST_PHYSICIAN = "specialist-physician"
    HOSPITAL_PHARMACIST = "hospital-pharmacist"
    COLLABORATOR = "collaborator"


class Profession(StrEnum):
    """The answers to "This person is …", asked only for applications that need a function."""

    SPECIALIST_PHYSICIAN = "specialist-physician"
    HOSPITAL_PHARMACIST = "hospital-pharmacist"
    COLLABORATOR_PHYSICIAN = "collaborator-physician"
    COLLABORATOR_PHARMACIST = "collaborator-pharmacist"

    @property
    def label(self) -> Msg:
        return m(f"profession.{self.value}")

    @property
    def declared(self) -> Declared:
        """What the register records."""
        return Declared.COLLABORATOR if self.function else Declared(self.value)

    @property
    def function(self) -> str | None:
        """The function that a collaborator needs; a physician or pharmacist must have none (domain.md, trap 6)."""
        return _FUNCTION_OF.get(self)

    @classmethod
    def of(cls, declared: str | None, functions: Iterable[str] = ()) -> Profession | None:
        """The answer that the register already holds: the declared profession, a collaborator's kind by the function."""
        if declared == Declared.COLLABORATOR:
            held = set(functions)
            return next(
                (profession for profession, function in _FUNCTION_OF.items() if function in held), None
            )
        return cls(declared) if declared else None


_FUNCTION_OF = {
    Profession.COLLABORATOR_PHYSICIAN: "collaborator-specialist-physician",
    Profession.COLLABORATOR_PHARMACIST: "collaborator-hospital-pharmacist",
}


@dataclass(frozen=True, slots=True)
class Quality:
    """A quality of an entity on the old portal, a group on the new one."""

    key: str
    label: Texts


@dataclass(frozen=True, slots=True)
class Function:
    """A function of ReMaPH (domain.md 2)."""

    key: str
    label: Texts
    short: Texts
    """For a button: at most LABEL_MAX characters."""
    responsible: Declared | None = None
    """The profession under whose responsibility the person works."""
    needs_responsible: bool = False
    """Whether a link to that person must exist (the portal's second tab)."""


@dataclass(frozen=True, slots=True)
class Application:
    """A secured application that a user can be given."""

    key: str
    name: str | Texts
    aliases: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    requires_function: bool = False
    """A collaborator needs one of `functions`, with a start date (domain.md, trap 7)."""
    requires_responsible: bool = False
    """A collaborator must be linked to a responsible professional first."""
    functions: tuple[str, ...] = ()
    description: Texts = field(default_factory=Texts)

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that a person may type for it: the name in each language, the aliases, the key."""
        own = (
            (self.name,)
            if isinstance(self.name, str)
            else tuple(getattr(self.name, lang) for lang in LANGUAGES)
        )
        return tuple(dict.fromkeys(name for name in (*own, *self.aliases, self.key) if name))

    def functions_for(self, profession: Profession) -> tuple[str, ...]:
        """The functions that `profession` needs for it: none, or the collaborator's own."""
        function = profession.function
        return (function,) if self.requires_function and function in self.functions else ()


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


K = TypeVar("K", bound=_Keyed)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that can be given, by key, in the order in which it is offered."""

    qualities: tuple[Quality, ...]
    functions: tuple[Function, ...]
    applications: tuple[Application, ...]

    def quality(self, key: str) -> Quality:
        """Raises KeyError."""
        return _one(self.qualities, key)

    def function(self, key: str) -> Function:
        """Raises KeyError."""
        return _one(self.functions, key)

    def application(self, key: str) -> Application:
        """Raises KeyError."""
        return _one(self.applications, key)

    def applications_of(self, quality: str) -> tuple[Application, ...]:
        """What users of that quality can be given."""
        return tuple(application for application in self.applications if quality in application.qualities)

    def asking_for_link(self) -> dict[str, frozenset[str] | None]:
        """The functions for which a link with the responsible must exist: in any case (None), or with one of these applications."""
        asking: dict[str, frozenset[str] | None] = {}
        for function in self.functions:
            needing = frozenset(
                each.key
                for each in self.applications
                if each.requires_responsible and (not each.functions or function.key in each.functions)
            )
            if function.responsible and (function.needs_responsible or needing):
                asking[function.key] = None if function.needs_responsible else needing
        return asking

    def with_functions(self, functions: Iterable[Function]) -> Catalogue:
        """The catalogue with an operator's functions added, or replaced by key."""
        return _checked(Catalogue(self.qualities, _merged(self.functions, functions), self.applications))

    def with_applications(self, applications: Iterable[Application]) -> Catalogue:
        """The catalogue with an operator's applications added, or replaced by key.

        Raises RegisterFileError, a line for each fault, where a quality or function does not exist.
        """
        return _checked(Catalogue(self.qualities, self.functions, _merged(self.applications, applications)))


def _one(items: tuple[K, ...], key: str) -> K:
    for item in items:
        if item.key == key:
            return item
    raise KeyError(key)


def _merged(old: tuple[K, ...], new: Iterable[K]) -> tuple[K, ...]:
    return tuple({item.key: item for item in (*old, *new)}.values())


def _checked(catalogue: Catalogue) -> Catalogue:
    qualities = {quality.key for quality in catalogue.qualities}
    functions = {function.key for function in catalogue.functions}
    faults: list[str] = []
    for application in catalogue.applications:
        place = f"application '{application.key}'"
        faults += [
            f"{place}: there is no quality '{key}'" for key in application.qualities if key not in qualities
        ]
        faults += [
            f"{place}: there is no function '{key}'" for key in application.functions if key not in functions
        ]
        if application.requires_function and not application.functions:
            faults.append(f"{place}: requires a function but names none")
    if faults:
        raise RegisterFileError("\n".join(faults))
    return catalogue


# ── reading and writing tables, in the shape of the register file ──────────────────────────────────────────────


def read_application(table: Mapping[str, Any], place: str) -> Application:
    """An `[[application]]` table; `place` names it in errors, e.g. `register.toml: application[0]`.

    Raises RegisterFileError with a line for each fault; unknown keys are faults.
    """
    reader = _Reader(table, place)
    application = Application(
        key=reader.key(),
        name=reader.name("name"),
        aliases=reader.strings("aliases"),
        qualities=reader.strings("qualities"),
        requires_function=reader.flag("requires_function"),
        requires_responsible=reader.flag("requires_responsible"),
        functions=reader.strings("functions"),
        description=reader.texts("description", needed=False),
    )
    reader.close()
    return application


def read_function(table: Mapping[str, Any], place: str) -> Function:
    """A `[[function]]` table; errors as in `read_application`. Without `short`, the label is its own."""
    reader = _Reader(table, place)
    label = reader.texts("label")
    function = Function(
        key=reader.key(),
        label=label,
        short=reader.texts("short", limit=LABEL_MAX) if "short" in table else reader.limited("label", label),
        responsible=reader.declared("responsible"),
        needs_responsible=reader.flag("needs_responsible"),
    )
    reader.close()
    return function


def read_quality(table: Mapping[str, Any], place: str) -> Quality:
    """A `[[quality]]` table; errors as in `read_application`."""
    reader = _Reader(table, place)
    quality = Quality(key=reader.key(), label=reader.texts("label"))
    reader.close()
    return quality


def application_table(application: Application) -> dict[str, Any]:
    """The inverse of `read_application`: plain JSON and TOML values."""
    return {
        "key": application.key,
        "name": application.name if isinstance(application.name, str) else _texts_table(application.name),
        "aliases": list(application.aliases),
        "qualities": list(application.qualities),
        "requires_function": application.requires_function,
        "requires_responsible": application.requires_responsible,
        "functions": list(application.functions),
        "description": _texts_table(application.description),
    }


def function_table(function: Function) -> dict[str, Any]:
    """The inverse of `read_function`: plain JSON and TOML values."""
    responsible = {"responsible": function.responsible.value} if function.responsible else {}
    return {
        "key": function.key,
        "label": _texts_table(function.label),
        "short": _texts_table(function.short),
        **responsible,
        "needs_responsible": function.needs_responsible,
    }


def _texts_table(texts: Texts) -> dict[str, str]:
    return {lang: text for lang in LANGUAGES if (text := getattr(texts, lang))}


class _Reader:
    """Takes values out of a TOML table, collecting what is wrong with them."""

    def __init__(self, table: Mapping[str, Any], place: str) -> None:
        self._table, self._place = table, place
        self._faults: list[str] = []
        self._read: set[str] = set()

    def key(self) -> str:
        value = self._take("key", "")
        if (
            isinstance(value, str)
            and value
            and all(part.isascii() and part.isalnum() for part in value.split("-"))
        ):
            return value.lower()
        self._fault("key", "needs letters, digits and hyphens, such as 'colindos'")
        return ""

    def name(self, name: str) -> str | Texts:
        if isinstance(value := self._table.get(name), str):
            self._read.add(name)
            if not value.strip() or len(value) > LABEL_MAX:
                self._fault(name, f"needs 1 to {LABEL_MAX} characters, to fit a button")
            return value
        return self.texts(name, limit=LABEL_MAX)

    def texts(self, name: str, *, needed: bool = True, limit: int | None = None) -> Texts:
        value = self._take(name, {})
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            self._fault(name, 'needs a text for each language, such as { fr = "…", nl = "…" }')
            return Texts()
        for lang in value.keys() - set(LANGUAGES):
            self._fault(f"{name}.{lang}", f"is not one of {', '.join(LANGUAGES)}")
        texts = Texts(**{lang: text for lang, text in value.items() if lang in LANGUAGES})
        if needed and not texts.in_language("fr"):
            self._fault(name, "needs a text in at least one language")
        return self.limited(name, texts, limit) if limit else texts

    def limited(self, name: str, texts: Texts, limit: int = LABEL_MAX) -> Texts:
        for lang, text in _texts_table(texts).items():
            if len(text) > limit:
                self._fault(f"{name}.{lang}", f"has {len(text)} characters; a button takes {limit}")
        return texts

    def strings(self, name: str) -> tuple[str, ...]:
        value = self._take(name, [])
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        self._fault(name, "needs a list of texts")
        return ()

    def flag(self, name: str) -> bool:
        value = self._take(name, False)
        if not isinstance(value, bool):
            self._fault(name, "needs true or false")
        return value is True

    def declared(self, name: str) -> Declared | None:
        value = self._take(name, None)
        if value is None:
            return None
        try:
            return Declared(value)
        except ValueError:
            self._fault(name, f"needs one of {', '.join(Declared)}")
            return None

    def close(self) -> None:
        for name in sorted(self._table.keys() - self._read):
            self._fault(name, "is not known here")
        if self._faults:
            raise RegisterFileError("\n".join(self._faults))

    def _take(self, name: str, default: Any) -> Any:
        self._read.add(name)
        return self._table.get(name, default)

    def _fault(self, name: str, reason: str) -> None:
        self._faults.append(f"{self._place}: {name} {reason}")


@cache
def builtin() -> Catalogue:
    """The built-in catalogue."""
    return parse(files("bot.access").joinpath("catalogue.toml").read_text(encoding="utf-8"), "catalogue.toml")


def parse(text: str, source: str) -> Catalogue:
    """A whole catalogue from TOML text; `source` names it in errors.

    Raises RegisterFileError.
    """
    data = tomllib.loads(text)
    if unknown := data.keys() - {"quality", "function", "application"}:
        raise RegisterFileError("\n".join(f"{source}: {name} is not known here" for name in sorted(unknown)))

    def read(name: str, reader: Callable[[Mapping[str, Any], str], K]) -> tuple[K, ...]:
        items = tuple(
            reader(table, f"{source}: {name}[{number}]") for number, table in enumerate(data.get(name, []))
        )
        if len({item.key for item in items}) != len(items):
            raise RegisterFileError(f"{source}: {name} has a key twice")
        return items

    return _checked(
        Catalogue(
            qualities=read("quality", read_quality),
            functions=read("function", read_function),
            applications=read("application", read_application),
        )
    )
