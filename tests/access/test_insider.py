"""What a manager does to his own user: never where another could, else with a fresh proof for the recap, and marked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import get_args

import pytest
from bot.access import acts, sessions, stepup
from bot.access.claims import takes_proof
from bot.access.directory import RegisterDirectory
from bot.access.privacy import what_is_stored
from bot.access.requests import (
    ActOnUsers,
    AppointDeputy,
    AppointManager,
    AssignFunction,
    ChangeEnd,
    ChangeLink,
    ChangeOwn,
    ChangeUser,
    CreateUser,
    Done,
    EndAccess,
    EndMandate,
    EndSessions,
    GrantAccess,
    InviteUser,
    LinkResponsible,
    Refused,
    Request,
)
from bot.access.rights import Role
from bot.access.rows import BINDINGS, CHANGES, MANDATES, RESPONSIBILITIES, STEP_UPS
from bot.access.sessions import SessionRules
from bot.store import trail
from bot.store.database import Database
from bot.store.ids import new_id
from bot.store.keys import Keyring
from bot.store.tables import AuditEntry, core
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, insert, select, update
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registers import NOW, REGISTER, TODAY, Register, newcomer

RULES = SessionRules(locking=True)
PHYSICIANS, PHARMACISTS = "collaborator-specialist-physician", "collaborator-hospital-pharmacist"
SHOWN = "the recap as it stood"
DAY = timedelta(days=1)
NISS = "79.48.23-997.17"
ISLAND = f"""
[[application]]
key = "wijkzorg"
name = "Wijkzorg"
description = {{ fr = "Soins à domicile", nl = "Thuiszorg" }}
qualities = ["health-care"]
requires_function = false
requires_responsible = false

[[entity]]
key = "ile"
inami = "721999-69"
enterprise = "0200.000.043"
denomination = {{ fr = "Hôpital de l'Île" }}
[[entity.quality]]
key = "hospital"
subdivisions = ["Chirurgie", "Médecine"]
[[entity.quality]]
key = "health-care"

[[person]]
key = "seul"
last_name = "Seul"
first_name = "Dominique"
niss = "{NISS}"
[[mandate]]
person = "seul"
entity = "ile"
role = "responsible"
[[account]]
person = "seul"
entity = "ile"
quality = "hospital"
username = "dseul001"
subdivision = "Chirurgie"
profession = "collaborator"
[[account.grant]]
application = "hospiliss"
starts_on = 2024-01-15
[[account.grant]]
application = "colindos"
starts_on = 2024-01-15
[[account.assignment]]
function = "{PHYSICIANS}"
starts_on = 2024-01-15
[[person]]
key = "arts"
last_name = "Arts"
first_name = "Dokter"
[[account]]
person = "arts"
entity = "ile"
quality = "hospital"
username = "darts001"
profession = "specialist-physician"
[[person]]
key = "autre"
last_name = "Autre"
first_name = "Alex"
[[account]]
person = "autre"
entity = "ile"
quality = "hospital"
username = "aautre01"
subdivision = "Chirurgie"
[[account.grant]]
application = "hospiliss"
starts_on = 2024-01-15
"""
"""An entity with one manager, who is a user there himself, a physician, and somebody who may become a manager too."""


@dataclass
class House:
    """The register with that entity; `session` is a session of its manager."""

    register: Register
    session: str

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Whatever is done in it is undone."""
        with suppress(Undone), self.register.database.write() as connection:
            yield connection
            raise Undone

    def does(self, connection: Connection, request: Request, *, rules=RULES, now=NOW, shown=SHOWN, by="seul"):
        session = self.register.session(by)
        if by == "seul":
            session = replace(session, id=self.session)
        work = acts.Work(
            connection, self.register.keyring, session, 42, 42, now, TODAY, self.register.catalogue,
            sessions=rules, mails=True,
        )  # fmt: skip
        return acts.perform(work, request, shown)

    def proves(self, connection: Connection, request: Request, shown=SHOWN) -> None:
        digest = stepup.digest_of(self.register.keyring, request, shown)
        sessions.stepped_up(connection, self.session, digest, "totp", NOW)

    def foresees(self, connection: Connection, request: Request, by="seul") -> bool:
        """Whether the recap says so beforehand."""
        return self.directory(connection, by).alone(request)

    def directory(self, connection: Connection, by: str, now=NOW):
        register = self.register
        return RegisterDirectory(
            connection,
            register.keyring,
            register.session(by),
            today=TODAY,
            now=now,
            catalogue=register.catalogue,
        )

    def appoints(self, connection: Connection, role=Role.RESPONSIBLE, person="autre", **where) -> None:
        place = {"entity_id": self.register.entity["ile"], **where}
        values = {
            "id": new_id(),
            "identity_id": self.register.person[person],
            "role": role.value,
            "recorded_at": NOW,
        }
        connection.execute(insert(MANDATES).values(**values, **place))

    def link(self, connection: Connection) -> str:
        """A responsible for the manager himself, which he did not choose himself."""
        account = self.register.account
        made = new_id()
        values = {
            "id": made,
            "account_id": account["seul"],
            "responsible_id": account["arts"],
            "function": PHYSICIANS,
        }
        values |= {"starts_on": TODAY, "recorded_at": NOW, "active_at": NOW}
        connection.execute(insert(RESPONSIBILITIES).values(values))
        return made


