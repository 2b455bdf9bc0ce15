"""Another entity's ids in every page and every field of every form: nothing is disclosed, nothing changes.

The pages are the site's own list, the fields are read from the sources: what is new is taken in by itself.
"""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from bot import clock
from bot.access.acts import perform
from bot.access.requests import Done, GrantAccess, NewUser
from bot.access.rows import ACCOUNTS, ENTITIES, IDENTITIES, PROFILES, QUALITIES, SESSIONS, catalogue_of
from bot.access.standing import Session
from bot.access.work import Work
from bot.store.login import Attempt
from bot.store.tables import core
from bot.web.site import PAGES
from sqlalchemy import delete, select
from tests.foreign.twins import rows_of
from tests.web.conftest import House

NISS = "01092299708"
FIELDS = sorted(
    {
        name
        for source in files("bot.web").iterdir()
        if source.name.endswith(".py")
        for name in re.findall(r"""form(?:\.get\(|\[)"(\w+)""", source.read_text("utf-8"))
    }
    - {"seal", "init_data", "lang", "page", "token", "password", "again", "proof", "code", "replace"}
)
"""What the forms take: all but what belongs to the visit itself, and proofs, which are no ids."""
NOTED = frozenset({"authenticators"}) | frozenset(
    {"attempts", "seen", "sessions", "visits", "due", "chats", "updates", "outbox", "step_ups"}
)
"""What a visit leaves of itself, and the app that one's own page begins."""
NOWHERE = {"id": "q3x5q7z2q4w6", "number": "2026-999999"}
PASSWORD = "een lange zin die niemand raadt"


@pytest.fixture(scope="module")
def anne(standing_house: House):
    """She manages two hospitals; of the third, where Bram is at work, she should see nothing."""
    return standing_house.enters("Anne", "delcourt")


@pytest.fixture(scope="module")
def theirs(standing_house: House, anne):
    """Ids and words of the place that Anne does not manage, and the number of a change there that waits for the portal."""
    standing_house.enters("Bram", "claes")
    number = noted(standing_house)
    with standing_house.database.read() as connection:
        (place,) = connection.execute(select(ENTITIES.c.id).where(ENTITIES.c.key == "quai")).scalars()
        there = select(ACCOUNTS.c.id).where(ACCOUNTS.c.entity_id == place).limit(2)
        ids = [*connection.execute(there).scalars(), place]
        newest = select(SESSIONS.c.id).order_by(SESSIONS.c.opened_at.desc()).limit(1)
        ids += connection.execute(newest).scalars()
        names = select(PROFILES.c.last_name)
        foreign = set(connection.execute(names.where(PROFILES.c.entity_id == place)).scalars())
        own = set(connection.execute(names.where(PROFILES.c.entity_id != place)).scalars())
    return ids, {name for name in foreign - own if len(name) > 4} | {"Kanarievogel"}, number


def noted(house: House) -> str:
    """Somebody new whom the portal asks the national number of."""
    with house.database.write() as connection:
        people = select(IDENTITIES.c.id).where(IDENTITIES.c.key == "claes")
        rooms = select(QUALITIES.c.id).join(ENTITIES, ENTITIES.c.id == QUALITIES.c.entity_id)
        (room,) = connection.execute(
            rooms.where(ENTITIES.c.key == "quai", QUALITIES.c.key == "hospital")
        ).scalars()
        session = Session(connection.execute(people).scalar_one())
        now, today, catalogue = clock.now(), clock.today(), catalogue_of(connection)
        user = NewUser("Kanarievogel", "Tom", "tom@example.org", "tkanarie", "nl", niss=NISS)
        done = perform(
            Work(connection, house.keyring, session, 1, 1, now, today, catalogue),
            GrantAccess(room, ("hospiliss",), user=user),
        )
        assert isinstance(done, Done), done
        return done.number


def as_it_is(house: House):
    with house.database.read() as connection:
        return {name: rows for name, rows in rows_of(connection).items() if name not in NOTED}


def forgets_tries(house: House) -> None:
    """How often was tried decides on the answer too, and is proved elsewhere."""
    with house.database.write() as connection:
        connection.execute(delete(core(Attempt)))


def test_no_form_takes_what_is_of_another_entity(standing_house: House, anne, theirs):
    ids, names, _ = theirs
    browser = standing_house.browser(anne)
    browser.opens("me")
    seal, before = browser.seal(), as_it_is(standing_house)

    def sent(page: str, field: str, value: str) -> tuple[int, str]:
        forgets_tries(standing_house)
        more = {"password": PASSWORD, "again": PASSWORD} if field == "account" else {}
        browser.page = browser.http.post(f"/app/{page}/form", data={"seal": seal, **more, field: value})
        return browser.page.status_code, browser.text.replace(value, "¤")

    assert {"account", "end"} <= set(FIELDS)
    for page in PAGES:
        for field in FIELDS:
            nowhere = sent(page, field, NOWHERE["id"])
            for value in ids[:1] if page == "login" else ids:  # each is a password to hash
                seen = sent(page, field, value)
                assert seen == nowhere, (page, field, value)
                assert [name for name in names if name in seen[1]] == [], (page, field)
    assert as_it_is(standing_house) == before


def test_no_page_of_a_change_opens_for_somebody_of_another_entity(standing_house: House, anne, theirs):
    _, names, number = theirs
    browser = standing_house.browser(anne)
    browser.opens("me")
    seal, before = browser.seal(), as_it_is(standing_house)
    for method, path in (("GET", "form"), ("POST", "form"), ("POST", "link")):
        answers = []
        for each in (number, NOWHERE["number"]):
            data = {"seal": seal} if method == "POST" else None
            browser.page = browser.http.request(method, f"/app/number/{each}/{path}", data=data)
            answers.append((browser.page.status_code, browser.text.replace(each, "¤")))
        assert answers[0] == answers[1], (method, path)
        assert [name for name in (*names, NISS) if name in answers[0][1]] == [], (method, path)
    assert as_it_is(standing_house) == before


@pytest.mark.parametrize("page", PAGES)
def test_no_page_shows_anything_of_another_entity(standing_house: House, anne, theirs, page):
    _, names, _ = theirs
    browser = standing_house.browser(anne)
    browser.opens(page)
    assert [name for name in names if name in browser.text] == []
