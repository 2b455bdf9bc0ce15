"""What is stored about oneself, on the private page: in words and as a file, for oneself alone."""

from __future__ import annotations

import html
import json
import re

from bot.access.rows import ENTITIES, SESSIONS
from sqlalchemy import select, update
from tests.web.conftest import House
from tests.web.test_pages import sets_up_the_app


def own_file(browser) -> dict:
    answer = browser.http.get("/app/stored/file")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert answer.headers["cache-control"] == "no-store"
    return json.loads(answer.text)


def test_a_person_reads_what_is_stored_about_him_in_words_and_takes_it_along(standing_house: House):
    jan = standing_house.enters("Jan", "peeters")
    browser = standing_house.browser(jan)
    browser.opens("stored")
    for words in (
        "Ce que sait Hôpitaux du Midi",
        "peeters@example.org",
        "jpeeters",
        "Hospiliss, depuis le",
        "1 compte Telegram relié",
    ):
        assert words in browser.text, words
    stored = own_file(browser)
    assert [each["last_name"] for each in stored["profiles"]] == ["Peeters"]
    assert [each["telegram_id"] for each in stored["telegram"] if each["ended_at"] is None] == [jan.id]
    shown = html.unescape(re.search(r"<pre[^>]*>(.*?)</pre>", browser.page.text, re.DOTALL)[1])
    assert json.loads(shown)["profiles"] == stored["profiles"]


def test_a_national_number_is_masked_and_nobody_else_is_named(standing_house: House):
    anne = standing_house.enters("Anne", "delcourt")
    browser = standing_house.browser(anne)
    browser.opens("stored")
    everything = browser.page.text + json.dumps(own_file(browser), ensure_ascii=False)
    assert "••.••.••-•••.10" in everything
    assert [
        word for word in ("64.11.17", "64111799810", "998.10", "Claes", "Peeters") if word in everything
    ] == []
    assert "Vos rôles" in browser.text
    assert "responsable · Clinique Sainte-Aube" in browser.text


def test_it_is_shown_in_the_four_languages(standing_house: House):
    jan = standing_house.enters("Jan", "peeters")
    browser = standing_house.browser(jan)
    browser.opens("stored")
    for lang, words in (("nl", "Wat Hôpitaux"), ("de", "Was"), ("en", "What"), ("fr", "Ce que sait")):
        browser.page = browser.http.post(
            "/app/language", data={"seal": browser.seal(), "lang": lang, "page": "stored"}
        )
        assert f'<html lang="{lang}">' in browser.page.text
        assert words.split()[0] in browser.text


def test_a_locked_chat_shows_nothing_of_it(standing_house: House):
    anne = standing_house.enters("Anne", "delcourt")
    browser = standing_house.browser(anne)
    sets_up_the_app(browser)
    browser.opens("stored")
    assert "delcourt@example.org" in browser.text
    anne.says("/lock")
    anne.waits_for("prouvez d")
    for path in ("/app/stored/form", "/app/stored/file"):
        answer = browser.http.get(path)
        assert "delcourt" not in answer.text
        assert str(answer.url).endswith("/app/login/form")


def test_without_a_visit_or_an_account_nothing_is_shown(standing_house: House):
    stranger = standing_house.telegram.person("Alex")
    browser = standing_house.browser(stranger)
    assert "my-data" not in browser.http.get("/app/stored/file").headers.get("content-disposition", "")
    browser.opens("stored")
    assert "example.org" not in browser.text


def test_the_chat_points_to_the_page_and_says_nothing_itself(standing_house: House):
    jan = standing_house.enters("Jan", "peeters")
    jan.says("/me")
    jan.waits_for("jpeeters")
    buttons = {button["text"]: button for row in jan.card().rows for button in row}
    assert buttons["🗂 Mes données enregistrées"]["web_app"]["url"] == f"{standing_house.pages}/app/stored"
    assert "example.org" not in jan.card().text


def test_a_session_of_one_entity_sees_what_that_entity_knows(standing_house: House):
    anne = standing_house.enters("Anne", "delcourt")
    browser = standing_house.browser(anne)
    browser.opens("stored")
    whole = own_file(browser)
    assert {each["entity"] for each in whole["mandates"]} == {"midi", "aube"}
    with standing_house.database.write() as connection:
        midi = connection.execute(select(ENTITIES.c.id).where(ENTITIES.c.key == "midi")).scalar_one()
        connection.execute(update(SESSIONS).where(SESSIONS.c.ended_at.is_(None)).values(scope_entity_id=midi))
    narrow = own_file(browser)
    assert {each["entity"] for each in narrow["mandates"]} == {"midi"}
    assert "visits" not in narrow
