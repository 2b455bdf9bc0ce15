"""The identity provider of the settings: all of it or nothing, and a mistake is one line that names what to set."""

from __future__ import annotations

import pytest
from bot.errors import ConfigurationError
from bot.settings import Settings
from bot.store.keys import Keyring, new_root_key
from bot.web.provider import provider_of

WHOLE = {
    "oidc_issuer": "https://idp.example.org",
    "oidc_client_id": "hospital",
    "oidc_client_secret": "a-secret-of-the-tests",
    "oidc_acr": "level500, level450",
}
PAGES = "https://access.example.org"


def made(pages: str = PAGES, **changed: str):
    return provider_of(Settings(**{**WHOLE, **changed}), Keyring.of(new_root_key()), pages)


def test_without_settings_there_is_no_provider():
    assert provider_of(Settings(), Keyring.of(new_root_key()), PAGES) is None


def test_the_levels_of_assurance_are_a_list_and_the_secret_is_not_shown():
    provider = made()
    assert provider.settings.acr == {"level500", "level450"}
    assert "a-secret-of-the-tests" not in repr(provider.settings)


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_half_a_configuration_is_refused_with_the_name_of_the_other_half(name):
    with pytest.raises(ConfigurationError) as refused:
        made(**{name: ""})
    assert f"ACCESSBOT_{name.upper()}" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "issuer", ["http://idp.example.org", "idp.example.org", "ftp://idp.example.org", "https://"]
)
def test_a_provider_that_is_not_reached_over_https_is_refused(issuer):
    with pytest.raises(ConfigurationError, match="https://"):
        made(oidc_issuer=issuer)


def test_a_provider_without_private_pages_is_refused():
    with pytest.raises(ConfigurationError, match="ACCESSBOT_PUBLIC_URL"):
        made(pages="")
