"""Subdivisions: made, renamed, hung elsewhere, closed; who may, what is written, who comes second. On both databases."""

from __future__ import annotations

from dataclasses import replace
from zlib import crc32

import pytest
from bot.access import sessions, stepup
from bot.access.acts import perform
from bot.access.claims import takes_proof
from bot.access.requests import (
    DEEPEST,
    MOST_MOVED,
    ActOnUsers,
    AppointDeputy,
    AppointManager,
    CloseSubdivision,
    Conflict,
    CreateSubdivision,
    CreateUser,
    Done,
    EndMandate,
    MarkDone,
    MoveSubdivision,
    Refused,
    RenameSubdivision,
)
from bot.access.rows import (
    ACCOUNTS,
    BINDINGS,
    CHANGES,
    IDENTITIES,
    ITEMS,
    MANDATES,
    PROFILES,
    SESSIONS,
    SUBDIVISIONS,
)
from bot.access.sessions import SessionRules
from bot.access.subdivisions import create_subdivision
from bot.access.views import UserFilter
from bot.errors import Refusal
from bot.store.database import Database
from bot.store.tables import AuditEntry, core
from sqlalchemy import insert, select, update
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registers import NOW, REGISTER, TODAY, Register, newcomer
from tests.store.test_together import race

RULES = SessionRules(locking=True)
HOSPITAL, QUAI = "midi/hospital", "quai/hospital"
PORTAL = REGISTER.replace(
    'delivery = "portal"\n[[entity.quality]]\nkey = "hospital"',
    'delivery = "portal"\n[[entity.quality]]\nkey = "hospital"\nsubdivisions = ["Bloc", { name = "Salle 1", within = "Bloc" }]',
)


@pytest.fixture
def register(database, keyring, tmp_path):
    """On both databases; after each test all subdivisions are as they must be."""
    register = Register(database, keyring, tmp_path, PORTAL)
    yield register
    with database.read() as connection:
        check_invariants(connection, keyring)
        check_places(connection)


@pytest.fixture
def lite(keyring, tmp_path):
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        register = Register(database, keyring, tmp_path, PORTAL)
        yield register
        with database.read() as connection:
            check_invariants(connection, keyring)
            check_places(connection)
        database.close()


def check_places(connection) -> None:
    """Nobody lies in a closed subdivision, nobody manages one, nothing open hangs on one, and nothing on itself."""
    rows = {row.id: row for row in connection.execute(select(SUBDIVISIONS))}
    for row in rows.values():
        seen, at = set(), row
        while at.parent_id:
            assert at.id not in seen, "it hangs on itself"
            seen.add(at.id)
            assert at.closed_at or not rows[at.parent_id].closed_at, "it hangs on a closed one"
            at = rows[at.parent_id]
        assert len(seen) < DEEPEST
    people = select(ACCOUNTS.c.subdivision_id).where(ACCOUNTS.c.status != "deleted")
    mandates = select(MANDATES.c.subdivision_id).where(MANDATES.c.revoked_at.is_(None))
    for query in (people, mandates):
        assert not any(each and rows[each].closed_at for each in connection.execute(query).scalars())


def ward(register, name: str):
    """The open one of this name, else a closed one."""
    with register.database.read() as connection:
        rows = connection.execute(select(SUBDIVISIONS).where(SUBDIVISIONS.c.name == name)).all()
    return min(rows, key=lambda row: row.closed_at is not None)


def does(register, who, request, *, shown: str = "the recap"):
    """The request as after its proof, where it takes one."""
    with register.work(who) as plain:
        work = replace(plain, session=opened(plain), sessions=RULES)
        if takes_proof(request):
            digest = stepup.digest_of(work.keyring, request, shown)
            sessions.stepped_up(work.connection, work.actor.id, digest, "totp", work.now)
        return perform(work, request, shown)


