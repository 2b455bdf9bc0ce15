"""Another house's ids in every dialogue, by every way in, from everybody: nothing is disclosed, nothing changes.

The answer must be, letter by letter, the one that an id gets which there is nowhere. The dialogues are taken from the
registry, the ids from the tables, the buttons from what one's own house shows: what is new is taken in by itself.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field

import pytest
from bot.access.names import display_name
from bot.conversations.model import Command, Event, Press, State, Tap, Text
from bot.conversations.registry import FLOWS
from bot.store.database import Database
from bot.store.keys import Keyring
from sqlmodel import SQLModel
from tests import databases
from tests.foreign.scene import OPAQUE, Place, Scene, View, Who, actions, explored, kind_of
from tests.foreign.twins import NOBODY, NUMBERS, OWN, PEOPLE, THEIR, Twins, inami

KINDS = {
    "entities": 2,
    "qualities": 2,
    "subdivisions": 1,
    "accounts": 4,
    "mandates": 2,
    "changes": 2,
    "certificates": 1,
    "responsibilities": 1,
    "substitutions": 1,
    "grants": 1,
    "assignments": 1,
    "identities": 1,
    "profiles": 1,
    "change_items": 1,
    "national_numbers": 1,
}
"""What a dialogue might be given the id of, and how many of each are tried."""
NEVER = {
    "bindings", "sessions", "tickets", "visits", "passwords", "authenticators", "recovery_codes", "step_ups", "seen",
    "attempts", "invitations", "login_tickets", "updates", "chats", "outbox", "due", "audit_entries", "audit_heads",
    "audit_anchors", "counters", "key_checks", "kept_keys", "data_keys", "number_blinds", "retired_names", "origins",
    "applications", "functions", "account_words", "enterprises", "facts",
}  # fmt: skip
"""Of the ways in (`test_pages`), of the machinery, or of nobody's house: no dialogue names one by its id."""
MASK = "••.••-•••."
FAKE = {"id": "q3x5q7z2q4w6", "change": "2026-999999"}
SAID_BY_RULE = {("newuser", "username"), ("grant", "username"), ("edit", "username")}
"""Questions where it is said whether a user name is free: it is unique over all houses, as on the portal."""


@dataclass
class Stage:
    """The scene with everybody in it, and all that one's own house has to show."""

    scene: Scene
    people: dict[str, Who]
    places: dict[Place, tuple[State, View]] = field(default_factory=dict)
    fakes: dict[object, str] = field(default_factory=dict)
    patterns: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """For each dialogue what its buttons carry: the verb, and the value with tables for ids."""

    @property
    def twins(self) -> Twins:
        return self.scene.twins

    def foreign(self) -> dict[str, list[str]]:
        """Ids of the other house by table, as many as are to be tried."""
        return {
            table: self.twins.theirs[table][-most:]
            for table, most in KINDS.items()
            if self.twins.theirs.get(table)
        }

    def tells_nothing(
        self,
        who: Who,
        state: State,
        here: object,
        event: Event,
        like: Event,
        given: str,
        instead: str,
        *,
        clean: bool = True,
    ) -> None:
        """The event with the foreign value is answered as with one that there is nowhere, and nothing of the house is seen."""
        key = (who.name, here, repr(like), getattr(like, "text", ""))
        if key not in self.fakes:
            self.fakes[key] = said_back(self.scene.happens(who, state, like)[2], instead)
        seen = said_back(self.scene.happens(who, state, event)[2], given)
        what = (who.name, here, event, given)
        assert seen == self.fakes[key], what
        if clean:
            self.is_clean(seen, what)

    def is_clean(self, seen: str, what: object) -> None:
        words = [word for word in self.twins.secrets if word in seen]
        ids = {key for keys in self.twins.theirs.values() for key in keys}
        assert (words, sorted(ids & set(OPAQUE.findall(seen)))) == ([], []), what


def said_back(text: str, typed: str) -> str:
    """The text with what was typed under one sign: as it is, or as a number is masked."""
    text = text.replace(typed, "¤")
    return text.replace(f"{MASK}{typed[-2:]}", "¤") if typed.isdecimal() and len(typed) == 11 else text


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    folder, dice = tmp_path_factory.mktemp("twins"), random.Random(20261124)
    with databases.sqlite(folder) as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.store.ids.secrets.token_bytes", dice.randbytes)  # the same ids at each run
        database = Database(url)
        twins = Twins.built(database, Keyring({1: bytes(range(32))}), folder)
        patch.undo()
        with database.engine.connect() as connection:
            stage = Stage(Scene(twins, connection), {})
            yield _set(stage)
            connection.rollback()
        database.close()


