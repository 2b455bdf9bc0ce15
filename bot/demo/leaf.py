"""The demo's small pages (its mail, its identity provider): one look, that of the chat page, in the light and in the dark.

Imports nothing of ours.
"""

from __future__ import annotations

import base64
import hashlib
import html

from starlette.responses import HTMLResponse

STYLE = """\
:root{color-scheme:light dark;--ground:light-dark(#eaf2ee,#0c1416);--pane:light-dark(#fff,#162023);
--line:light-dark(#d5e0e1,#2a393e);--edge:light-dark(#6d7f84,#7d9298);--text:light-dark(#12232a,#e7eff1);
--muted:light-dark(#4d6067,#a3b6bc);--accent:light-dark(#0a6a75,#6bd0d9);--warn:light-dark(#7a4a00,#ffcf7d);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
*{box-sizing:border-box}
html{background:var(--ground);color:var(--text)}
body{margin:0 auto;padding:16px 16px 24px;max-width:44rem;overflow-wrap:anywhere}
main,article{background:var(--pane);border:1px solid var(--line);border-radius:14px;padding:16px 20px}
article{margin:12px 0;background:var(--ground)}
h1{font-size:1.35rem;line-height:1.25;margin:0 0 12px}
h2{font-size:1.05rem;margin:0 0 4px}
p{margin:0 0 12px}
article p{color:var(--muted);margin:0 0 8px}
strong{display:block;padding:8px 14px;color:var(--warn);border:3px double;border-radius:10px}
a{color:var(--accent)}
ul{margin:0 0 12px;padding:0;list-style:none}
li{margin:8px 0}
.button{display:inline-block;min-height:44px;padding:9px 18px;border:1px solid var(--edge);border-radius:10px;text-decoration:none;font-weight:600}
pre{font:inherit;white-space:pre-wrap;margin:0}
nav{padding:12px 4px}
nav a{display:inline-block;min-height:32px;padding:4px;margin-right:12px}
nav a[aria-current]{color:var(--text);font-weight:700}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
"""
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"
    f"{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)


def leaf(lang: str, title: str, warning: str, body: str, after: str = "") -> HTMLResponse:
    """A page: title and warning are text; what follows them, and what comes after the main part, is HTML."""
    page = (
        f'<!doctype html><html lang="{html.escape(lang)}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title><style>{STYLE}</style></head>'
        f"<body><main><h1>{html.escape(title)}</h1><p><strong>{html.escape(warning)}</strong></p>{body}</main>{after}</body></html>"
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"})