def opened(work):
    """The actor's session, as a row that can hold proofs."""
    identity = work.actor.identity
    bound = select(BINDINGS.c.id).where(BINDINGS.c.identity_id == identity)
    binding = work.connection.execute(bound).scalar()
    if binding is None:
        binding, telegram = f"b{identity}", crc32(identity.encode())
        row = {"id": binding, "identity_id": identity, "telegram_id": telegram, "chat_id": telegram}
        work.connection.execute(insert(BINDINGS).values(how="invitation", bound_at=NOW, **row))
        sessions.open_session(work.connection, binding, how="invitation", scope=None, now=NOW, rules=RULES)
    own = select(SESSIONS.c.id).where(SESSIONS.c.binding_id == binding)
    return replace(work.actor, id=work.connection.execute(own).scalar(), binding=binding)


def closing(register, name: str, heir: str | None = None, **fields) -> CloseSubdivision:
    """Close this one, as it is now."""
    top = ward(register, name)
    with register.sees("delcourt") as directory, register.sees("kaai") as other:
        cards = [*directory.branches(register.entity["midi"]), *other.branches(register.entity["quai"])]
        card = next(each for each in cards if each.id == top.id)
        inside = {card.id}
        for each in cards:
            inside |= {each.id} if each.parent in inside else set()
        leaders = [*directory.managers(register.entity["midi"]), *other.managers(register.entity["quai"])]
    request = CloseSubdivision(
        card.id,
        card.version,
        card.everybody,
        tuple(sorted(inside - {card.id})),
        tuple(each.id for each in leaders if each.subdivision in inside),
        ward(register, heir).id if heir else None,
    )
    return replace(request, **fields)


def refused(outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.msg.key


def place_of(register, person: str) -> str | None:
    query = select(ACCOUNTS.c.subdivision_id).where(ACCOUNTS.c.id == register.account[person])
    with register.database.read() as connection:
        return connection.execute(query).scalar()


# -- a new one ------------------------------------------------------------------------------------


def test_a_subdivision_is_made_below_another_and_stands_in_the_tree(register):
    quality = register.quality[HOSPITAL]
    above = register.subdivision["Cathétérisme"]
    outcome = register.does("delcourt", CreateSubdivision(quality, "  Salle   3 (nuit) ", above))
    assert outcome == Done("2026-000001", NOW)
    with register.sees("delcourt") as directory:
        card = next(c for c in directory.branches(register.entity["midi"]) if c.name == "Salle 3 (nuit)")
        assert (card.path, card.depth) == ("Cardiologie › Cathétérisme › Salle 3 (nuit)", 2)
        change = directory.change(outcome.number)
        assert (change.state, change.person, change.quality) == ("done", "", quality)
        assert [(i.kind, i.key, i.other) for i in change.items] == [
            ("create-subdivision", "Salle 3 (nuit)", "Cathétérisme")
        ]
    with register.database.read() as connection:
        [entry] = connection.execute(
            select(core(AuditEntry)).where(core(AuditEntry).c.act == "create-subdivision")
        ).all()
    assert (entry.actor_id, entry.subject_id) == (register.person["delcourt"], None)
    assert entry.body["after"] == {"within": above, "above": "Cathétérisme"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cardiologie", "act.ward.taken"),
        ("Cathe\u0301te\u0301risme", "act.ward.taken"),
        ("CARDIO-LOGIE", None),
        ("", "place.empty"),
        ("Card\u200biologie", "name.invisible"),
        ("Cаrdiologie", "name.lookalike"),  # a Cyrillic letter
        ("Кардиология", "place.script"),
        ("A" * 61, "place.too_long"),
        ("<b>", "place.signs"),
        ("()", "place.signs"),
        ("Unité ②", "place.signs"),
        ("A › B", "place.signs"),
        ("3", None),
    ],
)
def test_a_name_is_a_name_and_reads_like_no_other(lite, name, expected):
    outcome = lite.does("delcourt", CreateSubdivision(lite.quality[HOSPITAL], name))
    if expected is None:
        assert isinstance(outcome, Done)
    else:
        assert (refused(outcome), outcome.step) == (expected, "name")


