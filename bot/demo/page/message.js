// One message as a bubble, with its keyboard below. `draw` fills the same element again when the message is edited, so
// that the card stays where it is, and so does the focus.

import { fileAddress } from "./api.js";
import { h, icon, iconButton } from "./dom.js";
import { formatted } from "./entities.js";

/** What a message says, without its marks. */
export const textOf = (message) => message.text || message.caption || "";

/** One line that stands for a message in a list, or for a message answered to. */
export function preview(message, t) {
  if (message.document) return `📎 ${message.document.file_name}`;
  if (message.photo) return `🖼 ${message.caption || t("demo.picture")}`;
  return textOf(message);
}

/** Fills `article` with `message`. `acts` has more, tap, open, copy, webApp, command. */
export function draw(article, message, t, acts) {
  const mine = !message.from_bot;
  const focus = focusWithin(article);
  const who = mine ? t("demo.you") : message.from.first_name;
  const edited = message.edit_date ? `, ${t("demo.edited")}` : "";
  article.className = `message ${mine ? "mine" : "theirs"}${edited ? " has-edit" : ""}`;
  article.dataset.id = message.message_id;
  article.setAttribute("aria-label", `${who}, ${t.time(message.date)}${edited}`);
  article.tabIndex = -1;
  const rows = message.reply_markup?.inline_keyboard;
  article.replaceChildren(
    h("div", { class: "bubble" }, ...content(message, t, acts), meta(message, t), mine && more(message, t, acts)),
    ...(rows ? [keyboard(rows, message, t, acts)] : []),
  );
  article.oncontextmenu = mine ? (event) => longTouch(event, article, message, acts) : null;
  focusAgain(article, focus);
}

function longTouch(event, article, message, acts) {
  if (event.pointerType !== "touch") return;
  event.preventDefault();
  acts.more(message, article.querySelector(".bubble"));
}

function content(message, t, acts) {
  const entities = message.entities || message.caption_entities;
  const origin = message.forward_origin;
  return [
    origin && h("p", { class: "forwarded" }, t("demo.forwarded", { name: origin.sender_user_name || "" })),
    message.reply_to_message && h("p", { class: "answered" }, preview(message.reply_to_message, t)),
    message.photo && picture(message, t),
    message.document && attachment(message.document, t),
    textOf(message) && h("div", { class: "text", dir: "auto" }, formatted(textOf(message), entities, t, acts)),
  ];
}

function meta(message, t) {
  const iso = new Date(message.date * 1000).toISOString();
  return h(
    "p", { class: "meta" },
    message.edit_date && h("span", { class: "edited" }, t("demo.edited")),
    h("time", { datetime: iso }, t.time(message.date)),
  );
}

/** One's own message can be edited and deleted: by this button, by a long touch on the bubble. */
function more(message, t, acts) {
  const words = t("demo.message.more");
  return iconButton("more", words, ({ currentTarget }) => acts.more(message, currentTarget), { class: "icon-button message-more", "aria-haspopup": "menu" });
}

function picture(message, t) {
  const { file_id: file, width, height } = message.photo.at(-1);
  const image = h("img", { src: fileAddress(file), alt: message.caption || t("demo.picture"), width, height, loading: "lazy" });
  return h("a", { class: "picture", href: fileAddress(file), target: "_blank", rel: "noopener", title: t("demo.picture.open") }, image);
}

function attachment(file, t) {
  const words = t("demo.download", { name: file.file_name });
  return h(
    "a", { class: "attachment", href: fileAddress(file.file_id), download: file.file_name, "aria-label": `${words} (${t.size(file.file_size)})`, title: words },
    h("span", { class: "attachment-sign" }, icon("file")),
    h("span", { class: "attachment-words" }, h("span", { class: "attachment-name" }, file.file_name), h("span", { class: "attachment-size" }, t.size(file.file_size))),
  );
}

function keyboard(rows, message, t, acts) {
  const drawRow = (buttons, row) =>
    h("div", { class: "row" }, buttons.map((button, column) => key(button, message, row, column, t, acts)));
  return h("div", { class: "keyboard", role: "group", "aria-label": t("demo.buttons") }, rows.map(drawRow));
}

function key(button, message, row, column, t, acts) {
  const [sign, act] = action(button, message, row, column, acts);
  const look = button.style ? `key key-${button.style}` : "key";
  return h(
    "button",
    { type: "button", class: look, "data-code": button.callback_data, disabled: !act, onclick: (event) => act(event.currentTarget) },
    h("span", { class: "key-words" }, button.text), sign && icon(sign),
  );
}

/** The sign in the button's corner, and what a tap does. */
function action(button, message, row, column, acts) {
  if (button.callback_data !== undefined) return [null, (key) => acts.tap(key, message.message_id, row, column)];
  if (button.url) return ["link", () => acts.open(button.url)];
  if (button.copy_text) return ["copy", () => acts.copy(button.copy_text.text)];
  if (button.web_app) return ["window", () => acts.webApp(button.web_app.url, button.text)];
  return [null, null];
}

// An edited card takes the focus along: to the button that does the same, else, if the text is the same (a tick, a
// page), to the button in that place; a card that asks something new gets the focus itself, so that Tab leads to
// its first button and nobody confirms by accident.

function focusWithin(article) {
  if (!article.contains(document.activeElement)) return null;
  const keys = [...article.querySelectorAll(".key")];
  return {
    place: keys.indexOf(document.activeElement),
    code: document.activeElement.dataset.code,
    words: bare(document.activeElement.textContent),
    text: article.querySelector(".text")?.textContent,
  };
}

function focusAgain(article, focus) {
  if (!focus) return;
  const keys = [...article.querySelectorAll(".key")];
  const same = keys.find((each) => each.dataset.code && each.dataset.code === focus.code)
    || keys.find((each) => focus.words && bare(each.textContent) === focus.words);
  const sameText = article.querySelector(".text")?.textContent === focus.text;
  const target = same || (sameText && focus.place >= 0 && keys[Math.min(focus.place, keys.length - 1)]) || article;
  target.focus({ preventScroll: true });
}

/** A label without the ornaments before it: ☐ and ☑ are the same button. */
const bare = (label) => label.replace(/^[^\p{L}\p{N}]+/u, "");
