"""What the pages are sent with, over https and without: no program and no database."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from bot.web.paper import YEAR, Headers, Paper, key_of
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


def answer(*, https: bool, cookies: str = "") -> httpx.Response:
    """The answer of a page that says whose visit it is, and sets a cookie."""
    paper = Paper(https=https)

    async def page(request: Request) -> Response:
        return paper.remember(PlainTextResponse(key_of(request)), "k" * 43)

    headers = Middleware(Headers, policy=paper.policy, https=https)
    app = Starlette(routes=[Route("/app/me", page)], middleware=[headers])

    async def get() -> httpx.Response:
        # the proxy before the pages ends TLS: they are reached over http in any case
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://pages") as client:
            return await client.get("/app/me", headers={"cookie": cookies})

    return asyncio.run(get())


def test_over_https_the_cookie_bears_the_prefix_that_only_a_secure_page_can_set():
    cookie = answer(https=True).headers["set-cookie"]
    assert cookie.startswith("__Secure-visit=")
    assert {"Secure", "HttpOnly", "SameSite=None", "Partitioned"} <= {
        part.strip() for part in cookie.split(";")
    }


@pytest.mark.parametrize(
    ("https", "cookies", "key"),
    [
        (True, "__Secure-visit=a", "a"),
        (True, "visit=a", ""),
        (False, "visit=a", "a"),
        (False, "__Secure-visit=a", ""),
    ],
)
def test_a_cookie_of_the_other_name_counts_for_nothing(https: bool, cookies: str, key: str):
    assert answer(https=https, cookies=cookies).text == key


def test_over_https_browsers_come_by_https_again_for_a_year_and_else_nothing_is_said_of_it():
    assert answer(https=True).headers["strict-transport-security"] == f"max-age={YEAR}"
    assert "strict-transport-security" not in answer(https=False).headers
