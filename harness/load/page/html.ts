const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
}

/**
 * For text and quoted attributes alike. Scenario, command and complaints come from files and peers that anybody may
 * have written; control characters, which a page cannot show, become visible.
 */
export function text(raw: string): string {
  return raw
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "")
    .replace(/[^\P{Cc}\t\n]/gu, "\ufffd")
}

/** For the inside of a script element: nothing in it can end that element or start another. */
export function json(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c")
}
