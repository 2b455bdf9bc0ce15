"""The users of an entity for a document: asked for in a turn, read when the document is made.

The turn only notes who wants what (audit, outbox): nothing of the document is kept anywhere, a national number least of
all, and a hundred thousand users hold up nobody. When it is made the right is looked at again, as it is then; so it
holds what is true at that moment, and where that is another number of people, the audit says so too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, case, select

from bot.access.catalogue import Catalogue
from bot.access.holdings import TABLES, is_live, key_of
from bot.access.identifiers import Niss
from bot.access.periods import brussels_day
from bot.access.reach import Reach
from bot.access.requests import Done, ExportUsers
from bot.access.rights import Act
from bot.access.rows import ACCOUNTS, GRANTS, NUMBERS, PROFILES, QUALITIES, SUBDIVISIONS, AnyRow
from bot.access.userlists import PEOPLE, UserLists
from bot.access.views import UserFilter
from bot.access.work import NOT_ALLOWED, Declined, Work
from bot.errors import NotAllowed
from bot.msg import Say, m
from bot.store import outbox
from bot.store.audit import Entry, append
from bot.store.crypto import IdentityKeys, number_place
from bot.store.ids import new_id
from bot.store.keys import Keyring

MOST = {"csv": 100_000, "xlsx": 20_000}
"""So many users stand in one document, at the most: an XLSX is put together in memory, cell by cell."""
BATCH = 500
PORTAL = ("last_name", "first_name", "username", "type", "niss", "status")
"""The columns of the portal's own list, in its order (`portal-guide.fr.md`, step 6)."""
ALL = (
    *PORTAL,
    "title",
    "language",
    "email",
    "profession",
    "quality",
    "subdivision",
    "applications",
    "functions",
    "end",
    "created",
    "changed",
)
COLUMNS = {"portal": PORTAL, "all": ALL}
_TYPED = ("text", "last", "first", "username")
"""Filters with what somebody typed: it may be a name, which the audit does not keep."""
_KNOWN_TYPES = {"user", "technical"}


@dataclass(frozen=True, slots=True)
class Line:
    """One user, by column: a text, something to say in the reader's language, several of these, or a day."""

    cells: dict[str, Say | tuple[Say, ...] | date | None] = field(repr=False)


def export_users(work: Work, request: ExportUsers) -> Done:
    """Notes who is to get which document; it is made and sent by the outbox. Raises Refusal."""
    if request.form not in MOST or request.columns not in COLUMNS:
        raise NotAllowed(NOT_ALLOWED)
    reach = Reach(work.connection, work.actor, work.today)
    require(reach, request.entity, numbers=request.numbers)
    lists = UserLists(work.connection, reach, work.today, work.now)
    most = MOST[request.form]
    people = len(lists.every(request.entity, request.wanted, limit=most + 1))
    if not people:
        raise Declined(m("act.export.nobody"), "people")
    if people > most and request.form == "xlsx":
        raise Declined(m("act.export.too_many_xlsx", most=most), "form")
    if people > most:
        raise Declined(m("act.export.too_many", most=most), "people")
    key = f"{outbox.DOCUMENT}:{new_id()}"
    payload = {**asdict(request), "people": people, "key": key}
    payload |= {"identity": work.actor.identity, "telegram_id": work.telegram_id}
    outbox.put(
        work.connection,
        work.keyring,
        key,
        chat_id=work.chat_id,
        kind=outbox.DOCUMENT,
        payload=payload,
        now=work.now,
        urgency=outbox.LAST,
    )
    _audited(work.connection, work.keyring, "export-users", payload, people, work.now)
    return Done()


def require(reach: Reach, entity: str, *, numbers: bool) -> None:
    """Raises NotAllowed unless the session may export there, in full or not."""
    acts = (Act.EXPORT_USERS, Act.EXPORT_NATIONAL_NUMBERS) if numbers else (Act.EXPORT_USERS,)
    if not all(reach.held(entity, act) for act in acts):
        raise NotAllowed(NOT_ALLOWED)


def counted_anew(
    connection: Connection, keyring: Keyring, payload: dict[str, Any], people: int, now: datetime
) -> None:
    """The audit's word for a document that came out with another number of people than was asked for."""
    _audited(connection, keyring, "export-made", payload, people, now)


def _audited(
    connection: Connection, keyring: Keyring, act: str, payload: dict[str, Any], people: int, now: datetime
) -> None:
    wanted = {name: True if name in _TYPED else value for name, value in payload["wanted"].items() if value}
    body = {name: payload[name] for name in ("form", "columns", "numbers", "key")}
    entry = Entry(act, actor=payload["identity"], body={**body, "people": people, "filter": wanted})
    append(connection, keyring, payload["entity"], entry, now)


