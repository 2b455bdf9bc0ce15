"""A method's parameters, as bots send them: query, form, multipart or JSON. Imports `errors` only."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from bot.demo.errors import bad_request

_PLAIN = frozenset(
    ["text", "caption", "url", "secret_token", "callback_query_id", "parse_mode", "language_code"]
)
"""Always text: a message "123" or "true" is not a number."""
_WORDS = frozenset(["name", "description", "short_description", "file_id", "action", "file_name", "question"])


@dataclass(slots=True)
class Upload:
    """A file that came with the call."""

    name: str
    mime: str
    body: bytes


@dataclass(slots=True)
class Params:
    """Values by name, decoded from JSON where they are; `files` are the parts of a multipart body."""

    values: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """The value, or None."""
        return self.values.get(name)

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return "" if value is None else str(value)

    def number(self, name: str, default: int = 0) -> int:
        value = self.values.get(name)
        with suppress(TypeError, ValueError):
            return int(value)  # type: ignore[arg-type]  # refused by suppress
        return default

    def flag(self, name: str) -> bool:
        return self.values.get(name) in (True, 1, "true", "True", "1")

    def file(self, name: str) -> Upload | None:
        """The upload for a parameter, sent under its name or by attach://."""
        value = self.values.get(name)
        if isinstance(value, str) and value.startswith("attach://"):
            return self.files.get(value.removeprefix("attach://"))
        return self.files.get(name)


def decode(name: str, value: Any) -> Any:
    """A form's text as what it stands for."""
    if not isinstance(value, str) or name in _PLAIN or name in _WORDS:
        return value
    with suppress(ValueError):
        return json.loads(value)
    return value


async def read_params(request: Request) -> Params:
    """The parameters of a request. Raises ApiError where its body cannot be read."""
    params = Params({name: decode(name, value) for name, value in request.query_params.items()})
    if request.method != "POST":
        return params
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            body = json.loads(await request.body() or b"{}")
        except ValueError:
            raise bad_request("can't parse JSON object") from None
        if not isinstance(body, dict):
            raise bad_request("object expected as the request's body")
        params.values |= {name: decode(name, value) for name, value in body.items()}
    elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        async with request.form() as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    mime = value.content_type or "application/octet-stream"
                    params.files[name] = Upload(value.filename or "file", mime, await value.read())
                else:
                    params.values[name] = decode(name, value)
    return params