def _set(stage: Stage) -> Stage:
    scene, twins = stage.scene, stage.twins
    for role in ("chief", "local", "group", "sub", "audi", "plain", "dep"):
        stage.people[role] = scene.who(role, f"own-{role}")
    stage.people["boss"] = scene.who("boss", "boss", "own")
    stage.people["locked"] = scene.who("locked", "own-chief", locked=True)
    stage.people["stranger"] = scene.who("stranger", None)
    tables = {key: table for table in KINDS for key in twins.ours[table]}
    doors = [key for table, most in KINDS.items() for key in twins.ours[table][-most:]]
    doors += [f"r:{key}" for table in ("accounts", "certificates", "mandates") for key in twins.ours[table]]
    stage.places = explored(scene, stage.people["chief"], doors)
    for place, (_, view) in stage.places.items():
        for action in actions(view):
            verb, value = (
                (action.verb, action.value)
                if isinstance(action, Press)
                else ("open", f"{action.flow}:{action.args}")
            )
            stage.patterns.setdefault(str(place[0]), set()).add((verb, kind_of(value, tables)))
    return stage


def filled(pattern: str, ids: dict[str, list[str]]) -> list[tuple[str, str, str]]:
    """The pattern with foreign ids in it, each with what stands for it where there is nothing, and the id itself."""
    table = pattern.partition("<")[2].partition(">")[0]
    fake = FAKE["change" if table == "changes" else "id"]
    return [
        (pattern.replace(f"<{table}>", key), pattern.replace(f"<{table}>", fake), key)
        for key in ids.get(table, ())
    ]


# -- that nothing is left out -------------------------------------------------------------------------


def test_of_each_table_it_is_known_whether_a_dialogue_names_its_rows():
    names = {table.name for table in SQLModel.metadata.sorted_tables}
    assert names - NEVER - KINDS.keys() == set(), "a new table: try its ids here, or say why not"


def test_both_houses_have_of_everything_and_no_button_carries_an_id_of_another_kind(stage):
    assert [table for table in KINDS if not stage.foreign().get(table)] == []
    strange = {
        (flow, verb, value)
        for flow, found in stage.patterns.items()
        for verb, value in found
        for opaque in OPAQUE.findall(value)
        if any(sign.isdecimal() for sign in opaque)
    }
    assert strange == set(), "a dialogue takes an id that is of no table in KINDS"
    taken = {
        table for found in stage.patterns.values() for _, value in found for table in KINDS if table in value
    }
    assert taken >= {
        "entities",
        "qualities",
        "subdivisions",
        "accounts",
        "mandates",
        "changes",
        "certificates",
    }


def test_one_comes_to_every_dialogue_and_sees_ones_own_house_there(stage):
    of_nobody = {"home", "stranger", "locked", "start", "link", "lock", "language"}
    over = {"return"}  # everybody here has a way back, so it does not open
    assert {place[0] for place in stage.places} >= FLOWS.keys() - of_nobody - over
    seen = "".join(stage.scene.view(stage.people["chief"], state) for state, _ in stage.places.values())
    assert len([word for word in stage.twins.our_secrets if word in seen]) > 30


# -- doors --------------------------------------------------------------------------------------------

FEW = {"local", "group", "audi", "dep"}
"""For them one of each kind: their rights are cut from the same table."""


@pytest.mark.parametrize("flow", FLOWS)
def test_no_door_opens_on_another_house(stage, flow):
    ids, prefixes = stage.foreign(), prefixes_of(stage, flow)
    for who in stage.people.values():
        for table, keys in ids.items():
            for key in keys[:1] if who.name in FEW else keys:
                fake = FAKE["change" if table == "changes" else "id"]
                for prefix in prefixes:
                    given, instead = f"{prefix}{key}", f"{prefix}{fake}"
                    stage.tells_nothing(
                        who, State(), "home", Command(flow, given), Command(flow, instead), key, fake
                    )
        key, fake = ids["accounts"][0], FAKE["id"]
        tapped, like = (Tap(1, "open", f"{flow}:{each}") for each in (key, fake))
        stage.tells_nothing(who, State(), "home", tapped, like, key, fake)


