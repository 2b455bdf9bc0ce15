"""The matrix, cell by cell, and what must hold for every combination of mandate, act and target."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from bot.access import rights
from bot.access.rights import Act, MandateScope, Role, Target
from bot.i18n import speaker
from bot.msg import LANGUAGES
from hypothesis import given
from hypothesis import strategies as st
from tests.access.saying import refused, said
from tests.strategies import TODAY

ME, OTHER = "me", "other"

# domain.md 1.3 once more, in letters: Legal representative, Responsible, Co-responsible, lOcal, Group,
# Subdivision, Auditor, User; the open cells as product.md S2 decides them
WHO = {
    "appoint_responsible": "L",
    "appoint_co_responsible": "R",
    "appoint_local": "RC",
    "appoint_co_local": "RCO",
    "appoint_group": "RCO",
    "appoint_subdivision": "RCOS",
    "appoint_auditor": "R",
    "appoint_deputy": "RCOGSA",
    "activate_quality": "RC",
    "manage_subdivisions": "RCOS",
    "read_entity": "LRCOGSA",
    "view_status": "RCOGSA",
    "list_users": "RCOGSA",
    "find_by_number": "RCOGSA",
    "export_users": "RCOGSA",
    "export_national_numbers": "RCO",
    "create_user": "RCOGS",
    "change_user": "RCOGS",
    "invite_user": "RCOGS",
    "hand_code": "RCOGS",
    "block_user": "RCOGS",
    "end_sessions": "RCOGS",
    "delete_user": "RCOGS",
    "import_users": "RCOGS",
    "give_access": "RCOGS",
    "end_access": "RCOGS",
    "assign_function": "RCO",
    "end_function": "RCO",
    "link_responsible": "RCO",
    "hand_over": "RCOGS",
    "approve_request": "RCOGS",
    "review_access": "RCO",
    "reconcile": "RCO",
    "read_audit": "RCA",
    "export_person_data": "RCA",
    "erase_person": "R",
    "keep_certificates": "RC",
    "own_data": "LRCOGSAU",
    "own_address": "LRCOGSAU",
    "own_access": "LRCOGSAU",
    "request_access": "LRCOGSAU",
}
LETTERS = dict(zip("LRCOGSAU", Role, strict=True))
OWN = {Act.OWN_DATA, Act.OWN_ADDRESS, Act.OWN_ACCESS, Act.REQUEST_ACCESS}
LOOKING = {
    *(
        "activate_quality",
        "manage_subdivisions",
        "read_entity",
        "view_status",
        "list_users",
        "find_by_number",
    ),
    *(
        "export_users",
        "export_national_numbers",
        "hand_over",
        "reconcile",
        "read_audit",
        "export_person_data",
    ),
    "keep_certificates",
}
"""What changes nothing of a person's access or mandate: he is in it like everybody else."""
ACCESS = {
    *("create_user", "change_user", "invite_user", "hand_code", "block_user", "delete_user", "import_users"),
    *("give_access", "end_access", "assign_function", "end_function", "link_responsible", "review_access"),
    "erase_person",
}
"""What changes his access: his own only where nobody else could."""


def mandate(role: Role, **changes) -> MandateScope:
    """A mandate as narrow as its role, in entity midi, quality hospital, subdivision cardio."""
    scope = {"entity": "midi"}
    if role in {Role.LOCAL, Role.GROUP, Role.SUBDIVISION}:
        scope["quality"] = "hospital"
    if role is Role.SUBDIVISION:
        scope["subdivision"] = "cardio"
    return MandateScope(role, **scope | changes)


HERE = Target(entity="midi", quality="hospital", subdivisions=("cardio",), enterprise="iris", person=OTHER)


def may(mandates, act, target=HERE, *, today=TODAY) -> bool:
    return rights.allowed(mandates, act, target, actor=ME, today=today)


def test_the_table_is_the_one_that_was_decided():
    assert {act.value: rights.roles_allowed(act) for act in Act} == {
        act: frozenset(LETTERS[letter] for letter in letters) for act, letters in WHO.items()
    }


@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_within_its_scope_what_the_table_says_and_nothing_else(role):
    done = {act for act in Act if act not in OWN and may([mandate(role)], act)}
    assert (
        done
        == {Act(act) for act, letters in WHO.items() if role in {LETTERS[letter] for letter in letters}} - OWN
    )


@pytest.mark.parametrize("act", sorted(OWN))
def test_everybody_may_act_on_his_own_data_and_nobody_on_anothers_by_that_right(act):
    assert rights.allowed([], act, Target(entity="midi", person=ME), actor=ME, today=TODAY)
    assert not may([mandate(Role.RESPONSIBLE)], act)