class Undone(Exception):
    """Raised at the end of a transaction that is not to be kept."""


def built(database: Database, keyring: Keyring, folder) -> House:
    register = Register(database, keyring, folder, REGISTER + ISLAND)
    with database.write() as connection:
        binding = new_id()
        values = {
            "id": binding,
            "identity_id": register.person["seul"],
            "telegram_id": 42,
            "chat_id": 42,
            "how": "invitation",
        }
        connection.execute(insert(BINDINGS).values(**values, bound_at=NOW))
        session = sessions.open_session(connection, binding, how="totp", scope=None, now=NOW, rules=RULES)
    return House(register, session)


@pytest.fixture
def house(database, keyring, tmp_path) -> House:
    return built(database, keyring, tmp_path)


# -- every request there is, about oneself --------------------------------------------------------

Build = Callable[[House, Connection, str], Request]
"""A request about the user of this person, to be made by the manager."""


def on_users(act: str, **fields) -> Build:
    return lambda house, _, who: ActOnUsers(act, ((house.register.account[who], 1),), **fields)


def granted(house: House, _: Connection, who: str) -> Request:
    return GrantAccess(house.register.quality["ile/hospital"], ("civars",), house.register.account[who], 1)


def granted_with_function(house: House, _: Connection, who: str) -> Request:
    return GrantAccess(
        house.register.quality["ile/hospital"], ("colindos",), house.register.account[who], 1,
        profession="collaborator-pharmacist", function=PHARMACISTS, starts_on=TODAY,
    )  # fmt: skip


def new_user(house: House, who: str):
    return newcomer(niss="79482399717" if who == "seul" else None, username="nieuw001")


def granted_anew(house: House, _: Connection, who: str) -> Request:
    return GrantAccess(house.register.quality["ile/health-care"], ("wijkzorg",), user=new_user(house, who))


def created(house: House, _: Connection, who: str) -> Request:
    return CreateUser(house.register.quality["ile/health-care"], new_user(house, who))


def linked(house: House, connection: Connection, who: str) -> Request:
    account = house.register.account
    if who != "seul":
        house.does(connection, AssignFunction(account[who], 1, PHYSICIANS, TODAY))
    return LinkResponsible(account[who], 1 if who == "seul" else 2, account["arts"], PHYSICIANS, TODAY)


def link_ended(house: House, connection: Connection, who: str) -> Request:
    if who == "seul":
        return ChangeLink(house.register.account[who], 1, house.link(connection), now=True)
    assert isinstance(house.does(connection, linked(house, connection, who)), Done)
    links = select(RESPONSIBILITIES.c.id).where(RESPONSIBILITIES.c.account_id == house.register.account[who])
    return ChangeLink(house.register.account[who], 3, connection.execute(links).scalar_one(), now=True)


