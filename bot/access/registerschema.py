"""The shapes of a register file's tables, and a sentence for each way in which a table can have the wrong shape.

pydantic finds every fault at once; `shaped` turns its findings into lines with the path (`entity[1].quality[0].key`)
and a reason, never with the value of a national number. May import: the standard library, pydantic, the pure modules
of `bot.access`, `bot.i18n` for the sentences that people in chat get as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import ErrorDetails

from bot.access.catalogue import Declared
from bot.access.credentials import UsernamePolicy, check_username
from bot.access.identifiers import parse_enterprise_number, parse_nihii_institution, parse_niss
from bot.access.names import parse_email, parse_name, parse_title
from bot.access.rights import Role
from bot.errors import Invalid
from bot.i18n import speaker
from bot.msg import LANGUAGES

FORMAT = 1
ROLES = tuple(role.value for role in Role if role is not Role.USER)
KEY_MAX = 40
TEXT_MAX = 80
"""Of a denomination, a subdivision, a reason."""
FIRST_YEAR, LAST_YEAR = 1900, 2199
"""9999-12-31 as "no end" would be a day after which there is none."""


def _said(parse: Callable[[str], str]) -> Callable[[str], str]:
    """The parser, with the refusal that a person in chat would read as the reason, in English."""

    def read(text: str) -> str:
        try:
            return parse(text)
        except Invalid as invalid:
            raise ValueError(speaker("en").plain(invalid.msg)) from None

    return read


def _key(text: str) -> str:
    if len(text) > KEY_MAX or not re.fullmatch(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*", text):
        raise ValueError(f"needs 1 to {KEY_MAX} small letters, digits and hyphens, such as 'delcourt'")
    if _numberlike(text):
        raise ValueError("must not hold anything like a national number")
    return text


def _numberlike(text: str) -> bool:
    # 11 digits in a row, separators aside: the keys of people made in chat are random letters and digits
    return re.search(r"(?:\d[-_.]*){11}", text) is not None


def _day(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"needs a day from {FIRST_YEAR} to {LAST_YEAR}; what has no end gets none")
    return day


def _niss(text: str, info: ValidationInfo) -> str:
    return _said(lambda typed: parse_niss(typed, today=info.context["today"]).digits)(text)  # type: ignore[index]


def _text(text: str) -> str:
    tidy = " ".join(text.split())
    if not 0 < len(tidy) <= TEXT_MAX or not tidy.isprintable():
        raise ValueError(f"needs 1 to {TEXT_MAX} visible characters")
    return tidy


def _one_of(what: str, *values: str) -> AfterValidator:
    def read(text: str) -> str:
        if text not in values:
            raise ValueError(f"'{text[:TEXT_MAX]}' is not a known {what}; known are {', '.join(values)}")
        return text

    return AfterValidator(read)


Key = Annotated[str, AfterValidator(_key)]
Line = Annotated[str, AfterValidator(_text)]
Name = Annotated[str, AfterValidator(_said(parse_name))]
Title = Annotated[str, AfterValidator(_said(parse_title))]
Email = Annotated[str, AfterValidator(_said(parse_email))]
Inami = Annotated[str, AfterValidator(_said(parse_nihii_institution))]
EnterpriseNumber = Annotated[str, AfterValidator(_said(parse_enterprise_number))]
Niss = Annotated[str, AfterValidator(_niss)]
Username = Annotated[str, AfterValidator(_said(lambda text: check_username(text, UsernamePolicy())))]
Language = Annotated[str, _one_of("language of the portal", "fr", "nl", "de")]
RoleName = Annotated[str, _one_of("role", *ROLES)]
Status = Annotated[str, _one_of("status", "active", "blocked")]
Profession = Annotated[str, _one_of("profession", *(value.value for value in Declared))]
Delivery = Annotated[str, _one_of("delivery", "register", "portal")]
Portal = Annotated[str, _one_of("portal", "old", "new")]
Day = Annotated[date, AfterValidator(_day)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class SubdivisionTable(_Table):
    """A subdivision, perhaps within another one of its quality. A text alone is its name."""

    name: Line
    within: Line | None = None


NamedSubdivision = Annotated[
    SubdivisionTable, BeforeValidator(lambda value: {"name": value} if isinstance(value, str) else value)
]


class QualityTable(_Table):
    """`[[entity.quality]]`"""

    key: str
    number: Inami | None = None
    active: bool = True
    subdivisions: list[NamedSubdivision] = Field(default_factory=list)


class EntityTable(_Table):
    """`[[entity]]`"""

    key: Key
    inami: Inami
    enterprise: EnterpriseNumber | None = None
    created: Day | None = None
    denomination: dict[Literal["fr", "nl", "de", "en"], Line] = Field(min_length=1)
    delivery: Delivery = "register"
    portal: Portal = "old"
    quality: list[QualityTable] = Field(default_factory=list)


class KnownAs(_Table):
    """What an entity may know of a person: the fields of a profile."""

    last_name: Name
    first_name: Name
    language: Language = "fr"
    title: Title | None = None
    email: Email | None = None
    local_email: Email | None = None
    staff_number: Line | None = None


class ProfileTable(KnownAs):
    """`[[person.profile]]`: what `entity` knows, where that differs from what stands at the person."""

    entity: str


class PersonTable(KnownAs):
    """`[[person]]`"""

    key: Key
    niss: Niss | None = None
    profile: list[ProfileTable] = Field(default_factory=list)

    def known_to(self, entity: str) -> KnownAs:
        """What that entity gets to know."""
        return next((profile for profile in self.profile if profile.entity == entity), self)


class MandateTable(_Table):
    """`[[mandate]]`: over an `entity`, or over all entities of an `enterprise`."""

    person: str
    role: RoleName
    entity: str | None = None
    enterprise: EnterpriseNumber | None = None
    quality: str | None = None
    subdivision: Line | None = None
    since: Day | None = None
    until: Day | None = None


class GrantTable(_Table):
    """`[[account.grant]]`"""

    application: str
    starts_on: Day
    ends_on: Day | None = None


class AssignmentTable(_Table):
    """`[[account.assignment]]`; `responsible` is a person with an account in the same quality."""

    function: str
    starts_on: Day
    ends_on: Day | None = None
    responsible: str | None = None


class AccountTable(_Table):
    """`[[account]]`"""

    person: str
    entity: str
    quality: str
    username: Username | None = None
    status: Status = "active"
    status_reason: Line | None = None
    subdivision: Line | None = None
    profession: Profession | None = None
    grant: list[GrantTable] = Field(default_factory=list)
    assignment: list[AssignmentTable] = Field(default_factory=list)


class RegisterTables(_Table):
    """The whole file. Applications and functions are read by `catalogue`, which knows their shape."""

    format: int
    entity: list[EntityTable] = Field(default_factory=list)
    person: list[PersonTable] = Field(default_factory=list)
    mandate: list[MandateTable] = Field(default_factory=list)
    account: list[AccountTable] = Field(default_factory=list)
    application: list[dict[str, Any]] = Field(default_factory=list)
    function: list[dict[str, Any]] = Field(default_factory=list)


# -- faults of shape as sentences -----------------------------------------------------------------

_TABLES: Mapping[str, type[_Table]] = {
    "": RegisterTables,
    "entity": EntityTable,
    "entity.quality": QualityTable,
    "entity.quality.subdivisions": SubdivisionTable,
    "person": PersonTable,
    "person.profile": ProfileTable,
    "mandate": MandateTable,
    "account": AccountTable,
    "account.grant": GrantTable,
    "account.assignment": AssignmentTable,
}
_REASONS = {
    "missing": "is missing",
    "string_type": "needs a text in quotes",
    "bool_type": "needs true or false, without quotes",
    "int_type": "needs a whole number, without quotes",
    "list_type": "needs to be a list: write [[…]] for a table",
    "dict_type": 'needs to be a table, such as { fr = "…", nl = "…" }',
    "model_type": "needs to be a table",
    "date_type": "needs a day such as 2026-11-24, without quotes",
    "too_short": "needs at least one entry",
}


def shaped(data: Mapping[str, Any], today: date) -> tuple[RegisterTables | None, list[str]]:
    """The tables of parsed TOML, or None and every fault of shape as "path: reason"."""
    try:
        return RegisterTables.model_validate(data, context={"today": today}), []
    except ValidationError as error:
        return None, list(dict.fromkeys(_line(data, detail) for detail in error.errors(include_url=False)))


def _line(data: Mapping[str, Any], detail: ErrorDetails) -> str:
    location = _real(data, detail["loc"], missing=detail["type"] in {"missing", "extra_forbidden"})
    reason = _reason(detail, location)
    return f"{path(location)}{_whose(data, location)}: {reason}"


def _reason(detail: ErrorDetails, location: Sequence[str | int]) -> str:
    match detail["type"]:
        case "value_error":
            return str(detail["ctx"]["error"])
        case "extra_forbidden":
            return _unknown(location)
        case "literal_error":
            return f"is not one of {', '.join(LANGUAGES)}"
        case kind:
            return _REASONS.get(kind, detail["msg"])


def _unknown(location: Sequence[str | int]) -> str:
    table = ".".join(part for part in location[:-1] if isinstance(part, str))
    model = _TABLES.get(table)
    known = list(model.model_fields) if model else []
    near = get_close_matches(str(location[-1]), known, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else f"; known are {', '.join(known)}" if known else ""
    return f"is not known here{hint}"


def _real(data: Mapping[str, Any], location: Sequence[str | int], *, missing: bool) -> tuple[str | int, ...]:
    """The location without pydantic's own words for the members of a union or the keys of a table."""
    here: Any = data
    real: list[str | int] = []
    for part in location:
        if isinstance(here, Mapping) and (part in here or (missing and part == location[-1])):
            here = here.get(part)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            continue
        real.append(part)
    return tuple(real)


def path(location: Sequence[str | int]) -> str:
    """entity[1].quality[0].key"""
    parts = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return parts.removeprefix(".") or "the file"


def _whose(data: Mapping[str, Any], location: Sequence[str | int]) -> str:
    """Whose entry it is, so that it is found without counting: the key of the person or entity."""
    if len(location) < 3 or location[0] not in {"person", "entity"} or not isinstance(location[1], int):
        return ""
    entry = data[str(location[0])][location[1]]
    key = entry.get("key") if isinstance(entry, Mapping) else None
    return f" ('{key}')" if isinstance(key, str) and not _numberlike(key) else ""
