// What the page asks of the server: everything a phone could do, under /client.

async function ask(method, path, body) {
  const form = body instanceof FormData;
  const answer = await fetch(`/client/${path}`, {
    method,
    headers: body && !form ? { "Content-Type": "application/json" } : {},
    body: form ? body : body && JSON.stringify(body),
  });
  const facts = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(facts.description || answer.statusText);
  return facts;
}

export const texts = () => ask("GET", "texts");
export const people = () => ask("GET", "people");

/** What one person can do with his phone. Each rejects where the server refuses or is away. */
export function phone(person) {
  const path = `people/${person}`;
  return {
    /** The chat. A phone that nobody chose a language for speaks as the page that opens it from now on. */
    chat: async (pageLanguage) => {
      const facts = await ask("GET", `${path}/chat`);
      if (!facts.any_language) return facts;
      await ask("PATCH", path, { language_code: pageLanguage });
      return ask("GET", `${path}/chat`);
    },
    start: (code = "") => ask("POST", `${path}/start`, { code }),
    say: (text) => ask("POST", `${path}/messages`, { text }),
    send: (file, caption) => {
      const form = new FormData();
      form.append("file", file, file.name);
      form.append("caption", caption);
      return ask("POST", `${path}/documents`, form);
    },
    edit: (message, text) => ask("PATCH", `${path}/messages/${message}`, { text }),
    remove: (message) => ask("DELETE", `${path}/messages/${message}`),
    tap: (message, row, column) => ask("POST", `${path}/taps`, { message_id: message, row, column }),
    app: (url) => ask("POST", `${path}/apps`, { url }),
    block: (blocked) => ask("PUT", `${path}/blocked`, { blocked }),
    read: (message) => ask("PUT", `${path}/read`, { message_id: message }),
    speak: (language) => ask("PATCH", path, { language_code: language }),
  };
}

export const fileAddress = (file) => `/client/files/${file}`;
