"""The tables of the register. One class a table; see `architecture.md`, "The register". Those of the chats: `mail`.

Ids are opaque texts (`ids.new_id`). Instants are aware; days are Brussels days, ends inclusive. No column holds a
national number in plain: it stands encrypted in `national_numbers`, with a keyed hash for equality.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar, cast

from sqlalchemy import CheckConstraint, Column, Index, Table, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bot.store.ids import new_id
from bot.store.types import Big, Blob, Instant, Json

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def core(model: type[SQLModel]) -> Table:
    """The Core table of a model, for statements that are built once."""
    return cast("Table", model.__table__)  # type: ignore[attr-defined]


def one_of(column: str, *values: str) -> CheckConstraint:
    """A column that takes these words only."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)


def in_order(first: str, last: str) -> CheckConstraint:
    """An end, if there is one, is not before its start."""
    return CheckConstraint(f"{last} IS NULL OR {first} IS NULL OR {last} >= {first}", name=f"{last}_order")


# -- entities -------------------------------------------------------------------------------------


class Enterprise(SQLModel, table=True):
    """An enterprise: what a chief access manager is appointed for. `number` is its CBE number, 10 digits."""

    __tablename__: ClassVar[str] = "enterprises"
    id: str = Field(default_factory=new_id, primary_key=True)
    number: str | None = Field(default=None, unique=True)


class Entity(SQLModel, table=True):
    """An entity: `inami` its 8 digits; `delivery` where its rights really live; `portal` its generation of the portal."""

    __tablename__: ClassVar[str] = "entities"
    __table_args__ = (one_of("delivery", "register", "portal"), one_of("portal", "old", "new"))
    id: str = Field(default_factory=new_id, primary_key=True)
    key: str = Field(unique=True)
    enterprise_id: str | None = Field(default=None, foreign_key="enterprises.id")
    inami: str = Field(unique=True)
    created_on: date | None = None
    denomination: dict[str, str] = Field(sa_type=Json)
    delivery: str = "register"
    portal: str = "old"
    sort_key: str = Field(index=True)
    search: str = ""


