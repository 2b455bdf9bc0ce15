"""Updates by polling and by webhook: order, confirmation, redelivery."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest
from bot.demo.testing import RunningServer, running_server


@pytest.fixture
def server():
    with running_server() as running:
        yield running


def poll(server: RunningServer, **params: Any) -> list[dict[str, Any]]:
    answer = server.http.post(f"/bot{server.token}/getUpdates", json=params)
    return answer.json()["result"]


def texts(updates: list[dict[str, Any]]) -> list[str]:
    return [update["message"]["text"] for update in updates]


def said(server: RunningServer, *words: str):
    anne = server.person("Anne")
    anne.starts()
    for word in words:
        anne.says(word)
    return anne


def test_updates_come_again_until_an_offset_confirms_them(server):
    said(server, "a", "b")
    first = poll(server)
    again = poll(server)
    rest = poll(server, offset=first[1]["update_id"] + 1)

    assert (["/start", "a", "b"], first, ["b"]) == (texts(first), again, texts(rest))
    assert [b["update_id"] - a["update_id"] for a, b in pairwise(first)] == [1, 1]


def test_a_negative_offset_keeps_only_the_last(server):
    said(server, "a", "b", "c")

    assert texts(poll(server, offset=-2)) == ["b", "c"]
    assert texts(poll(server)) == ["b", "c"]


def test_a_limit_cuts_the_batch(server):
    said(server, "a", "b")

    assert texts(poll(server, limit=2)) == ["/start", "a"]


def test_types_that_the_bot_does_not_want_are_not_queued(server):
    poll(server, allowed_updates=["callback_query"])
    anne = said(server, "a")
    poll(server, allowed_updates=["message"])
    anne.says("b")

    assert texts(poll(server)) == ["b"]


def test_a_long_poll_wakes_for_a_message(server):
    anne = said(server)
    offset = poll(server)[-1]["update_id"] + 1
    saying = threading.Timer(0.3, anne.says, ["now"])
    saying.start()
    began = time.monotonic()

    assert texts(poll(server, offset=offset, timeout=20)) == ["now"]
    assert time.monotonic() - began < 15
    saying.join()  # it hears the server's answer before the server goes


def test_each_update_can_be_delivered_several_times(server):
    server.levers(duplicates={"most": 3})
    said(server)
    seen = []
    offset = 0
    while batch := poll(server, offset=offset):
        seen += [update["update_id"] for update in batch]
        offset = batch[-1]["update_id"] + 1

    assert len(seen) == 3
    assert len(set(seen)) == 1


def test_numbers_may_jump_as_telegrams_do(server):
    said(server)
    server.levers(next_update_id=5_000_000_000)
    server.person("Marc").starts()

    assert poll(server)[-1]["update_id"] == 5_000_000_000


class Hook:
    """A webhook of the tests: notes what comes, and answers as `status` and `reply` say."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: dict[str, list[int]] = {}
        self.reply: dict[str, Any] | None = None
        self.pause: dict[str, float] = {}


@contextmanager
def webhook():
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            update = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = update.get("message") or update["callback_query"]
            text = body.get("text") or body["id"]
            hook.headers.append(dict(self.headers))
            time.sleep(hook.pause.get(text, 0))
            waiting = hook.statuses.get(text, [])
            status = waiting.pop(0) if waiting else 200
            hook.got.append((text, str(status)))
            answer = (
                json.dumps({**hook.reply, "callback_query_id": body["id"]}).encode() if hook.reply else b""
            )
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield hook, f"http://127.0.0.1:{listening.server_port}/hook"
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


def set_webhook(server: RunningServer, url: str, **more: Any) -> dict[str, Any]:
    return server.http.post(f"/bot{server.token}/setWebhook", json={"url": url, **more}).json()


def info(server: RunningServer) -> dict[str, Any]:
    return server.http.get(f"/bot{server.token}/getWebhookInfo").json()["result"]


def eventually(holds) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_webhook_gets_updates_in_order_with_the_secret(server):
    with webhook() as (hook, url):
        set_webhook(server, url, secret_token="s3cret")
        said(server, "a", "b")
        eventually(lambda: len(hook.got) == 3)
        eventually(lambda: info(server)["pending_update_count"] == 0)

    assert [text for text, _ in hook.got] == ["/start", "a", "b"]
    assert hook.headers[0]["X-Telegram-Bot-Api-Secret-Token"] == "s3cret"


def test_a_refused_update_comes_again_and_holds_up_its_chat_only(server):
    server.levers(webhook_delay=0.6)
    with webhook() as (hook, url):
        hook.statuses["a"] = [503, 500]
        marc = server.person("Marc")
        marc.starts()
        set_webhook(server, url)
        said(server, "a", "b")
        marc.says("other")
        eventually(lambda: info(server)["pending_update_count"] == 0)

    got = [f"{text} {status}" for text, status in hook.got]
    assert [line for line in got if line[0] in "ab"] == ["a 503", "a 500", "a 200", "b 200"]
    assert got.index("other 200") < got.index("b 200")
    assert info(server)["last_error_message"] == "Wrong response from the webhook: 500 Internal Server Error"


def test_a_slow_chat_does_not_hold_up_another(server):
    with webhook() as (hook, url):
        hook.pause["slow"] = 1.0
        set_webhook(server, url)
        said(server, "slow")
        marc = server.person("Marc")
        marc.starts()
        eventually(lambda: len(hook.got) == 2)
        assert "slow" not in [text for text, _ in hook.got]
        eventually(lambda: len(hook.got) == 3)


def test_the_answer_to_a_webhook_can_answer_the_tap(server):
    with webhook() as (hook, url):
        anne = said(server)
        keyboard = {"inline_keyboard": [[{"text": "ok", "callback_data": "x"}]]}
        server.http.post(
            f"/bot{server.token}/sendMessage",
            json={"chat_id": anne.id, "text": "?", "reply_markup": keyboard},
        )
        set_webhook(server, url, drop_pending_updates=True)
        hook.reply = {"method": "answerCallbackQuery", "text": "noted"}
        tap = anne.taps("ok")
        assert anne.waits_for_toast("noted") == "noted"

    assert [tap] == anne.answered


def test_a_webhook_can_deliver_an_update_several_times(server):
    server.levers(duplicates={"most": 2})
    with webhook() as (hook, url):
        set_webhook(server, url)
        said(server, "a")
        eventually(lambda: info(server)["pending_update_count"] == 0)

    assert [text for text, _ in hook.got] == ["/start", "/start", "a", "a"]


def test_polling_and_a_webhook_exclude_each_other(server):
    set_webhook(server, "http://127.0.0.1:9/hook")
    refused = server.http.post(f"/bot{server.token}/getUpdates").json()
    server.http.post(f"/bot{server.token}/deleteWebhook")

    assert (
        refused["error_code"],
        refused["description"],
    ) == (
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    )
    assert poll(server) == []


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"url": "http://example.be/hook"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        (
            {"url": "https://example.be", "secret_token": "not allowed"},
            "secret token contains unallowed characters",
        ),
    ],
)
def test_a_webhook_needs_https_and_a_plain_secret(server, params, why):
    assert f"Bad Request: {why}" == set_webhook(server, **params)["description"]
