"""Anchors outside the database, a cut that leaves one, an export that verifies offline: what each of them finds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bot.errors import AuditBroken, ConfigurationError
from bot.store import anchors, audit, crypto, rotation, trail
from bot.store.anchors import Anchor, AnchorFile, Signers
from bot.store.chains import link_mac
from bot.store.database import Database
from bot.store.ids import new_id
from bot.store.keys import Keyring
from bot.store.tables import AuditAnchor, AuditEntry, AuditHead, Identity
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
YEARS = timedelta(days=3653)


@pytest.fixture
def person(database: Database, keyring: Keyring) -> str:
    person = new_id()
    with database.write() as connection:
        connection.execute(insert(Identity).values(id=person, key="peeters", created_at=NOW))
        crypto.IdentityKeys(connection, keyring).create(person)
    return person


def write(
    database: Database, keyring: Keyring, person: str, chain: str, count: int, at: datetime = NOW
) -> None:
    with database.write() as connection:
        for number in range(count):
            entry = audit.Entry("grant", person, person, body={"number": number}, personal="Peeters Jan")
            audit.append(connection, keyring, chain, entry, at)


@pytest.fixture
def trailed(database: Database, keyring: Keyring, person: str) -> Database:
    for chain in ("aube", "midi"):
        write(database, keyring, person, chain, 5)
    return database


@pytest.fixture
def file(tmp_path: Path) -> AnchorFile:
    return AnchorFile(tmp_path / "elsewhere" / "anchors.jsonl")


def verified(database: Database, keyring: Keyring, file: AnchorFile | None = None) -> audit.Verified:
    outside = file.read(Signers.of(keyring)) if file else []
    with database.read() as connection:
        return audit.verify(connection, keyring, outside)


def anchored(
    database: Database, keyring: Keyring, file: AnchorFile, at: datetime = NOW
) -> list[tuple[str, int]]:
    return [(each.chain, each.seq) for each in trail.anchor(database, keyring, [file], at)]


def forced(database: Database, *statements: object) -> None:
    """A hand with all rights over the database: it takes the triggers off, and writes."""
    off = (
        ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"]
        if database.sqlite
        else ["DROP TRIGGER audit_append_only ON audit_entries"]
    )
    with database.write() as connection:
        for statement in off:
            connection.execute(text(statement))
        for change in statements:
            connection.execute(change)  # type: ignore[call-overload]


def rewritten(database: Database, keyring: Keyring, chain: str, seq: int, **values: object) -> None:
    """A hand that holds the root key too: it changes an entry and makes all that follow fit, head and all."""
    with database.read() as connection:
        links = list(audit.links(connection, chain=chain))
    forced(database, delete(AuditEntry).where(AuditEntry.chain == chain))
    before = b""
    with database.write() as connection:
        for link in links:
            now = {**link.values, **(values if link.values["seq"] == seq else {})}
            before = link_mac(keyring, now, before)
            connection.execute(insert(AuditEntry).values(**now, mac=before))
        head = audit._head(keyring, chain, links[-1].values["seq"], before)
        connection.execute(update(AuditHead).where(AuditHead.chain == chain).values(**head))


# -- anchors --------------------------------------------------------------------------------------


def test_only_chains_that_moved_are_anchored_again(trailed, keyring, person, file):
    assert anchored(trailed, keyring, file) == [("aube", 5), ("midi", 5)]
    assert anchored(trailed, keyring, file, NOW + DAY) == []
    write(trailed, keyring, person, "midi", 2)
    assert anchored(trailed, keyring, file, NOW + 2 * DAY) == [("midi", 7)]
    assert [each.seq for each in file.read(Signers.of(keyring))] == [5, 5, 7]
    assert verified(trailed, keyring, file) == audit.Verified(12)
    with trailed.read() as connection:
        assert [(each.chain, each.seq) for each in anchors.inside(connection)] == [("aube", 5), ("midi", 7)]


def test_a_chain_made_anew_with_the_root_key_is_found_by_its_anchor(trailed, keyring, person, file):
    anchored(trailed, keyring, file)
    write(trailed, keyring, person, "midi", 3)
    anchored(trailed, keyring, file, NOW + DAY)
    rewritten(trailed, keyring, "midi", 7, act="nothing")
    forced_inside = delete(AuditAnchor).where(AuditAnchor.chain == "midi")
    with trailed.write() as connection:
        connection.execute(forced_inside)
    assert verified(trailed, keyring).broken is None, "without the file nothing shows"
    why = "entries 6 to 8 are not those that were anchored on 2026-11-25"
    assert verified(trailed, keyring, file).broken == ("midi", 6, why)


def test_a_tail_that_was_cut_with_the_root_key_is_found_by_its_anchor(trailed, keyring, file):
    anchored(trailed, keyring, file)
    with trailed.read() as connection:
        mac = connection.execute(
            select(AuditEntry.mac).where(AuditEntry.chain == "midi", AuditEntry.seq == 3)
        ).scalar_one()
    forced(
        trailed,
        delete(AuditEntry).where(AuditEntry.chain == "midi", AuditEntry.seq > 3),
        update(AuditHead).where(AuditHead.chain == "midi").values(**audit._head(keyring, "midi", 3, mac)),
        delete(AuditAnchor),
    )
    assert verified(trailed, keyring).broken is None, "without the file nothing shows"
    why = "entries up to 5 were anchored on 2026-11-24 and are gone"
    assert verified(trailed, keyring, file).broken == ("midi", 4, why)


def test_a_chain_that_went_whole_is_found_by_its_anchor(trailed, keyring, file):
    anchored(trailed, keyring, file)
    forced(
        trailed,
        delete(AuditEntry).where(AuditEntry.chain == "midi"),
        delete(AuditHead).where(AuditHead.chain == "midi"),
        delete(AuditAnchor),
    )
    assert verified(trailed, keyring).broken is None, "without the file nothing shows"
    assert verified(trailed, keyring, file).broken == (
        "midi",
        1,
        "entries up to 5 were anchored on 2026-11-24 and are gone",
    )


def test_a_broken_chain_is_not_anchored(trailed, keyring, file):
    forced(trailed, update(AuditEntry).where(AuditEntry.chain == "midi", AuditEntry.seq == 3).values(act="x"))
    with pytest.raises(AuditBroken, match="entry 3 of chain 'midi'"):
        anchored(trailed, keyring, file)


def test_an_anchor_of_somebody_else_is_refused_inside_and_outside(trailed, keyring, file):
    other = Keyring({1: bytes(32)})
    (ours, *_) = trail.anchor(trailed, keyring, [file], NOW)
    forged = anchors.signed(other, replace(ours, seq=3))
    file.publish([forged])
    with pytest.raises(AuditBroken, match=r"Line 3 .* not signed"):
        verified(trailed, keyring, file)
    with trailed.write() as connection:
        anchors.remember(connection, [replace(forged, seq=6)])
    assert verified(trailed, keyring).broken == (
        "aube",
        6,
        "its anchor in the database is not signed by this key",
    )
    with pytest.raises(AuditBroken, match="not signed"):
        anchored(trailed, keyring, file)


def test_an_altered_line_of_the_file_is_found(trailed, keyring, file):
    anchored(trailed, keyring, file)
    lines = file._path.read_text().splitlines()
    file._path.write_text("\n".join([lines[0], lines[1].replace('"seq":5', '"seq":4'), ""]))
    with pytest.raises(AuditBroken, match="Line 2"):
        verified(trailed, keyring, file)


def test_a_line_torn_by_a_power_cut_is_mended(trailed, keyring, person, file):
    anchored(trailed, keyring, file)
    whole = file._path.read_text()
    file._path.write_text(whole[:-40])
    assert [each.chain for each in file.read(Signers.of(keyring))] == ["aube"]
    write(trailed, keyring, person, "midi", 1)
    anchored(trailed, keyring, file)
    assert [(each.chain, each.seq) for each in file.read(Signers.of(keyring))] == [("aube", 5), ("midi", 6)]


def test_what_the_file_did_not_take_does_not_count_as_anchored(trailed, keyring, tmp_path, file):
    (tmp_path / "taken").write_text("")
    blocked = AnchorFile(tmp_path / "taken" / "anchors")
    with pytest.raises(ConfigurationError, match="ACCESSBOT_AUDIT_ANCHORS"):
        anchored(trailed, keyring, blocked)
    assert anchored(trailed, keyring, file) == [("aube", 5), ("midi", 5)]


def test_anchors_outlive_the_key_that_signed_them(trailed, file):
    one, two = bytes(range(32)), bytes(32)
    old = Keyring({1: one})
    with trailed.write() as connection:
        crypto.check_keyring(connection, old, NOW)
    anchored(trailed, old, file)
    both = Keyring({1: one, 2: two})
    with trailed.write() as connection:
        crypto.check_keyring(connection, both, NOW)
    rotation.rotate(trailed, both, lambda: NOW)
    last = Keyring({2: two})
    with trailed.write() as connection:
        crypto.check_keyring(connection, last, NOW)
    assert anchored(trailed, last, file) == [("house", 1)]
    assert verified(trailed, last, file) == audit.Verified(11)
    assert Signers.of(last).texts() == Signers.of(both).texts()


# -- cut ------------------------------------------------------------------------------------------


def cut(database: Database, keyring: Keyring, outlets: Sequence[AnchorFile] = ()) -> int:
    return trail.cut(database, keyring, outlets, NOW - YEARS, NOW)


@pytest.fixture
def aged(database: Database, keyring: Keyring, person: str) -> Database:
    """midi: 4 entries too old, 3 not; aube: all too old."""
    write(database, keyring, person, "midi", 4, NOW - YEARS - DAY)
    write(database, keyring, person, "midi", 3)
    write(database, keyring, person, "aube", 5, NOW - YEARS - DAY)
    return database


def test_what_is_too_old_goes_and_the_chain_still_verifies(aged, keyring, person, file):
    anchored(aged, keyring, file)
    assert cut(aged, keyring, [file]) == 8, "the last entry of a chain stays"
    assert verified(aged, keyring, file) == audit.Verified(4)
    assert cut(aged, keyring, [file]) == 0
    write(aged, keyring, person, "aube", 2)
    assert anchored(aged, keyring, file) == [("aube", 7)]
    assert cut(aged, keyring, [file]) == 1
    assert verified(aged, keyring, file) == audit.Verified(5)
    with aged.read() as connection:
        assert [(each.chain, each.seq) for each in anchors.inside(connection) if each.cut] == [
            ("aube", 5),
            ("midi", 4),
        ]


def test_a_cut_without_a_signed_anchor_is_refused_or_found(aged, keyring, file):
    with pytest.raises(DBAPIError, match="append-only"), aged.write() as connection:
        connection.execute(delete(AuditEntry).where(AuditEntry.seq <= 2))
    false = Anchor("midi", 2, True, NOW, b"mac", b"digest", 1, b"signature")
    with aged.write() as connection:
        anchors.remember(connection, [false])
        connection.execute(delete(AuditEntry).where(AuditEntry.chain == "midi", AuditEntry.seq <= 2))
    assert verified(aged, keyring).broken == (
        "midi",
        2,
        "its anchor in the database is not signed by this key",
    )
    with aged.write() as connection:
        connection.execute(delete(AuditAnchor))
    assert verified(aged, keyring).broken == ("midi", 3, "an entry before it is missing")


def test_more_than_was_cut_does_not_go(aged, keyring):
    cut(aged, keyring)
    with pytest.raises(DBAPIError, match="append-only"), aged.write() as connection:
        connection.execute(delete(AuditEntry).where(AuditEntry.chain == "midi", AuditEntry.seq == 5))


# -- an exported file -----------------------------------------------------------------------------


def exported(database, keyring, folder: Path, **options) -> Path:
    trail.anchor(database, keyring, [], NOW)
    with database.read() as connection:
        lines = list(trail.export(connection, keyring, NOW, **options))
    file = folder / "trail.jsonl"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def checked(file: Path, keyring: Keyring, *, public: bool = False, outside=()) -> audit.Verified:
    signers = Signers.parsed(Signers.of(keyring).texts()) if public else Signers.of(keyring)
    return trail.verify_file(file, signers, None if public else keyring, outside)


@pytest.mark.parametrize("public", [False, True], ids=["root-key", "public-key"])
class TestExport:
    def test_a_file_verifies_offline(self, aged, keyring, tmp_path, public):
        cut(aged, keyring)
        file = exported(aged, keyring, tmp_path)
        assert checked(file, keyring, public=public) == audit.Verified(4)
        assert "Peeters" not in file.read_text()

    def test_one_chain_alone_verifies(self, trailed, keyring, tmp_path, public):
        file = exported(trailed, keyring, tmp_path, chain="midi", entity="midi")
        assert checked(file, keyring, public=public) == audit.Verified(5)

    @pytest.mark.parametrize(
        ("edit", "broken"),
        [
            (lambda lines: [*lines[:5], lines[5].replace("grant", "xrant"), *lines[6:]], "aube"),
            (lambda lines: lines[:-2], "midi"),
            (lambda lines: [*lines[:5], *lines[6:]], "aube"),
            (lambda lines: [*lines[:3], *lines[8:]], "aube"),
            (lambda lines: [lines[0], lines[2], *lines[8:]], "aube"),
            (lambda lines: [*lines, lines[-1]], "midi"),
        ],
        ids=[
            "altered",
            "tail cut",
            "one left out",
            "entries of a chain left out",
            "a chain left out",
            "repeated",
        ],
    )
    def test_an_edited_file_is_found(self, trailed, keyring, tmp_path, public, edit, broken):
        file = exported(trailed, keyring, tmp_path)
        lines = file.read_text().splitlines()
        file.write_text("\n".join(edit(lines)) + "\n")
        found = checked(file, keyring, public=public).broken
        assert found is not None
        assert found[0] == broken

    def test_a_false_head_anchor_or_line_is_found(self, trailed, keyring, tmp_path, public):
        file = exported(trailed, keyring, tmp_path)
        whole = file.read_text().splitlines()
        head = json.loads(whole[0])
        del head["chains"]["aube"]
        for number, line in ((0, json.dumps(head)), (1, whole[1].replace('"seq":5', '"seq":4')), (4, "{}")):
            lines = [*whole[:number], line, *whole[number + 1 :]]
            file.write_text("\n".join(lines) + "\n")
            with pytest.raises(AuditBroken, match=f"Line {number + 1} "):
                checked(file, keyring, public=public)

    def test_a_file_is_compared_with_anchors_from_before_it_was_made(
        self, trailed, keyring, tmp_path, public, file, person
    ):
        before = trail.anchor(trailed, keyring, [file], NOW)
        rewritten(trailed, keyring, "midi", 2, act="nothing")
        with trailed.write() as connection:
            connection.execute(delete(AuditAnchor))
        false = exported(trailed, keyring, tmp_path)
        assert checked(false, keyring, public=public).broken is None
        found = checked(false, keyring, public=public, outside=before).broken
        assert found is not None and found[:2] == ("midi", 1)


def test_personal_parts_are_in_a_file_only_when_asked_for(trailed, keyring, person, tmp_path):
    file = exported(trailed, keyring, tmp_path, personal=True)
    assert file.read_text().count("Peeters Jan") == 10
    assert checked(file, keyring) == audit.Verified(10)
    with trailed.write() as connection:
        crypto.IdentityKeys(connection, keyring).destroy(person)
    file = exported(trailed, keyring, tmp_path, personal=True)
    assert "Peeters" not in file.read_text()
    assert checked(file, keyring) == audit.Verified(10)


def test_another_file_or_key_is_one_line(trailed, keyring, tmp_path):
    other = tmp_path / "other"
    other.write_text("hello\n")
    with pytest.raises(ConfigurationError, match="audit export"):
        checked(other, keyring)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        checked(tmp_path / "none", keyring)
    with pytest.raises(AuditBroken, match="not signed by this key"):
        checked(exported(trailed, keyring, tmp_path), Keyring({1: bytes(32)}))
    with pytest.raises(ConfigurationError, match="audit key"):
        Signers.parsed(["abk1:no"])
