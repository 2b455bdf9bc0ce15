"""Where the portal is. Pure."""

from __future__ import annotations

PORTAL = {
    "fr": "https://www.socialsecurity.be/site_fr/employer/applics/umoe/index.htm",
    "nl": "https://www.socialsecurity.be/site_nl/employer/applics/umoe/index.htm",
    "de": "https://www.socialsecurity.be/site_de/employer/applics/umoe/index.htm",
    "en": "https://www.socialsecurity.be/site_fr/employer/applics/umoe/index.htm",
}
"""The portal's page on access management (`domain.md`, SS-UMOE); it has no English page."""
