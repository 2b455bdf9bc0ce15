import asyncio
import io
import json
import logging
import time
import traceback
from urllib.parse import parse_qsl

import pytest
import structlog
from bot.handlers.gateway import CallFailed, Gateway, Trouble, classify
from bot.handlers.render import Rendered

TOKEN = "7000000001:AAcanaryCanaryCanaryCanaryCanary"


def answer(code, description, **parameters):
    return code, json.dumps(
        {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    ).encode()


@pytest.mark.parametrize(
    ("code", "description", "trouble"),
    [
        (
            400,
            "Bad Request: message is not modified: specified new message content and reply markup are the same",
            Trouble.NOT_MODIFIED,
        ),
        (400, "Bad Request: message to edit not found", Trouble.GONE),
        (400, "Bad Request: message to delete not found", Trouble.GONE),
        (400, "Bad Request: message can't be edited", Trouble.GONE),
        (400, "Bad Request: message can't be deleted for everyone", Trouble.GONE),
        (400, "Bad Request: MESSAGE_ID_INVALID", Trouble.GONE),
        (
            400,
            "Bad Request: query is too old and response timeout expired or query ID is invalid",
            Trouble.GONE,
        ),
        (400, "Bad Request: chat not found", Trouble.BLOCKED),
        (400, "Bad Request: can't parse entities: Unsupported start tag", Trouble.REFUSED),
        (400, "Bad Request: message is too long", Trouble.REFUSED),
        (400, "Bad Request: BUTTON_DATA_INVALID", Trouble.REFUSED),
        (401, "Unauthorized", Trouble.UNAUTHORIZED),
        (403, "Forbidden: bot was blocked by the user", Trouble.BLOCKED),
        (403, "Forbidden: user is deactivated", Trouble.BLOCKED),
        (404, "Not Found", Trouble.UNAUTHORIZED),
        (409, "Conflict: terminated by other getUpdates request", Trouble.CONFLICT),
        (413, "Request Entity Too Large", Trouble.REFUSED),
        (429, "Too Many Requests", Trouble.FLOOD),
        (500, "Internal Server Error", Trouble.TEMPORARY),
        (502, "Bad Gateway", Trouble.TEMPORARY),
    ],
)
def test_every_answer_of_telegrams_has_its_kind(code, description, trouble):
    assert classify(*answer(code, description)).trouble is trouble


@pytest.mark.parametrize(
    ("code", "body"), [(502, b"<html>nginx</html>"), (404, b"<html>proxy</html>"), (503, b""), (301, b"{}")]
)
def test_a_proxys_page_is_temporary(code, body):
    assert classify(code, body).trouble is Trouble.TEMPORARY


def test_a_429_says_how_long():
    assert classify(*answer(429, "Too Many Requests: retry after 17", retry_after=17)).retry_after == 17.0


async def test_a_line_that_does_not_answer_is_temporary_and_nothing_tells_the_token(unused_tcp_port):
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    root.addHandler(handler)
    before = root.level
    root.setLevel(logging.DEBUG)
    number = "79.08.23-997.28"
    gateway = Gateway(TOKEN, f"http://127.0.0.1:{unused_tcp_port}")
    try:
        with structlog.testing.capture_logs() as lines, pytest.raises(CallFailed) as failed:
            await gateway.call("sendMessage", chat_id=1, text=number)
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
        await gateway.close()
    error = failed.value
    said = "".join(
        [log.getvalue(), repr(lines), repr(gateway), repr(error), *traceback.format_exception(error)]
    )
    assert (error.trouble, error.__cause__, error.__context__) == (Trouble.TEMPORARY, None, None)
    assert "canary" not in said.lower()
    assert number not in said


class Line:
    """A server that answers each request with the next of its answers: bytes, seconds to wait, or None to hang up."""

    def __init__(self, *answers, timeout=30.0):
        self.answers = list(answers)
        self.timeout = timeout
        self.requests = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.gateway = Gateway(TOKEN, f"http://127.0.0.1:{port}/", timeout=self.timeout)
        return self

    async def __aexit__(self, *_):
        await self.gateway.close()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
            self.requests.append(
                (head.split()[1], dict(parse_qsl((await reader.readexactly(length)).decode())))
            )
            answer = self.answers.pop(0)
            if isinstance(answer, float):
                await asyncio.sleep(answer)
            elif answer is not None:
                writer.write(answer)
                await writer.drain()
        finally:
            writer.close()


def http(code, body):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (
        f"HTTP/1.1 {code} X\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode() + content
    )


SENT = http(200, {"ok": True, "result": {"message_id": 7}})


async def test_a_message_is_posted_under_the_token_with_its_parameters_as_json():
    async with Line(SENT) as line:
        message = Rendered("<b>un</b>", [[{"text": "Oui", "callback_data": "x"}]])
        assert await line.gateway.send(5, message) == 7
    ((path, posted),) = line.requests
    assert path == f"/bot{TOKEN}/sendMessage"
    assert json.loads(posted.pop("reply_markup")) == {
        "inline_keyboard": [[{"text": "Oui", "callback_data": "x"}]]
    }
    assert json.loads(posted.pop("link_preview_options")) == {"is_disabled": True}
    assert posted == {"chat_id": "5", "text": "<b>un</b>", "parse_mode": "HTML"}


@pytest.mark.parametrize(
    "trouble",
    [
        None,
        0.5,
        SENT[:-10],
        http(200, b"<html>"),
        http(200, {"ok": True}),
        http(200, b"[]"),
        http(502, b"nginx"),
        b"\x00\x01\r\n\r\n",
    ],
    ids=["cut", "late", "half", "page", "no result", "list", "502", "noise"],
)
async def test_whatever_the_line_does_is_temporary_and_carries_nothing(trouble):
    async with Line(trouble, timeout=0.2 if isinstance(trouble, float) else 30.0) as line:
        with pytest.raises(CallFailed) as failed:
            await line.gateway.send(5, Rendered("secret"))
    assert (failed.value.trouble, failed.value.__cause__, failed.value.__context__) == (
        Trouble.TEMPORARY,
        None,
        None,
    )


async def test_after_a_429_the_chat_is_not_called_before_its_time_and_others_are():
    async with Line(http(*_flood(1.0)), SENT, SENT) as line:
        begun = time.monotonic()
        with pytest.raises(CallFailed) as first:
            await line.gateway.send(5, Rendered("un"))
        with pytest.raises(CallFailed) as second:
            await line.gateway.edit(5, 7, Rendered("un"))
        assert (first.value.retry_after, len(line.requests)) == (1.0, 1)
        assert 0 < second.value.retry_after < 1.0
        assert await line.gateway.send(6, Rendered("autre")) == 7
        await asyncio.sleep(second.value.retry_after)
        assert await line.gateway.send(5, Rendered("un")) == 7
        assert time.monotonic() - begun >= 1.0


async def test_that_a_message_says_it_already_is_success():
    same = http(*answer(400, "Bad Request: message is not modified"))
    async with Line(same) as line:
        await line.gateway.edit(5, 7, Rendered("un"))
    assert len(line.requests) == 1


async def test_deleting_what_is_gone_is_success():
    async with Line(http(*answer(400, "Bad Request: message to delete not found"))) as line:
        await line.gateway.delete(5, 7)
    assert len(line.requests) == 1


async def test_words_whose_markup_is_refused_are_sent_plain():
    async with Line(http(*answer(400, "Bad Request: can't parse entities")), SENT) as line:
        assert await line.gateway.send(5, Rendered("<b>a &amp; b</b>")) == 7
    assert [(posted["text"], posted.get("parse_mode")) for _, posted in line.requests] == [
        ("<b>a &amp; b</b>", "HTML"),
        ("a & b", None),
    ]


def _flood(seconds):
    return answer(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
