"""A user's own way in as it runs: a manager invites in the chat, a real mail server takes the mail, a browser opens its link."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from bot import clock
from bot.access import proofs
from bot.access.rows import TICKETS
from bot.demo.testing import Person, running_server
from bot.settings import Settings
from sqlalchemy import func, select, update
from tests.mailserver import MailServer, mail_server
from tests.snapshots import root_key
from tests.web.conftest import Browser, House, free_port, on_both, running, sampled
from tests.web.test_pages import next_code, sets_up_the_app
from tests.web.test_proof import digest

GOOD = "cheval batterie agrafe"


@dataclass
class Post(House):
    """The running program with a mail server beside it."""

    mails: MailServer | None = None

    def letter(self, number: int = 1) -> str:
        """The text of a mail, once there are so many."""
        assert self.mails
        for _ in range(200):
            if len(self.mails.taken) >= number:
                return self.mails.taken[number - 1].get_content().replace("\xa0", " ")
            time.sleep(0.1)
        raise AssertionError(f"{len(self.mails.taken)} mails instead of {number}")

    def listens(self) -> None:
        """Waits until the pages are served: the bot is ready a moment before."""
        for _ in range(100):
            try:
                httpx.get(f"{self.pages}/health", trust_env=False)
            except httpx.ConnectError:
                time.sleep(0.05)
            else:
                return

    def visitor(self) -> Browser:
        """A browser outside of Telegram."""
        http = httpx.Client(base_url=self.pages, follow_redirects=True, trust_env=False, timeout=20)
        self.browsers.append(http)
        return Browser(http, "", 0)


@contextmanager
def posted(database_url: str, folder: Path) -> Iterator[Post]:
    root, port = root_key(), free_port()
    database, keyring = sampled(database_url, folder)
    with running_server() as server, mail_server() as mails:
        settings = Settings(
            telegram_token=server.token,
            telegram_api_url=server.url,
            database_url=database_url,
            root_key=root,
            public_url=f"http://127.0.0.1:{port}",
            listen=f"127.0.0.1:{port}",
            smtp_host="127.0.0.1",
            smtp_port=mails.port,
            smtp_security="none",
            smtp_from="Assistant <no-reply@hospital.example>",
        )
        with running(settings, frames=()):
            post = Post(server, database, keyring, f"http://127.0.0.1:{port}", mails=mails)
            post.listens()
            yield post
            for http in post.browsers:
                http.close()
    database.close()


@pytest.fixture
def post(database_url: str, tmp_path: Path) -> Iterator[Post]:
    with posted(database_url, tmp_path) as post:
        yield post


def invites_jan(anne: Person) -> None:
    """Anne finds Jan and invites him by mail."""
    anne.says("/status jpeeters")
    anne.waits_for("utilisateurs trouvés")
    anne.taps("Peeters Jan · Cardiologie")
    anne.waits_for("Statut")
    anne.taps("✉ Inviter")
    anne.waits_for("Comment la personne")
    anne.taps("Par e-mail")
    anne.waits_for("Récapitulatif")
    anne.taps("Confirmer")
    anne.waits_for("L'invitation part par e-mail")


def token_of(text: str) -> str:
    return re.search(r"/app/password#(\S+)", text)[1]


def opens(browser: Browser, token: str) -> httpx.Response:
    """What the page's script does with the link."""
    browser.page = browser.http.post("/app/password/enter", data={"token": token})
    return browser.page


@on_both
def test_an_invited_user_chooses_his_password_by_the_mailed_link_once(post: Post):
    anne = post.enters("Anne", "delcourt")
    invites_jan(anne)
    text = post.letter()
    browser = post.visitor()
    shell = browser.http.get("/app/password")
    assert (shell.status_code, shell.headers["referrer-policy"]) == (200, "no-referrer")

    assert opens(browser, token_of(text)).status_code == 200
    assert "jpeeters" in browser.text
    assert browser.sends("password", password="kort", again="kort").status_code == 422
    assert browser.sends("password", password=GOOD, again=GOOD + "!").status_code == 422
    assert browser.sends("password", password=GOOD, again=GOOD).status_code == 200
    with post.database.write() as connection:
        assert proofs.try_password(connection, post.keyring, "jpeeters", GOOD, datetime.now(UTC))

    other = post.visitor()
    assert opens(other, token_of(text)).status_code == 403
    assert other.http.get("/app/password/form").status_code == 403


def test_the_code_in_the_mail_lets_the_user_into_the_chat(post: Post):
    invites_jan(post.enters("Anne", "delcourt"))
    code = re.search(r"\?start=(\S+)", post.letter())[1]
    jan = post.telegram.person("Jan")
    jan.starts(code)
    jan.settles()
    jan.waits_for("Welkom")
    with post.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(TICKETS)).scalar() == 1


def test_a_program_that_follows_links_uses_nothing_up(post: Post):
    invites_jan(post.enters("Anne", "delcourt"))
    token = token_of(post.letter())
    for _ in range(3):
        scanner = post.visitor()
        scanner.http.get("/app/password")
        assert opens(scanner, token).status_code == 200
    browser = post.visitor()
    opens(browser, token)
    assert browser.sends("password", password=GOOD, again=GOOD).status_code == 200


def test_the_form_is_taken_from_its_own_page_only(post: Post):
    invites_jan(post.enters("Anne", "delcourt"))
    browser = post.visitor()
    opens(browser, token_of(post.letter()))
    for seal in ("", "0" * 64):
        form = {"seal": seal, "password": GOOD, "again": GOOD}
        assert browser.http.post("/app/password/form", data=form).status_code == 403
    bare = post.visitor()
    assert bare.http.post("/app/password/form", data={"password": GOOD, "again": GOOD}).status_code == 403


