// What stands around the messages of a chat: its head, the invitation, the bot's welcome, the row below.

import { menu } from "./dialogs.js";
import { botAvatar, h, icon, iconButton } from "./dom.js";
import { LANGUAGES } from "./texts.js";

/** The text of a register in the chat's language, else in another. */
export const inLanguage = (texts, language) => texts?.[language] || texts?.fr || Object.values(texts || {})[0] || "";

export const fullName = ({ first_name: first, last_name: last }) => [first, last].filter(Boolean).join(" ");

/** The head of a chat: whose bot, whose phone, which language, what else. */
export function header(chat) {
  const { facts, t, page } = chat;
  const role = inLanguage(facts.role, t.language);
  return [
    iconButton("back", t("demo.back"), () => page.back(chat.id), { class: "icon-button back", "data-control": "back" }),
    botAvatar(),
    h(
      "div", { class: "chat-names" },
      h("h2", { class: "chat-bot" }, facts.bot.first_name),
      h("p", { class: "chat-status", title: role }, [t("demo.as", { name: fullName(facts) }), role].filter(Boolean).join(" · ")),
    ),
    languageMenu(chat),
    iconButton("more", t("demo.more"), ({ currentTarget }) => menu(currentTarget, moreOf(chat)), {
      "aria-haspopup": "menu", "aria-expanded": "false", "data-control": "more",
    }),
    page.several() && iconButton("close", t("demo.close.chat", { name: facts.first_name }), () => page.close(chat.id), { "data-control": "close" }),
  ].filter(Boolean);
}

function languageMenu(chat) {
  const { facts, t } = chat;
  const spoken = facts.language_code.slice(0, 2);
  const other = spoken in LANGUAGES ? {} : { [facts.language_code]: new Intl.DisplayNames([spoken], { type: "language" }).of(spoken) };
  const options = Object.entries({ ...LANGUAGES, ...other }).map(([code, name]) =>
    h("option", { value: code, lang: code, selected: code === spoken || code === facts.language_code }, name));
  const select = h("select", {
    "aria-label": t("demo.language"), title: t("demo.language"), "data-control": "language",
    onchange: ({ currentTarget }) => chat.speak(currentTarget.value),
  }, options);
  const shown = select.selectedOptions[0].textContent;
  return h(
    "span", { class: "language" },
    h("span", { class: "language-name", "aria-hidden": "true" }, shown),
    h("span", { class: "language-code", "aria-hidden": "true" }, spoken.toUpperCase()), icon("down"), select,
  );
}

function moreOf(chat) {
  const { facts, t, page } = chat;
  return [
    [t("demo.tab"), () => window.open(`#/${chat.id}`, "_blank", "noopener")],
    facts.blocked ? [t("demo.unblock"), () => chat.block(false)] : [t("demo.block"), () => chat.block(true)],
    [t("demo.about"), () => page.about(t)],
  ];
}

/** The line over a chat whose invitation was not opened yet; empty before the first contact, where the welcome has it. */
export function banner(facts, t, opens) {
  const waits = facts.started && !facts.blocked && facts.invitation && facts.invitation !== facts.opened;
  return waits ? [icon("envelope"), h("p", {}, t("demo.invitation")), h("button", { type: "button", class: "primary", onclick: opens }, t("demo.invitation.open"))] : [];
}

/** Before the first contact: who the bot is, and the invitation where there is one. */
export function welcome(facts, t, opens) {
  return h(
    "div", { class: "welcome", tabindex: "0", role: "region", "aria-label": t("demo.what") },
    h(
      "div", { class: "welcome-card" },
      h("img", { src: "/page/icon.svg", alt: "", width: "64", height: "64" }),
      h("h3", {}, t("demo.what")),
      h("p", { class: "welcome-text", dir: "auto" }, facts.bot.description || facts.bot.short_description || facts.bot.first_name),
      facts.invitation && h(
        "div", { class: "invitation" },
        icon("envelope"), h("p", {}, t("demo.invitation")),
        h("button", { type: "button", class: "primary", onclick: opens }, t("demo.invitation.open")),
      ),
    ),
  );
}

/** The row below a chat that cannot be written to: *Start*, or *unblock*. */
export function foot(state, chat) {
  const { t } = chat;
  if (state === "new") {
    return h("div", { class: "instead" }, h("button", { type: "button", class: "primary wide", onclick: () => chat.start("") }, t("demo.start")));
  }
  return h(
    "div", { class: "instead" }, h("p", {}, t("demo.blocked")),
    h("button", { type: "button", class: "primary wide", onclick: () => chat.block(false) }, t("demo.unblock")),
  );
}
