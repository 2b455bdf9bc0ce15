"""A change is done once and within the mandate: many taps at once, old cards, two managers, foreign and forged buttons."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from bot.access.rows import ACCOUNTS, PROFILES
from bot.conversations.model import Door, Press
from bot.handlers.callbacks import Codes
from bot.handlers.mailroom import callback_keys
from bot.store.mail import Chat
from bot.store.tables import core
from sqlalchemy import select
from tests.e2e.world import plain

TAPS = 50
FORGED = 100
"""`make soak` forges a hundred thousand, at the edge."""
EXAMPLE = "Peeters"
"""The name that the texts themselves give as an example."""


def taps(shared, driver, card, code):
    """A tap, without looking what comes of it."""
    path, body = f"/client/people/{driver.id}/taps", {"message_id": card.id, "data": code}
    shared.telegram.http.post(path, json=body).raise_for_status()


def at_the_recap(shared, key, who, application="Colindos"):
    """A manager with a dialogue that only has to be confirmed."""
    driver = shared.manager(key)
    driver.says("/grant")
    driver.taps(driver.expects("Pour quelle entité ?"), "Hôpitaux du Midi")
    driver.expects("À qui ?")
    driver.says(who)
    driver.expects("Quelles applications ?")
    driver.says(application)
    driver.expects("Récapitulatif")
    return driver


def code_of(seen, label):
    return next(code for text, code in seen.codes().items() if label in plain(text))


def rev_of(shared, driver):
    return shared.rows(select(core(Chat).c.rev).where(core(Chat).c.chat_id == driver.id))[0][0]


def username_of(shared, last, first):
    query = (
        select(ACCOUNTS.c.username)
        .join(PROFILES)
        .where(PROFILES.c.last_name == last, PROFILES.c.first_name == first)
    )
    return shared.rows(query)[0][0]


def test_fifty_taps_on_confirm_at_once_record_one_change(shared):
    anne = at_the_recap(shared, "delcourt", "Hendrickx", "Hospiliss")
    card = anne.expects("Récapitulatif")
    code = code_of(card, "Confirmer")
    with ThreadPoolExecutor(TAPS) as pool:
        taps = list(pool.map(lambda _: anne.person.taps_code(code, message=card.id), range(TAPS)))
    assert len(set(taps)) == TAPS
    anne.expects("Enregistré sous le n°")
    shared.at_rest()
    (number,) = shared.numbers(anne.id)
    assert shared.held(username_of(shared, "Hendrickx", "Wout")) == [("grant", "hospiliss")]
    assert (anne.receipts(number), anne.notices(number)) == (1, 1)


def test_a_tap_on_confirm_that_is_delivered_fifty_times_records_one_change(shared):
    anne = at_the_recap(shared, "delcourt", "Goossens", "BVTC")
    shared.telegram.levers(duplicates={"most": TAPS})
    anne.taps(anne.expects("Récapitulatif"), "Confirmer")
    shared.telegram.levers(duplicates={"most": 1})
    anne.expects("Enregistré sous le n°")
    shared.at_rest()
    (number,) = shared.numbers(anne.id)
    assert shared.held(username_of(shared, "Goossens", "Ruben")) == [("grant", "bvtc")]
    assert anne.receipts(number) == 1


def test_a_button_of_an_old_card_says_so_shows_where_one_is_and_changes_nothing(shared):
    anne = shared.manager("delcourt")
    anne.says("/grant")
    first = anne.expects("Pour quelle entité ?")
    anne.taps(first, "Hôpitaux du Midi")
    anne.expects("À qui ?")
    anne.says("Bodart")
    anne.expects("Quelles applications ?")
    anne.says("TCT")
    recap = anne.expects("Récapitulatif")
    before, rev = shared.register_as_it_is(), rev_of(shared, anne)
    for old in (code_of(first, "Clinique Sainte-Aube"), code_of(first, "Annuler")):
        anne.person.taps_code(old, message=first.id)
        anne.person.waits_for_toast("Cette carte n'est plus valable. Voici où vous en êtes.")
        anne.since = 0
        shown = [seen for seen in anne.person.chat if seen.from_bot and "Récapitulatif" in seen.text]
        assert [seen.text for seen in shown[-1:]] == [recap.text]
    shared.at_rest()
    assert len(anne.person.toasts) == 2
    assert (shared.register_as_it_is(), rev_of(shared, anne)) == (before, rev)
    confirm = code_of(anne.expects("Récapitulatif"), "Confirmer")
    anne.taps(anne.expects("Récapitulatif"), "Confirmer")
    anne.expects("Enregistré sous le n°")
    after = shared.register_as_it_is()
    anne.says("/home")
    home = anne.expects("Bonjour")
    anne.person.taps_code(confirm, message=home.id)
    shared.at_rest()
    assert shared.register_as_it_is() == after


def test_of_two_managers_on_one_person_the_second_sees_the_difference_and_decides_again(shared):
    anne = at_the_recap(shared, "delcourt", "Pauwels", "TCT")
    bram = at_the_recap(shared, "claes", "Pauwels", "BVTC")
    anne.taps(anne.expects("Récapitulatif"), "Confirmer")
    anne.expects("Enregistré sous le n°")
    (hers,) = shared.numbers(anne.id)
    bram.taps(bram.expects("Récapitulatif"), "Confirmer")
    told = plain(bram.expects("Entre-temps, quelqu'un a modifié cet utilisateur").text)
    assert "Cellule Technique" in told and hers in told, told
    assert shared.numbers(bram.id) == []
    bram.taps(bram.expects("Récapitulatif"), "Confirmer")
    bram.expects("Enregistré sous le n°")
    assert shared.held(username_of(shared, "Pauwels", "Joke")) == [("grant", "bvtc"), ("grant", "tct")]


def test_of_two_managers_who_give_the_same_at_the_same_moment_one_does(shared):
    drivers = [
        at_the_recap(shared, key, "Fontaine", "Chapter IV Agreement Requesting")
        for key in ("delcourt", "claes")
    ]
    cards = [driver.expects("Récapitulatif") for driver in drivers]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: pair[0].taps(pair[1], "Confirmer"), zip(drivers, cards, strict=True)))
    shared.at_rest()
    first, second = sorted(drivers, key=lambda driver: not shared.numbers(driver.id))
    (number,) = shared.numbers(first.id)
    first.expects("Enregistré sous le n°")
    assert number in plain(second.expects("Entre-temps, quelqu'un a modifié cet utilisateur").text)
    assert shared.numbers(second.id) == []
    assert shared.held(username_of(shared, "Fontaine", "Luc")) == [("grant", "civars")]


@pytest.fixture
def elsewhere(shared):
    """What only the other entity should know: its ids, a number, names; and buttons of the chat where it was given."""
    bram = at_the_recap(shared, "claes", "Lemaire", "TCT")
    codes = list(bram.expects("Récapitulatif").codes().values())
    bram.taps(bram.expects("Récapitulatif"), "Confirmer")
    codes += bram.expects("Enregistré sous le n°").codes().values()
    username = username_of(shared, "Lemaire", "Hugo")
    place = select(ACCOUNTS.c.entity_id, ACCOUNTS.c.quality_id).where(ACCOUNTS.c.username == username)
    (entity, quality) = shared.rows(place)[0]
    users = select(ACCOUNTS.c.id).where(ACCOUNTS.c.quality_id == quality).order_by(ACCOUNTS.c.id).limit(6)
    accounts = [row[0] for row in shared.rows(users)]
    (number,) = shared.numbers(bram.id)
    return {"codes": codes, "entity": entity, "quality": quality, "accounts": accounts, "number": number}


def secrets_of(shared, entity):
    """Names that must not reach somebody of another entity."""
    names = [
        row[0] for row in shared.rows(select(PROFILES.c.last_name).where(PROFILES.c.entity_id == entity))
    ]
    return {name for name in names if len(name) > 4 and name != EXAMPLE} | {"Hôpitaux du Midi"}


def to(shared, driver):
    """The bot's calls in this chat."""
    return [call for call in shared.telegram.state.calls if call.params.get("chat_id") == driver.id]


