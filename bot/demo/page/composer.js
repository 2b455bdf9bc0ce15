// Where one writes: text of several lines, a file, the bot's commands, the answers it proposes.

import { h, icon, iconButton } from "./dom.js";
import { Commands } from "./commands.js";

const LONGEST = 4096; // UTF-16 units, Telegram's limit and how maxlength counts

export class Composer {
  /** `acts` has say(text), send(file, caption), edit(message, text) → whether it arrived, and webApp(url, title). */
  constructor(person, t, acts) {
    Object.assign(this, { t, acts, person });
    this.file = null;
    this.edited = null;
    this.box = h("textarea", {
      class: "box", id: `write-${person}`, rows: "1", maxlength: LONGEST, dir: "auto", placeholder: t("demo.write"), "aria-label": t("demo.write"),
      autocomplete: "off", oninput: () => this.changed(), onkeydown: (event) => this.pressed(event), onpaste: (event) => this.pasted(event),
    });
    this.commands = new Commands(`commands-${person}`, this.box, t, (command) => this.sendText(`/${command}`));
    this.slash = iconButton("slash", t("demo.commands"), () => this.pressedSlash(), { "aria-expanded": "false" });
    this.commands.toggled = (open) => this.slash.setAttribute("aria-expanded", String(open));
    this.picker = h("input", { type: "file", class: "unseen", tabindex: "-1", "aria-hidden": "true", onchange: () => this.take(this.picker.files[0]) });
    this.sendButton = iconButton("send", t("demo.send"), () => this.submit(), { class: "icon-button send" });
    this.chosen = h("div", { class: "chosen", hidden: true });
    this.answers = h("div", { class: "answers", role: "group", "aria-label": t("demo.answers"), hidden: true });
    this.element = h(
      "div", { class: "composer" },
      this.commands.element, this.chosen,
      h(
        "div", { class: "write" },
        this.slash, iconButton("attach", t("demo.attach"), () => this.picker.click()), this.picker, this.box, this.sendButton,
      ),
      this.answers,
    );
    this.box.value = sessionStorage.getItem(this.key) || "";
    queueMicrotask(() => this.grow());
  }

  /** Typed text stays with its person, in this tab only. */
  get key() {
    return `draft-${this.person}`;
  }

  /** The menu button, the commands and the proposed answers, as the bot has set them. */
  show({ commands, menu, keyboard }) {
    this.commands.all = commands;
    this.menu = menu;
    this.slash.hidden = menu.type === "commands" && !commands.length;
    const words = menu.type === "web_app" ? menu.text : this.t("demo.commands");
    this.slash.setAttribute("aria-label", words);
    this.slash.title = words;
    this.slash.replaceChildren(icon(menu.type === "web_app" ? "window" : "slash"));
    this.showAnswers(keyboard);
  }

  showAnswers(keyboard) {
    const rows = keyboard?.keyboard || [];
    const once = () => keyboard.one_time_keyboard && this.showAnswers(null);
    const key = (button) => {
      const text = button.text ?? button;
      const page = button.web_app;
      return h("button", {
        type: "button", class: "key",
        onclick: () => (page ? this.acts.webApp(page.url, text) : this.sendText(text).then(once)),
      }, h("span", { class: "key-words" }, text));
    };
    this.answers.replaceChildren(...rows.map((row) => h("div", { class: "row" }, row.map(key))));
    this.answers.hidden = !rows.length;
    this.box.placeholder = keyboard?.input_field_placeholder || this.t("demo.write");
  }

  pressedSlash() {
    if (this.menu.type === "web_app") {
      this.acts.webApp(this.menu.web_app.url, this.menu.text);
      return;
    }
    if (this.commands.open) this.commands.close();
    else this.commands.filter("/");
    this.box.focus();
  }

  changed() {
    if (!this.edited) sessionStorage.setItem(this.key, this.box.value);
    this.grow();
    this.commands.filter(this.box.value);
  }

  /** The box grows with its text, up to what the style sheet allows. */
  grow() {
    this.box.style.height = "auto";
    if (this.box.value) this.box.style.height = `${this.box.scrollHeight}px`;
    this.sendButton.disabled = !this.box.value.trim() && !this.file;
  }

  pressed(event) {
    if (event.isComposing || this.commands.pressed(event)) return;
    if (event.key === "Escape" && this.edited) {
      this.stopEditing();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    }
  }

  pasted(event) {
    const file = event.clipboardData?.files[0];
    if (!file) return;
    event.preventDefault();
    this.take(file);
  }

  /** A file that goes with the next message. */
  take(file) {
    this.file = file || null;
    this.edited = null;
    this.picker.value = "";
    this.chosen.hidden = !file;
    if (file) this.choose("file", file.name, this.t.size(file.size), this.t("demo.attach.remove", { name: file.name }), () => this.take(null));
    this.grow();
  }

  /** The line over the box: what the text will go with, and a way to leave that. */
  choose(sign, name, more, leave, left) {
    const close = () => {
      left();
      this.box.focus();
    };
    this.chosen.replaceChildren(
      icon(sign), h("span", { class: "chosen-name" }, name), h("span", { class: "muted" }, more), iconButton("close", leave, close),
    );
    this.chosen.hidden = false;
    this.box.focus();
  }

  /** The box holds a message of one's own until it is sent again; what stood there before comes back. */
  edit(message) {
    const before = this.edited ? this.before : this.box.value;
    this.take(null);
    Object.assign(this, { edited: message, before });
    this.box.value = message.text;
    this.choose("pencil", this.t("demo.message.editing"), "", this.t("demo.message.editing.stop"), () => this.stopEditing());
    this.grow();
  }

  stopEditing() {
    this.take(null);
    this.box.value = this.before;
    this.changed();
  }

  async submit() {
    const text = this.box.value.trim();
    if (this.edited) return text && (await this.acts.edit(this.edited.message_id, text)) && this.stopEditing();
    if (!this.file) return text && this.sendText(text, true);
    if (await this.acts.send(this.file, text)) {
      this.take(null);
      this.empty();
    }
    return undefined;
  }

  /** What was typed goes only once it has arrived. */
  async sendText(text, typed = false) {
    this.commands.close();
    const chosen = typed || this.box.value.startsWith("/");
    if ((await this.acts.say(text)) && chosen) this.empty();
  }

  empty() {
    this.box.value = "";
    this.changed();
  }
}