def prefixes_of(stage: Stage, flow: str) -> list[str]:
    """What stands before an id in the words of a door to this dialogue; nothing, as a rule."""
    words = [
        value.removeprefix(f"{flow}:") for found in stage.patterns.values() for verb, value in found if verb == "open" and value.startswith(f"{flow}:")
    ]  # fmt: skip
    return sorted({"", *(word.partition("<")[0] for word in words if "<" in word)})


# -- steps --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flow", FLOWS)
def test_no_step_takes_a_button_of_another_house(stage, flow):
    ids = stage.foreign()
    wanted = {
        (verb, value) for verb, value in stage.patterns.get(flow, ()) if "<" in value and verb != "open"
    }
    wanted |= {(verb, f"<{table}>") for verb, table in (("a", "entities"), ("who", "accounts"))}
    for place, (state, _) in stage.places.items():
        for verb, pattern in wanted if place[0] == flow else ():
            for given, instead, key in filled(pattern, ids)[-2:]:
                fake = FAKE["change" if "<changes>" in pattern else "id"]
                stage.tells_nothing(stage.people["chief"], state, place, Tap(state.rev, verb, given), Tap(state.rev, verb, instead), key, fake)  # fmt: skip


@pytest.mark.parametrize("flow", FLOWS)
def test_no_word_of_another_house_is_understood(stage, flow):
    said = words(stage)
    for place, (state, _) in stage.places.items():
        if place[0] == flow:
            for given, instead in said:
                if place[:2] in SAID_BY_RULE and given.startswith("u"):
                    continue
                stage.tells_nothing(stage.people["chief"], state, place, Text(given), Text(instead), given, instead)  # fmt: skip


def words(stage: Stage) -> list[tuple[str, str]]:
    """What may be typed of the other house, and the like that there is nowhere."""
    plain = THEIR[5], NOBODY[5]
    return [
        tuple(display_name(last, f"{last[:4]}a") for last in plain),  # type: ignore[list-item]
        tuple(f"u{last.lower()[:7]}" for last in plain),  # type: ignore[list-item]
        (NUMBERS["their"], NUMBERS["nobody"]),
        (inami(719900), inami(819900)),
        (stage.twins.changes("their")[-1], FAKE["change"]),
    ]


# -- within one's own house ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "role"),
    [("local", "kin"), ("group", "kin"), ("sub", "kin"), ("sub", "plain"), ("plain", "spec")],
)
def test_no_door_opens_on_another_quality_or_ward(stage, name, role):
    """`kin` is a user of the other quality, `plain` of no ward; and whoever manages nothing sees nobody."""
    who, account, fake = stage.people[name], stage.twins.register.account[f"own-{role}"], FAKE["id"]
    last = OWN[PEOPLE.index(role)]
    for flow in FLOWS:
        for event, like in (
            (Command(flow, account), Command(flow, fake)),
            (Tap(1, "open", f"{flow}:{account}"), Tap(1, "open", f"{flow}:{fake}")),
        ):
            stage.tells_nothing(who, State(), "home", event, like, account, fake)
            seen = stage.scene.happens(who, State(), event)[2]
            assert last not in seen, (flow, event)


# -- rights that ended meanwhile ----------------------------------------------------------------------


def test_what_is_open_when_a_mandate_ends_shows_nothing_any_more(stage):
    """Each place of one's own house, drawn and tapped on by somebody who has no mandate there (any more)."""
    twins, scene = stage.twins, stage.scene
    ours = {key for table in KINDS for key in twins.ours[table]}
    others = (scene.who("their chief", "their-chief"), scene.who("half a boss", "boss", "their"))
    for place, (state, view) in stage.places.items():
        text = json.dumps(
            state.to_json(), ensure_ascii=False
        )  # what he had been told, or had typed, he knows
        if not ours & set(OPAQUE.findall(text)):
            continue
        presses = [action for action in actions(view) if isinstance(action, Press)]
        for who in others:
            seen = scene.view(who, state)
            for action in presses[:4]:
                seen += scene.happens(who, state, Tap(state.rev, action.verb, action.value))[2]
            lost = [word for word in twins.our_secrets if word in seen and word not in text]
            assert lost == [], (place, who.name)