# -- reading --------------------------------------------------------------------------------------


class Reading:
    """The lines of one document, at one moment."""

    def __init__(
        self,
        connection: Connection,
        keyring: Keyring,
        reach: Reach,
        catalogue: Catalogue,
        *,
        today: date,
        now: datetime,
    ) -> None:
        self._connection, self._keyring, self._reach = connection, keyring, reach
        self._catalogue, self._today, self._now = catalogue, today, now
        self._keys = IdentityKeys(connection, keyring)

    def lines(
        self, entity: str, wanted: UserFilter, columns: str, *, numbers: bool, most: int
    ) -> Iterator[Line]:
        """By name. A number stands there in full only where `numbers` and the right to it go together, else masked."""
        lists = UserLists(self._connection, self._reach, self._today, self._now)
        in_full = self._reach.within(entity, Act.EXPORT_NATIONAL_NUMBERS)
        query = select(
            ACCOUNTS,
            PROFILES.c.identity_id,
            PROFILES.c.last_name,
            PROFILES.c.first_name,
            PROFILES.c.title,
            PROFILES.c.language,
            PROFILES.c.email,
            SUBDIVISIONS.c.name.label("subdivision"),
            QUALITIES.c.key.label("quality"),
            case((in_full, 1), else_=0).label("in_full"),
        ).select_from(PEOPLE.join(QUALITIES, QUALITIES.c.id == ACCOUNTS.c.quality_id))
        everybody = lists.every(entity, wanted, limit=most)
        for ids in (everybody[at : at + BATCH] for at in range(0, len(everybody), BATCH)):
            found = {row.id: row for row in self._connection.execute(query.where(ACCOUNTS.c.id.in_(ids)))}
            rows = [found[each] for each in ids if each in found]
            known = self._numbers(rows)
            held = self._held(ids) if columns == "all" else {}
            for row in rows:
                number = known.get(row.identity_id)
                shown = number.formatted if number and numbers and row.in_full else str(number or "")
                yield Line(self._cells(row, shown, held.get(row.id, [])))

    def _numbers(self, rows: Sequence[AnyRow]) -> dict[str, Niss]:
        """The present number of each identity that has one."""
        people = {row.identity_id for row in rows}
        query = select(NUMBERS).where(NUMBERS.c.identity_id.in_(people), NUMBERS.c.until.is_(None))
        self._keys.fetch(people)
        return {
            row.identity_id: Niss(self._keys.unseal(row.identity_id, row.ciphertext, number_place(row.id)))
            for row in self._connection.execute(query.order_by(NUMBERS.c.since, NUMBERS.c.id.desc()))
        }

    def _held(self, accounts: Sequence[str]) -> dict[str, list[tuple[bool, str, date | None]]]:
        """What runs or is to come for each account: whether it is an application, its key, its last day."""
        found: dict[str, list[tuple[bool, str, date | None]]] = {}
        for table in TABLES:
            query = select(table.c.account_id, key_of(table).label("key"), table.c.ends_on).where(
                table.c.account_id.in_(accounts), is_live(table, self._now, self._today)
            )
            for row in self._connection.execute(query.order_by(table.c.starts_on, table.c.id)):
                found.setdefault(row.account_id, []).append((table is GRANTS, row.key, row.ends_on))
        return found

    def _cells(
        self, row: AnyRow, niss: str, held: list[tuple[bool, str, date | None]]
    ) -> dict[str, Say | tuple[Say, ...] | date | None]:
        applications = {each.key: each.name for each in self._catalogue.applications}
        functions = {each.key: each.short for each in self._catalogue.functions}
        return {
            "last_name": row.last_name,
            "first_name": row.first_name,
            "username": row.username or "",
            "type": m(f"users.type.{row.type}") if row.type in _KNOWN_TYPES else row.type,
            "niss": niss,
            "status": m(f"account.{row.status}"),
            "title": row.title or "",
            "language": m(f"language.{row.language}") if row.language else "",
            "email": row.email or "",
            "profession": m(f"declared.{row.profession}") if row.profession else "",
            "quality": self._catalogue.quality(row.quality).label,
            "subdivision": row.subdivision or "",
            "applications": tuple(applications.get(key, key) for given, key, _ in held if given),
            "functions": tuple(functions.get(key, key) for given, key, _ in held if not given),
            "end": min((ends for _, _, ends in held if ends), default=None),
            "created": brussels_day(row.created_at),
            "changed": brussels_day(row.changed_at),
        }