class EntityQuality(SQLModel, table=True):
    """A quality of an entity (a group, on the new portal); `key` is the catalogue's."""

    __tablename__: ClassVar[str] = "qualities"
    __table_args__ = (UniqueConstraint("entity_id", "key"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    entity_id: str = Field(foreign_key="entities.id")
    key: str
    number: str | None = None
    active: bool = False
    activated_at: datetime | None = Field(default=None, sa_type=Instant)


class Subdivision(SQLModel, table=True):
    """A part of a quality, such as a ward; may be nested. One that was closed stays for its history, and its name is free."""

    __tablename__: ClassVar[str] = "subdivisions"
    __table_args__ = (
        Index(
            "uq_subdivisions_open",
            "quality_id",
            "name",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    quality_id: str = Field(foreign_key="qualities.id", index=True)
    parent_id: str | None = Field(default=None, foreign_key="subdivisions.id")
    name: str
    sort_key: str
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    version: int = 1


# -- people ---------------------------------------------------------------------------------------


class Identity(SQLModel, table=True):
    """A human, across all entities. `key` is the register file's; people made in chat have one too."""

    __tablename__: ClassVar[str] = "identities"
    id: str = Field(default_factory=new_id, primary_key=True)
    key: str = Field(unique=True)
    created_at: datetime = Field(sa_type=Instant)
    erased_at: datetime | None = Field(default=None, sa_type=Instant)


class DataKey(SQLModel, table=True):
    """The key that encrypts what is personal of one identity, wrapped by the root's `field` key. Destroyed with the person."""

    __tablename__: ClassVar[str] = "data_keys"
    identity_id: str = Field(primary_key=True, foreign_key="identities.id")
    wrapped: bytes = Field(sa_type=Blob)


class NationalNumber(SQLModel, table=True):
    """A national number of an identity, with history, encrypted. It is found by its keyed hashes: `NumberBlind`."""

    __tablename__: ClassVar[str] = "national_numbers"
    id: str = Field(default_factory=new_id, primary_key=True)
    identity_id: str = Field(foreign_key="identities.id", index=True)
    ciphertext: bytes = Field(sa_type=Blob)
    since: datetime = Field(sa_type=Instant)
    until: datetime | None = Field(default=None, sa_type=Instant)


class NumberBlind(SQLModel, table=True):
    """The keyed hash of a national number, one for each version of the key while it turns: unique over all of them."""

    __tablename__: ClassVar[str] = "number_blinds"
    __table_args__ = (UniqueConstraint("number_id", "key_version"),)
    blind: bytes = Field(sa_column=Column(Blob, primary_key=True))
    number_id: str = Field(foreign_key="national_numbers.id")
    key_version: int


class Profile(SQLModel, table=True):
    """What one entity knows of an identity. Nothing of it crosses to another entity. One that was erased stays as a husk
    without names, for the history that hangs on it; whoever comes back gets a new one.
    """

    __tablename__: ClassVar[str] = "profiles"
    __table_args__ = (
        Index(
            "uq_profiles_living",
            "identity_id",
            "entity_id",
            unique=True,
            sqlite_where=text("erased_at IS NULL"),
            postgresql_where=text("erased_at IS NULL"),
        ),
        one_of("language", "fr", "nl", "de"),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    identity_id: str = Field(foreign_key="identities.id", index=True)
    entity_id: str = Field(foreign_key="entities.id")
    last_name: str
    first_name: str
    title: str | None = None
    language: str
    email: str | None = None
    local_email: str | None = None
    staff_number: str | None = None
    sort_key: str
    search: str
    created_at: datetime = Field(sa_type=Instant)
    changed_at: datetime = Field(sa_type=Instant)
    erased_at: datetime | None = Field(default=None, sa_type=Instant)
    version: int = 1


class Account(SQLModel, table=True):
    """A profile's user account in a quality. `username_fold` is unique over everything."""

    __tablename__: ClassVar[str] = "accounts"
    __table_args__ = (
        UniqueConstraint("profile_id", "quality_id"),
        one_of("status", "active", "blocked", "deleted"),
        one_of("profession", "specialist-physician", "hospital-pharmacist", "collaborator"),
        Index(None, "quality_id", "sort_key", "id", "status"),
        Index(None, "quality_id", "profession", "sort_key", "id"),
        Index(None, "entity_id", "sort_key", "id"),
        Index(None, "entity_id", "status", "sort_key", "id"),
        Index(None, "entity_id", "type", "sort_key", "id"),
        Index(None, "subdivision_id", "sort_key", "id"),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    profile_id: str = Field(foreign_key="profiles.id")
    entity_id: str = Field(foreign_key="entities.id")
    quality_id: str = Field(foreign_key="qualities.id")
    username: str | None = None
    username_fold: str | None = Field(default=None, unique=True)
    type: str = "user"
    status: str = "active"
    status_reason: str | None = None
    profession: str | None = None
    subdivision_id: str | None = Field(default=None, foreign_key="subdivisions.id")
    sort_key: str
    search: str
    created_at: datetime = Field(sa_type=Instant)
    changed_at: datetime = Field(sa_type=Instant)
    version: int = 1


class AccountWord(SQLModel, table=True):
    """A word of an account's `search`, by which a list of many is searched at once. Triggers of the database keep it.

    With it stands all that a list asks of the account, so that what a frequent word finds is counted without going there.
    """

    __tablename__: ClassVar[str] = "account_words"
    __table_args__ = ({"sqlite_with_rowid": False},)
    entity_id: str = Field(primary_key=True, foreign_key="entities.id")
    word: str = Field(primary_key=True)
    sort_key: str = Field(primary_key=True)
    account_id: str = Field(primary_key=True, foreign_key="accounts.id", index=True)
    search: str
    status: str
    type: str
    quality_id: str
    subdivision_id: str | None = None
    username_fold: str | None = None


# -- what they hold -------------------------------------------------------------------------------


class Grant(SQLModel, table=True):
    """An application given to an account. `active_at`: from when it counts; None until a portal's step is marked done."""

    __tablename__: ClassVar[str] = "grants"
    __table_args__ = (
        in_order("starts_on", "ends_on"),
        Index(None, "application", "account_id", "ends_on", "revoked_at"),
        Index(None, "ends_on"),
        Index(None, "active_at", "account_id"),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    account_id: str = Field(foreign_key="accounts.id", index=True)
    application: str
    starts_on: date
    ends_on: date | None = None
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)
    active_at: datetime | None = Field(default=None, sa_type=Instant)
    change_number: str | None = Field(default=None, foreign_key="changes.number", index=True)


class Assignment(SQLModel, table=True):
    """A function that an account exercises; `responsible_id` the account of whoever answers for it."""

    __tablename__: ClassVar[str] = "assignments"
    __table_args__ = (
        in_order("starts_on", "ends_on"),
        Index(None, "function", "account_id", "ends_on", "revoked_at"),
        Index(None, "ends_on"),
        Index(None, "active_at", "account_id"),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    account_id: str = Field(foreign_key="accounts.id", index=True)
    function: str
    starts_on: date
    ends_on: date | None = None
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)
    active_at: datetime | None = Field(default=None, sa_type=Instant)
    responsible_id: str | None = Field(default=None, foreign_key="accounts.id", index=True)
    change_number: str | None = Field(default=None, foreign_key="changes.number", index=True)


# -- who manages, and who is who in chat ----------------------------------------------------------


class Mandate(SQLModel, table=True):
    """An identity manages an enterprise, an entity, a quality or a subdivision, in a role, between two days."""

    __tablename__: ClassVar[str] = "mandates"
    __table_args__ = (
        in_order("since", "until"),
        CheckConstraint("entity_id IS NOT NULL OR enterprise_id IS NOT NULL", name="place"),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    identity_id: str = Field(foreign_key="identities.id", index=True)
    role: str
    enterprise_id: str | None = Field(default=None, foreign_key="enterprises.id")
    entity_id: str | None = Field(default=None, foreign_key="entities.id", index=True)
    quality_id: str | None = Field(default=None, foreign_key="qualities.id")
    subdivision_id: str | None = Field(default=None, foreign_key="subdivisions.id", index=True)
    since: date | None = None
    until: date | None = None
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)


class Binding(SQLModel, table=True):
    """A Telegram account that belongs to an identity, with the scope it was proved for (None: every entity)."""

    __tablename__: ClassVar[str] = "bindings"
    __table_args__ = (
        Index(
            "uq_bindings_open",
            "telegram_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    identity_id: str = Field(foreign_key="identities.id", index=True)
    telegram_id: int = Field(sa_type=Big)
    chat_id: int = Field(sa_type=Big)
    scope_entity_id: str | None = Field(default=None, foreign_key="entities.id")
    how: str
    bound_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class Invitation(SQLModel, table=True):
    """A single-use code for a person, kept as a hash."""

    __tablename__: ClassVar[str] = "invitations"
    id: str = Field(default_factory=new_id, primary_key=True)
    code_hash: str = Field(unique=True)
    identity_id: str = Field(foreign_key="identities.id", index=True)
    lang: str | None = None
    made_by: str | None = Field(default=None, foreign_key="identities.id")
    scope_entity_id: str | None = Field(default=None, foreign_key="entities.id")
    made_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
    used_by: int | None = Field(default=None, sa_type=Big)


# -- changes and audit ----------------------------------------------------------------------------


class Change(SQLModel, table=True):
    """One numbered change (2026-000123): who, when, for which entity."""

    __tablename__: ClassVar[str] = "changes"
    __table_args__ = (
        one_of("source", "chat", "file", "operator"),
        Index(None, "author_id", "recorded_at"),
        Index(
            "ix_changes_own",
            "entity_id",
            "recorded_at",
            sqlite_where=text("own = 1"),
            postgresql_where=text("own"),
        ),
    )
    number: str = Field(primary_key=True)
    entity_id: str = Field(foreign_key="entities.id", index=True)
    quality_id: str | None = Field(default=None, foreign_key="qualities.id")
    author_id: str | None = Field(default=None, foreign_key="identities.id")
    kind: str
    source: str
    recorded_at: datetime = Field(sa_type=Instant)
    chat_id: int | None = Field(default=None, sa_type=Big)
    own: bool = False
    """The author acted on his own user, since nobody else could."""


WAITING = "delivery = 'recorded' AND due_at IS NULL AND undone_at IS NULL"
"""Items that somebody is still to carry out on the portal."""


class ChangeItem(SQLModel, table=True):
    """One item of a change; `before` and `after` hold ids, keys and dates, no names. `problem`: why it was found not to work."""

    __tablename__: ClassVar[str] = "change_items"
    __table_args__ = (
        UniqueConstraint("change_number", "position"),
        one_of("delivery", "recorded", "delivered", "active", "verified"),
        Index(
            "ix_change_items_waiting",
            "change_number",
            "object_id",
            sqlite_where=text(WAITING),
            postgresql_where=text(WAITING),
        ),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    change_number: str = Field(foreign_key="changes.number")
    position: int
    kind: str
    account_id: str | None = Field(default=None, foreign_key="accounts.id", index=True)
    object_id: str | None = Field(default=None, index=True)
    subject_id: str | None = Field(default=None, foreign_key="identities.id")
    key: str | None = None
    before: dict[str, Any] | None = Field(default=None, sa_type=Json)
    after: dict[str, Any] | None = Field(default=None, sa_type=Json)
    delivery: str = "recorded"
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    delivered_at: datetime | None = Field(default=None, sa_type=Instant)
    delivered_by: str | None = Field(default=None, foreign_key="identities.id")
    active_at: datetime | None = Field(default=None, sa_type=Instant)
    verified_at: datetime | None = Field(default=None, sa_type=Instant)
    verified_by: str | None = Field(default=None, foreign_key="identities.id")
    problem: str | None = None
    undone_at: datetime | None = Field(default=None, sa_type=Instant)
    version: int = 1


class AuditEntry(SQLModel, table=True):
    """An entry of a chain: `mac` is a keyed hash over the entry and the one before. Triggers refuse UPDATE and DELETE."""

    __tablename__: ClassVar[str] = "audit_entries"
    chain: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Instant)
    actor_id: str | None = None
    act: str
    subject_id: str | None = Field(default=None, index=True)
    change_number: str | None = None
    body: dict[str, Any] = Field(sa_type=Json)
    personal: bytes | None = Field(default=None, sa_type=Blob)
    key_version: int
    mac: bytes = Field(sa_type=Blob)


class AuditHead(SQLModel, table=True):
    """The end of a chain, under a keyed hash of its own, so that a cut tail is seen."""

    __tablename__: ClassVar[str] = "audit_heads"
    chain: str = Field(primary_key=True)
    seq: int
    mac: bytes = Field(sa_type=Blob)
    key_version: int
    seal: bytes = Field(sa_type=Blob)


class AuditAnchor(SQLModel, table=True):
    """A signed mark of how far a chain went (`anchors`). With `cut`, entries up to `seq` are gone by retention: the only
    ones that the triggers let go.
    """

    __tablename__: ClassVar[str] = "audit_anchors"
    chain: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    cut: bool = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    mac: bytes = Field(sa_type=Blob)
    digest: bytes = Field(sa_type=Blob)
    key_version: int
    signature: bytes = Field(sa_type=Blob)


# -- the operator's own ---------------------------------------------------------------------------


class ApplicationRow(SQLModel, table=True):
    """An application that the operator added to the catalogue, or changed."""

    __tablename__: ClassVar[str] = "applications"
    key: str = Field(primary_key=True)
    body: dict[str, Any] = Field(sa_type=Json)


class FunctionRow(SQLModel, table=True):
    """A function that the operator added to the catalogue, or changed."""

    __tablename__: ClassVar[str] = "functions"
    key: str = Field(primary_key=True)
    body: dict[str, Any] = Field(sa_type=Json)


class Origin(SQLModel, table=True):
    """What `register load` wrote last under a key of the file, so that a later change in chat is seen."""

    __tablename__: ClassVar[str] = "origins"
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    object_id: str
    fingerprint: str


class Counter(SQLModel, table=True):
    """A number that only rises: the changes of a year."""

    __tablename__: ClassVar[str] = "counters"
    name: str = Field(primary_key=True)
    value: int = Field(sa_type=Big)


class Fact(SQLModel, table=True):
    """What one process of the program learns and others need: see `facts`."""

    __tablename__: ClassVar[str] = "facts"
    name: str = Field(primary_key=True)
    value: str


class KeyCheck(SQLModel, table=True):
    """Something encrypted under each version of the root key: a wrong key is seen before anything is read with it.
    `retired_at`: nothing needs this version any more, its line may be dropped from the key file.
    """

    __tablename__: ClassVar[str] = "key_checks"
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    probe: bytes = Field(sa_type=Blob)
    made_at: datetime = Field(sa_type=Instant)
    retired_at: datetime | None = Field(default=None, sa_type=Instant)


class KeptKey(SQLModel, table=True):
    """A derived key that outlives its version of the root key, or belongs to none, wrapped by the newest `field` key."""

    __tablename__: ClassVar[str] = "kept_keys"
    name: str = Field(primary_key=True)
    wrapped: bytes = Field(sa_type=Blob)


class RetiredName(SQLModel, table=True):
    """A user name or a register key of somebody who was erased, as a keyed hash: nobody else gets it."""

    __tablename__: ClassVar[str] = "retired_names"
    mac: bytes = Field(sa_column=Column(Blob, primary_key=True))
    kind: str
    retired_at: datetime = Field(sa_type=Instant)