def test_there_are_so_many_levels_and_no_more(lite):
    above, quality = ward(lite, "Cathétérisme").id, lite.quality[HOSPITAL]
    for level in range(3, DEEPEST + 1):
        assert isinstance(lite.does("delcourt", CreateSubdivision(quality, f"N{level}", above)), Done)
        above = ward(lite, f"N{level}").id
    outcome = lite.does("delcourt", CreateSubdivision(quality, "N6", above))
    assert (refused(outcome), outcome.step) == ("act.ward.too_deep", "within")
    deep = MoveSubdivision(ward(lite, "Cardiologie").id, 1, ward(lite, "Pharmacie").id, 1)
    assert refused(lite.does("delcourt", deep)) == "act.ward.too_deep"


def test_in_a_quality_that_is_not_active_none_is_made(lite):
    outcome = lite.does("delcourt", CreateSubdivision(lite.quality["midi/health-care"], "A"))
    assert (refused(outcome), outcome.step) == ("act.quality_inactive", "quality")


@pytest.mark.parametrize("who", ["audi", "groep", "kaai", "peeters", "claes", None])
def test_nobody_else_makes_a_topmost_one_and_nothing_is_told(lite, who):
    assert refused(lite.does(who, CreateSubdivision(lite.quality[HOSPITAL], "A"))) == "rights.not_allowed"
    assert refused(lite.does(who, CreateSubdivision("nowhere", "A"))) == "rights.not_allowed"


def test_a_subdivision_of_elsewhere_is_answered_like_none(lite):
    """Another entity's, another quality's, and one that there is not."""
    quality = lite.quality[HOSPITAL]
    for within in (ward(lite, "Bloc").id, "nowhere"):
        outcome = lite.does("delcourt", CreateSubdivision(quality, "A", within))
        assert refused(outcome) == "rights.not_allowed"
    own = ward(lite, "Pharmacie").id
    outcome = lite.does("delcourt", CreateSubdivision(lite.quality["aube/hospital"], "A", own))
    assert refused(outcome) == "rights.not_allowed"
    for request in (
        RenameSubdivision(ward(lite, "Bloc").id, 1, "A"),
        MoveSubdivision(ward(lite, "Bloc").id, 1, None),
        CloseSubdivision(ward(lite, "Bloc").id, 1),
    ):
        assert refused(lite.does("delcourt", request)) == "rights.not_allowed"
        assert refused(lite.does("delcourt", replace(request, subdivision="nowhere"))) == "rights.not_allowed"
    with lite.sees("delcourt") as directory:
        assert directory.subdivision(ward(lite, "Bloc").id) is None
        assert directory.branches(lite.entity["quai"]) == ()


# -- who manages a branch acts in his own ---------------------------------------------------------


def test_who_manages_a_branch_acts_in_his_own_branch_alone(lite):
    own, below, other = (ward(lite, name).id for name in ("Cardiologie", "Cathétérisme", "Pharmacie"))
    quality = lite.quality[HOSPITAL]
    assert isinstance(lite.does("claes", CreateSubdivision(quality, "Salle 1bis", below)), Done)
    assert isinstance(lite.does("claes", RenameSubdivision(own, 1, "Cœur")), Done)
    room = ward(lite, "Salle 1bis")
    assert isinstance(lite.does("claes", MoveSubdivision(room.id, 1, own)), Done)
    assert isinstance(does(lite, "claes", closing(lite, "Salle 1bis")), Done)
    for request in (
        CreateSubdivision(quality, "A", other),
        RenameSubdivision(other, 1, "A"),
        MoveSubdivision(below, 1, None, 1),  # out of his branch
        MoveSubdivision(below, 1, other, 1),
        MoveSubdivision(own, 2, None, 1),  # the branch itself hangs where others decide
        MoveSubdivision(other, 1, own),  # into his branch
        closing(lite, "Pharmacie"),
    ):
        assert refused(does(lite, "claes", request)) == "rights.not_allowed", request
    with lite.sees("claes") as directory:
        cards = directory.branches(lite.entity["midi"])
        assert {card.name: card.changeable for card in cards} == {"Cœur": True, "Cathétérisme": True}
        assert directory.roots(lite.entity["midi"]) == ()
    assert refused(does(lite, "claes", closing(lite, "Cœur"))) == "rights.own_mandate"


