"""The server itself: what survives a restart, who may call, when it refuses to start."""

import asyncio
import socket

import httpx
import pytest
from bot.demo import DEMO_TOKEN, DemoConfig, DemoStartError, Visitor, refuse_real_token, serve
from bot.demo.server import bind
from bot.demo.testing import running_server

VISITOR = Visitor(700, "Anne", "Dupont", "fr", {"fr": "Responsable", "en": "Responsible"}, "CODE-1")


def test_everything_survives_a_restart(tmp_path):
    with running_server(folder=tmp_path, visitors=(VISITOR,)) as server:
        anne = server.person("Anne", number=700)
        anne.starts("CODE-1")
        bot = f"/bot{server.token}"
        keyboard = {"inline_keyboard": [[{"text": "ok", "callback_data": "x"}]]}
        server.http.post(
            f"{bot}/sendMessage", json={"chat_id": 700, "text": "hello", "reply_markup": keyboard}
        )
        server.http.post(f"{bot}/sendDocument", data={"chat_id": 700}, files={"document": ("a.txt", b"abc")})
        server.http.post(f"{bot}/setMyCommands", json={"commands": [{"command": "a", "description": "b"}]})
        anne.speaks("de")
        tap = anne.taps("ok")
        updates = server.http.get(f"{bot}/getUpdates").json()["result"]
        server.http.get(f"{bot}/getUpdates", params={"offset": updates[0]["update_id"] + 1})
        before = [(seen.id, seen.text, seen.labels) for seen in anne.chat]

    with running_server(folder=tmp_path, visitors=(VISITOR,)) as server:
        anne = server.person("Anne", number=700)
        left = server.http.get(f"{bot}/getUpdates").json()["result"]
        answer = server.http.post(f"{bot}/answerCallbackQuery", json={"callback_query_id": tap}).json()
        new = anne.says("again")

        assert before == [(seen.id, seen.text, seen.labels) for seen in anne.chat][:-1]
        assert updates[1:] == left
        assert answer == {"ok": True, "result": True}
        assert (anne.commands, anne.document(anne.chat[-2])) == (["a: b"], b"abc")
        assert new > before[-1][0]
        assert server.state.people[700].language_code == "de"
        newest = server.http.get(f"{bot}/getUpdates").json()["result"][-1]
        assert newest["update_id"] == updates[-1]["update_id"] + 1


def test_a_reset_forgets_all_but_the_people_and_the_count_of_updates():
    with running_server(visitors=(VISITOR,)) as server:
        anne = server.person("Anne", number=700)
        anne.starts()
        first = server.http.get(f"/bot{server.token}/getUpdates").json()["result"][0]["update_id"]
        server.http.post("/client/reset")
        assert anne.chat == []
        anne.starts()
        again = server.http.get(f"/bot{server.token}/getUpdates").json()["result"]

    assert [first + 1] == [update["update_id"] for update in again]


def test_a_server_can_be_told_to_begin_anew(tmp_path):
    with running_server(folder=tmp_path, visitors=(VISITOR,)) as server:
        server.person("Anne", number=700).starts()

    async def begin_anew() -> dict:
        stop, address = asyncio.Event(), asyncio.Queue()
        config = DemoConfig((VISITOR,), tmp_path, port=0, reset=True)
        running = asyncio.create_task(serve(config, ready=address.put_nowait, stop=stop))
        async with httpx.AsyncClient(base_url=await address.get(), trust_env=False) as http:
            facts = (await http.get("/client/people/700/chat")).json()
        stop.set()
        await running
        return facts

    facts = asyncio.run(begin_anew())
    assert (facts["messages"], facts["started"], facts["invitation"]) == ([], False, "CODE-1")


async def test_it_stops_at_once_with_a_poll_and_a_page_waiting(tmp_path):
    stop, address = asyncio.Event(), asyncio.Queue()
    running = asyncio.create_task(serve(DemoConfig(port=0), ready=address.put_nowait, stop=stop))
    async with httpx.AsyncClient(base_url=await address.get(), trust_env=False, timeout=20) as http:
        poll = asyncio.create_task(http.get(f"/bot{DEMO_TOKEN}/getUpdates", params={"timeout": 50}))
        async with http.stream("GET", "/client/events") as events:
            await anext(events.aiter_lines())
            stop.set()
            await asyncio.wait_for(running, 3)
        assert (await poll).json()["result"] == []


async def test_a_port_in_use_is_said_in_one_line():
    with running_server() as server:
        taken = int(server.url.rpartition(":")[2])
        with pytest.raises(
            DemoStartError, match=f"^Port {taken} cannot be used .*: choose another with --port\\.$"
        ):
            await serve(DemoConfig(port=taken))


def test_it_refuses_to_start_beside_a_real_token():
    with pytest.raises(DemoStartError, match="holds a real token"):
        refuse_real_token({"ACCESSBOT_TELEGRAM_TOKEN": "123456789:" + "A" * 35})


@pytest.mark.parametrize("token", ["", "test", DEMO_TOKEN])
def test_it_starts_without_a_real_token(token):
    refuse_real_token({"ACCESSBOT_TELEGRAM_TOKEN": token})


GUARDED = [
    ({"Host": "accessbot.example:8081"}, 403),
    ({"Host": "127.0.0.1.evil.example"}, 403),
    ({"Host": "localhost:8081"}, 200),
    ({"Host": "[::1]:8081"}, 200),
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "http://127.0.0.1:9"}, 403),
    ({"Origin": "null"}, 403),
    ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
    ({"Sec-Fetch-Site": "same-origin"}, 200),
]


@pytest.fixture(scope="module")
def guarded():
    with running_server() as server:
        yield server


@pytest.mark.parametrize(("headers", "status"), GUARDED)
def test_only_this_computers_own_pages_may_call(guarded, headers, status):
    assert status == guarded.http.get("/client/people", headers=headers).status_code


def test_the_page_may_run_nothing_but_its_own_files(guarded):
    answer = guarded.http.get("/")

    assert "script-src 'self'; style-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_an_answer_does_not_wait_for_the_line():
    """Without it each answer over a line that stays open takes 40 ms: Nagle's algorithm meets the delayed acknowledgement."""
    with bind(0) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
