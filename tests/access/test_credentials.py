"""User names: taken, refused, proposed. Passwords: checked on the private page, recognised in the chat."""

import re
import time
from itertools import islice

import pytest
from bot.access import credentials as cred
from bot.access.credentials import PasswordPolicy, UsernamePolicy
from bot.errors import Invalid
from hypothesis import given
from hypothesis import strategies as st
from tests.access.belgian_names import NAMES
from tests.access.saying import refused, said

NAMES_POLICY = UsernamePolicy()
PASSWORDS = PasswordPolicy()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("jpeeters", "jpeeters"),
        (" JPeeters ", "jpeeters"),
        ("jan.peeters-2_b", "jan.peeters-2_b"),
        ("x" * 32, "x" * 32),
    ],
)
def test_a_user_name_is_kept_in_lower_case(text, name):
    assert cred.check_username(text, NAMES_POLICY) == name


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "username.too_short"),
        ("peete", "username.too_short"),
        ("x" * 33, "username.too_long"),
        ("jan peeters", "username.space"),
        ("jpéeters", "username.signs"),
        ("jpeeters!", "username.signs"),
        ("jpeеters", "username.signs"),  # a Cyrillic е
        ("jpeeters\u200b", "username.signs"),
        ("u79082399728", "username.number"),
        ("790823-997-28", "username.number"),
    ],
)
def test_each_fault_of_a_user_name_has_its_sentence(text, key):
    assert refused(lambda: cred.check_username(text, NAMES_POLICY)).key == key


def test_the_policy_of_user_names_is_a_setting():
    policy = UsernamePolicy(shortest=2, longest=4, signs="")
    assert cred.check_username("ab", policy) == "ab"
    assert refused(lambda: cred.check_username("abcde", policy)).key == "username.too_long"
    assert (
        refused(lambda: cred.check_username("a.b", UsernamePolicy(shortest=2, signs="-"))).key
        == "username.signs"
    )


def test_an_unusual_user_name_gets_a_warning_and_a_usual_one_none():
    assert cred.username_warning("jpeeters", NAMES_POLICY) is None
    assert said(cred.username_warning("jan.peeters", NAMES_POLICY))


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("Jan", "Peeters", ["jpeeters", "japeeter", "janpeete"]),
        ("Tom", "Li", ["tomli001", "tomli002", "tomli003"]),
        ("Søren", "Łukaszewicz", ["slukasze", "solukasz", "sorlukas"]),
        ("", "Suharto", ["suharto1", "suharto2", "suharto3"]),
        ("伟", "李", ["user0001", "user0002", "user0003"]),
    ],
)
def test_user_names_are_proposed_from_the_name(first, last, expected):
    assert list(islice(cred.propose_usernames(first, last, NAMES_POLICY), 3)) == expected


@pytest.mark.parametrize(("last", "first"), NAMES)
def test_a_hundred_proposals_for_each_name_are_distinct_and_taken_by_the_policy(last, first):
    proposals = list(islice(cred.propose_usernames(first, last, NAMES_POLICY), 100))
    assert len(set(proposals)) == 100
    assert all(re.fullmatch("[a-z][a-z0-9]{7}", name) for name in proposals)
    assert all(
        cred.check_username(name, NAMES_POLICY) == name and cred.username_warning(name, NAMES_POLICY) is None
        for name in proposals
    )


@given(st.text(max_size=20), st.text(max_size=20), st.integers(6, 12))
def test_any_two_texts_lead_to_user_names_of_the_length_asked_for(first, last, length):
    proposals = list(islice(cred.propose_usernames(first, last, UsernamePolicy(proposed=length)), 30))
    assert len(set(proposals)) == 30
    assert all(re.fullmatch(f"[a-z][a-z0-9]{{{length - 1}}}", name) for name in proposals)


def test_proposals_end_only_when_every_number_is_used():
    assert len(list(cred.propose_usernames("", "Li", UsernamePolicy(proposed=4)))) == 999


