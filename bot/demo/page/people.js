// The list of everybody one can be: who that is, what came last, what is unread.

import { avatar, h, icon, iconButton } from "./dom.js";
import { fullName, inLanguage } from "./frame.js";
import { preview } from "./message.js";

const THEMES = ["auto", "light", "dark"];

export class People {
  /** `page` has beside(id), about(t), isOpen(id). */
  constructor(t, page) {
    Object.assign(this, { t, page });
    this.items = new Map();
    this.list = h("ul", { class: "people" });
    this.title = h("h1", {}, t("demo.choose"));
    this.themeButton = iconButton("auto", "", () => this.nextTheme());
    this.drawTheme();
    this.element = h(
      "nav", { class: "people-pane", "aria-label": t("demo.people"), lang: t.language },
      h("header", { class: "side-head" }, this.title, this.themeButton),
      this.list,
      h(
        "footer", { class: "ribbon" }, h("p", {}, t("demo.ribbon")),
        h("button", { type: "button", class: "link", onclick: () => page.about(t) }, t("demo.about")), " · ",
        h("a", { class: "link", href: `/inbox?lang=${t.language}`, target: "_blank", rel: "noreferrer" }, t("demo.inbox")),
      ),
    );
  }

  /** Shows these people; each keeps his element, and so the focus. */
  show(people) {
    const there = new Set(people.map((person) => person.id));
    for (const [id, item] of this.items) {
      if (!there.has(id)) {
        item.remove();
        this.items.delete(id);
      }
    }
    for (const person of people) this.draw(person);
    if (!people.length) this.list.replaceChildren(h("li", { class: "nobody" }, this.t("demo.people.none")));
    else this.list.querySelector(".nobody")?.remove();
  }

  draw(person) {
    const { t, page } = this;
    const name = fullName(person);
    let item = this.items.get(person.id);
    if (!item) {
      const beside = t("demo.beside", { name });
      const link = h("a", { class: "person", href: `#/${person.id}`, onclick: (event) => this.clicked(event, person.id) });
      item = h("li", {}, link, iconButton("beside", beside, () => page.beside(person.id), { class: "icon-button beside" }));
      this.items.set(person.id, item);
      this.list.append(item);
    }
    const link = item.firstElementChild;
    const open = page.isOpen(person.id);
    item.classList.toggle("open", open);
    if (open) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    item.lastElementChild.hidden = open || !page.anyOpen();
    link.replaceChildren(avatar(name, person.id), this.about(person, name));
  }

  about(person, name) {
    const { t } = this;
    const last = person.last;
    const unread = person.unread > 0 && h(
      "span", { class: "badge" }, h("span", { "aria-hidden": "true" }, String(person.unread)), h("span", { class: "unseen" }, t.count("demo.unread", person.unread)),
    );
    const waits = !person.started && person.invitation;
    const line = last ? `${last.from_bot ? "" : `${t("demo.you")} : `}${preview(last, t)}` : waits ? t("demo.invitation") : t("demo.people.new");
    return h(
      "span", { class: "person-words" },
      h("span", { class: "person-top" }, h("span", { class: "person-name" }, name), last && h("span", { class: "person-time" }, t.time(last.date))),
      person.role && h("span", { class: "person-role" }, inLanguage(person.role, t.language)),
      h("span", { class: "person-top" }, h("span", { class: "person-last" }, waits && icon("envelope"), line), unread),
    );
  }

  /** A plain click opens here; with Ctrl or the middle button the browser makes a tab of its own. */
  clicked(event, id) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    this.page.open(id);
  }

  focus(id) {
    (this.items.get(id)?.firstElementChild || this.list.querySelector("a"))?.focus();
  }

  nextTheme() {
    const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
    this.drawTheme();
  }

  drawTheme() {
    const theme = document.documentElement.dataset.theme;
    const words = { auto: this.t("demo.theme.auto"), light: this.t("demo.theme.light"), dark: this.t("demo.theme.dark") }[theme];
    this.themeButton.setAttribute("aria-label", words);
    this.themeButton.title = words;
    this.themeButton.replaceChildren(icon(theme));
  }
}