def test_others_look_and_change_nothing(lite):
    with lite.sees("audi") as directory:
        assert [card.changeable for card in directory.branches(lite.entity["midi"])] == [False] * 3
    with lite.sees("janssens") as directory:
        assert directory.roots(lite.entity["midi"]) == (lite.quality[HOSPITAL],)
        card = directory.subdivision(ward(lite, "Cardiologie").id)
        assert (card.people, card.everybody, card.changeable) == (0, 1, True)
    with lite.sees("peeters") as directory:
        assert directory.branches(lite.entity["midi"]) == ()


# -- another name ---------------------------------------------------------------------------------


def test_a_new_name_is_what_its_users_are_found_by(register):
    old = ward(register, "Cathétérisme")
    outcome = register.does("janssens", RenameSubdivision(old.id, old.version, "Salle hybride"))
    assert isinstance(outcome, Done)
    with register.sees("delcourt") as directory:
        entity = register.entity["midi"]
        assert directory.users(entity, UserFilter(text="hybride")).total == 1
        assert directory.users(entity, UserFilter(text="catheterisme")).total == 0
        [item] = directory.change(outcome.number).items
        assert (item.key, item.other) == ("Salle hybride", "Cathétérisme")
    with register.database.read() as connection:
        [entry] = connection.execute(
            select(core(AuditEntry)).where(core(AuditEntry).c.act == "rename-subdivision")
        ).all()
    assert (entry.body["before"], entry.body["after"]) == (
        {"name": "Cathétérisme"},
        {"name": "Salle hybride"},
    )


def test_its_own_name_may_be_written_otherwise_but_is_not_the_same_again(lite):
    pharmacy = ward(lite, "Pharmacie")
    assert refused(lite.does("delcourt", RenameSubdivision(pharmacy.id, 1, "Pharmacie"))) == "act.ward.same"
    assert (
        refused(lite.does("delcourt", RenameSubdivision(pharmacy.id, 1, "cardiologie"))) == "act.ward.taken"
    )
    assert isinstance(lite.does("delcourt", RenameSubdivision(pharmacy.id, 1, "PHARMACIE")), Done)


def test_the_second_of_two_sees_what_the_first_has_changed(lite):
    old = ward(lite, "Pharmacie")
    first = lite.does("delcourt", RenameSubdivision(old.id, 1, "Apotheek"))
    outcome = lite.does("janssens", RenameSubdivision(old.id, 1, "Officine"))
    assert isinstance(outcome, Conflict)
    assert [(msg.key, msg.param("name"), msg.param("number")) for msg in outcome.differences] == [
        ("act.changed.ward_renamed", "Apotheek", first.number)
    ]
    again = RenameSubdivision(old.id, outcome.version, "Officine")
    assert isinstance(lite.does("janssens", again), Done)


# -- another place --------------------------------------------------------------------------------


def test_a_branch_hangs_elsewhere_with_all_that_hangs_on_it_and_others_manage_it_then(register):
    room, other = ward(register, "Cathétérisme"), ward(register, "Pharmacie")
    with register.sees("claes") as directory:
        assert directory.person(register.account["peeters"]) is not None
    outcome = register.does("delcourt", MoveSubdivision(room.id, 1, other.id, 1))
    assert isinstance(outcome, Done)
    with register.sees("claes") as directory:
        assert directory.person(register.account["peeters"]) is None
        assert [card.name for card in directory.branches(register.entity["midi"])] == ["Cardiologie"]
    with register.sees("delcourt") as directory:
        assert directory.subdivision(room.id).path == "Pharmacie › Cathétérisme"
        [item] = directory.change(outcome.number).items
        assert (item.other, item.people) == ("Pharmacie", 1)