@pytest.mark.parametrize("token", ["", "x" * 43, "\ud800".encode("utf-8", "surrogatepass")])
def test_a_link_that_is_none_opens_nothing(post: Post, token):
    answer = opens(post.visitor(), token)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_the_page_speaks_the_language_that_is_chosen(post: Post):
    invites_jan(post.enters("Anne", "delcourt"))
    browser = post.visitor()
    opens(browser, token_of(post.letter()))
    form = {"seal": browser.seal(), "lang": "de", "page": "password"}
    browser.page = browser.http.post("/app/password/language", data=form)
    assert "Kennwort" in browser.text
    assert browser.sends("password", password="kurz", again="kurz").status_code == 422
    assert "Kennwort" in browser.text


@on_both
def test_whoever_forgot_his_password_gets_the_same_answer_whether_he_is_known_or_not(post: Post):
    browser = post.visitor()
    page = browser.http.get("/app/forgotten?lang=en")
    assert "Forgotten password" in page.text
    answers = [
        browser.http.post("/app/forgotten?lang=en", data={"username": name})
        for name in ("jpeeters", "nobody99")
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].text == answers[1].text
    text = post.letter()
    opens(browser, token_of(text))
    assert browser.sends("password", password=GOOD, again=GOOD).status_code == 200
    time.sleep(1.5)
    assert len(post.mails.taken) == 1


def test_asking_too_often_from_one_place_is_refused(post: Post):
    browser = post.visitor()
    codes = [browser.http.post("/app/forgotten", data={"username": f"n{n}"}).status_code for n in range(12)]
    assert codes == [200] * 10 + [429] * 2


def test_a_code_to_hand_over_stands_in_the_chat_for_a_quarter_of_an_hour(post: Post, monkeypatch):
    anne = post.enters("Anne", "delcourt")
    browser = post.browser(anne)
    app, _ = sets_up_the_app(browser)
    anne.says("/status jpeeters")
    anne.waits_for("utilisateurs trouvés")
    anne.taps("Peeters Jan · Cardiologie")
    anne.waits_for("Statut")
    anne.taps("✉ Inviter")
    anne.waits_for("Comment la personne")
    anne.taps("Code à remettre")
    anne.waits_for("Récapitulatif")
    browser.opens("proof")
    browser.sends("proof", digest=digest(browser), code=next_code(app))
    anne.waits_for("Remettez ce code")
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=16))
    for _ in range(100):
        if not any("Remettez ce code" in each.text for each in anne.chat):
            return
        time.sleep(0.1)
    raise AssertionError("the code is still there")


def test_an_address_that_is_refused_is_told_to_the_manager_with_a_way_on(post: Post):
    post.mails.answers = ["550 5.1.1 No such mailbox"]
    anne = post.enters("Anne", "delcourt")
    invites_jan(anne)
    anne.waits_until(
        lambda _: any("n'a pas pu être remis" in each.text.replace("\xa0", " ") for each in anne.chat)
    )
    notice = next(each for each in anne.chat if "pas pu être remis" in each.text)
    assert "Peeters" not in notice.text


def test_a_new_user_is_mailed_and_the_receipt_says_so(post: Post):
    anne = post.enters("Anne", "delcourt")
    anne.says("/grant")
    anne.waits_for("Pour quelle entité")
    anne.taps("Hôpitaux du Midi")
    anne.waits_for("À qui")
    anne.taps("➕ Nouvel utilisateur")
    for question, answer in (("nom", "Vermeulen"), ("prénom", "Tom"), ("mail", "tom.vermeulen@example.org")):
        anne.waits_for(question)
        anne.says(answer)
    anne.waits_for("Quelles applications")
    anne.says("Hospiliss")
    anne.waits_for("Récapitulatif")
    anne.taps("Confirmer")
    anne.waits_for("Tom reçoit un lien pour choisir son mot de passe")
    assert "/app/password#" in post.letter()
    assert post.mails.to == ["tom.vermeulen@example.org"]


def test_a_link_is_in_no_address_that_the_server_sees(post: Post):
    """The secret stands behind the #: what the server is asked for does not hold it."""
    invites_jan(post.enters("Anne", "delcourt"))
    address = re.search(r"(http\S+)", post.letter())[1]
    request = post.visitor().http.build_request("GET", address)
    assert request.url.raw_path == b"/app/password"


def test_the_link_of_a_letter_runs_out(post: Post):
    invites_jan(post.enters("Anne", "delcourt"))
    token = token_of(post.letter())
    with post.database.write() as connection:
        connection.execute(update(TICKETS).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert opens(post.visitor(), token).status_code == 403


def test_what_is_kept_about_users_is_told_to_everybody_in_the_four_languages(standing_house: House):
    browser = standing_house.browser(standing_house.telegram.person("Alex"))
    for lang, words in (
        ("fr", "Votre organisation gère ici vos accès"),
        ("nl", "Uw organisatie beheert hier uw toegangen"),
        ("de", "Ihre Organisation verwaltet hier Ihre Zugänge"),
        ("en", "Your organisation manages your access"),
    ):
        browser.page = browser.http.get("/app/privacy", params={"lang": lang})
        assert words in browser.text
        assert f'<html lang="{lang}">' in browser.page.text