# ── passwords ──


@pytest.mark.parametrize(
    "text", ["correct horse battery", "veló-lampe-citron", "aK8dPq2x!zW4", "p" * 3 + "ünktliche Züge"]
)
def test_a_long_password_of_other_words_is_taken(text):
    cred.check_password(text, PASSWORDS, username="jpeeters", names=["Peeters", "Jan"])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("short", "password.too_short"),
        ("x" * 129, "password.too_long"),
        ("correct\u200bhorse battery", "password.invisible"),
        ("my-jpeeters-login", "password.personal"),
        ("de familie PEETERS", "password.personal"),
        ("aaaaaaaaaaaaaa", "password.simple"),
        ("Password1234!", "password.common"),
        ("azertyuiop123456", "password.common"),
        ("Welkom123456", "password.common"),
        ("2026 Bonjour!", "password.common"),
        ("voyage à Péeters", "password.personal"),
        ("trustno1trustno1", "password.simple"),
        ("123qwe123qwe123qwe", "password.simple"),
        ("hôpitauxdumidi26", "password.simple"),
    ],
)
def test_each_weak_password_has_its_sentence(text, key):
    assert (
        refused(
            lambda: cred.check_password(
                text,
                PASSWORDS,
                username="jpeeters",
                names=["Peeters", "Jan"],
                around=["Hôpitaux du Midi"],
            )
        ).key
        == key
    )


def test_the_name_of_the_house_may_stand_among_other_words():
    cred.check_password(
        "lampion midi fietsen", PASSWORDS, username="jpeeters", names=["Peeters"], around=["Hôpitaux du Midi"]
    )


def test_a_password_as_long_as_can_be_is_judged_at_once():
    text = "".join(chr(ord("a") + number * 7 % 26) for number in range(128))
    begun = time.process_time()
    with pytest.raises(Invalid):
        cred.check_password("aB1" * 42, PASSWORDS, username="jpeeters")
    cred.check_password(text[:64] + " lampion fietsen", PASSWORDS, username="jpeeters")
    assert time.process_time() - begun < 5


def test_a_short_particle_of_a_name_does_not_forbid_words_that_contain_it():
    cred.check_password("vandaag fietsen lampion", PASSWORDS, username="jvandeve", names=["Van de Velde"])


@pytest.mark.parametrize(
    "text",
    [
        "Welkom2026!",
        "aK8dPq2x",
        "Tx7#kq9Lm",
        "mot de passe : abcd",
        "wachtwoord is: zomer",
        "Mon mdp = soleil12",
        "Kennwort: x9x9",
        "motdepasse: zomer",
        "Mijn wachtwoord is zomer2026",
        "ww = geheim",
    ],
)
def test_an_answer_like_a_password_is_recognised(text):
    assert cred.looks_like_password(text)


@pytest.mark.parametrize(
    "text",
    [
        "Colindos",
        "Peeters-Jan",
        "Marie-Louise2",
        "jan.peeters@example.org",
        "Jan.P33ters@Example.org",
        "https://A1.example/x",
        "79.08.23-997.28",
        "710999-11",
        "2026-000123",
        "25.2.2027",
        "Campus2026",
        "j'ai oublié mon mot de passe",
        "Mon mot de passe est oublié",
        "Ist das Kennwort ist abgelaufen richtig",
        "+3",
        "",
    ],
)
def test_other_answers_are_not_taken_for_a_password(text):
    assert not cred.looks_like_password(text)


@pytest.mark.parametrize(("last", "first"), NAMES)
def test_no_name_and_no_proposed_user_name_is_taken_for_a_password(last, first):
    assert not any(
        map(
            cred.looks_like_password,
            [last, first, f"{last} {first}", *islice(cred.propose_usernames(first, last, NAMES_POLICY), 20)],
        )
    )
