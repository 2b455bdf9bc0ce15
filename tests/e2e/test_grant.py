"""The whole main job, end to end over HTTP, in each language: a new collaborator, a known person, a portal's entity."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, BINDINGS, CHANGES
from sqlalchemy import select
from tests.e2e.world import Driver, today

WORDS = {
    "fr": {
        "language": "Français", "privacy": "Vie privée", "read": "J'ai lu", "hello": "Bonjour Bram",
        "give": "Donner un accès", "entity": "Pour quelle entité ?", "midi": "Hôpitaux du Midi", "quai": "Hôpital du Quai",
        "who": "À qui ?", "new": "Nouvel utilisateur", "last": "Son nom ?", "first": "Son prénom ?", "email": "adresse e-mail ?",
        "applications": "Quelles applications ?", "next": "Suivant", "profession": "Cette personne est…",
        "collaborator": "Collaborateur médecin", "start": "Date de début ?", "tomorrow": "Demain", "recap": "Récapitulatif",
        "confirm": "Confirmer", "recorded": "Enregistré sous le n°", "steps": "Étapes sur le portail", "noted": "encore à faire sur le portail",
        "done": "Fait", "delivered": "fait sur le portail", "active": "est actif", "see": "Voir", "state": "actif",
    },
    "nl": {
        "language": "Nederlands", "privacy": "Privacy", "read": "Gelezen", "hello": "Bram",
        "give": "Toegang geven", "entity": "Voor welke entiteit?", "midi": "Ziekenhuizen van het Z", "quai": "Kaaiziekenhuis",
        "who": "Aan wie?", "new": "Nieuwe gebruiker", "last": "Wat is de naam?", "first": "de voornaam?", "email": "e-mailadres?",
        "applications": "Welke toepassingen?", "next": "Volgende", "profession": "Deze persoon is…",
        "collaborator": "Medewerker arts", "start": "Begindatum?", "tomorrow": "Morgen", "recap": "Overzicht",
        "confirm": "Bevestigen", "recorded": "Geregistreerd", "steps": "Stappen op het portaal", "noted": "op het portaal",
        "done": "Gedaan", "delivered": "portaal", "active": "is actief", "see": "Bekijken", "state": "actief",
    },
    "de": {
        "language": "Deutsch", "privacy": "Datenschutz", "read": "Gelesen", "hello": "Bram",
        "give": "Zugang geben", "entity": "Für welche Einheit?", "midi": "Krankenhäuser des S", "quai": "Kaikrankenhaus",
        "who": "An wen?", "new": "Neuer Benutzer", "last": "Wie lautet der Name?", "first": "der Vorname?", "email": "E-Mail-Adresse?",
        "applications": "Welche Anwendungen?", "next": "Weiter", "profession": "Diese Person ist…",
        "collaborator": "Mitarbeiter Facharzt", "start": "Anfangsdatum?", "tomorrow": "Morgen", "recap": "Zusammenfassung",
        "confirm": "Bestätigen", "recorded": "Gespeichert", "steps": "Schritte im Portal", "noted": "Portal",
        "done": "Erledigt", "delivered": "Portal", "active": "ist aktiv", "see": "Ansehen", "state": "aktiv",
    },
    "en": {
        "language": "English", "privacy": "Privacy", "read": "I have read", "hello": "Bram",
        "give": "Give access", "entity": "For which entity?", "midi": "Southern Hospitals", "quai": "Quay Hospital",
        "who": "Who is it for?", "new": "New user", "last": "What is the last name?", "first": "first name?", "email": "e-mail address?",
        "applications": "Which applications?", "next": "Next", "profession": "This person is…",
        "collaborator": "Collaborator, physician", "start": "Start date?", "tomorrow": "Tomorrow", "recap": "Summary",
        "confirm": "Confirm", "recorded": "Recorded", "steps": "Steps on the portal", "noted": "portal",
        "done": "Done", "delivered": "portal", "active": "is active", "see": "View", "state": "active",
    },
}  # fmt: skip
NEW = {
    "fr": ("Vermeulen", "Tom"),
    "nl": ("Hoste", "Lotte"),
    "de": ("Brandt", "Uwe"),
    "en": ("Ashworth", "Ivy"),
}
KNOWN = {"fr": "Lemaire Hugo", "nl": "Hendrickx Wout", "de": "Schmitz Jürgen", "en": "Goossens Ruben"}
"""Physicians of the sample register, one for each language, who have no Civars yet."""
STILL_KNOWN = ("Pauwels Joke", "Bodart Élise")
AT_THE_QUAY = {"fr": "Adam Noémie", "nl": "Geerts Jonas", "de": "Krings Stefan", "en": "Nelissen Bart"}


def bound(shared, key, lang):
    """Somebody who follows the link of his invitation, chooses his language and reads the notice."""
    words = WORDS[lang]
    driver = Driver(shared.telegram.person(key.capitalize(), language=lang))
    driver.since = driver.person.starts(shared.invite(key))
    driver.taps(driver.expects("", label=words["language"]), words["language"])
    driver.taps(driver.expects("", label=words["read"]), words["read"])
    driver.expects(words["hello"], label=words["give"])
    return driver


def chosen(driver, words, entity):
    """The dialogue is open, and at the question whom to give access."""
    driver.taps(driver.expects("", label=words["give"]), words["give"])
    driver.taps(driver.expects(words["entity"]), words[entity])
    driver.expects(words["who"])


def finished(shared, driver, words, receipt):
    """Confirms, waits for the receipt and for the notice that it is active; the change's number."""
    driver.taps(driver.expects(words["recap"]), words["confirm"])
    driver.expects(words[receipt])
    (number,) = shared.numbers(driver.id)[-1:]
    driver.expects(number)
    return number


