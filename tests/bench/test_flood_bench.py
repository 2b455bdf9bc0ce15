"""What a stranger's flood costs a manager, end to end: from his message to his card, while 1,000 updates of the stranger come in.

The bot is the program as it runs, by polling and by webhook, over the local Bot API. The manager writes by turns with nobody
else there and with ten messages of the stranger in flight, forty times in a pair, and each time a card answers him. So what
else the machine does falls on both. By polling the flood stands in the queue before his message; by webhook it is sent, as
Telegram sends what is of one chat, one after the other while he waits, by a process of its own: the local Bot API would
measure itself. Ten a card are hundreds a second, more than Telegram takes from anybody.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager

import certifi
import pytest
from bot.demo import people
from tests import databases
from tests.e2e.front import certificate, front
from tests.e2e.world import crowd, world
from tests.web.conftest import free_port

FLOOD, ACTS, PAIRS = 1000, 20, 5
LIMIT = 1.3
WORDS = ("/status", "/help")
"""Each is answered by another card, so that it is seen which one came."""
PUSHER = r"""
import json, socket, sys

port, secret, stranger = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
line = socket.create_connection(("127.0.0.1", port))
line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
number = 500_000_000
for wish in sys.stdin:
    for _ in range(int(wish)):
        number += 1
        chat = {"id": stranger, "type": "private", "first_name": "Nemo"}
        message = {"message_id": number, "date": 1, "from": {**chat, "is_bot": False}, "chat": chat, "text": "x" * 200}
        body = json.dumps({"update_id": number, "message": message}).encode()
        head = f"POST /telegram HTTP/1.1\r\nHost: x\r\nX-Telegram-Bot-Api-Secret-Token: {secret}\r\nContent-Length: {len(body)}\r\n\r\n"
        line.sendall(head.encode() + body)
        answer = line.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200"), answer
    print("sent", flush=True)
"""
"""Sends so many updates of the stranger as a line of its input says, and says when they are taken."""


class Queue:
    """The flood by polling: in the queue, in the same instant as the manager's message."""

    def __init__(self, there, stranger):
        self.stranger = stranger

    def floods(self, state, updates):
        who, chat = state.person(self.stranger).user(), state.chats[self.stranger].facts
        for number in range(updates):
            message = {"message_id": 10**6 + number, "date": int(time.time()), "from": who, "chat": chat}
            state.updates.add_whole({"message": {**message, "text": "x" * 200}})

    def ends(self, updates):
        pass

    def close(self):
        pass


class Push:
    """The flood by webhook: a process that calls the bot, one update after the other."""

    def __init__(self, there, stranger):
        port = there.settings["ACCESSBOT_LISTEN"].rpartition(":")[2]
        secret = there.settings["ACCESSBOT_WEBHOOK_SECRET"]
        command = [sys.executable, "-c", PUSHER, port, secret, str(stranger)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def floods(self, state, updates):
        if updates:
            self.process.stdin.write(f"{updates}\n")

    def ends(self, updates):
        if updates:
            assert self.process.stdout.readline() == "sent\n"

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0
        self.process.stdout.close()


@contextmanager
def running(way, folder, monkeypatch):
    """The bot as a process, updates coming `way`, on SQLite."""
    with ExitStack() as stack:
        settings = {}
        if way == "webhook":
            port, file = free_port(), certificate(folder)
            bundle = folder / "bundle.pem"
            bundle.write_bytes(file.read_bytes().partition(b"-----END PRIVATE KEY-----")[2])
            monkeypatch.setattr(certifi, "where", lambda: str(bundle))
            settings = {
                "ACCESSBOT_UPDATES": "webhook",
                "ACCESSBOT_LISTEN": f"127.0.0.1:{port}",
                "ACCESSBOT_PUBLIC_URL": stack.enter_context(front(port, file)),
                "ACCESSBOT_WEBHOOK_SECRET": "s" * 43,
            }
        database = stack.enter_context(databases.sqlite(folder))
        there = stack.enter_context(world(database, folder, crowd(1, 4), **settings))
        there.start()
        yield there
        there.stop()


def waits(there, flood, manager, words, *, updates):
    """Seconds from the manager's message to the call that shows his card, with so much of the flood before or beside it."""
    seen = len(there.telegram.state.calls)

    def acts(state):
        flood.floods(state, updates)
        begun = state.now()
        people.says(state, manager.id, words)
        return begun

    begun = there.telegram.do(acts)
    until = time.monotonic() + 30
    while True:
        for call in there.telegram.state.calls[seen:]:
            if call.method == "sendMessage" and call.params.get("chat_id") == manager.id:
                return call.at - begun
        assert time.monotonic() < until, there.log()
        time.sleep(0.001)


def rests(there):
    """Waits until what the last message brought along is done: the old card goes, and what was shown is noted."""
    until = time.monotonic() + 30
    while there.unfinished():
        assert time.monotonic() < until, there.log()
        time.sleep(0.005)


@pytest.mark.parametrize(("way", "made"), [("polling", Queue), ("webhook", Push)])
def test_a_strangers_flood_costs_a_manager_at_most_a_third_more_time_to_his_card(
    way, made, tmp_path, monkeypatch, capsys
):
    with ExitStack() as stack:
        there = stack.enter_context(running(way, tmp_path, monkeypatch))
        manager = there.manager("m0000")
        manager.expects("Bonjour")
        stranger = there.telegram.person("Nemo").id
        there.telegram.do(lambda state: people.start(state, stranger))
        there.at_rest()
        flood = stack.enter_context(closing(made(there, stranger)))

        def pair():
            times = {0: [], FLOOD // PAIRS // ACTS: []}
            for number in range(ACTS):
                for updates, taken in times.items():
                    taken.append(waits(there, flood, manager, WORDS[number % 2], updates=updates))
                    flood.ends(updates)
                    rests(there)
            alone, flooded = (statistics.median(taken) for taken in times.values())
            return alone, flooded

        waits(there, flood, manager, WORDS[0], updates=10)  # by now the stranger's few answers are given
        flood.ends(10)
        rests(there)
        pairs = [pair() for _ in range(PAIRS)]
        ratios = [flooded / alone for alone, flooded in pairs]
        with capsys.disabled():
            said = ", ".join(f"{alone * 1e3:.0f}→{flooded * 1e3:.0f}" for alone, flooded in pairs)
            print(
                f"\n  a manager's card in a flood, {way}: ratio {statistics.median(ratios):.2f} (ms: {said})"
            )
        assert statistics.median(ratios) <= LIMIT, ratios
