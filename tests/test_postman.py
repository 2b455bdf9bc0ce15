"""Letters from the outbox to a real mail server: taken, made to wait, refused, cut off; over plain lines and TLS."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from datetime import timedelta

import pytest
from bot import clock
from bot.access import letters, visits, wayin
from bot.access.requests import InviteUser
from bot.access.rows import ACCOUNTS, PROFILES, TICKETS
from bot.lettering import composed
from bot.msg import Texts
from bot.postman import Postman
from bot.smtp import Never, NotNow, Server, hand_over
from bot.store.mail import Outgoing
from bot.store.tables import core
from sqlalchemy import select, update

from tests.access.registers import NOW, Register
from tests.mailserver import mail_server

OUTBOX = core(Outgoing)
PAGES = "https://access.example.org"
FROM = "Assistant des accès <no-reply@hospital.example>"


class Clock:
    """The time, moved by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self):
        return self.at

    def passes(self, **time) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def time(monkeypatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr(clock, "now", moved)
    return moved


@pytest.fixture
def register(database, keyring, tmp_path) -> Register:
    return Register(database, keyring, tmp_path)


@pytest.fixture
def server():
    with mail_server() as served:
        yield served


def plain(served) -> Server:
    return Server("127.0.0.1", served.port, "none", "no-reply@hospital.example", timeout=5)


def postman(register, served, **fields) -> Postman:
    man = Postman(
        register.database, register.keyring, replace(plain(served), **fields), sender=FROM, pages=PAGES
    )
    man.bot = "hospital_access_bot"
    return man


def delivers(man: Postman) -> int:
    """All letters that are due; how many were tried."""

    async def all_due() -> int:
        count = 0
        while await man.once():
            count += 1
        return count

    return asyncio.run(all_due())


def invites(register, account: str = "peeters", by: str = "delcourt") -> None:
    with register.work(by, now=clock.now()) as work:
        done = wayin.invite_user(replace(work, mails=True), InviteUser(register.account[account]))
    assert done.mailed


def rows(register) -> list[tuple[str, str | None, bytes]]:
    with register.database.read() as connection:
        found = connection.execute(select(OUTBOX).order_by(OUTBOX.c.id)).all()
    return [(row.kind, row.error, row.payload) for row in found]


def text_of(mail) -> str:
    return mail.get_content().replace("\xa0", " ")


def test_an_invitation_arrives_in_the_persons_language_with_a_link_and_the_bots(register, server, time):
    with register.database.write() as connection:
        connection.execute(
            update(PROFILES).where(PROFILES.c.email.is_not(None)).values(last_name="Pé'eters-Ångström")
        )
    invites(register)
    assert delivers(postman(register, server)) == 1
    (mail,) = server.taken
    assert server.to == ["jan.peeters@example.org"]
    assert str(mail["To"].addresses[0].display_name) == "Pé'eters-Ångström Jan"
    assert mail["From"].addresses[0].addr_spec == "no-reply@hospital.example"
    assert (mail["Auto-Submitted"], mail["Content-Language"]) == ("auto-generated", "fr")
    text = text_of(mail)
    token = text.split("/app/password#")[1].split()[0]
    code = text.split("https://t.me/hospital_access_bot?start=")[1].split()[0]
    with register.database.read() as connection:
        assert visits.link(connection, token, NOW).account == register.account["peeters"]
    assert len(code) == 22
    assert f"{PAGES}/app/privacy?lang=fr" in text
    assert "jpeeters de Hôpitaux du Midi" not in text
    assert "Hôpitaux du Midi" in text
    assert "jpeeters" in text
    assert "jusqu'au 25-11-2026 à 10:00" in text
    assert not {"79.08.23", "79082399728", "997.28"} & set(text.split())
    assert all(part.isascii() for part in str(mail.as_bytes(), "ascii").splitlines())


def test_whoever_unlinked_a_telegram_account_hears_of_it_by_a_mail_that_leads_nowhere(register, server, time):
    with register.database.write() as connection:
        letters.unlinked(connection, register.keyring, register.account["peeters"], "b1", clock.now())
    assert delivers(postman(register, server)) == 1
    (mail,) = server.taken
    text = text_of(mail)
    assert server.to == ["jan.peeters@example.org"]
    assert "Le 24-11-2026 à 10:00, un compte Telegram qui était relié à vous" in text
    assert "Hôpitaux du Midi" in text
    assert not any(word in text for word in ("http", "/app/", "t.me"))


def test_a_letter_that_is_delivered_leaves_no_secret_behind(register, server, time):
    invites(register)
    delivers(postman(register, server))
    assert rows(register) == [("mail", None, b"")]
    assert delivers(postman(register, server)) == 0


def test_who_is_made_to_wait_gets_the_same_mail_later_and_once(register, server, time):
    server.answers = ["451 4.7.1 Greylisted, try again"] * 2
    invites(register)
    man = postman(register, server)
    assert delivers(man) == 1
    assert delivers(man) == 0, "not before the pause is over"
    time.passes(minutes=2)
    assert delivers(man) == 1
    time.passes(minutes=5)
    assert delivers(man) == 1
    time.passes(hours=1)
    assert delivers(man) == 0
    assert len(server.taken) == 1


def test_a_line_that_is_cut_after_the_text_costs_one_repeated_mail_with_the_same_id(register, server, time):
    server.cut_after = 1
    invites(register)
    man = postman(register, server)
    delivers(man)
    time.passes(minutes=5)
    delivers(man)
    first, second = server.taken
    assert first["Message-ID"] == second["Message-ID"]
    assert first.as_bytes() == second.as_bytes()


def test_a_refusal_for_good_is_told_to_whoever_invited_without_a_name(register, server, time):
    server.answers = ["550 5.1.1 No such mailbox"]
    invites(register)
    man = postman(register, server)
    delivers(man)
    time.passes(hours=2)
    assert delivers(man) == 0
    letter, notice = rows(register)
    assert letter == ("mail", "refused 550", b"")
    assert notice[0] == "message"
    with register.database.read() as connection:
        row = connection.execute(select(OUTBOX).where(OUTBOX.c.kind == "message")).one()
    assert (row.chat_id, row.key.startswith("undelivered:letter:")) == (42, True)


def test_a_text_that_the_server_will_never_take_is_told_too(register, server, time):
    server.data = ["554 5.7.1 Looks like spam"]
    invites(register)
    delivers(postman(register, server))
    assert [kind for kind, *_ in rows(register)] == ["mail", "message"]


@pytest.mark.parametrize("answer", ["550 5.7.1 Sender not allowed", "451 4.3.0 Busy"])
def test_what_stands_against_all_mail_makes_it_wait(register, server, time, answer):
    server.senders = [answer]
    invites(register)
    man = postman(register, server)
    delivers(man)
    assert [(kind, error) for kind, error, _ in rows(register)] == [("mail", None)]
    time.passes(minutes=2)
    delivers(man)
    assert len(server.taken) == 1


def test_a_server_that_is_away_keeps_the_letter_until_its_link_is_over_and_then_the_manager_hears(
    register, server, time
):
    invites(register)
    man = postman(register, server, port=1)
    for _ in range(60):
        delivers(man)
        time.passes(minutes=30)
    assert [(kind, error) for kind, error, _ in rows(register)] == [("mail", "over"), ("message", None)]


def test_a_newer_invitation_takes_the_place_of_one_that_still_waits(register, server, time):
    server.answers = ["451 Later"]
    invites(register)
    man = postman(register, server)
    delivers(man)
    invites(register)
    time.passes(minutes=10)
    assert delivers(man) == 2
    assert len(server.taken) == 1
    assert [(kind, error) for kind, error, _ in rows(register)] == [("mail", "over"), ("mail", None)]


def test_nobody_is_written_to_who_left_meanwhile(register, server, time):
    invites(register)
    with register.database.write() as connection:
        connection.execute(
            update(ACCOUNTS).where(ACCOUNTS.c.id == register.account["peeters"]).values(status="deleted")
        )
    delivers(postman(register, server))
    assert server.taken == []


def test_the_letter_at_rest_does_not_show_its_link(register, server, time):
    invites(register)
    with register.database.read() as connection:
        hashed = connection.execute(select(TICKETS.c.token_hash)).scalar_one()
    ((_, _, payload),) = rows(register)
    assert hashed.encode() not in payload
    assert b"token" not in payload


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "Jan\r\nBcc: mus@example.org"},
        {"to": "jan@example.org\r\nBcc: mus@example.org"},
        {"to": "jan@example.org, mus@example.org"},
    ],
)
def test_a_name_with_a_line_break_writes_no_header(changed):
    """Names are refused such characters when they are typed; here nothing goes out at all."""
    letter = letters.Letter(
        "welcome", "jan@example.org", "Jan", "fr", Texts(fr="Midi"), "jan", "t" * 43, "", NOW, NOW
    )
    with pytest.raises(ValueError, match=r"(?i)cr|lf|line|carriage|address|invalid|defect"):
        composed(replace(letter, **changed), "letter:1", sender=FROM, pages=PAGES, bot="")


