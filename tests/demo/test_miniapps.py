"""Mini Apps as the local Telegram opens them, read by the private pages' own eyes: signed right, and nothing else gets in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from bot.demo import Visitor
from bot.demo.miniapps import init_data
from bot.demo.testing import running_server
from bot.web import initdata

TOKEN = "123456:demo"
ANNE = Visitor(1001, "Anne & Co=", "Delcourt-Ñandú", "nl")
MADE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PAGE = "http://127.0.0.1:9/app/me"


def signed() -> str:
    return init_data(ANNE, TOKEN, int(MADE.timestamp()))


def read(data: str, *, token: str = TOKEN, after: timedelta = timedelta()) -> initdata.Opened:
    return initdata.read(data, token, MADE + after)


def changed(**fields: str) -> str:
    return urlencode({**dict(parse_qsl(signed())), **fields})


def test_what_the_local_telegram_signs_is_taken_for_that_person_for_five_minutes():
    for after in (timedelta(), timedelta(seconds=300)):
        opened = read(signed(), after=after)
        assert (opened.telegram_id, opened.lang) == (1001, "nl")


def test_two_starts_are_two_proofs():
    assert read(signed()).proof != read(signed()).proof


@pytest.mark.parametrize(
    "data",
    [
        "",
        changed(user=json.dumps({"id": 1002, "first_name": "Bram"})),
        changed(auth_date=str(int(MADE.timestamp()) + 1)),
        changed(signature="other"),
        changed(more="field"),
        changed(hash="0" * 64),
        changed(hash=""),
        signed().replace("hash=", "Hash="),
        signed() + "&auth_date=1",
        signed() + "&hash=" + "0" * 64,
        "user=%7B%22id%22%3A1%7D&" + signed(),
        signed() + "&%ff",
    ],
)
def test_what_was_changed_added_or_said_twice_is_refused(data: str):
    with pytest.raises(initdata.Untrue):
        read(data)


@pytest.mark.parametrize("after", [timedelta(seconds=301), timedelta(days=1), timedelta(seconds=-31)])
def test_an_old_start_and_one_from_the_future_are_refused(after: timedelta):
    with pytest.raises(initdata.Untrue):
        read(signed(), after=after)


def test_another_bots_start_is_refused():
    with pytest.raises(initdata.Untrue):
        read(signed(), token="123456:other")


def test_only_a_page_that_a_button_of_this_chat_offers_is_opened():
    with running_server(visitors=(ANNE,)) as server:
        person = server.person("", number=ANNE.id)
        person.starts()

        def opens(address: str):
            return server.http.post(f"/client/people/{ANNE.id}/apps", json={"url": address})

        assert opens(PAGE).json()["description"] == "Bad Request: BUTTON_URL_INVALID"
        button = {"text": "own page", "web_app": {"url": PAGE}}
        said = {"chat_id": ANNE.id, "text": "there", "reply_markup": {"inline_keyboard": [[button]]}}
        sent = server.http.post(f"/bot{server.token}/sendMessage", json=said).json()
        assert sent["ok"], sent
        address = urlsplit(opens(PAGE).json()["url"])
        assert address._replace(fragment="").geturl() == PAGE
        handed = parse_qs(address.fragment)["tgWebAppData"][0]
        assert initdata.read(handed, server.token, datetime.now(UTC)).telegram_id == ANNE.id
        assert opens(f"{PAGE}?x").json()["description"] == "Bad Request: BUTTON_URL_INVALID"