def test_nothing_comes_to_hang_on_itself(lite):
    top, room = ward(lite, "Cardiologie"), ward(lite, "Cathétérisme")
    for within in (top.id, room.id):
        outcome = lite.does("delcourt", MoveSubdivision(top.id, 1, within, 1))
        assert (refused(outcome), outcome.step) == ("act.ward.itself", "within")
    assert refused(lite.does("delcourt", MoveSubdivision(top.id, 1, None, 1))) == "act.ward.there"


def test_two_who_hang_two_branches_on_each_other_make_no_circle(register):
    one, other = ward(register, "Cardiologie"), ward(register, "Pharmacie")
    requests = [MoveSubdivision(one.id, 1, other.id, 1), MoveSubdivision(other.id, 1, one.id, 1)]
    outcomes = []
    assert race(2, lambda n: outcomes.append(register.does("delcourt", requests[n]))) == []
    assert [isinstance(outcome, Done) for outcome in outcomes].count(True) == 1


# -- closed ---------------------------------------------------------------------------------------


def test_closing_a_branch_moves_its_users_ends_its_mandates_and_frees_its_name(register):
    register.does("delcourt", CreateSubdivision(register.quality[HOSPITAL], "Revalidation"))
    request = closing(register, "Cardiologie", "Pharmacie")
    assert (request.people, len(request.parts), len(request.mandates)) == (1, 1, 1)
    before = place_of(register, "peeters")
    outcome = does(register, "delcourt", request)
    assert outcome == Done("2026-000002", NOW)
    assert place_of(register, "peeters") == ward(register, "Pharmacie").id
    assert ward(register, "Cathétérisme").closed_at == NOW
    with register.sees("claes") as directory:
        assert directory.entities() == ()
    with register.sees("delcourt") as directory:
        entity = register.entity["midi"]
        names = {each.name for each in directory.subdivisions(entity)}
        assert names == {"Pharmacie", "Revalidation"}
        assert names == {post.name for post in directory.posts(entity) if post.subdivision}
        assert directory.users(entity, UserFilter(text="pharmacie")).total == 2
        assert directory.users(entity, UserFilter(text="catheterisme")).total == 0
        change = directory.change(outcome.number)
        assert (change.state, change.person, change.account) == ("done", "", "")
        assert [(item.kind, item.key) for item in change.items] == [
            ("close-subdivision", "Cardiologie"),
            ("close-subdivision", "Cathétérisme"),
            ("end-manager", "subdivision"),
            ("change-user", ""),
        ]
        assert directory.history(register.account["peeters"]).items[0].number == outcome.number
    with register.database.read() as connection:
        [moved] = connection.execute(select(ITEMS).where(ITEMS.c.kind == "change-user")).all()
    assert (moved.before["subdivision"], moved.after["account_version"]) == (before, 2)
    again = register.does("delcourt", CreateSubdivision(register.quality[HOSPITAL], "Cardiologie"))
    assert isinstance(again, Done), "the name is free"


