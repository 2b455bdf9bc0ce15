"""Canaille, somebody else's identity provider, as a process of its own. `test_canaille.py` starts it; no test imports it.

What it needs stands as JSON on the standard input: `port`, `secret`, `callback`, `people` (user name, password, name,
number), and `clients` with the `acr` of each or null. It says `ready` once it serves. Canaille is served as it comes but for one
thing: its codes have a place for `acr` that it never fills, and our side takes no answer without one. A client's `acr` fills it.
"""

from __future__ import annotations

import json
import sys

from canaille import create_app
from canaille.app import models
from joserfc import jwk
from werkzeug.serving import make_server


def main() -> None:
    told = json.load(sys.stdin)
    app = create_app(
        {
            "SECRET_KEY": "of-the-tests",
            "SERVER_NAME": f"127.0.0.1:{told['port']}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "memory", "LOGGING": {"version": 1, "disable_existing_loggers": True}},
            "CANAILLE_OIDC": {
                "ACTIVE_JWKS": [jwk.RSAKey.generate_key(2048).as_dict(private=True)],
                "TRUSTED_DOMAINS": [],  # nobody is spared the question whether he agrees
                "USERINFO_MAPPING": {"PREFERRED_USERNAME": "{{ user.employee_number }}"},
            },
        }
    )
    with app.app_context():
        models.AuthorizationCode.get_acr = lambda code: told["clients"][code.client.client_id]
        for each in told["people"]:
            given, family = each["name"].split()
            app.backend.save(
                models.User(
                    user_name=each["username"],
                    password=each["password"],
                    formatted_name=each["name"],
                    given_name=given,
                    family_name=family,
                    emails=[f"{each['username']}@hospital.example"],
                    employee_number=each["number"],
                )
            )
        for name in told["clients"]:
            client = models.Client(
                client_id=name,
                client_secret=told["secret"],
                client_name=name,
                client_uri="https://access.example",
                redirect_uris=[told["callback"]],
                grant_types=["authorization_code"],
                response_types=["code"],
                scope=["openid", "profile"],
                token_endpoint_auth_method="client_secret_basic",
            )
            app.backend.save(client)
            client.audience = [client]  # it needs an id for that
            app.backend.save(client)
    server = make_server("127.0.0.1", told["port"], app, threaded=True)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