def ticked(driver, words, name):
    driver.taps(driver.expects(words["applications"]), name)
    driver.taps(driver.expects(words["applications"], label="☑"), words["next"])


@pytest.mark.parametrize("lang", WORDS)
def test_from_an_invitation_to_an_active_access_for_a_new_collaborator_with_a_function(shared, lang):
    words, (last, first) = WORDS[lang], NEW[lang]
    bram = bound(shared, "claes", lang)
    chosen(bram, words, "midi")
    bram.taps(bram.expects(words["who"]), words["new"])
    for question, answer in (("last", last), ("first", first), ("email", f"{last.lower()}@example.org")):
        bram.expects(words[question])
        bram.says(answer)
    ticked(bram, words, "Colindos")
    bram.taps(bram.expects(words["profession"]), words["collaborator"])
    bram.taps(bram.expects(words["start"]), words["tomorrow"])
    recap = bram.expects(words["recap"])
    assert last in recap.text and first in recap.text, recap.text
    number = finished(shared, bram, words, "recorded")
    (username,) = shared.rows(
        select(ACCOUNTS.c.username)
        .join(ASSIGNMENTS, ASSIGNMENTS.c.account_id == ACCOUNTS.c.id)
        .where(ASSIGNMENTS.c.change_number == number)
    )[0]
    assert shared.held(username) == [
        ("assignment", "collaborator-specialist-physician"),
        ("grant", "colindos"),
    ]
    row = shared.profile_of(username)
    assert (row.last_name, row.first_name, row.email, row.profession) == (
        last,
        first,
        f"{last.lower()}@example.org",
        "collaborator",
    )
    (starts_on,) = shared.rows(select(ASSIGNMENTS.c.starts_on).where(ASSIGNMENTS.c.change_number == number))[
        0
    ]
    assert starts_on == today() + timedelta(days=1)
    assert bram.receipts(number) == 1
    assert shared.rows(select(BINDINGS.c.telegram_id).where(BINDINGS.c.telegram_id == bram.id)) == [
        (bram.id,)
    ]


def given(shared, lang, name):
    """A physician who is known gets an access of the bot's own: who gave it, and the change's number."""
    words = WORDS[lang]
    bram = bound(shared, "claes", lang)
    chosen(bram, words, "midi")
    bram.says(name.split()[0])
    ticked(bram, words, "Chapter IV")
    return bram, finished(shared, bram, words, "recorded")


@pytest.mark.parametrize("lang", WORDS)
def test_a_person_who_is_known_is_told_active_after_the_delay(shared, lang):
    words = WORDS[lang]
    bram, number = given(shared, lang, KNOWN[lang])
    notice = bram.expects(words["active"], label=words["see"])
    assert number in notice.text and KNOWN[lang].split()[0] not in notice.text
    bram.taps(notice, words["see"])
    seen = bram.expects(number, label="📋")
    assert words["state"] in seen.text, seen.text
    assert shared.deliveries(number) == {"active"}
    assert (bram.receipts(number), bram.notices(number)) == (1, 1)


@pytest.mark.parametrize("lang", WORDS)
def test_at_an_entity_of_the_portal_nothing_is_active_before_it_is_done_there(shared, lang):
    words = WORDS[lang]
    bram = bound(shared, "claes", lang)
    chosen(bram, words, "quai")
    bram.says(AT_THE_QUAY[lang].split()[0])
    ticked(bram, words, "Chapter IV")
    number = finished(shared, bram, words, "noted")
    assert shared.deliveries(number) == {"recorded"}
    bram.taps(bram.expects(number, label=words["steps"]), words["steps"])
    bram.taps(bram.expects("", label=words["done"]), words["done"])
    bram.expects(words["delivered"])
    bram.expects(words["active"], label=words["see"])
    assert shared.deliveries(number) == {"active"}
    assert bram.notices(number) == 1


def test_each_grant_is_one_change_of_whoever_gave_it(shared):
    givers = [given(shared, "fr", name)[0].id for name in STILL_KNOWN]
    chats = [row[0] for row in shared.rows(select(CHANGES.c.chat_id))]
    assert len(chats) == len(set(chats))
    assert set(givers) <= set(chats)
    shared.at_rest()
    shared.check()