def test_users_may_go_into_none_and_who_was_deleted_keeps_his_place(lite):
    gone = ActOnUsers("delete", ((lite.account["peeters2"], 1),), reason="parti")
    lite.does("delcourt", gone)
    lite.does(
        "delcourt", ActOnUsers("move", ((lite.account["dubois"], 1),), subdivision=ward(lite, "Pharmacie").id)
    )
    lite.does("delcourt", ActOnUsers("block", ((lite.account["dubois"], 2),)))
    request = closing(lite, "Pharmacie")
    assert request.people == 1
    assert isinstance(lite.does("delcourt", request), Done)
    assert place_of(lite, "dubois") is None
    assert place_of(lite, "peeters2") == request.subdivision


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("people", 0, "act.changed.ward_people"),
        ("parts", (), "act.changed.ward_parts"),
        ("mandates", (), "act.changed.ward_mandates"),
        ("version", 0, "act.changed.other"),
    ],
)
def test_what_the_manager_has_not_seen_does_not_go_with_it(lite, field, value, expected):
    request = replace(closing(lite, "Cardiologie"), **{field: value})
    outcome = does(lite, "delcourt", request)
    assert isinstance(outcome, Conflict)
    assert [msg.key for msg in outcome.differences] == [expected]
    assert ward(lite, "Cardiologie").closed_at is None


def test_ending_a_mandate_takes_a_proof_and_so_do_more_than_ten_people(lite):
    with_mandate, plain = closing(lite, "Cardiologie"), closing(lite, "Pharmacie")
    assert takes_proof(with_mandate)
    assert refused(lite.does("delcourt", with_mandate)) == "proof.no_pages"
    assert not takes_proof(plain)
    assert not takes_proof(replace(plain, people=10))
    assert takes_proof(replace(plain, people=11))
    assert takes_proof(MoveSubdivision("x", 1, None, 11))
    assert not takes_proof(MoveSubdivision("x", 1, None, 10))


def test_nobody_ends_his_own_mandate_so_nor_does_his_deputy(lite):
    """Janssens, who manages the quality, gets a mandate over the pharmacy too; Anne then may close it, he may not."""
    with lite.database.write() as connection:
        connection.execute(
            insert(MANDATES).values(
                id="own", identity_id=lite.person["janssens"], role="subdivision", entity_id=lite.entity["midi"],
                quality_id=lite.quality[HOSPITAL], subdivision_id=ward(lite, "Pharmacie").id, recorded_at=NOW,
            )
        )  # fmt: skip
    request = closing(lite, "Pharmacie")
    assert refused(does(lite, "janssens", request)) == "rights.own_mandate"
    deputy = AppointDeputy(lite.entity["midi"], lite.account["dubois"], TODAY, TODAY)
    assert isinstance(does(lite, "janssens", deputy), Done)
    assert refused(does(lite, "dubois", request)) == "rights.own_mandate", "nor does his deputy"
    assert isinstance(does(lite, "delcourt", request), Done)


def test_nobody_moves_himself_by_closing_while_others_could(lite):
    ward_id = ward(lite, "Pharmacie").id
    with lite.database.write() as connection:
        own = ACCOUNTS.c.id == lite.account["delcourt"]
        connection.execute(update(ACCOUNTS).where(own).values(subdivision_id=ward_id))
    assert refused(lite.does("delcourt", closing(lite, "Pharmacie"))) == "rights.own_access"
    assert isinstance(lite.does("janssens", closing(lite, "Pharmacie")), Done)


def test_users_go_nowhere_that_is_not_the_managers_or_is_closed(lite):
    room = "Cathétérisme"
    for heir in (None, "Pharmacie"):
        assert refused(does(lite, "claes", closing(lite, room, heir))) == "rights.not_allowed"
    assert refused(does(lite, "claes", closing(lite, room, "Bloc"))) == "rights.not_allowed"
    outcome = does(lite, "delcourt", closing(lite, "Cardiologie", room))
    assert (refused(outcome), outcome.step) == ("act.users.ward_closed", "heir")
    assert isinstance(does(lite, "claes", closing(lite, room, "Cardiologie")), Done)
    assert place_of(lite, "peeters") == ward(lite, "Cardiologie").id


