import json

import httpx
import pytest
from bot.conversations.model import Press, Toast
from bot.errors import ConfigurationError, DatabaseUnavailable
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import ChatLocks, Threads
from bot.handlers.flood import STRANGER, Gate
from bot.handlers.gateway import CallFailed, Trouble
from bot.handlers.lanes import TRIES
from bot.handlers.webhook import BODY_LIMIT, Webhook
from bot.msg import m
from bot.turn import Handled
from starlette.applications import Starlette
from tests.handlers.fakes import MemoryInbox, arrived

ANNE = 5_000_000_001
SECRET = "s" * 43
CODES = Codes([b"k" * 32])


class FakeDesk:
    def __init__(self, inbox):
        self.inbox = inbox
        self.turns = []
        self.followed = []
        self.errors = []
        self.apologies = []
        self.waited = []
        self.toast = None

    async def turn(self, incoming):
        self.turns.append(incoming.update_id)
        if self.errors:
            raise self.errors.pop(0)
        self.inbox.done.add(incoming.update_id)
        repeated = self.turns.count(incoming.update_id) > 1
        return Handled(incoming.chat_id, "fr", repeated=repeated, toast=self.toast, card=None, mail=False)

    def waits(self, incoming):
        self.waited.append(incoming.update_id)

    async def follow_up(self, incoming, handled):
        self.followed.append(incoming.update_id)

    async def give_up(self, chat_id, update_id):
        return "4F2A"

    async def apologised(self, chat_id):
        self.apologies.append(chat_id)


class FakeGateway:
    def __init__(self):
        self.calls = []
        self.fails = None

    async def call(self, method, **parameters):
        self.calls.append((method, parameters))
        if self.fails:
            raise CallFailed(self.fails)


class World:
    def __init__(self, *, probation=0.0, gate=None):
        self.inbox = MemoryInbox()
        self.desk = FakeDesk(self.inbox)
        self.gateway = FakeGateway()
        self.threads = Threads(2)
        self.webhook = Webhook(
            SECRET, self.inbox, self.desk, self.threads, CODES, ChatLocks(), self.gateway, probation=probation, gate=gate
        )  # fmt: skip
        transport = httpx.ASGITransport(Starlette(routes=self.webhook.routes()))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://bot")

    async def post(self, body, secret=SECRET):
        headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = await self.client.post("/telegram", content=content, headers=headers)
        await self.webhook.settle()
        return response

    async def close(self):
        await self.client.aclose()
        await self.webhook.close()
        self.threads.close()


@pytest.fixture
async def world():
    world = World()
    yield world
    await world.close()


def text(update_id):
    return arrived(update_id, ANNE, "x").body


def tap(update_id):
    person = {"id": ANNE, "is_bot": False}
    query = {"id": "99", "from": person, "data": CODES.encode(ANNE, 1, Press("ok"))}
    return {
        "update_id": update_id,
        "callback_query": {**query, "message": {"message_id": 5, "chat": {"id": ANNE, "type": "private"}}},
    }


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1], "é"])
async def test_a_call_without_the_secret_is_refused_and_nothing_is_stored(world, secret):
    response = await world.post(text(1), secret and secret.encode())
    assert (response.status_code, world.desk.turns, world.inbox.batches) == (403, [], [])


@pytest.mark.parametrize("secret", ["", " ", "\n"])
def test_an_empty_secret_refuses_to_start(secret):
    with pytest.raises(ConfigurationError, match="ACCESSBOT_WEBHOOK_SECRET"):
        Webhook(secret, None, None, None, CODES, None, None)


async def test_the_answer_comes_after_the_commit_and_the_card_after_the_answer(world):
    response = await world.post(text(1))
    assert (response.status_code, response.content, world.desk.turns, world.desk.followed) == (
        200,
        b"",
        [1],
        [1],
    )
    assert world.inbox.batches == []


async def test_a_tap_is_answered_in_the_reply(world):
    world.desk.toast = Toast(m("command.home"), alert=True)
    response = await world.post(tap(1))
    answer = {
        "method": "answerCallbackQuery",
        "callback_query_id": "99",
        "text": "Accueil",
        "show_alert": True,
    }
    assert response.json() == answer