@pytest.mark.parametrize(
    ("scope", "target", "expected"),
    [
        (mandate(Role.RESPONSIBLE), Target(entity="midi"), True),
        (mandate(Role.RESPONSIBLE), Target(entity="midi", quality="health-care"), True),
        (mandate(Role.RESPONSIBLE), Target(entity="aube", quality="hospital"), False),
        (mandate(Role.RESPONSIBLE), Target(enterprise="iris"), False),
        (MandateScope(Role.RESPONSIBLE, enterprise="iris"), Target(entity="midi", enterprise="iris"), True),
        (MandateScope(Role.RESPONSIBLE, enterprise="iris"), Target(enterprise="iris"), True),
        (MandateScope(Role.RESPONSIBLE, enterprise="iris"), Target(entity="aube", enterprise="rosa"), False),
        (MandateScope(Role.RESPONSIBLE, enterprise="iris"), Target(entity="aube"), False),
        (mandate(Role.LOCAL), Target(entity="midi", quality="hospital"), True),
        (mandate(Role.LOCAL), Target(entity="midi", quality="health-care"), False),
        (mandate(Role.LOCAL), Target(entity="midi"), False),
        (mandate(Role.GROUP), Target(entity="midi", quality="health-care"), False),
        (
            mandate(Role.SUBDIVISION),
            Target(entity="midi", quality="hospital", subdivisions=("cardio", "unit-2")),
            True,
        ),
        (
            mandate(Role.SUBDIVISION),
            Target(entity="midi", quality="hospital", subdivisions=("pharma",)),
            False,
        ),
        (mandate(Role.SUBDIVISION), Target(entity="midi", quality="hospital"), False),
    ],
)
def test_a_mandate_reaches_exactly_its_scope(scope, target, expected):
    assert may([scope], Act.LIST_USERS, target) is expected


def test_every_manager_reads_the_entity_that_his_quality_belongs_to():
    assert may([mandate(Role.SUBDIVISION)], Act.READ_ENTITY, Target(entity="midi"))
    assert not may([mandate(Role.SUBDIVISION)], Act.READ_ENTITY, Target(entity="aube"))


@pytest.mark.parametrize(
    "scope",
    [
        MandateScope(Role.RESPONSIBLE),
        MandateScope(Role.LOCAL, entity="midi"),
        MandateScope(Role.GROUP, enterprise="iris", quality="hospital"),
        MandateScope(Role.SUBDIVISION, entity="midi", quality="hospital"),
        MandateScope(Role.SUBDIVISION, entity="midi", subdivision="cardio"),
    ],
)
def test_a_mandate_that_is_wider_than_its_role_counts_for_nothing(scope):
    assert [act for act in Act if may([scope], act)] == []


@pytest.mark.parametrize(
    ("since", "until", "counts"),
    [
        (None, None, True),
        (TODAY, TODAY, True),
        (TODAY + timedelta(days=1), None, False),
        (date(2020, 1, 1), TODAY - timedelta(days=1), False),
        (date(2020, 1, 1), TODAY + timedelta(days=1), True),
    ],
)
def test_only_mandates_of_today_count(since, until, counts):
    assert may([mandate(Role.RESPONSIBLE, since=since, until=until)], Act.GIVE_ACCESS) is counts


def test_two_mandates_add_up_and_do_not_mix():
    both = [mandate(Role.AUDITOR), mandate(Role.LOCAL, entity="aube")]
    assert may(both, Act.READ_AUDIT)
    assert may(both, Act.GIVE_ACCESS, Target(entity="aube", quality="hospital"))
    assert not may(both, Act.GIVE_ACCESS)
    assert not may(both, Act.READ_AUDIT, Target(entity="aube", quality="hospital"))


def test_the_mandates_that_allow_an_act_tell_where_to_look():
    local, auditor = mandate(Role.LOCAL), mandate(Role.AUDITOR, entity="aube")
    past = mandate(Role.RESPONSIBLE, until=date(2020, 1, 1))
    assert rights.mandates_for([local, auditor, past], Act.LIST_USERS, today=TODAY) == (local, auditor)
    assert rights.mandates_for([local, auditor, past], Act.GIVE_ACCESS, today=TODAY) == (local,)


# ── about oneself ──


def myself(**changes) -> Target:
    return Target(
        **{"entity": "midi", "quality": "hospital", "subdivisions": ("cardio",), "person": ME} | changes
    )


@pytest.mark.parametrize("act", [act for act in Act if act.startswith("appoint_")])
@pytest.mark.parametrize("only", [False, True])
def test_nobody_changes_his_own_mandate(act, only):
    mandates = [mandate(role) for role in Role]
    msg = refused(lambda: rights.require(mandates, act, myself(only_manager=only), actor=ME, today=TODAY))
    assert msg.key == "rights.own_mandate"


def test_nobody_approves_his_own_request():
    mandates = [mandate(Role.RESPONSIBLE)]
    msg = refused(
        lambda: rights.require(
            mandates, Act.APPROVE_REQUEST, myself(only_manager=True), actor=ME, today=TODAY
        )
    )
    assert msg.key == "rights.own_request"


@pytest.mark.parametrize(
    "act",
    [Act.GIVE_ACCESS, Act.END_ACCESS, Act.ASSIGN_FUNCTION, Act.BLOCK_USER, Act.CHANGE_USER, Act.CREATE_USER],
)
def test_a_manager_gives_himself_access_only_where_he_is_the_only_one(act):
    mandates = [mandate(Role.CO_RESPONSIBLE)]
    msg = refused(lambda: rights.require(mandates, act, myself(), actor=ME, today=TODAY))
    assert msg.key == "rights.own_access"
    rights.require(mandates, act, myself(only_manager=True), actor=ME, today=TODAY)