def own(shared, driver, action):
    """A button that the bot would have signed for this chat, as it stands now: the worst that can be forged."""
    return Codes(callback_keys(shared.keyring)).encode(driver.id, rev_of(shared, driver), action)


def test_with_another_entitys_ids_and_buttons_nothing_is_shown_and_nothing_done(shared, elsewhere):
    heidi = shared.manager("kessel")
    before, ids = shared.register_as_it_is(), elsewhere
    heidi.says("/grant")
    card = heidi.expects("À qui ?")
    for code in ids["codes"]:  # genuine ones, of another chat
        heidi.person.taps_code(code, message=card.id)
    actions = [
        Press("a", ids["entity"]),
        Press("a", ids["quality"]),
        *(Press("who", a) for a in ids["accounts"]),
    ]
    actions += [Door("grant", ids["entity"]), Door("status", ids["number"]), Door("portal", ids["number"])]
    for action in actions:
        heidi.person.taps_code(own(shared, heidi, action), message=card.id)
        heidi.person.settles()
    words = [f"/status {word}" for word in (ids["number"], ids["accounts"][0], "Lemaire", "710999-11")]
    for text in (*words, f"/portal {ids['number']}", f"/grant {ids['entity']}"):
        heidi.says(text)
        heidi.person.settles()
    heidi.says("/home")
    heidi.expects("Bonjour")
    shared.at_rest()
    assert shared.register_as_it_is() == before
    said = "\n".join(
        plain(call.params["text"]).replace("« Lemaire »", "")
        for call in to(shared, heidi)
        if "text" in call.params
    )
    assert len(said) > 1000
    assert [name for name in sorted(secrets_of(shared, ids["entity"])) if name in plain(said)] == []


def test_forged_and_mutated_buttons_change_nothing_and_the_dialogue_goes_on(shared):
    dice = random.Random(20261125)
    anne = at_the_recap(shared, "delcourt", "Rousseau", "TCT")
    card = anne.expects("Récapitulatif")
    before, rev, genuine = shared.register_as_it_is(), rev_of(shared, anne), list(card.codes().values())
    for number in range(FORGED):
        code = dice.choice(genuine)
        at = dice.randrange(len(code))
        sign = dice.choice([sign for sign in "abcXYZ019._-é" if sign != code[at]])
        forged = (
            code[:at] + sign + code[at + 1 :]
            if number % 3
            else f"p{dice.randrange(99)}.ok.{dice.random()}"[:40]
        )
        taps(shared, anne, card, forged)
    shared.at_rest(timeout=120)
    assert (shared.register_as_it_is(), rev_of(shared, anne)) == (before, rev)
    anne.taps(anne.expects("Récapitulatif"), "Confirmer")
    anne.expects("Enregistré sous le n°")
    assert len(shared.numbers(anne.id)) == 1
