"""The identity provider of the settings, or none: an operator's mistake is one clear line. Imports settings and keys."""

from __future__ import annotations

from bot.errors import ConfigurationError
from bot.settings import Settings
from bot.store.keys import Keyring
from bot.web.oidc import Provider, ProviderSettings, is_private

HALF = "The identity provider is only half configured: set {missing} too, or take every ACCESSBOT_OIDC_… out."
NO_PAGES = "An identity provider needs the private pages: set ACCESSBOT_PUBLIC_URL."
NOT_PRIVATE = "ACCESSBOT_OIDC_ISSUER must begin with https://: who somebody is would be told in the open."


def provider_of(settings: Settings, keyring: Keyring, pages: str) -> Provider | None:
    """The provider, reached back under the address `pages`. Raises ConfigurationError, one line."""
    secret = settings.oidc_client_secret
    needed = {
        "ACCESSBOT_OIDC_ISSUER": settings.oidc_issuer,
        "ACCESSBOT_OIDC_CLIENT_ID": settings.oidc_client_id,
        "ACCESSBOT_OIDC_CLIENT_SECRET": secret.get_secret_value() if secret else "",
        "ACCESSBOT_OIDC_ACR": settings.oidc_acr.replace(",", " ").strip(),
    }
    if not any(needed.values()):
        return None
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise ConfigurationError(HALF.format(missing=", ".join(missing)))
    if not pages:
        raise ConfigurationError(NO_PAGES)
    if not is_private(needed["ACCESSBOT_OIDC_ISSUER"]):
        raise ConfigurationError(NOT_PRIVATE)
    agreed = ProviderSettings(
        issuer=needed["ACCESSBOT_OIDC_ISSUER"],
        client_id=needed["ACCESSBOT_OIDC_CLIENT_ID"],
        client_secret=needed["ACCESSBOT_OIDC_CLIENT_SECRET"],
        acr=frozenset(needed["ACCESSBOT_OIDC_ACR"].split()),
        number_claim=settings.oidc_number_claim,
        scopes=settings.oidc_scopes,
        name=settings.oidc_name,
    )
    return Provider(agreed, f"{pages}/app/oidc/back", keyring.key("oidc"))
