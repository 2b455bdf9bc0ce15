"""Views as JSON, for messages that wait in the outbox. Pure."""

from __future__ import annotations

from bot.conversations.model import Action, App, Button, CopyText, Door, Json, Link, Press, View
from bot.msg import from_json, to_json


def view_to_json(view: View) -> Json:
    """A JSON object; `view_from_json` brings the view back."""
    return {
        "title": to_json(view.title),
        "subject": to_json(view.subject),
        "mark": view.mark,
        "step": list(view.step) if view.step else None,
        "error": to_json(view.error),
        "notes": [to_json(note) for note in view.notes],
        "body": [to_json(line) for line in view.body],
        "facts": [[to_json(label), to_json(value)] for label, value in view.facts],
        "after": [to_json(line) for line in view.after],
        "rows": [
            [[to_json(button.label), button.mark, *_action(button.action)] for button in row]
            for row in view.rows
        ],
    }


def view_from_json(data: Json) -> View:
    """The inverse of `view_to_json`."""
    return View(
        title=from_json(data["title"]),
        subject=from_json(data["subject"]),
        mark=data.get("mark", ""),
        step=tuple(data["step"]) if data["step"] else None,
        error=from_json(data["error"]),
        notes=tuple(from_json(note) for note in data["notes"]),
        body=tuple(from_json(line) for line in data["body"]),
        facts=tuple((from_json(label), from_json(value)) for label, value in data["facts"]),
        after=tuple(from_json(line) for line in data["after"]),
        rows=tuple(tuple(_button(button) for button in row) for row in data["rows"]),
    )


def _action(action: Action) -> list[str]:
    match action:
        case Press(verb, value):
            return ["press", verb, value]
        case Door(flow, args):
            return ["door", flow, args]
        case Link(url):
            return ["link", url]
        case App(url):
            return ["app", url]
        case CopyText(text):
            return ["copy", text]


def _button(data: Json) -> Button:
    label, mark, kind, *rest = data
    kinds: dict[str, type[Press | Door | Link | App | CopyText]] = {
        "press": Press,
        "door": Door,
        "link": Link,
        "app": App,
        "copy": CopyText,
    }
    return Button(from_json(label), kinds[kind](*rest), mark)
