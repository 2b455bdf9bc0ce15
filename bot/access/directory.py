"""What dialogues may ask the register: `conversations.ports.Directory` over the store, for one session in one turn.

Every question carries the scope of the session's mandates of today, down to the subdivision; what lies outside is
answered like what does not exist. What a turn asks again and again (mandates, entities, qualities) is read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, literal, select, union_all

from bot.access import contact, invitations, linking, retired, stepup, waiting
from bot.access.catalogue import Catalogue
from bot.access.changecards import CHANGE, Changes
from bot.access.holdinglists import HoldingLists
from bot.access.holdings import TABLES, columns
from bot.access.identifiers import Niss, format_nihii_institution
from bot.access.identities import digits_of, is_number, number_row
from bot.access.insider import Oneself
from bot.access.keptcertificates import CertificateLists
from bot.access.leaders import Leaders
from bot.access.mandates import MandateLists
from bot.access.nearnames import NearNames
from bot.access.ownchanges import OwnChanges
from bot.access.pasts import Pasts
from bot.access.periods import brussels_day
from bot.access.qualities import Activations
from bot.access.reach import Reach
from bot.access.rights import Act, MandateScope, Role
from bot.access.rows import ACCOUNTS, CHANGES, ENTITIES, GRANTS, NUMBERS, PROFILES, QUALITIES, AnyRow
from bot.access.standing import Session
from bot.access.subdivisionlists import SubdivisionLists
from bot.access.substituting import Deputies
from bot.access.userlists import PEOPLE as _PEOPLE
from bot.access.userlists import PERSON as _PERSON
from bot.access.userlists import UserLists
from bot.access.userlists import person_ref as _person_ref
from bot.access.userparts import holding_part, quality_part, text_parts
from bot.access.views import (
    ChangeCard,
    EntityRef,
    Invitation,
    Listing,
    PersonCard,
    PersonRef,
    QualityRef,
    SentMessage,
    SubdivisionRef,
    UserFilter,
    UserPage,
)
from bot.msg import Texts
from bot.store.keys import Keyring

_CARD = (
    *_PERSON,
    ACCOUNTS.c.created_at,
    ACCOUNTS.c.changed_at,
    PROFILES.c.identity_id,
    PROFILES.c.email,
    PROFILES.c.language,
    PROFILES.c.title,
    PROFILES.c.local_email,
    ACCOUNTS.c.type,
)
_ONE = select(*_CARD).select_from(_PEOPLE).where(ACCOUNTS.c.id == bindparam("account"))
_OWN = union_all(
    *(select(*columns(table)).where(table.c.account_id == bindparam("account")) for table in TABLES)
).subquery("own")
_HELD_BY = select(_OWN).order_by(_OWN.c.kind, _OWN.c.starts_on, _OWN.c.key, _OWN.c.row)
_QUALITY_OF = select(QUALITIES.c.entity_id).where(QUALITIES.c.id == bindparam("quality"))
_SOMEBODY = (
    select(literal(1))
    .where(ACCOUNTS.c.quality_id == QUALITIES.c.id, ACCOUNTS.c.status != "deleted")
    # in the order of an index, or PostgreSQL may look for the users of an empty quality among all
    .order_by(ACCOUNTS.c.sort_key, ACCOUNTS.c.id)
    .limit(1)
    .correlate(QUALITIES)
)
_QUALITIES = select(QUALITIES, _SOMEBODY.scalar_subquery().label("used")).where(
    QUALITIES.c.entity_id == bindparam("entity")
)
_USERNAME = select(ACCOUNTS.c.id).where(ACCOUNTS.c.username_fold == bindparam("username"))


class RegisterDirectory(
    waiting.WayBack,
    Pasts,
    HoldingLists,
    MandateLists,
    Leaders,
    Activations,
    Deputies,
    CertificateLists,
    Oneself,
    OwnChanges,
    SubdivisionLists,
):
    """The register as far as `session` may see it, on the day `today`; None is a stranger, who sees nothing."""

    def __init__(
        self,
        connection: Connection,
        keyring: Keyring,
        session: Session | None,
        *,
        today: date,
        now: datetime,
        catalogue: Catalogue,
        telegram_id: int | None = None,
    ) -> None:
        self._connection, self._keyring, self._session = connection, keyring, session
        self._today, self._now, self._catalogue = today, now, catalogue
        self._reach = Reach(connection, session, today)
        self._users = UserLists(connection, self._reach, today, now)
        self._near = NearNames(connection, self._reach)
        self._telegram_id = telegram_id
        self._qualities: dict[str, tuple[AnyRow, ...]] = {}
        self._trees = {}

    # -- entities and qualities ---------------------------------------------------------------

    def entities(self, act: str | None = None) -> tuple[EntityRef, ...]:
        """The entities where the actor has a mandate today (that allows `act`), by name."""
        wanted = Act(act) if act else Act.READ_ENTITY
        held = {entity: self._reach.held(entity, wanted) for entity in self._reach.entities}
        return tuple(
            self._entity_ref(self._reach.entities[entity], mandates)
            for entity, mandates in held.items()
            if mandates
        )

    def entity(self, entity: str) -> EntityRef | None:
        """One of them."""
        held = self._reach.held(entity, Act.READ_ENTITY)
        return self._entity_ref(self._reach.entities[entity], held) if held else None

    @staticmethod
    def _entity_ref(row: AnyRow, held: Sequence[MandateScope]) -> EntityRef:
        roles = {mandate.role for mandate in held}
        role = next(
            (role for role in Role if role in roles), Role.USER
        )  # the roles stand from the widest down
        name, number = Texts(**row.denomination), format_nihii_institution(row.inami)
        return EntityRef(row.id, name, number, role.value, row.delivery, row.portal)

    def qualities(self, entity: str, act: str | None = None) -> tuple[QualityRef, ...]:
        """The qualities of the entity in scope, inactive ones too, in the catalogue's order."""
        held = self._reach.held(entity, Act(act) if act else Act.READ_ENTITY)
        seen = {mandate.quality for mandate in held}
        rows = [row for row in self._rooms(entity) if None in seen or row.id in seen] if held else []
        number = self._reach.entities[entity].inami if held else ""
        return tuple(
            QualityRef(
                row.id,
                entity,
                row.key,
                format_nihii_institution(row.number or number),
                row.active,
                brussels_day(row.activated_at) if row.activated_at else None,
                bool(row.used),
            )
            for row in rows
        )

    def _rooms(self, entity: str) -> tuple[AnyRow, ...]:
        if entity not in self._qualities:
            order = [quality.key for quality in self._catalogue.qualities]
            rows = self._connection.execute(_QUALITIES, {"entity": entity}).all()
            known = {key: place for place, key in enumerate(order)}
            self._qualities[entity] = tuple(
                sorted(rows, key=lambda row: (known.get(row.key, len(known)), row.key))
            )
        return self._qualities[entity]

    def quality(self, quality: str) -> QualityRef | None:
        """One quality in scope."""
        entity = next(
            (key for key, rows in self._qualities.items() if any(row.id == quality for row in rows)), None
        )
        entity = entity or self._connection.execute(_QUALITY_OF, {"quality": quality}).scalar()
        return next((each for each in self.qualities(entity) if each.id == quality), None) if entity else None

    # -- people -------------------------------------------------------------------------------

    def people(
        self, quality: str, *, find: str = "", page: int = 0, size: int = 6, holding: str = ""
    ) -> Listing[PersonRef]:
        """Accounts of the quality in scope, by name; `find` matches the beginnings of words. Deleted ones are left out."""
        room = self.quality(quality)
        if room is None:
            return Listing((), 0, 0, size)
        parts = [*text_parts(room.entity, find)]
        if holding:
            parts.append(holding_part(GRANTS, holding, self._now, self._today))
        parts.append(quality_part(quality))
        return self._users.numbered(room.entity, parts, ACCOUNTS.c.quality_id == quality, page, size)

    def alike(self, quality: str, find: str, *, limit: int = 6) -> tuple[PersonRef, ...]:
        """Accounts whose name is nearly `find`, best first; see `nearnames`."""
        room = self.quality(quality)
        best = self._near.alike(room.entity, quality, find, limit) if room else []
        return self._users.people(best)

    def by_niss(self, quality: str, niss: str) -> PersonRef | None:
        """The account of this quality whose person has this national number now; one statement, known or not."""
        room = self.quality(quality)
        if room is None:
            return None
        found = self._users.in_quality(room.entity, quality)
        number = is_number(self._keyring, niss) & NUMBERS.c.until.is_(None)
        query = select(*_PERSON).select_from(
            _PEOPLE.join(NUMBERS, NUMBERS.c.identity_id == PROFILES.c.identity_id)
        )
        row = self._connection.execute(query.where(found, number)).first()
        return _person_ref(row, Niss(niss).masked) if row else None

    def may_look_up(self) -> bool:
        """Whether one more look-up by national number may be made; to ask counts as one."""
        return self._session is not None and stepup.look_up(self._connection, self._session, self._now)

    def person(self, account: str) -> PersonCard | None:
        """Everything about one account in scope."""
        row = self._connection.execute(_ONE, {"account": account}).one_or_none()
        entity = self.entity(row.entity_id) if row else None
        if row is None or entity is None or not self._reach.sees(row, Act.LIST_USERS):
            return None
        return self._card(row, entity)

    def _card(self, row: AnyRow, entity: EntityRef) -> PersonCard:
        held = self._connection.execute(_HELD_BY, {"account": row.id})
        number = number_row(self._connection, row.identity_id)
        masked = Niss(digits_of(self._connection, self._keyring, number)).masked if number else ""
        return PersonCard(
            ref=_person_ref(row, masked),
            entity=entity,
            first_name=row.first_name,
            email=row.email or "",
            language=row.language,
            title=row.title or "",
            created_on=brussels_day(row.created_at),
            changed_on=brussels_day(row.changed_at),
            holdings=self.holdings(held.all(), entity, self._now),
            last_name=row.last_name,
            local_email=row.local_email or "",
            type=row.type,
            waiting=waiting.of_account(self._connection, row.id) if entity.delivery == "portal" else (),
        )

    def mine(self) -> tuple[PersonCard, ...]:
        """The actor's own accounts, in every entity that his binding covers."""
        if self._session is None:
            return ()
        query = select(*_CARD).select_from(_PEOPLE).where(PROFILES.c.identity_id == self._session.identity)
        own = self._connection.execute(
            query.where(ACCOUNTS.c.status != "deleted").order_by(ACCOUNTS.c.created_at, ACCOUNTS.c.id)
        )
        rows = [row for row in own if self._session.covers(row.entity_id)]
        places = select(ENTITIES).where(ENTITIES.c.id.in_({row.entity_id for row in rows}))
        entities = {row.id: row for row in self._connection.execute(places)} if rows else {}
        return tuple(
            self._card(
                row,
                self._entity_ref(entities[row.entity_id], self._reach.held(row.entity_id, Act.READ_ENTITY)),
            )
            for row in rows
        )

    def username_free(self, username: str) -> bool:
        """Whether no account anywhere bears, or bore before an erasure, this user name."""
        fold = username.lower()
        taken = self._connection.execute(_USERNAME, {"username": fold}).first() is not None
        return not taken and not retired.among(self._connection, self._keyring, retired.USERNAME, [fold])

    # -- changes and lists --------------------------------------------------------------------

    def change(self, number: str) -> ChangeCard | None:
        """A change about an account in scope."""
        rows = self._connection.execute(CHANGE.where(CHANGES.c.number == number)).all()
        return next(iter(self._change_cards(rows)), None)

    def recent_changes(self, *, limit: int = 5) -> tuple[ChangeCard, ...]:
        """The actor's own latest changes that he may still see, newest first."""
        if self._session is None or not self._reach.entities:
            return ()
        own = CHANGE.where(
            CHANGES.c.author_id == self._session.identity, CHANGES.c.entity_id.in_(self._reach.entities)
        )
        rows = self._connection.execute(
            own.order_by(CHANGES.c.recorded_at.desc(), CHANGES.c.number.desc()).limit(limit)
        )
        return self._change_cards(rows.all())

    def _change_cards(self, rows: Sequence[AnyRow]) -> tuple[ChangeCard, ...]:
        visible = [row for row in rows if self._reach.held(row.entity_id, Act.VIEW_STATUS)]
        if not visible:
            return ()
        changes = Changes(self._connection, visible)
        return tuple(
            changes.card(row, entity)
            for row in visible
            if self._shows(row, changes) and (entity := self.entity(row.entity_id)) is not None
        )

    def _shows(self, change: AnyRow, changes: Changes) -> bool:
        """Whether a change is in scope: the account's, the subdivision's, or, where it is about neither, the whole entity."""
        if ward := changes.ward(change.number):
            return self._reach.sees_place(change.entity_id, change.quality_id, ward, Act.VIEW_STATUS)
        person = changes.person(change.number)
        if person is None:
            return self._reach.whole(change.entity_id, Act.VIEW_STATUS)
        return self._reach.sees(person, Act.VIEW_STATUS)

    def users(
        self, entity: str, wanted: UserFilter, *, after: str = "", before: str = "", size: int = 6
    ) -> UserPage:
        """See `userlists`."""
        return self._users.page(entity, wanted, after=after, before=before, size=size)

    def subdivisions(self, entity: str, act: str | None = None) -> tuple[SubdivisionRef, ...]:
        """The open subdivisions of the entity in scope, each below the one it hangs on."""
        return self._users.subdivisions(entity, Act(act) if act else Act.LIST_USERS)

    def invitation(self, code: str) -> Invitation | None:
        """The invitation of this code, as long as it can be redeemed. Raises Invalid after too many wrong ones."""
        return invitations.tried(self._connection, code, self._telegram_id, self._now) if code else None

    def messages(self) -> tuple[SentMessage, ...]:
        """The actor's latest messages to the help desk."""
        if self._session is None or self._session.locked:
            return ()
        return tuple(contact.sent_by(self._connection, self._session.identity))

    def own_address(self, entity: str) -> str:
        """Where the entity can answer the actor by mail."""
        if self._session is None or self._session.locked or not self._session.covers(entity):
            return ""
        return contact.address_of(self._connection, self._session.identity, entity)

    def numbers_offered(self) -> tuple[tuple[str, str], ...]:
        """What `linking` offers in this chat."""
        number = self._telegram_id
        return () if number is None else linking.offered(self._connection, number, self._now)
