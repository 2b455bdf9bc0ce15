// The bot's commands over the box: all of them after "/", fewer with each letter. The focus stays in the box; the list
// is pointed at with aria-activedescendant.

import { h } from "./dom.js";

export class Commands {
  /** `chosen(command)` is called with a command's word. */
  constructor(id, box, t, chosen) {
    Object.assign(this, { id, box, t, chosen });
    this.all = [];
    this.found = [];
    this.at = 0;
    this.list = h("ul", { class: "commands", id, role: "listbox", "aria-label": t("demo.commands"), hidden: true });
    this.status = h("div", { class: "unseen", role: "status" });
    this.element = h("div", { class: "commands-frame" }, this.list, this.status);
    box.setAttribute("aria-controls", id);
    box.setAttribute("aria-autocomplete", "list");
    box.addEventListener("blur", () => this.close());
  }

  get open() {
    return !this.list.hidden;
  }

  toggled() {}

  /** Shows what fits what is typed so far; nothing once there is more than a word. */
  filter(typed) {
    const word = /^\/(\w*)$/.exec(typed)?.[1].toLowerCase();
    this.found = word === undefined ? [] : this.all.filter(({ command }) => command.startsWith(word));
    if (!this.found.length) {
      this.close();
      return;
    }
    this.at = 0;
    this.list.hidden = false;
    this.status.textContent = this.t.count("demo.commands.found", this.found.length);
    this.toggled(true);
    this.draw();
  }

  close() {
    if (!this.open) return;
    this.list.hidden = true;
    this.status.textContent = "";
    this.box.removeAttribute("aria-activedescendant");
    this.toggled(false);
  }

  draw() {
    const option = ({ command, description }, place) =>
      h(
        "li",
        {
          id: `${this.id}-${place}`, role: "option", "aria-selected": String(place === this.at), class: "command",
          // before the box loses the focus, and with it the list
          onpointerdown: (event) => event.preventDefault(),
          onclick: () => this.chosen(command),
        },
        h("span", { class: "command-word" }, `/${command}`), " ", h("span", { class: "command-use" }, description),
      );
    this.list.replaceChildren(...this.found.map(option));
    this.box.setAttribute("aria-activedescendant", `${this.id}-${this.at}`);
    this.list.children[this.at].scrollIntoView({ block: "nearest" });
  }

  /** Whether the key was for the list. */
  pressed(event) {
    if (!this.open) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.at = (this.at + step + this.found.length) % this.found.length;
      this.draw();
    } else if (event.key === "Enter" && !event.shiftKey) {
      this.chosen(this.found[this.at].command);
    } else if (event.key === "Tab" && !event.shiftKey) {
      this.box.value = `/${this.found[this.at].command} `;
      this.box.dispatchEvent(new Event("input"));
    } else if (event.key === "Escape") {
      this.close();
    } else {
      return false;
    }
    event.preventDefault();
    return true;
  }
}
