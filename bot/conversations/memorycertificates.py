"""The certificates of the register in memory: part of `memory.MemoryDirectory`."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime

from bot.access.certificates import read_certificate
from bot.access.requests import Done, EndCertificate, KeepCertificate
from bot.conversations.ports import CertificateRef


@dataclass
class MemoryCertificates:
    """Certificates by id; rights are not checked here."""

    kept: dict[str, CertificateRef] = field(default_factory=dict)

    def certificates(self, entity: str) -> tuple[CertificateRef, ...]:
        there = (each for each in self.kept.values() if each.entity == entity)
        return tuple(sorted(there, key=lambda each: (each.ends, each.id)))

    def keep_certificate(self, request: KeepCertificate, now: datetime) -> Done:
        """Takes it in, and takes the one out that it replaces."""
        found = read_certificate(base64.b64decode(request.file), now)
        self.kept.pop(request.replaces or "", None)
        key = f"c{len(self.kept) + 1:04d}"
        facts = (found.subject, found.issuer, found.fingerprint, found.begins, found.ends, found.state(now))
        self.kept[key] = CertificateRef(key, request.entity, *facts)
        return Done()

    def end_certificate(self, request: EndCertificate) -> Done:
        """Takes it out."""
        self.kept.pop(request.certificate)
        return Done()
