// What comes over the chat: a toast in passing, an alert to close, a question, a menu, a private page beside the chat.

import { h, iconButton } from "./dom.js";

const SHORTEST = 4000;
const PER_LETTER = 60;

/** The place of a chat's toasts. It is there from the beginning: a status that arrives with its text may stay unread. */
export class Toasts {
  constructor() {
    this.element = h("div", { class: "toasts", role: "status" });
  }

  show(text) {
    const toast = h("p", { class: "toast" }, text);
    this.element.replaceChildren(toast);
    setTimeout(() => toast.remove(), SHORTEST + PER_LETTER * text.length);
  }
}

let count = 0;

/** A modal window; resolves with the value of the button, or undefined when it was closed otherwise. `buttons` are [words, value, look]. */
export function modal(lang, title, body, buttons) {
  const id = `dialog-${(count += 1)}`;
  return new Promise((resolve) => {
    const before = document.activeElement;
    let value;
    const press = (each) => () => {
      value = each;
      dialog.close();
    };
    const row = buttons.map(([words, each, look], place) =>
      h("button", { type: "button", class: look || "plain", onclick: press(each), autofocus: place === buttons.length - 1 }, words));
    const dialog = h(
      "dialog", { lang, "aria-labelledby": id, "aria-describedby": `${id}-text` },
      h(
        "div", { class: "dialog-inside" },
        h("h2", { id }, title), h("div", { id: `${id}-text`, class: "dialog-text" }, body), h("div", { class: "dialog-buttons" }, row),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before?.isConnected) before.focus({ preventScroll: true });
      resolve(value);
    });
    // all of the window is its inside, so the dialog itself is what lies around it
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A small menu under a button; `items` are [words, act]. */
export function menu(button, items) {
  const close = () => list.hidePopover();
  const list = h(
    "div", { class: "menu", role: "menu", popover: "auto" },
    items.map(([words, act]) => h("button", {
      type: "button", role: "menuitem", class: "menu-item", tabindex: "-1",
      onclick: () => { close(); act(); },
    }, words)),
  );
  list.addEventListener("toggle", ({ newState }) => {
    button.setAttribute("aria-expanded", String(newState === "open"));
    if (newState === "closed") list.remove();
  });
  list.addEventListener("keydown", (event) => {
    const all = [...list.children];
    const at = all.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Tab" || event.key === "Escape") {
      event.preventDefault();
      close();
      button.focus();
    } else if (step) {
      event.preventDefault();
      all[(at + step + all.length) % all.length].focus();
    }
  });
  document.body.append(list);
  list.showPopover();
  const place = button.getBoundingClientRect();
  const below = place.bottom + 4 + list.offsetHeight < innerHeight;
  list.style.top = `${below ? place.bottom + 4 : Math.max(8, place.top - 4 - list.offsetHeight)}px`;
  list.style.right = `${Math.max(8, Math.min(innerWidth - place.right, innerWidth - list.offsetWidth - 8))}px`;
  list.firstElementChild.focus();
}

/** A page of the bot's own beside the chat. */
export function webPage(url, title, t, closed) {
  const close = () => {
    removeEventListener("message", said);
    panel.remove();
    closed();
  };
  // the page says when it is done, as it would to Telegram's web client
  const said = ({ source, data }) => {
    if (source !== panel.querySelector("iframe").contentWindow || typeof data !== "string") return;
    let event = {};
    try {
      event = JSON.parse(data);
    } catch {
      return;
    }
    if (event.eventType === "web_app_close") close();
  };
  addEventListener("message", said);
  const panel = h(
    "aside", { class: "web-page", "aria-label": title },
    h("header", {}, h("h3", {}, title), iconButton("close", t("demo.webpage.close"), close)),
    h("iframe", { src: url, title, sandbox: "allow-scripts allow-forms allow-same-origin allow-popups", referrerpolicy: "no-referrer" }),
  );
  panel.addEventListener("keydown", (event) => event.key === "Escape" && close());
  return panel;
}
