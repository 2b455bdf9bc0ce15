"""One's own Telegram accounts over both databases: who sees which, who may unlink which, and what is left of one that was unlinked."""

from __future__ import annotations

from datetime import timedelta

from bot.access import invitations, letters, linked, sessions, standing
from bot.access.proofs import Proved
from bot.access.rows import BINDINGS
from bot.access.sessions import SessionRules
from bot.errors import Refusal
from bot.store import chats, outbox
from bot.store.tables import AuditEntry, core
from sqlalchemy import select
from tests.access.registers import NOW

RULES = SessionRules(locking=True)
OLD, NEW, HERS = 101, 102, 103
LATER = NOW + timedelta(minutes=2)
ENTRIES = core(AuditEntry)


def linked_to(register, person, telegram_id, *, scope=None, at=NOW):
    """A binding with its open session, and a chat with a dialogue under way."""
    with register.database.write() as connection:
        code = invitations.invite(connection, register.keyring, person, at, scope=scope)
        binding = invitations.redeem(
            connection, register.keyring, code, telegram_id=telegram_id, chat_id=telegram_id, now=at
        ).binding
        sessions.open_session(connection, binding, how="invitation", scope=scope, now=at, rules=RULES)
        row = chats.load(connection, register.keyring, telegram_id, telegram_id, at)
        state = {"rev": 3, "frames": ["Delcor Julie"], "memory": {}}
        kept = {"rev": 3, "lang": "nl", "mode": "edit", "message_id": 7}
        chats.save(connection, register.keyring, row, state, now=at, keep=timedelta(days=7), **kept)
        return binding


def session(register, telegram_id, *, now=NOW):
    with register.database.read() as connection:
        return standing.session_of(connection, telegram_id, now, RULES)


def seen(register, telegram_id):
    with register.database.read() as connection:
        return [each.id for each in linked.listed(connection, session(register, telegram_id))]


def unlinks(register, telegram_id, binding, *, scope=None, mails=False):
    """By a proof as wide as `scope`; the key of the refusal, or the chats that hear of it."""
    actor = session(register, telegram_id)
    proved = Proved(actor.identity, "totp", scope)
    try:
        with register.database.write() as connection:
            return linked.unlink(
                connection, register.keyring, actor, binding, proved, NOW + timedelta(minutes=1), mails=mails
            )
    except Refusal as refusal:
        return refusal.msg.key


def is_bound(register, binding):
    with register.database.read() as connection:
        ended = select(BINDINGS.c.ended_at).where(BINDINGS.c.id == binding)
        return connection.execute(ended).scalar_one() is None


def test_an_unlinked_account_is_a_strangers_its_session_is_over_and_its_dialogue_gone(register):
    lost = linked_to(register, "delcourt", OLD)
    linked_to(register, "delcourt", NEW, at=NOW + timedelta(seconds=1))
    with register.database.read() as connection:
        before = chats.peek(connection, register.keyring, OLD, NOW)
    done = unlinks(register, NEW, lost)
    assert (done.chat, done.others) == (OLD, (NEW,))
    assert session(register, OLD) is None
    assert not session(register, NEW).locked
    with register.database.read() as connection:
        after = chats.peek(connection, register.keyring, OLD, NOW)
        assert (after.state, after.lang) == ({"rev": 4}, "nl")  # older buttons stay old
        assert after.want == before.want + 1
        open_sessions = sessions.listed(connection, register.person["delcourt"])
        entry = connection.execute(
            select(ENTRIES.c.actor_id, ENTRIES.c.subject_id).where(ENTRIES.c.act == "unlink")
        ).one()
    assert len(open_sessions) == 1
    assert tuple(entry) == (register.person["delcourt"],) * 2


def test_accounts_are_listed_newest_first_with_where_they_are_good(register):
    old = linked_to(register, "delcourt", OLD, scope=register.entity["midi"])
    new = linked_to(register, "delcourt", NEW, at=NOW + timedelta(minutes=1))
    with register.database.read() as connection:
        found = linked.listed(connection, session(register, NEW, now=NOW + timedelta(minutes=1)))
    assert [(each.id, each.here, each.how) for each in found] == [
        (new, True, "invitation"),
        (old, False, "invitation"),
    ]
    assert [each.entity.fr if each.entity else None for each in found] == [None, "Hôpitaux du Midi"]
    assert [each.used_at for each in found] == [NOW + timedelta(minutes=1), NOW]


def test_whoever_stands_for_a_person_in_one_entity_neither_sees_nor_ends_what_she_has_elsewhere(register):
    midi, aube = register.entity["midi"], register.entity["aube"]
    everywhere = linked_to(register, "delcourt", OLD)
    elsewhere = linked_to(register, "delcourt", HERS, scope=aube)
    narrow = linked_to(register, "delcourt", NEW, scope=midi)
    assert seen(register, NEW) == [narrow]
    assert [unlinks(register, NEW, each, scope=midi) for each in (everywhere, elsewhere)] == ["web.gone"] * 2
    assert [unlinks(register, NEW, each) for each in (everywhere, elsewhere)] == ["web.gone"] * 2
    assert is_bound(register, everywhere)
    assert is_bound(register, elsewhere)
    assert unlinks(register, NEW, narrow, scope=midi).chat == NEW


def test_a_proof_for_one_entity_ends_no_link_for_all(register):
    lost = linked_to(register, "delcourt", OLD)
    linked_to(register, "delcourt", NEW)
    assert unlinks(register, NEW, lost, scope=register.entity["midi"]) == "web.me.unlink_narrow"
    assert is_bound(register, lost)


def test_nobody_unlinks_somebody_else_and_no_link_ends_twice(register):
    hers = linked_to(register, "delcourt", OLD)
    linked_to(register, "claes", NEW)
    assert unlinks(register, NEW, hers) == "web.gone"
    assert is_bound(register, hers)
    linked_to(register, "delcourt", HERS)
    assert unlinks(register, HERS, hers).chat == OLD
    assert unlinks(register, HERS, hers) == "web.gone"


def test_a_mail_tells_it_to_the_address_that_the_entity_knows_and_holds_no_link(register):
    lost = linked_to(register, "peeters", OLD, scope=register.entity["midi"])
    linked_to(register, "peeters", NEW)
    unlinks(register, NEW, lost, mails=True)
    with register.database.write() as connection:
        letter = outbox.take_letter(connection, register.keyring, LATER)
        written = letters.read(connection, letter.payload, LATER)
        assert letters.read(connection, letter.payload, NOW + timedelta(days=2)) is None
        assert outbox.take_letter(connection, register.keyring, LATER) is None
    assert (written.purpose, written.to) == ("unlinked", "jan.peeters@example.org")
    assert (written.token, written.code) == ("", "")