def test_closed_is_closed(lite):
    request = closing(lite, "Pharmacie")
    lite.does("delcourt", request)
    for again in (
        request,
        RenameSubdivision(request.subdivision, 2, "A"),
        MoveSubdivision(request.subdivision, 2, ward(lite, "Cardiologie").id),
    ):
        outcome = lite.does("delcourt", again)
        assert (refused(outcome), outcome.step) == ("act.ward.closed", "ward")
    below = CreateSubdivision(lite.quality[HOSPITAL], "A", request.subdivision)
    assert refused(lite.does("delcourt", below)) == "act.users.ward_closed"
    appoint = AppointManager(
        "subdivision", lite.entity["midi"], lite.account["dubois"], TODAY,
        quality=lite.quality[HOSPITAL], subdivision=request.subdivision,
    )  # fmt: skip
    assert refused(does(lite, "delcourt", appoint)) == "rights.not_allowed"


def test_more_than_are_moved_at_once_are_too_many(lite):
    pharmacy = ward(lite, "Pharmacie").id
    with lite.database.write() as connection:
        [person] = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == lite.account["peeters2"])).all()
        [known] = connection.execute(select(PROFILES).where(PROFILES.c.id == person.profile_id)).all()
        for number in range(MOST_MOVED):
            key = f"p{number}"
            connection.execute(insert(IDENTITIES).values(id=key, key=key, created_at=NOW))
            connection.execute(insert(PROFILES).values({**known._mapping, "id": key, "identity_id": key}))
            own = {"id": key, "profile_id": key, "username": key, "username_fold": key}
            connection.execute(insert(ACCOUNTS).values({**person._mapping, **own}))
    request = closing(lite, "Pharmacie")
    assert request.people == MOST_MOVED + 1
    assert refused(does(lite, "delcourt", request)) == "act.ward.too_many"
    with lite.database.write() as connection:
        connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == "p0").values(subdivision_id=None))
    assert isinstance(does(lite, "delcourt", closing(lite, "Pharmacie")), Done)
    with lite.database.read() as connection:
        assert (
            connection.execute(select(ACCOUNTS.c.id).where(ACCOUNTS.c.subdivision_id == pharmacy)).all() == []
        )


# -- two at the same time -------------------------------------------------------------------------


def test_two_who_make_the_same_name_make_one(register):
    quality, outcomes = register.quality[HOSPITAL], []

    def work(number: int) -> None:
        name = ("Revalidation", "REVALIDATION")[number]
        outcomes.append(register.does("delcourt", CreateSubdivision(quality, name)))

    assert race(2, work) == []
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Done", "Refused"]


def test_closing_meets_whoever_comes_in_or_begins_to_manage_there(register):
    """Whatever comes first: nobody is left in a closed subdivision, and nobody manages one (`check_places`)."""
    pharmacy = ward(register, "Pharmacie").id
    entity, quality = register.entity["midi"], register.quality[HOSPITAL]
    requests = [
        ("delcourt", closing(register, "Pharmacie")),
        ("janssens", ActOnUsers("move", ((register.account["dubois"], 1),), subdivision=pharmacy)),
        (
            "janssens",
            AppointManager("subdivision", entity, register.account["dubois"], TODAY, quality=quality, subdivision=pharmacy),
        ),
        ("delcourt", RenameSubdivision(pharmacy, 1, "Apotheek")),
    ]  # fmt: skip
    for who, _ in requests:
        with register.work(who) as work:
            opened(work)
    assert race(len(requests), lambda n: does(register, *requests[n])) == []


def test_closing_meets_a_new_user_of_its_manager(register):
    """Claes' mandate ends with it: his new user is in before, or is refused."""
    requests = [
        ("delcourt", closing(register, "Cardiologie")),
        ("claes", CreateUser(register.quality[HOSPITAL], newcomer())),
    ]
    for who, _ in requests:
        with register.work(who) as work:
            opened(work)
    outcomes = []
    assert race(2, lambda n: outcomes.append(does(register, *requests[n]))) == []
    assert any(isinstance(outcome, Done) for outcome in outcomes)


