"""The settings: a value that cannot be is one sentence that says what to write; a name that is none is told of."""

from __future__ import annotations

import re

import pytest
from bot.errors import ConfigurationError
from bot.settings import PREFIX, Settings, from_environment, unknown

FREE = {
    "telegram_token", "telegram_api_url", "database_url", "root_key", "root_key_file", "public_url", "audit_anchors",
    "oidc_issuer", "oidc_client_id", "oidc_client_secret", "oidc_acr", "oidc_number_claim", "oidc_scopes", "oidc_name",
    "smtp_host", "smtp_user", "smtp_password", "smtp_from",
}  # fmt: skip
"""Settings that may be any text here; whoever uses them looks at them (`check` tries them)."""
GOOD_SECRET = "kz-" * 14 + "_"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch):
    """What is said about the setting `name` with this value; None where it is taken."""

    def told(name: str, value: str) -> str | None:
        with monkeypatch.context() as patch:
            patch.setenv(f"{PREFIX}{name.upper()}", value)
            try:
                from_environment()
            except ConfigurationError as error:
                return str(error)
        return None

    return told


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - FREE))
def test_a_value_that_cannot_be_is_told_what_to_write(told, name):
    said = told(name, "?")
    assert re.fullmatch(rf"{PREFIX}{name.upper()}: write [^\n]+\.", said)
    assert not re.search(r"(?i)pattern|valid|should|input", said)


@pytest.mark.parametrize("name", sorted(FREE))
def test_what_is_any_text_is_not_looked_at_here(told, name):
    assert told(name, "?") is None


@pytest.mark.parametrize("port", ["0", "65536", "99999", "-1", "8080x", "", "٨٠"])
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_port_is_one_of_65535(told, host, port):
    assert "a port from 1 to 65535" in told("listen", f"{host}:{port}")
    assert told("listen", f"{host}:65535") is None
    assert told("listen", f"{host}:1") is None


def test_a_place_to_listen_at_has_a_host(told):
    assert "such as 127.0.0.1:8080" in told("listen", ":8080")


@pytest.mark.parametrize(
    "secret",
    ["short", GOOD_SECRET[1:], GOOD_SECRET[1:] + "!", GOOD_SECRET + "é", GOOD_SECRET[1:] + " ", "a" * 257],
)
def test_a_webhook_secret_has_256_bits_in_telegrams_alphabet(told, secret):
    said = told("webhook_secret", secret)
    assert "43 to 256 letters" in said
    assert secret not in said


def test_a_webhook_secret_of_256_bits_is_taken(told):
    assert len(GOOD_SECRET) == 43
    assert told("webhook_secret", GOOD_SECRET) is None
    assert told("webhook_secret", "a" * 256) is None


def test_a_name_that_is_none_of_ours_is_told_of_with_the_nearest():
    lines = list(
        unknown(["PATH", "ACCESSBOT_UPDATES", "accessbot_listen", "ACCESSBOT_SESION_IDLE", "ACCESSBOT_X"])
    )
    assert lines == [
        "ACCESSBOT_SESION_IDLE is no setting of this program and does nothing: did you mean ACCESSBOT_SESSION_IDLE?",
        "ACCESSBOT_X is no setting of this program and does nothing.",
    ]