# -- the line -------------------------------------------------------------------------------------


def mail_for(register):
    with register.database.read() as connection:
        row = letters.addressee(connection, register.account["peeters"])
    letter = letters.Letter(
        "forgotten", "jan@münster.example", "Jan", "de", Texts(fr="Midi"), row.username,
        "t" * 43, "", NOW, NOW + timedelta(hours=1),
    )  # fmt: skip
    return composed(letter, "letter:1", sender=FROM, pages=PAGES, bot="")


def handed_over(*args) -> None:
    """In a loop that lasts until the line is closed."""

    async def over() -> None:
        try:
            await hand_over(*args)
        finally:
            await asyncio.sleep(0.1)

    asyncio.run(over())


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_over_tls_with_a_password(register, security):
    with mail_server(security=security) as served:
        server = Server(
            "127.0.0.1", served.port, security, "no-reply@hospital.example",
            user="assistant", password="secret-of-the-house", timeout=5, trust=served.trust,
        )  # fmt: skip
        handed_over(server, mail_for(register), "jan@example.org")
        assert set(served.users) == {"assistant"}
        assert served.encrypted == [True]
        assert served.taken[0]["To"].addresses[0].addr_spec == "jan@xn--mnster-3ya.example"

        with pytest.raises(NotNow) as refused:
            handed_over(replace(server, password="wrong"), mail_for(register), "jan@example.org")
        assert refused.value.ours


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(register):
    with mail_server(security="starttls") as served:
        server = Server(
            "127.0.0.1", served.port, "starttls", "no-reply@hospital.example",
            timeout=5, trust=ssl.create_default_context(),
        )  # fmt: skip
        with pytest.raises(NotNow) as refused:
            handed_over(server, mail_for(register), "jan@example.org")
        assert refused.value.ours
        assert served.taken == []


def test_a_server_without_tls_gets_nothing_where_tls_was_asked_for(register, server):
    asked = replace(plain(server), security="starttls")
    with pytest.raises(NotNow):
        handed_over(asked, mail_for(register), "jan@example.org")
    assert server.taken == []


def test_an_address_in_letters_that_the_server_cannot_take_is_refused_for_good(register, server):
    server.answers = ["553 5.1.3 Bad address"]
    with pytest.raises(Never):
        handed_over(plain(server), mail_for(register), "jan@example.org")


def test_a_server_that_never_answers_is_left_after_the_timeout(register):
    async def silent() -> None:
        async def hears(reader, writer):
            await reader.read()
            writer.close()
            await writer.wait_closed()

        listening = await asyncio.start_server(hears, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        server = Server("127.0.0.1", port, "none", "no-reply@hospital.example", timeout=0.5)
        with pytest.raises(NotNow):
            await hand_over(server, mail_for(register), "jan@example.org")
        listening.close()
        await asyncio.sleep(0.1)

    asyncio.run(silent())