def on_account(request: type, **fields) -> Build:
    return lambda house, _, who: request(house.register.account[who], 1, **fields)


OWN: dict[str, Build] = {
    "grant": granted,
    "grant with a function": granted_with_function,
    "grant to a new user": granted_anew,
    "create": created,
    "end": on_account(EndAccess, applications=("hospiliss",)),
    "block": on_account(EndAccess, becomes="blocked"),
    "another end": on_account(ChangeEnd, applications=("hospiliss",), ends_on=TODAY + 30 * DAY),
    "title": on_account(ChangeUser, field="title", value="Dr."),
    "function": on_account(AssignFunction, function=PHARMACISTS, starts_on=TODAY),
    "link": linked,
    "end of a link": link_ended,
    "mass end": on_users("end"),
    "mass block": on_users("block"),
    "mass delete": on_users("delete", reason="départ"),
    "move": lambda house, _, who: ActOnUsers(
        "move", ((house.register.account[who], 1),), subdivision=house.register.subdivision["Médecine"]
    ),
}  # fmt: skip
"""What he may do to himself where he is alone."""
NEVER: dict[str, Build] = {
    "invite": lambda house, _, who: InviteUser(house.register.account[who]),
    "address": on_account(ChangeUser, field="email", value="x@example.org"),
    "user name": on_account(ChangeUser, field="username", value="nieuw002"),
}
"""What he may not even then: what leads to his own way in."""
PROVED: dict[str, Build] = {
    "code": lambda house, _, who: InviteUser(house.register.account[who], mail=False),
    "sessions": lambda house, _, who: EndSessions(house.register.account[who]),
    "appoint": lambda house, _, who: AppointManager(
        "co-responsible", house.register.entity["ile"], house.register.account[who], TODAY
    ),
    "deputy": lambda house, _, who: AppointDeputy(
        house.register.entity["ile"], house.register.account[who], TODAY, TODAY + DAY
    ),
    "mandate": lambda house, connection, who: EndMandate(
        connection.execute(
            select(MANDATES.c.id).where(MANDATES.c.identity_id == house.register.person[who])
        ).scalar_one(),
        "responsible",
        house.register.entity["ile"],
    ),
}  # fmt: skip
"""The same, of what takes a proof whoever it is about."""
NOT_ABOUT_A_USER = {
    "MarkDone", "Verify", "Join", "Lock", "TapNumber", "SendMessage", "ActivateQuality", "EndDeputy", "KeepCertificate",
    "EndCertificate", "ExportUsers", "ChangeOwn", "CreateSubdivision", "RenameSubdivision", "MoveSubdivision",
    "CloseSubdivision",
}  # fmt: skip
"""Nothing that a manager does to a user: `ChangeOwn` is everybody's, and `EndDeputy` takes a right away that was lent.
A subdivision is a place: whoever is moved because it closes keeps what he holds, and a manager's mandate over it is not his to end so.
"""


def test_every_request_there_is_is_looked_at_here(house):
    with house.transaction() as connection:
        every = {**OWN, **NEVER, **PROVED}
        built_here = {type(build(house, connection, "seul")).__name__ for build in every.values()}
    assert built_here | NOT_ABOUT_A_USER == {each.__name__ for each in get_args(Request)}
    assert not built_here & NOT_ABOUT_A_USER


def marks(connection: Connection, since: int) -> list[bool]:
    """Of the audit entries about the manager by himself: whether each bears the mark."""
    entries = core(AuditEntry)
    query = select(entries.c.body).where(
        entries.c.actor_id == entries.c.subject_id,
        entries.c.seq > since,
        entries.c.change_number.is_not(None),
    )
    return [bool(body.get("own")) for body in connection.execute(query).scalars()]


