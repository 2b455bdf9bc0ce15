"""Offices: what somebody can be appointed to, which act of the table of rights that is, and which place it takes.

A co-local manager holds the mandate of a local one (`domain.md` 1.2: "same as GA, shared responsibility"); who appointed him
decides only who may end it, so that a local manager never ends the one who stands above him. Pure: `rights` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.access.rights import Act, Role


@dataclass(frozen=True, slots=True)
class Office:
    """An office: its mandate's role, and the act of appointing, replacing or ending it."""

    role: Role
    act: Act
    quality: bool = False
    subdivision: bool = False


CO_LOCAL = "co-local"
OFFICES: Mapping[str, Office] = {
    "responsible": Office(Role.RESPONSIBLE, Act.APPOINT_RESPONSIBLE),
    "co-responsible": Office(Role.CO_RESPONSIBLE, Act.APPOINT_CO_RESPONSIBLE),
    "local": Office(Role.LOCAL, Act.APPOINT_LOCAL, quality=True),
    CO_LOCAL: Office(Role.LOCAL, Act.APPOINT_CO_LOCAL, quality=True),
    "group": Office(Role.GROUP, Act.APPOINT_GROUP, quality=True),
    "subdivision": Office(Role.SUBDIVISION, Act.APPOINT_SUBDIVISION, quality=True, subdivision=True),
    "auditor": Office(Role.AUDITOR, Act.APPOINT_AUDITOR),
}
"""From the widest down. A legal representative is the operator's to enter: he follows from the statutes."""
AT_CSAM = frozenset({"responsible", "co-responsible", "local", CO_LOCAL})
"""What is appointed in CSAM too (`domain.md` 1.1); group and subdivision managers are on the portal, auditors only here."""
ON_PORTAL = frozenset({"group", "subdivision"})