async def test_a_tap_without_a_toast_is_answered_too_also_when_it_is_delivered_again(world):
    first, second = await world.post(tap(1)), await world.post(tap(1))
    assert first.json() == second.json() == {"method": "answerCallbackQuery", "callback_query_id": "99"}


async def test_while_the_database_is_away_telegram_is_asked_to_come_again(world):
    world.desk.errors = [DatabaseUnavailable("away")]
    assert [(await world.post(text(1))).status_code for _ in range(2)] == [503, 200]
    assert (world.inbox.batches, world.desk.waited) == ([], [1])


async def test_a_turn_that_fails_is_delivered_again_and_set_aside_after_five_tries(world):
    world.desk.errors = [ValueError("x")] * TRIES
    assert [(await world.post(text(1))).status_code for _ in range(TRIES)] == [500] * (TRIES - 1) + [200]
    assert (world.inbox.aside[1][1], world.desk.apologies) == ("4F2A", [ANNE])


async def test_soon_after_the_start_each_try_is_counted_before_it_is_made():
    world = World(probation=60)
    world.inbox.keep([arrived(1, ANNE, "x")])
    for _ in range(TRIES):
        world.inbox.count_attempt(1)
    assert (await world.post(text(1))).status_code == 200
    assert (world.desk.turns, world.inbox.aside[1]) == ([], ("interrupted", "4F2A"))
    await world.close()


async def test_soon_after_the_start_an_update_delivered_many_times_is_never_set_aside():
    world = World(probation=60)
    assert {(await world.post(text(1))).status_code for _ in range(9)} == {200}
    assert (world.inbox.aside, world.inbox.rows[1].attempts) == ({}, 1)
    await world.close()


async def test_a_group_is_left_and_nothing_is_stored(world):
    body = text(1)
    body["message"]["chat"] = {"id": -7, "type": "group"}
    assert (await world.post(body)).status_code == 200
    assert (world.gateway.calls, world.desk.turns, world.inbox.batches) == (
        [("leaveChat", {"chat_id": -7})],
        [],
        [],
    )


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[]", 200), (b"\xff", 400), (b"x" * (BODY_LIMIT + 1), 413)]
)
async def test_what_is_no_update_is_turned_away(world, body, status):
    assert ((await world.post(body)).status_code, world.desk.turns) == (status, [])


async def test_other_methods_and_addresses_are_not_there(world):
    assert (await world.client.get("/telegram")).status_code == 405
    assert (await world.client.post("/")).status_code == 404


async def test_telegram_is_told_the_address_the_secret_and_the_updates_wanted(world):
    await world.webhook.register("https://access.example.org/")
    ((method, parameters),) = world.gateway.calls
    assert (method, parameters["url"], parameters["secret_token"]) == (
        "setWebhook",
        "https://access.example.org/telegram",
        SECRET,
    )
    assert parameters["allowed_updates"] == ["message", "edited_message", "callback_query", "my_chat_member"]


@pytest.mark.parametrize(("trouble", "says"), [(Trouble.UNAUTHORIZED, "token"), (Trouble.REFUSED, "webhook")])
async def test_a_webhook_that_telegram_refuses_is_one_line_for_the_operator(world, trouble, says):
    world.gateway.fails = trouble
    with pytest.raises(ConfigurationError, match=says):
        await world.webhook.register("https://access.example.org")


@pytest.mark.parametrize("failure", [DatabaseUnavailable("away"), ValueError("x")])
async def test_a_stranger_whose_update_waits_is_no_flood_however_often_telegram_brings_it(failure):
    world = World(gate=Gate(clock=lambda: 0.0))
    again = TRIES - 1 if isinstance(failure, ValueError) else 3 * int(STRANGER.size)
    world.desk.errors = [failure] * again
    tried = [(await world.post(text(1))).status_code for _ in range(again)]
    assert (set(tried) <= {500, 503}, (await world.post(text(1))).status_code) == (True, 200)
    assert (world.desk.turns, world.desk.followed) == ([1] * (again + 1), [1])
    others = [await world.post(text(update_id)) for update_id in range(2, 12)]
    assert {response.status_code for response in others} == {200}
    assert world.desk.followed == list(range(1, int(STRANGER.size) + 1)), "what is new is weighed as before"
    await world.close()
