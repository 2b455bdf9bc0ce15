import io
import json
import logging
import traceback

import pytest
import structlog
from bot.handlers.gateway import CallFailed, Gateway, Trouble, classify

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