def key(outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return str(outcome.msg.key)


def test_the_only_manager_changes_his_own_user_by_a_fresh_proof_and_is_marked(house):
    for name, build in OWN.items():
        with house.transaction() as connection:
            request = build(house, connection, "seul")
            assert not takes_proof(request), name
            assert house.foresees(connection, request), name
            assert key(house.does(connection, request)) == "proof.needed", name
            house.proves(connection, request, "another recap")
            assert key(house.does(connection, request)) == "proof.needed", name
            assert key(house.does(connection, request, rules=SessionRules())) == "proof.no_pages", name
            house.proves(connection, request)
            assert (
                key(house.does(connection, request, now=NOW + 5 * timedelta(minutes=1))) == "proof.needed"
            ), name
            assert connection.execute(select(func.count()).select_from(CHANGES)).scalar() == 0, name

            done = house.does(connection, request)
            assert isinstance(done, Done), (name, done)
            found = marks(connection, 0)
            assert found, name
            assert all(found), name
            assert connection.execute(select(CHANGES.c.own)).scalars().all() == [True], name
            assert done.number, name
            check_invariants(connection, house.register.keyring)


def test_where_another_could_do_it_he_does_not_and_his_proof_stays(house):
    for name, build in OWN.items():
        with house.transaction() as connection:
            request = build(house, connection, "seul")
            house.proves(connection, request)
            house.appoints(connection)  # since the recap was shown
            assert key(house.does(connection, request)) == "rights.own_access", name
            assert not house.foresees(connection, request), name
            connection.execute(
                update(MANDATES)
                .where(
                    MANDATES.c.recorded_at == NOW, MANDATES.c.identity_id == house.register.person["autre"]
                )
                .values(until=TODAY - DAY)
            )
            assert house.foresees(connection, request), name
            assert isinstance(house.does(connection, request), Done), name


def test_what_would_open_his_own_way_in_he_never_does_to_himself(house):
    for name, build in {**NEVER, **PROVED}.items():
        with house.transaction() as connection:
            request = build(house, connection, "seul")
            house.proves(connection, request)
            refused = key(house.does(connection, request))
            assert refused in {"act.user.manager", "rights.not_allowed"} or refused.startswith(
                "rights.own_"
            ), (name, refused)
            assert not house.foresees(connection, request), name


def test_a_blocked_manager_reactivates_himself_only_so_too(house):
    account = house.register.account["seul"]
    with house.transaction() as connection:
        block = EndAccess(account, 1, becomes="blocked")
        house.proves(connection, block)
        assert isinstance(house.does(connection, block), Done)
        reactivated: tuple[Request, ...] = (
            EndAccess(account, 2, becomes="active"),
            ActOnUsers("reactivate", ((account, 2),)),
            GrantAccess(house.register.quality["ile/hospital"], ("civars",), account, 2, reactivate=True),
        )
        for request in reactivated:
            assert house.foresees(connection, request)
            assert key(house.does(connection, request)) == "proof.needed"


def test_of_several_people_only_he_is_marked_and_all_wait_for_his_proof(house):
    account = house.register.account
    with house.transaction() as connection:
        request = ActOnUsers("block", ((account["seul"], 1), (account["autre"], 1)))
        assert house.foresees(connection, request)
        assert key(house.does(connection, request)) == "proof.needed"
        house.proves(connection, request)
        assert isinstance(house.does(connection, request), Done)
        entries = core(AuditEntry)
        found = connection.execute(
            select(entries.c.subject_id, entries.c.body).where(entries.c.act == "block-user")
        )
        people = {value: name for name, value in house.register.person.items()}
        assert {people[row.subject_id]: "own" in row.body for row in found} == {"seul": True, "autre": False}


def test_a_proof_for_more_than_ten_people_is_not_asked_for_twice(house):
    """Eleven users, the manager among them: the table of rights asks for a proof, and so does his own user."""
    account, people = house.register.account, []
    with house.transaction() as connection:
        for number in range(9):
            user = newcomer(niss=None, username=f"nieuw{number:03d}")
            made = house.does(connection, CreateUser(house.register.quality["ile/hospital"], user))
            people.append((made.account, 1))
        request = ActOnUsers("block", (*people, (account["seul"], 1), (account["autre"], 1)))
        assert takes_proof(request)
        house.proves(connection, request)
        assert isinstance(house.does(connection, request), Done)
        proofs = connection.execute(select(STEP_UPS.c.used_at)).scalars().all()
        assert proofs == [NOW]


def test_a_conflict_costs_no_proof(house):
    with house.transaction() as connection:
        request = replace(granted(house, connection, "seul"), version=7)
        assert type(house.does(connection, request)).__name__ == "Conflict"


def test_what_everybody_may_change_of_his_own_is_no_such_change(house):
    account = house.register.account["seul"]
    with house.transaction() as connection:
        request = ChangeOwn(account, "language", "nl")
        assert not house.foresees(connection, request)
        assert isinstance(house.does(connection, request), Done)
        assert marks(connection, 0) == [False]
        assert connection.execute(select(CHANGES.c.own)).scalars().all() == [False]


# -- with a deputy --------------------------------------------------------------------------------


def test_the_deputy_of_the_only_manager_touches_neither_him_nor_himself(house):
    register = house.register
    with house.transaction() as connection:
        request = AppointDeputy(register.entity["ile"], register.account["autre"], TODAY, TODAY + DAY)
        house.proves(connection, request)
        assert isinstance(house.does(connection, request), Done)
        for name, build in OWN.items():
            for who in ("seul", "autre"):
                wish = build(house, connection, who) if who == "seul" or name in {"grant", "block"} else None
                if wish is None:
                    continue
                assert not house.foresees(connection, wish, by="autre"), (name, who)
                assert key(house.does(connection, wish, by="autre")) in {
                    "rights.own_access",
                    "act.user.elsewhere",
                }
        # and the manager is still the only one who could do it to himself
        own = granted(house, connection, "seul")
        assert house.foresees(connection, own)
        assert key(house.does(connection, own)) == "proof.needed"


# -- who sees it ----------------------------------------------------------------------------------


def test_the_auditor_finds_it_in_the_overview_on_the_change_and_in_the_file(house):
    register = house.register
    with register.database.write() as connection:
        request = granted(house, connection, "seul")
        house.proves(connection, request)
        done = house.does(connection, request)
        assert isinstance(house.does(connection, granted(house, connection, "autre")), Done)
        house.appoints(connection, Role.AUDITOR, "audi")
        house.appoints(connection, Role.LOCAL, "janssens", quality_id=register.quality["ile/hospital"])
    ile = register.entity["ile"]
    with register.database.read() as connection:
        for who, number in (("audi", 1), ("seul", 1), ("janssens", 0)):
            directory = house.directory(connection, who)
            assert directory.counts(ile).own == number, who
            assert [card.number for card in directory.own_changes(ile).items] == [done.number] * number
        assert [(past.number, past.own) for past in directory.history(register.account["seul"]).items] == [
            (done.number, True)
        ]
        auditor = house.directory(connection, "audi")
        assert auditor.change(done.number).own
        assert auditor.counts(register.entity["midi"]).own == 0
        assert auditor.own_changes(register.entity["quai"]).total == 0
        late = house.directory(connection, "audi", now=NOW + 366 * DAY)
        assert late.own_changes(ile).total == 0
        said = what_is_stored(connection, register.keyring, register.person["seul"])
        assert [each["about_oneself_being_alone"] for each in said["changes"]] == [True, False]
    trail.anchor(register.database, register.keyring, [], NOW)
    with register.database.read() as connection:
        lines = [json.loads(line) for line in trail.export(connection, register.keyring, NOW)]
    bodies = [line.get("body") or {} for line in lines]
    assert [body.get("own") for body in bodies if body.get("kind") == "grant"] == [True, None]


# -- any colleagues, any request ------------------------------------------------------------------


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("insider")
    with databases.sqlite(folder) as url:
        database = Database(url)
        yield built(database, Keyring({1: bytes(range(32))}), folder)
        database.close()


PLACES = {
    "entity": {"entity_id": "ile"},
    "elsewhere": {"entity_id": "midi"},
    "quality": {"entity_id": "ile", "quality_id": "ile/hospital"},
    "other quality": {"entity_id": "ile", "quality_id": "ile/health-care"},
    "part": {"entity_id": "ile", "quality_id": "ile/hospital", "subdivision_id": "Chirurgie"},
    "other part": {"entity_id": "ile", "quality_id": "ile/hospital", "subdivision_id": "Médecine"},
}
MANAGES = {Role.RESPONSIBLE, Role.CO_RESPONSIBLE, Role.LOCAL, Role.GROUP, Role.SUBDIVISION}
FUNCTIONS = {"function", "link", "end of a link"}
"""What a manager of a group or of a subdivision has no part in."""
ELSEWHERE = {"grant to a new user", "create"}
"""What concerns the other quality, where the manager has no user yet, and so no subdivision."""
colleagues = st.lists(
    st.tuples(st.sampled_from(Role), st.sampled_from(sorted(PLACES)), st.sampled_from(["now", "over", "to come", "revoked"])),
    max_size=2,
)  # fmt: skip


def could(role: Role, place: str, when: str, name: str) -> bool:
    """Whether this colleague could do some part of it instead (`domain.md` 1.3 once more)."""
    if role not in MANAGES or when != "now":
        return False
    match role:
        case Role.RESPONSIBLE | Role.CO_RESPONSIBLE:
            narrow: set[str] = set()
        case Role.LOCAL | Role.GROUP:
            narrow = {"entity", "elsewhere"}
        case _:
            narrow = {"entity", "elsewhere", "quality", "other quality"}
    if place in narrow or (name in FUNCTIONS and role in {Role.GROUP, Role.SUBDIVISION}):
        return False  # a mandate that is wider than its role counts for nothing
    reached = {"entity", "other quality"} if name in ELSEWHERE else {"entity", "quality", "part"}
    return place in (reached | {"other part"} if name == "move" else reached)


@settings(max_examples=150, deadline=None)
@example(others=[(Role.SUBDIVISION, "other part", "now")], name="move", who="seul", proved=True)
@example(
    others=[(Role.SUBDIVISION, "part", "now"), (Role.GROUP, "quality", "now")],
    name="link",
    who="seul",
    proved=True,
)
@example(others=[(Role.SUBDIVISION, "part", "now")], name="grant with a function", who="seul", proved=True)
@given(
    others=colleagues,
    name=st.sampled_from(sorted(OWN)),
    who=st.sampled_from(["seul", "autre"]),
    proved=st.booleans(),
)
def test_nobody_ever_changes_his_own_user_where_another_could_nor_without_proof_and_mark(
    standing, others, name, who, proved
):
    house = standing
    ids = {**house.register.entity, **house.register.quality, **house.register.subdivision}
    days = {
        "now": {},
        "over": {"until": TODAY - DAY},
        "to come": {"since": TODAY + DAY},
        "revoked": {"revoked_at": NOW},
    }
    with house.transaction() as connection:
        request = OWN[name](house, connection, who)
        for role, place, when in others:
            where = {column: ids[value] for column, value in PLACES[place].items()}
            house.appoints(connection, role, **where, **days[when])
        if proved:
            house.proves(connection, request)
        before = connection.execute(select(func.count()).select_from(CHANGES)).scalar()
        foreseen = house.foresees(connection, request)
        outcome = house.does(connection, request)
        alone = who == "seul" and not any(could(*each, name) for each in others)
        assert foreseen == alone
        if who != "seul":
            assert isinstance(outcome, Done) or not key(outcome).startswith(("rights.", "proof."))
        elif not alone:
            assert key(outcome) == "rights.own_access"
        elif not proved:
            assert key(outcome) == "proof.needed"
        else:
            assert isinstance(outcome, Done)
        newer = connection.execute(select(CHANGES.c.own).order_by(CHANGES.c.number)).scalars().all()[before:]
        assert newer == ([alone] if isinstance(outcome, Done) else [])
        assert all(marks(connection, 0))
