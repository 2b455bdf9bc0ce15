"""Certificates in chat: taken in from a file, listed with their states, replaced, removed."""

from __future__ import annotations

import base64

import pytest
from bot.access.certificates import MAX_BYTES
from bot.access.requests import EndCertificate, KeepCertificate
from bot.conversations.model import Document, Forget, Unreadable
from bot.conversations.registry import ENGINE
from bot.conversations.testing import NOW, Talk, sample
from tests.certificatefiles import der, pem


@pytest.fixture
def talk() -> Talk:
    return Talk(ENGINE, sample())


def sent(body: bytes | None, size: int | None = None) -> Document:
    return Document("f1", "x.pem", len(body or b"") if size is None else size, body)


def kept(file: bytes, entity: str = "midi", replaces: str | None = None) -> KeepCertificate:
    return KeepCertificate(entity, base64.b64encode(file).decode(), replaces)


def keeping(talk: Talk, *files: bytes) -> Talk:
    for file in files:
        talk.directory.keep_certificate(kept(file), NOW)
    return talk


def test_a_certificate_is_sent_shown_and_kept_with_three_interactions(talk: Talk) -> None:
    talk.command("certificate").taps("Hôpitaux du Midi")
    assert "Envoyez-le ici comme document" in talk.sees()
    talk.feed(sent(pem()))
    for line in (
        "Titulaire: CN=Chaman Midi",
        "Émetteur: CN=Essai CA",
        "Validité: du 23-11-2026 au 24-11-2027",
        "Empreinte SHA-256: ",
    ):
        assert line in talk.sees()
    assert "(proposé)" not in talk.sees(), "what the file says is no proposal"
    talk.taps("Confirmer")
    assert talk.requests == [kept(pem())]
    assert [msg.key for msg in talk.receipts[-1].body] == ["certificate.done", "certificate.portal"]


def test_the_list_shows_each_state_and_what_ends_first_at_the_top(talk: Talk) -> None:
    keeping(talk, der("Long", 400), der("Bientôt", 20), der("Plus tard", 500, since=9))
    talk.command("me").taps("Certificats", "Hôpitaux du Midi")
    assert "3 certificats suivis" in talk.sees()
    assert "1. 🟠 Bientôt · expire bientôt, le 14-12-2026" in talk.sees()
    assert "2. 🟢 Long · valable jusqu'au 29-12-2027" in talk.sees()
    assert "3. 🔵 Plus tard · valable à partir du 03-12-2026" in talk.sees()
    talk.says("bientot")
    assert "Titulaire: CN=Bientôt" in talk.sees()


def test_a_certificate_is_replaced_from_its_page(talk: Talk) -> None:
    keeping(talk, der())
    talk.command("certificates", "c0001").taps("Remplacer").feed(sent(pem("Chaman 2")))
    assert "Remplace: Chaman Midi" in talk.sees()
    talk.taps("Confirmer")
    assert talk.requests == [kept(pem("Chaman 2"), replaces="c0001")]


def test_where_there_are_others_it_is_asked_which_one_is_replaced(talk: Talk) -> None:
    keeping(talk, der())
    talk.command("certificate").taps("Hôpitaux du Midi").feed(sent(pem("Chaman 2")))
    assert "Remplace-t-il un autre certificat" in talk.sees()
    talk.taps("Aucun autre", "Confirmer")
    assert talk.requests == [kept(pem("Chaman 2"))]


def test_a_certificate_is_removed(talk: Talk) -> None:
    keeping(talk, der())
    talk.command("certificates", "c0001").taps("Retirer un certificat", "Confirmer")
    assert talk.requests == [EndCertificate("midi", "c0001")]
    talk.command("endcert").taps("Hôpitaux du Midi")
    assert "n'a pas de certificat à retirer" in talk.sees()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (sent(None, MAX_BYTES + 1), "trop grand pour un certificat : 16 Ko au plus"),
        (sent(None, 900), "Le fichier n'est pas arrivé"),
        (sent(b"Bonjour"), "n'est pas un certificat"),
        (sent(der(days=0)), "a expiré le 24-11-2026"),
        (sent(der("Known")), "déjà dans la liste"),
        (sent(pem() + pem("B")), "contient 2 certificats"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_with_its_sentence(
    talk: Talk, document: Document, said: str
) -> None:
    keeping(talk, der("Known"))
    talk.command("certificate").taps("Hôpitaux du Midi").feed(document)
    assert said in talk.sees()
    assert "Envoyez-le ici comme document" in talk.sees()
    talk.says("voilà")
    assert "Ici il faut un fichier" in talk.sees()


def test_a_private_key_goes_from_the_chat_and_the_dialogue_waits_on(talk: Talk) -> None:
    talk.command("certificate").taps("Hôpitaux du Midi")
    assert talk.feed(Unreadable("key")).effects == (Forget(),)
    assert "⚠ Ce fichier contient une clé privée" in talk.sees()
    assert "Envoyez-le ici comme document" in talk.sees()


def test_a_file_that_nobody_asked_for_is_no_answer(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").feed(sent(pem()))
    assert "À qui" in talk.sees()
    assert talk.replies[-1].view.error.key == "engine.unreadable"
    assert not ENGINE.asks_for_document(talk.state, talk.context)
    talk.command("certificate").taps("Hôpitaux du Midi")
    assert ENGINE.asks_for_document(talk.state, talk.context)


def test_who_only_reads_sees_the_certificates_and_changes_none(talk: Talk) -> None:
    keeping(talk, der())
    talk.directory.acts -= {"keep_certificates"}
    talk.command("me")
    assert "Certificats" not in talk.sees()
    talk.command("certificates", "c0001")
    assert "CN=Chaman Midi" in talk.sees()
    assert "Remplacer" not in talk.sees()
