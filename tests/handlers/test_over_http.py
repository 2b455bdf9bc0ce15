"""The whole edge over HTTP: the local Bot API on one side, a turn in memory on the other."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
import uvicorn
from bot.demo import people
from bot.demo.model import Visitor
from bot.demo.server import DemoConfig, Server, bind, build_state, create_app
from bot.errors import ConfigurationError, OperatorError
from bot.handlers.edge import Telegram
from bot.handlers.gateway import Gateway
from bot.handlers.ports import Document
from starlette.applications import Starlette
from tests.handlers.fakes import Closing, MemoryInbox, MemoryOutbox, eventually, letter

ANNE, BERT = 5_000_000_001, 5_000_000_002
SECRET = "s" * 43


class World:
    def __init__(self, state, url):
        self.state = state
        self.url = url
        self.inbox = MemoryInbox()
        self.outbox = MemoryOutbox()
        self.turns = Closing(self.inbox)
        self.turns.outbox = self.outbox
        self.bot = self.new_bot()
        self.stop = asyncio.Event()

    def new_bot(self, *, token=None, url=None):
        quick = {"timeout": 1.0, "poll_seconds": 2, "pause": 0.02}
        token, url = token or self.state.token, url or self.url
        return Telegram(token, self.turns, self.inbox, self.outbox, [b"k" * 32], api_url=url, **quick)

    @asynccontextmanager
    async def polling(self):
        async with asyncio.TaskGroup() as group:
            running = group.create_task(self.bot.run_polling(self.stop))
            worker = group.create_task(self.work())
            try:
                yield running
            finally:
                self.stop.set()
                worker.cancel()

    async def work(self):
        """What the worker process does: whatever is due, again and again."""
        while True:
            await self.bot.deliver_due()
            await self.bot.show_due_cards()
            await asyncio.sleep(0.02)

    def says(self, person, text):
        people.says(self.state, person, text)

    def taps(self, person):
        number = max(message.id for message in self.messages(person))
        return people.taps(self.state, person, number, people.button_data(self.state, person, number, 0, 0))

    def messages(self, person):
        return [
            message for message in self.state.messages.get(person, {}).values() if message.sender["is_bot"]
        ]

    def texts(self, person):
        return [message.content["text"] for message in self.messages(person)]

    async def sees(self, person, *texts):
        try:
            await eventually(lambda: self.texts(person) == list(texts), within=10)
        except TimeoutError:
            assert self.texts(person) == list(texts)

    def calls(self, method):
        return [call for call in self.state.calls if call.method == method]

    def errors(self):
        return [(call.method, call.error) for call in self.state.calls if call.error]


@pytest.fixture
async def world():
    visitors = (Visitor(ANNE, "Anne"), Visitor(BERT, "Bert", language_code="nl"))
    state = build_state(DemoConfig(visitors=visitors, rate_limits=False))
    listening = bind(0)
    server = Server(state, create_app(state))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await eventually(lambda: server.started)
    world = World(state, f"http://127.0.0.1:{listening.getsockname()[1]}")
    yield world
    await world.bot.close()
    server.should_exit = True
    await serving
    state.archive.close()
    listening.close()


async def test_a_card_is_edited_on_taps_and_sent_anew_after_text(world):
    async with world.polling():
        people.start(world.state, ANNE)
        await world.sees(ANNE, "start")
        (card,) = world.messages(ANNE)
        query = world.taps(ANNE)
        await world.sees(ANNE, "ok 1 2")
        assert [message.id for message in world.messages(ANNE)] == [card.id]
        await eventually(lambda: world.calls("answerCallbackQuery"))
        assert world.calls("answerCallbackQuery")[0].params["callback_query_id"] == query
        world.says(ANNE, "Peeters")
        await world.sees(ANNE, "Peeters")
        assert world.messages(ANNE)[0].id > card.id
    assert world.errors() == []


async def test_a_document_is_fetched_when_a_dialogue_asks_for_one(world):
    world.turns.asks = True
    async with world.polling():
        people.start(world.state, ANNE)
        people.sends_file(world.state, ANNE, "clé d'accès.cer", "application/x-x509-ca-cert", b"0\x82", "")
        await eventually(lambda: len(world.turns.handled) == 2)
    event = world.turns.handled[-1].event
    assert (event.name, event.size, event.body) == ("clé d'accès.cer", 2, b"0\x82")
    assert world.errors() == []


async def test_messages_that_stay_stand_above_the_card(world):
    async with world.polling():
        people.start(world.state, ANNE)
        world.says(ANNE, "mail")
        await world.sees(ANNE, "d'abord", "ensuite")


async def test_updates_delivered_three_times_are_worked_once_and_in_order(world):
    world.state.updates.duplicate = lambda number: 1 + number % 3
    async with world.polling():
        for person in (ANNE, BERT):
            people.start(world.state, person)
        for number in range(10):
            for person in (ANNE, BERT):
                world.says(person, f"n {number}")
        await world.sees(ANNE, "n 9")
        await world.sees(BERT, "n 9")
    for person in (ANNE, BERT):
        texts = [getattr(come.event, "text", "") for come in world.turns.handled if come.chat_id == person]
        assert texts == ["", *(f"n {number}" for number in range(10))]


@pytest.mark.parametrize("seed", [1, 2])
async def test_in_bad_weather_every_message_arrives_and_every_card_is_the_newest(world, seed):
    async with world.polling():
        for person in (ANNE, BERT):
            people.start(world.state, person)
        await world.sees(ANNE, "start")
        await world.sees(BERT, "start")
        trouble = [
            {"status": 500},
            {"status": 502},
            {"drop": "before"},
            {"drop": "after"},
            {"status": 429, "retry_after": 1},
        ]
        for number, kind in enumerate(trouble):
            world.state.faults.add(**kind, times=None, probability=0.07, seed=seed * 10 + number)
        notes = [
            world.outbox.put(person, "message", letter(f"avis {number}"))
            for number in range(4)
            for person in (ANNE, BERT)
        ]
        for number in range(6):
            for person in (ANNE, BERT):
                world.says(person, f"n {number}")
        await eventually(
            lambda: set(notes) <= world.outbox.results.keys() and not world.turns.unshown(limit=9), within=60
        )
        world.state.faults.clear()
    for person in (ANNE, BERT):
        texts = world.texts(person)
        card = world.state.message(person, world.turns.rows[person].message_id)
        assert card.content["text"] == "n 5"
        assert {f"avis {number}" for number in range(4)} <= set(texts)


async def test_no_call_is_made_in_a_chat_before_its_retry_after(world):
    async with world.polling():
        people.start(world.state, ANNE)
        await world.sees(ANNE, "start")
        world.state.faults.add(method="sendMessage", status=429, retry_after=1)
        world.says(ANNE, "un")
        await eventually(lambda: any("Too Many" in call.error for call in world.calls("sendMessage")))
        world.outbox.put(ANNE, "message", letter("avis"))
        await eventually(lambda: {"un", "avis"} <= set(world.texts(ANNE)))
    sends = world.calls("sendMessage")
    refused = next(index for index, call in enumerate(sends) if call.error)
    assert sends[refused + 1].at - sends[refused].at >= 1
    assert len([call for call in sends if call.error]) == 1


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"late": 1.5}], ids=["cut", "late"])
async def test_an_answer_lost_after_telegram_took_the_message_costs_one_repetition(world, fault):
    async with world.polling():
        people.start(world.state, ANNE)
        await world.sees(ANNE, "start")
        world.state.faults.add(method="sendMessage", **fault)
        note = world.outbox.put(ANNE, "message", letter("avis"))
        await eventually(lambda: note in world.outbox.results)
    assert world.texts(ANNE).count("avis") == 2


async def test_a_card_that_the_person_deleted_is_sent_anew(world):
    async with world.polling():
        people.start(world.state, ANNE)
        await world.sees(ANNE, "start")
        (card,) = world.messages(ANNE)
        data = people.button_data(world.state, ANNE, card.id, 0, 0)
        people.deletes(world.state, ANNE, card.id)
        people.taps(world.state, ANNE, card.id, data)
        await world.sees(ANNE, "ok 1 2")


async def test_a_forged_tap_is_answered_and_changes_nothing(world):
    async with world.polling():
        people.start(world.state, ANNE)
        await world.sees(ANNE, "start")
        people.taps(world.state, ANNE, world.messages(ANNE)[0].id, "p2.ok.1AAAAAAAAAAA")
        await eventually(lambda: world.calls("answerCallbackQuery"))
    assert (world.turns.handled[-1].event.rev, world.turns.handled[-1].event.verb) == (-1, "")


async def test_delivery_to_somebody_who_blocked_the_bot_ends(world):
    async with world.polling():
        people.start(world.state, ANNE)
        await world.sees(ANNE, "start")
        people.block(world.state, ANNE)
        note = world.outbox.put(ANNE, "message", letter("avis"))
        await eventually(
            lambda: note in world.outbox.results and any(come.left for come in world.turns.handled)
        )
        people.unblock(world.state, ANNE)
        await eventually(lambda: any(come.joined for come in world.turns.handled))
    assert world.outbox.results[note] == ("ended", "blocked")
    assert ANNE in world.turns.blocked_chats


async def test_a_group_is_left_and_its_words_are_never_kept(world):
    group = {"id": -77, "type": "supergroup", "title": "Pharmacie"}
    person = {"id": ANNE, "is_bot": False, "first_name": "Anne"}
    async with world.polling():
        people.inject(
            world.state,
            {
                "message": {
                    "message_id": 1,
                    "date": 1,
                    "chat": group,
                    "from": person,
                    "text": "79.08.23-997.28",
                }
            },
        )
        await eventually(lambda: world.calls("leaveChat"))
    assert (world.inbox.rows, world.turns.handled) == ({}, [])


async def test_an_update_that_always_fails_ends_in_an_apology_and_the_chat_goes_on(world):
    def fails(incoming):
        if getattr(incoming.event, "text", "") == "poison":
            raise ValueError

    world.turns.before = fails
    async with world.polling():
        people.start(world.state, ANNE)
        world.says(ANNE, "poison")
        world.says(ANNE, "suite")
        await eventually(lambda: world.texts(ANNE)[-1:] == ["suite"])
    assert "excuses 4F2A" in world.texts(ANNE)


async def test_after_a_restart_the_bot_goes_on_with_what_it_had_taken(world):
    people.start(world.state, ANNE)
    world.turns.away = True
    async with world.polling():
        await eventually(lambda: world.inbox.rows)
    await world.bot.close()
    world.turns.away, world.stop, world.bot = False, asyncio.Event(), world.new_bot()
    async with world.polling():
        await world.sees(ANNE, "start")


async def test_a_second_copy_waits_and_takes_over(world):
    other = world.new_bot()
    stop = asyncio.Event()
    async with world.polling():
        people.start(world.state, ANNE)
        await world.sees(ANNE, "start")
        second = asyncio.create_task(other.run_polling(stop))
        await asyncio.sleep(0.3)
    people.says(world.state, ANNE, "suite")
    await world.sees(ANNE, "suite")
    stop.set()
    await second
    await other.close()


async def test_the_menu_is_there_in_every_language(world):
    async with world.polling():
        await eventually(lambda: world.calls("getChatMenuButton"))
    assert len(world.calls("setMyCommands")) == 5
    assert world.errors() == []


async def test_check_names_the_bot_or_says_in_one_line_what_is_wrong(world, unused_tcp_port):
    assert await world.bot.check() == "@accessbot_demo_bot"
    for options, says in [
        ({"token": "1:wrong"}, "token"),
        ({"url": f"http://127.0.0.1:{unused_tcp_port}"}, "network"),
    ]:
        bot = world.new_bot(**options)
        with pytest.raises(OperatorError, match=says):
            await bot.check()
        await bot.close()


async def test_a_wrong_token_stops_the_bot(world):
    bot = world.new_bot(token="1:wrong")
    with pytest.raises(ConfigurationError, match="ACCESSBOT_TELEGRAM_TOKEN"):
        await bot.run_polling(world.stop)
    await bot.close()


async def test_by_webhook_the_same_dialogue_goes_on(world):
    webhook = world.bot.webhook(SECRET)
    listening = bind(0)
    config = uvicorn.Config(Starlette(routes=webhook.routes()), log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([listening]))
    await eventually(lambda: server.started)
    running = asyncio.create_task(
        world.bot.run_webhook(world.stop, f"http://127.0.0.1:{listening.getsockname()[1]}")
    )
    people.start(world.state, ANNE)
    await world.sees(ANNE, "start")
    query = world.taps(ANNE)
    await world.sees(ANNE, "ok 1 2")
    await eventually(lambda: world.calls("answerCallbackQuery"))
    (answered,) = world.calls("answerCallbackQuery")
    assert (answered.params["callback_query_id"], answered.error) == (query, "")
    world.stop.set()
    await running
    server.should_exit = True
    await serving


class OneDocument:
    """As `ports.Documents`."""

    def make(self, mail):
        return Document("users-2026-11-24.xlsx", b"PK", "")


async def test_a_document_that_telegram_refuses_is_told_to_whoever_waits_for_it(world):
    people.start(world.state, ANNE)
    await world.bot.close()
    world.bot = Telegram(
        world.state.token,
        world.turns,
        world.inbox,
        world.outbox,
        [b"k" * 32],
        api_url=world.url,
        documents=OneDocument(),
    )
    world.state.faults.add(method="sendDocument", status=413, description="Request Entity Too Large")
    row = world.outbox.put(ANNE, "document", {"lang": "fr"})
    assert await world.bot.deliver_due() == 1
    assert world.outbox.results[row] == ("ended", "refused")
    (told,) = world.messages(ANNE)
    assert "Telegram n'a pas accepté le fichier" in told.content["text"]


async def test_a_document_arrives_whole_with_its_name_and_its_caption(world):
    people.start(world.state, ANNE)
    gateway = Gateway(world.state.token, world.url)
    content = b"\xef\xbb\xbfNom;Pr\xc3\xa9nom\r\n" * 500
    number = await gateway.send_document(ANNE, Document("users-2026-11-24.csv", content, "2 · NISS"))
    await gateway.close()
    message = world.state.messages[ANNE][number].content
    stored = world.state.files[message["document"]["file_id"]]
    kept = world.state.archive.blob(stored.id)
    assert (stored.name, kept, message["caption"]) == ("users-2026-11-24.csv", content, "2 · NISS")
