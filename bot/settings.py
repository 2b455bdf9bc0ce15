"""The operator's settings, from the environment: `interfaces.md`, "Environment". Secrets are hidden in repr."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from rapidfuzz import fuzz, process

from bot.access.names import parse_email
from bot.errors import ConfigurationError, Invalid
from bot.smtp import PORTS, Security, Server
from bot.store.anchorpost import AnchorPost
from bot.store.anchors import AnchorFile, Outlet
from bot.store.keys import Keyring

PREFIX = "ACCESSBOT_"
LOOPBACK = frozenset(["127.0.0.1", "localhost", "::1"])
NO_SERVER = (
    "Anchors cannot be mailed without a mail server: set ACCESSBOT_SMTP_HOST and ACCESSBOT_SMTP_FROM too."
)
NO_SENDER = (
    "Mail needs a sender: set ACCESSBOT_SMTP_FROM, such as 'Access assistant <no-reply@hospital.example>'."
)
NO_LISTEN = "write host:port, such as 127.0.0.1:8080, with a port from 1 to 65535"
WEAK_SECRET = "write 43 to 256 letters, digits, _ or - at random (256 bits), or leave it out: it is then derived from the root key"  # noqa: S105 - a sentence
BARE_PASSWORD = "The password of the mail server would be readable on its way: set ACCESSBOT_SMTP_SECURITY to starttls or tls."  # noqa: S105 - a sentence


class Settings(BaseSettings):
    """What the environment says, checked. An empty variable counts as none."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    telegram_token: SecretStr | None = None
    telegram_api_url: str = "https://api.telegram.org"
    database_url: SecretStr = SecretStr("sqlite:///data/accessbot.db")
    root_key: SecretStr | None = None
    root_key_file: Path | None = None
    updates: Literal["polling", "webhook"] = "polling"
    public_url: str | None = None
    listen: str = "127.0.0.1:8080"
    webhook_secret: SecretStr | None = None
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None
    oidc_acr: str = ""
    oidc_number_claim: str = "egovNRN"
    oidc_scopes: str = "openid profile egovnrn"
    oidc_name: str = "CSAM"
    session_idle: int = Field(default=900, ge=60, le=86_400, description="seconds")
    session_longest: int = Field(default=28_800, ge=60, le=604_800, description="seconds")
    activation_delay: int = Field(default=1200, ge=0, le=86_400, description="seconds")
    audit_anchors: Path | None = None
    audit_anchor_mail: str | None = None
    audit_anchor_hours: int = Field(default=24, ge=1, le=168)
    keep_dialogues_days: int = Field(default=7, ge=1, le=7)
    keep_updates_days: int = Field(default=8, ge=2, le=31)
    keep_invitations_days: int = Field(default=30, ge=1, le=366)
    keep_bindings_days: int = Field(default=365, ge=1, le=366)
    keep_departed_days: int = Field(default=365, ge=1, le=366)
    keep_audit_years: int = Field(default=10, ge=10, le=30)
    smtp_host: str | None = None
    smtp_port: int | None = Field(default=None, ge=1, le=65_535)
    smtp_security: Security = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str | None = None
    help_desk: str | None = None
    smtp_timeout: float = Field(default=30, ge=1, le=45, description="seconds")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"

    @field_validator("listen")
    @classmethod
    def _is_place(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65_535:
            raise ValueError(NO_LISTEN)
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _is_strong(cls, value: SecretStr | None) -> SecretStr | None:
        # the alphabet and the greatest length are Telegram's (setWebhook, secret_token)
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{43,256}", value.get_secret_value()):
            raise ValueError(WEAK_SECRET)
        return value

    @field_validator("help_desk", "audit_anchor_mail")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                return parse_email(value)
            except Invalid:
                raise ValueError("write one e-mail address, such as help@hospital.example") from None
        return value

    def outlets(self, keyring: Keyring) -> tuple[Outlet, ...]:
        """Where anchors of the audit trail go: a file, a mailbox, none unless the operator says so. Raises ConfigurationError."""
        outlets: list[Outlet] = []
        if self.audit_anchors:
            outlets.append(AnchorFile(self.audit_anchors))
        if self.audit_anchor_mail:
            if self.mail_server() is None:
                raise ConfigurationError(NO_SERVER)
            outlets.append(AnchorPost(keyring, self.audit_anchor_mail))
        return tuple(outlets)

    def keyring(self) -> Keyring:
        """The root key and its versions. Raises KeyMissing, one line."""
        return Keyring.of(self.root_key.get_secret_value() if self.root_key else None, self.root_key_file)

    def mail_server(self) -> Server | None:
        """Where mail is handed over; None where none is set. Raises ConfigurationError, one line."""
        if self.smtp_host is None:
            return None
        _, sender = parseaddr(self.smtp_from or "")
        if "@" not in sender or not sender.isascii():
            raise ConfigurationError(NO_SENDER)
        if self.smtp_user and self.smtp_security == "none" and self.smtp_host not in LOOPBACK:
            raise ConfigurationError(BARE_PASSWORD)
        return Server(
            host=self.smtp_host,
            port=self.smtp_port or PORTS[self.smtp_security],
            security=self.smtp_security,
            sender=sender,
            user=self.smtp_user or "",
            password=self.smtp_password.get_secret_value() if self.smtp_password else "",
            timeout=self.smtp_timeout,
        )


class OwnSettings(Settings):
    """Settings that nothing of the environment reaches, right or wrong: the demo's."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the base class sets the signature
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def from_environment() -> Settings:
    """The settings. Raises ConfigurationError with one line that names each wrong variable and says what to write."""
    try:
        return Settings()
    except ValidationError as error:
        faults = (f"{PREFIX}{str(fault['loc'][0]).upper()}: {_advice(fault)}" for fault in error.errors())
        raise ConfigurationError("; ".join(faults) + ".") from None


def _advice(fault: Any) -> str:
    """What to write instead: a validator's own words, or what the field takes."""
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    field = Settings.model_fields[str(fault["loc"][0])]
    words = get_args(field.annotation)
    if words and all(isinstance(word, str) for word in words):
        return f"write {', '.join(words[:-1])} or {words[-1]}"
    return f"write {_number(field)}"


def _number(field: FieldInfo) -> str:
    """The number that a field takes: its kind, its bounds, its unit."""
    bounds = {
        name: value
        for rule in field.metadata
        for name in ("ge", "le")
        if (value := getattr(rule, name, None)) is not None
    }
    kind = "a number" if field.annotation is float else "a whole number"
    unit = f" of {field.description}" if field.description else ""
    return f"{kind}{unit} from {bounds['ge']} to {bounds['le']}"


def unknown(names: Iterable[str]) -> Iterator[str]:
    """A line for each variable of the environment that looks like ours and is none: it would do nothing, unseen."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in sorted(names):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = process.extractOne(name.upper(), known, scorer=fuzz.ratio, score_cutoff=80)
            hint = f": did you mean {near[0]}?" if near else "."
            yield f"{name} is no setting of this program and does nothing{hint}"