def test_a_manager_sees_himself_in_his_lists():
    assert may([mandate(Role.LOCAL)], Act.LIST_USERS, myself())


def test_being_the_only_manager_gives_no_right_that_the_role_lacks():
    assert not may([mandate(Role.GROUP)], Act.ASSIGN_FUNCTION, myself(only_manager=True))
    assert not may([], Act.GIVE_ACCESS, myself(only_manager=True))


@pytest.mark.parametrize("target", [HERE, myself(), Target(entity="nowhere")])
def test_what_is_not_allowed_and_what_does_not_exist_get_the_same_answer(target):
    msg = refused(
        lambda: rights.require([mandate(Role.AUDITOR)], Act.GIVE_ACCESS, target, actor=ME, today=TODAY)
    )
    assert said(msg)["fr"] == "Votre rôle ne permet pas cet acte. Adressez-vous au responsable de l'entité."


# ── properties ──

ids = st.sampled_from(["a", "b"])
maybe = st.none() | ids
scopes = st.builds(
    MandateScope,
    st.sampled_from(Role),
    entity=maybe,
    quality=maybe,
    subdivision=maybe,
    enterprise=maybe,
    since=st.none() | st.sampled_from([TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=1)]),
    until=st.none() | st.sampled_from([TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=1)]),
)
targets = st.builds(
    Target,
    entity=maybe,
    quality=maybe,
    subdivisions=st.lists(ids, max_size=2, unique=True).map(tuple),
    enterprise=maybe,
    person=st.sampled_from([None, ME, OTHER]),
    only_manager=st.booleans(),
)
acts = st.sampled_from([act for act in Act if act not in OWN])


@given(st.lists(scopes, max_size=3), acts, targets)
def test_whatever_is_allowed_lies_within_one_valid_mandate(mandates, act, target):
    if not may(mandates, act, target):
        return
    reasons = [
        one
        for one in mandates
        if one.role in rights.roles_allowed(act)
        and (one.since is None or one.since <= TODAY)
        and (one.until is None or one.until >= TODAY)
        and (
            one.entity == target.entity
            if one.entity
            else one.enterprise and one.enterprise == target.enterprise
        )
        and (act is Act.READ_ENTITY or one.quality in {None, target.quality})
        and (act is Act.READ_ENTITY or one.subdivision is None or one.subdivision in target.subdivisions)
    ]
    assert reasons
    assert not (act.startswith("appoint_") and target.person == ME)


@given(st.lists(scopes, max_size=3), st.sampled_from(Act), targets)
def test_whatever_one_may_do_to_oneself_is_ones_own_or_done_alone_and_never_in_anothers_name(
    mandates, act, target
):
    """`scopes` may be somebody else's: then the person is not to be touched by what he lent."""
    mine = replace(target, person=ME)
    if may(mandates, act, mine) and act not in OWN:
        assert act in LOOKING or (act in ACCESS and mine.only_manager)
    lent = [replace(mandate, principal=OTHER) for mandate in mandates]
    if may(lent, act, replace(target, person=OTHER)):
        assert act in LOOKING


@given(st.lists(scopes, max_size=3), st.sampled_from(Act), targets)
def test_to_be_alone_matters_for_oneself_only(mandates, act, target):
    """And gives no act that a colleague in the same place would not have over the person."""
    alone, not_alone = (replace(target, only_manager=only) for only in (True, False))
    if target.person != ME:
        assert may(mandates, act, alone) == may(mandates, act, not_alone)
    elif may(mandates, act, alone) and act not in OWN:
        assert may(mandates, act, replace(target, person=OTHER))


@given(st.lists(scopes, max_size=3), st.lists(scopes, max_size=2), acts, targets)
def test_a_further_mandate_never_takes_a_right_away(mandates, more, act, target):
    assert may(mandates + more, act, target) or not may(mandates, act, target)


@given(st.lists(scopes, max_size=3), st.sampled_from(Act), targets)
def test_require_refuses_exactly_what_is_not_allowed(mandates, act, target):
    if may(mandates, act, target):
        rights.require(mandates, act, target, actor=ME, today=TODAY)
    else:
        assert refused(lambda: rights.require(mandates, act, target, actor=ME, today=TODAY)).key.startswith(
            "rights."
        )


@pytest.mark.parametrize("role", Role)
def test_a_role_has_its_words_in_every_language(role):
    for lang in LANGUAGES:
        assert speaker(lang).plain(role.label)[0].isupper()
        assert speaker(lang).plain(role.short)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("erase_person ", "#", "not a valid Act"),
        (" x ", " y ", "unknown cell"),
        ("erase_person ", "own_data ", "lacks an act"),
        (" auditor user", " auditor", "zip"),
    ],
)
def test_a_matrix_with_a_hole_is_refused_at_import(old, new, reason):
    with pytest.raises(ValueError, match=reason):
        rights._read(rights.MATRIX.replace(old, new, 1))