# -- on the portal --------------------------------------------------------------------------------


def test_on_the_portal_it_is_noted_and_to_do_there(lite):
    quality = lite.quality[QUAI]
    outcome = lite.does("kaai", CreateSubdivision(quality, "Salle 2", ward(lite, "Bloc").id))
    assert outcome == Done("2026-000001", None)
    with lite.sees("kaai") as directory:
        [visit] = directory.visits()
        assert (visit.id, visit.changes, visit.people) == (quality, 1, 0)
        [sheet] = directory.visit(visit.id)
        assert (sheet.change.state, sheet.quality_key) == ("to_do", "hospital")
        assert directory.change(outcome.number).state == "to_do"
    assert isinstance(lite.does("kaai", MarkDone(outcome.number)), Done)
    with lite.sees("kaai") as directory:
        assert directory.visits() == ()
        assert directory.change(outcome.number).state == "done"


def test_on_the_portal_each_mandate_that_ends_is_a_change_of_its_own(lite):
    made = lite.does("kaai", CreateUser(lite.quality[QUAI], newcomer()))
    lite.does("kaai", ActOnUsers("move", ((made.account, 1),), subdivision=ward(lite, "Salle 1").id))
    appoint = AppointManager(
        "subdivision", lite.entity["quai"], made.account, TODAY,
        quality=lite.quality[QUAI], subdivision=ward(lite, "Bloc").id,
    )  # fmt: skip
    assert isinstance(does(lite, "kaai", appoint), Done)
    outcome = does(lite, "kaai", closing(lite, "Bloc"))
    assert isinstance(outcome, Done)
    assert outcome.due is None
    with lite.sees("kaai") as directory:
        closed = directory.change(outcome.number)
        assert [(item.kind, item.key, item.people) for item in closed.items] == [
            ("close-subdivision", "Bloc", 0),
            ("close-subdivision", "Salle 1", 1),
        ]
        year, number = outcome.number.split("-")
        ended, moved = (directory.change(f"{year}-{int(number) + n:06d}") for n in (1, 2))
        assert ([item.kind for item in ended.items], ended.state) == (["end-manager"], "to_do")
        assert ([item.kind for item in moved.items], moved.state) == (["change-user"], "active")
    assert isinstance(lite.does("kaai", MarkDone(outcome.number)), Done)


def test_who_manages_a_branch_of_the_portal_does_his_own_changes_there(lite):
    with lite.database.write() as connection:
        place = {"entity_id": lite.entity["quai"], "quality_id": lite.quality[QUAI]}
        for key, name in (("claes", "Bloc"), ("groep", "Salle 1")):
            connection.execute(
                insert(MANDATES).values(
                    id=f"m-{key}", identity_id=lite.person[key], role="subdivision", recorded_at=NOW,
                    subdivision_id=ward(lite, name).id, **place,
                )
            )  # fmt: skip
    outcome = lite.does("claes", CreateSubdivision(lite.quality[QUAI], "Salle 2", ward(lite, "Bloc").id))
    with lite.sees("groep") as directory:
        assert directory.change(outcome.number) is None
        assert directory.visits() == ()
    assert refused(lite.does("groep", MarkDone(outcome.number))) == "rights.not_allowed"
    with lite.sees("claes") as directory:
        assert [visit.changes for visit in directory.visits()] == [1]
        assert directory.recent_changes()[0].number == outcome.number
    assert isinstance(lite.does("claes", MarkDone(outcome.number)), Done)


def test_a_refusal_leaves_nothing_behind(lite):
    with lite.work("delcourt") as work, pytest.raises(Refusal):
        create_subdivision(work, CreateSubdivision(lite.quality[HOSPITAL], "Pharmacie"))
    with lite.database.read() as connection:
        assert connection.execute(select(CHANGES)).all() == []
    assert isinstance(lite.does("delcourt", EndMandate("gone", "subdivision", lite.entity["midi"])), Refused)
