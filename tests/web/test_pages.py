"""The private pages, from the chat and back: who gets in, what they do, and who does not."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pyotp
import pytest
import structlog
from bot.access import letters, visits
from tests.web.conftest import Browser, House, init_data, on_both


def sets_up_the_app(browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """Enrols an app as a person does; the app, and the recovery codes."""
    browser.opens("secure")
    key = re.search(r'class="secret">([A-Z2-7 ]+)<', browser.page.text)
    app = pyotp.TOTP(key[1].replace(" ", ""))
    browser.sends("secure", code=app.now())
    return app, re.findall(r"<li><code>([a-z2-7-]+)</code>", browser.page.text)


def next_code(app: pyotp.TOTP) -> str:
    """A code of the next step: the one of this step was used to enrol, and none counts twice."""
    return app.at(int(time.time()) + 30)


@on_both
def test_a_chat_locks_and_opens_again_by_the_code_of_the_app_with_its_dialogue_as_it_was(house: House):
    anne = house.enters("Anne", "delcourt")
    assert "Préparez maintenant de quoi revenir" in anne.sees().text
    browser = house.browser(anne)
    app, codes = sets_up_the_app(browser)
    assert len(codes) == 10
    anne.waits_until(lambda seen: "Bonjour" in seen.text and "de quoi revenir" not in seen.text)

    anne.taps("Donner un accès")
    anne.taps("Hôpitaux du Midi")
    anne.waits_for("À qui")
    anne.says("/lock")
    locked = anne.waits_for("prouvez d")
    assert not any(word in locked.text for word in ("Anne", "Hôpitaux"))
    anne.says("/status")
    assert "prouvez d" in anne.sees().text

    browser.opens("login")
    with structlog.testing.capture_logs() as log:
        wrong = browser.sends("login", code="000000")
    assert (wrong.status_code, "Cela ne correspond pas" in browser.text) == (422, True)
    assert [each for each in log if each["event"] == "proof_refused"] == [
        {"event": "proof_refused", "kind": "log-in", "log_level": "warning"}
    ]
    right = browser.sends("login", code=next_code(app))
    assert (right.status_code, "La connexion est établie" in browser.text) == (200, True)
    anne.waits_for("À qui")

    anne.says("/lock")
    anne.waits_for("prouvez d")
    browser.opens("login")
    assert browser.sends("login", code=codes[0].upper().replace("-", " ")).status_code == 200
    anne.waits_for("À qui")


def test_an_app_set_up_as_the_last_step_of_the_welcome_lets_the_chat_go_on_by_itself(standing_house: House):
    """`security.md`: somebody bound by an invitation enrols a second proof when binding, to get back in later."""
    anne = standing_house.enters("Anne", "delcourt", later=False)
    step = anne.waits_for("Une dernière étape")
    assert "il vous faudra une nouvelle invitation" in step.text
    buttons = {button["text"]: button for row in anne.card().rows for button in row}
    assert buttons["🔐 Préparer mon retour"]["web_app"]["url"] == f"{standing_house.pages}/app/secure"
    app, _ = sets_up_the_app(standing_house.browser(anne))
    home = anne.waits_for("Bonjour Anne Delcourt")
    assert "de quoi revenir" not in home.text
    anne.taps("Donner un accès")
    anne.waits_for("Pour quelle entité")
    anne.says("/lock")
    anne.waits_for("prouvez d")
    browser = standing_house.browser(anne)
    browser.opens("login")
    assert browser.sends("login", code=next_code(app)).status_code == 200
    anne.waits_for("Pour quelle entité")


def test_a_national_number_typed_on_the_page_goes_on_in_the_chat(standing_house: House):
    anne = standing_house.enters("Anne", "delcourt")
    browser = standing_house.browser(anne)
    browser.opens("niss")
    assert "Aucun dialogue ouvert" in browser.text
    anne.taps("Donner un accès")
    anne.taps("Hôpitaux du Midi")
    anne.waits_for("À qui")
    labels = {button["text"]: button for row in anne.card().rows for button in row}
    assert labels["🔒 Saisir le NISS en privé"]["web_app"]["url"] == f"{standing_house.pages}/app/niss"

    browser.opens("niss")
    wrong = browser.sends("niss", niss="01.09.22-997.80")
    assert wrong.status_code == 422
    assert "01.09.22-997.80" in wrong.text
    assert browser.sends("niss", niss="01.09.22-997.08").status_code == 200
    anne.waits_for("Son nom")
    assert not any("997" in seen.text for seen in anne.chat)


def test_a_password_opens_the_chat_of_whoever_has_no_app(house: House):
    jan = house.enters("Jan", "peeters")
    browser = house.browser(jan)
    browser.opens("me")
    account = re.search(r'name="account" value="(\w+)"', browser.page.text)[1]
    username = re.search(r'name="username" value="(\w+)"', browser.page.text)[1]
    for password, again, says in (
        ("short", "short", "12"),
        ("azertyuiopqsdfgh", "azertyuiopqsdfgh", "devin"),
        ("cheval batterie agrafe", "cheval batterie agraf", "diffèrent"),
    ):
        assert browser.sends("me", account=account, password=password, again=again).status_code == 422
        assert says in browser.text, browser.text
    good = "cheval batterie agrafe"
    assert browser.sends("me", account=account, password=good, again=good).status_code == 200
    assert "Votre mot de passe est enregistré" in browser.text

    jan.says("/lock")
    jan.waits_for("prouvez d")
    browser.opens("login")
    assert browser.sends("login", username=username, password="wrong horse battery").status_code == 422
    assert browser.sends("login", username="nobody99", password=good).status_code == 422
    assert browser.sends("login", username=username, password=good).status_code == 200
    jan.waits_for("Bonjour")


def test_a_new_password_takes_the_old_one_and_a_wrong_try_leaves_it_as_it_was(house: House):
    """OWASP ASVS 6.2.3."""
    jan = house.enters("Jan", "peeters")
    browser = house.browser(jan)
    browser.opens("me")
    account = re.search(r'name="account" value="(\w+)"', browser.page.text)[1]
    username = re.search(r'name="username" value="(\w+)"', browser.page.text)[1]
    old, new = "cheval batterie agrafe", "tabouret sous la pluie"
    assert browser.sends("me", account=account, password=old, again=old).status_code == 200
    for given in ({}, {"proof": "wrong horse battery"}, {"proof": new}):
        answer = browser.sends("me", account=account, password=new, again=new, **given)
        assert (answer.status_code, "Cela ne correspond pas" in browser.text) == (422, True)

    def opens_by(password: str) -> bool:
        jan.says("/lock")
        jan.settles()
        jan.waits_for("prouvez d")
        browser.opens("login")
        return browser.sends("login", username=username, password=password).status_code == 200

    assert not opens_by(new)
    assert opens_by(old)
    browser.opens("me")
    assert browser.sends("me", account=account, password=new, again=new, proof=old).status_code == 200
    assert not opens_by(old)
    assert opens_by(new)


COUNTING = {
    "bindings": "SELECT id, ended_at FROM bindings ORDER BY id",
    "sessions": "SELECT id, ended_at FROM sessions ORDER BY id",
    "passwords": "SELECT account_id, set_at FROM passwords ORDER BY account_id",
    "apps": "SELECT id, confirmed_at, last_step FROM authenticators WHERE confirmed_at IS NOT NULL ORDER BY id",
    "audit": "SELECT count(*) FROM audit_entries",
    "links": "SELECT id FROM tickets WHERE used_at IS NOT NULL ORDER BY id",
    "languages": "SELECT id, lang FROM visits ORDER BY id",
}
"""What would tell that a page did something that counts."""


def standing_of(house: House) -> dict[str, list[tuple[object, ...]]]:
    with house.database.read() as connection:
        return {
            name: [tuple(row) for row in connection.exec_driver_sql(query)]
            for name, query in COUNTING.items()
        }


def test_no_form_does_anything_by_a_get_though_all_it_asks_for_is_right(house: House):
    """OWASP ASVS 3.5.3: the seal, the codes and the ids are good, the method alone is not."""
    jan = house.enters("Jan", "peeters")
    browser = house.browser(jan)
    app, _ = sets_up_the_app(browser)
    other = house.enters("Jan", "peeters", beside=True, later=False)
    other.waits_for("Bonjour")
    browser.opens("me")
    account = re.search(r'name="account" value="(\w+)"', browser.page.text)[1]
    linked = re.findall(r'name="unlink" value="(\w+)"', browser.page.text)
    sealed, good = {"seal": browser.seal()}, "cheval batterie agrafe"
    with house.database.write() as connection:
        mailed = visits.make_link(connection, letters.PASSWORD, now=datetime.now(UTC), account=account)
    forms = [
        ("me/form", {"end": "others"}),
        *(("me/form", {"unlink": each, "code": next_code(app)}) for each in linked),
        ("me/form", {"account": account, "password": good, "again": good, "proof": next_code(app)}),
        ("secure/form", {"replace": next_code(app)}),
        ("language", {"page": "me", "lang": "de"}),
        ("enter", {"page": "me", "init_data": init_data(house.telegram.token, jan.id)}),
        ("password/enter", {"token": mailed}),
        ("password/form", {"token": mailed, "password": good, "again": good}),
    ]
    assert len(linked) == 2
    before = standing_of(house)
    for where, form in forms:
        browser.http.get(f"/app/{where}", params={**sealed, **form})
    assert standing_of(house) == before
    other.says("/home")
    other.waits_for("Bonjour")
    answer = browser.sends("me", unlink=linked[0], code=next_code(app))
    assert (answer.status_code, standing_of(house) == before) == (200, False)  # by POST it is done


def test_whoever_has_a_password_gives_it_before_an_app_that_counts_for_more(house: House):
    """OWASP ASVS 7.5.1: an open session alone, such as on a phone left lying, sets up no key."""
    jan = house.enters("Jan", "peeters")
    browser = house.browser(jan)
    browser.opens("me")
    account = re.search(r'name="account" value="(\w+)"', browser.page.text)[1]
    username = re.search(r'name="username" value="(\w+)"', browser.page.text)[1]
    good = "cheval batterie agrafe"
    assert browser.sends("me", account=account, password=good, again=good).status_code == 200
    browser.opens("secure")
    assert "Prouvez d'abord que c'est vous" in browser.text
    assert 'class="secret"' not in browser.page.text
    wrong = browser.sends("secure", username=username, password="wrong horse battery")
    assert (wrong.status_code, "Cela ne correspond pas" in browser.text) == (422, True)
    browser.sends("secure", username=username, password=good)
    app = pyotp.TOTP(re.search(r'class="secret">([A-Z2-7 ]+)<', browser.page.text)[1].replace(" ", ""))
    browser.sends("secure", code=app.now())
    assert len(re.findall(r"<li><code>", browser.page.text)) == 10


def test_after_five_wrong_codes_even_the_right_one_waits(standing_house: House):
    anne = standing_house.enters("Anne", "delcourt")
    browser = standing_house.browser(anne)
    app, _ = sets_up_the_app(browser)
    anne.says("/lock")
    anne.waits_for("prouvez d")
    browser.opens("login")
    for _ in range(5):
        assert browser.sends("login", code="000000").status_code == 422
    assert browser.sends("login", code=next_code(app)).status_code == 422
    assert "Trop d" in browser.text
    assert "prouvez d" in anne.sees().text


def test_the_code_that_enrolled_the_app_does_not_open_the_chat_again(standing_house: House):
    anne = standing_house.enters("Anne", "delcourt")
    browser = standing_house.browser(anne)
    browser.opens("secure")
    app = pyotp.TOTP(re.search(r'class="secret">([A-Z2-7 ]+)<', browser.page.text)[1].replace(" ", ""))
    used = app.now()
    browser.sends("secure", code=used)
    anne.says("/lock")
    anne.waits_for("prouvez d")
    browser.opens("login")
    assert browser.sends("login", code=used).status_code == 422


def test_somebody_elses_session_and_account_are_out_of_reach(standing_house: House):
    anne = standing_house.enters("Anne", "delcourt")
    jan = standing_house.enters("Jan", "peeters")
    his = standing_house.browser(jan)
    his.opens("me")
    account = re.search(r'name="account" value="(\w+)"', his.page.text)[1]
    hers = standing_house.browser(anne)
    hers.opens("me")
    answer = hers.sends(
        "me", account=account, password="cheval batterie agrafe", again="cheval batterie agrafe"
    )
    assert answer.status_code == 422
    assert "n'est pas à vous" in hers.text
    with standing_house.database.read() as connection:
        sessions = (
            connection.exec_driver_sql("SELECT id FROM sessions WHERE ended_at IS NULL").scalars().all()
        )
    for session in sessions:
        hers.sends("me", end=session)
    jan.says("/home")
    jan.waits_for("Bonjour")


def test_a_locked_chat_has_no_page_but_the_log_in(standing_house: House):
    anne = standing_house.enters("Anne", "delcourt")
    browser = standing_house.browser(anne)
    anne.says("/lock")
    anne.waits_for("prouvez d")
    for page in ("secure", "me", "niss"):
        browser.opens(page)
        assert "Delcourt" not in browser.text
        assert "rien préparé pour revenir" in browser.text


def test_a_stranger_learns_nothing(standing_house: House):
    alex = standing_house.telegram.person("Alex")
    browser = standing_house.browser(alex)
    for page in ("secure", "me", "niss"):
        browser.opens(page)
        assert "ne vous connaît pas encore" in browser.text
    browser.opens("login")
    assert "Choisissez comment prouver qui vous êtes" in browser.text
    assert "Delcourt" not in browser.text


@pytest.mark.parametrize("fault", ["none", "forged", "old", "early", "twice a field", "another bot", "used"])
def test_only_what_telegram_has_just_signed_opens_a_page(standing_house: House, fault: str):
    anne = standing_house.enters("Anne", "delcourt")
    browser = standing_house.browser(anne)
    token, now = standing_house.telegram.token, time.time()
    data = {
        "none": "",
        "forged": init_data(token, anne.id).replace(str(anne.id), str(anne.id + 1)),
        "old": init_data(token, anne.id, made=now - 301),
        "early": init_data(token, anne.id, made=now + 60),
        "twice a field": init_data(token, anne.id) + "&auth_date=1",
        "another bot": init_data("1:other", anne.id),
        "used": init_data(token, anne.id),
    }[fault]
    if fault == "used":
        assert browser.opens("me", data).status_code == 200
    answer = browser.opens("me", data)
    assert answer.status_code == 403
    assert "Revenez à la conversation" in browser.text
    assert "Delcourt" not in answer.text


def test_a_form_without_the_visits_seal_does_nothing(standing_house: House):
    anne = standing_house.enters("Anne", "delcourt")
    browser = standing_house.browser(anne)
    browser.opens("me")
    for seal in ({}, {"seal": ""}, {"seal": "0" * 64}):
        answer = browser.http.post("/app/me/form", data={"end": "others", **seal})
        assert answer.status_code == 403


def test_every_answer_forbids_framing_keeping_and_guessing(standing_house: House):
    anne = standing_house.enters("Anne", "delcourt")
    browser = standing_house.browser(anne)
    for answer in (browser.http.get("/app/me"), browser.opens("me"), browser.http.get("/app/nothing")):
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe-inline" not in policy
        assert "frame-ancestors https://web.telegram.org https://*.telegram.org" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
    cookie = browser.page.history[0].headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite" in cookie


def test_the_pages_speak_the_language_of_the_chat_and_can_be_switched(standing_house: House):
    anne = standing_house.enters("Anne", "delcourt")
    browser = standing_house.browser(anne)
    browser.opens("me")
    assert '<html lang="fr">' in browser.page.text
    for lang, word in (("nl", "Mijn sessies"), ("de", "Meine Sitzungen"), ("en", "My sessions")):
        browser.page = browser.http.post(
            "/app/language", data={"seal": browser.seal(), "page": "me", "lang": lang}
        )
        assert word in browser.text
