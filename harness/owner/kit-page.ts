import { renderSVG } from "uqr"

/** The kit's letters in groups of six, as one copies them by hand. Spaces are left out when it is read. */
export function groupedKit(kit: string): string {
  return kit.match(/.{1,6}/g)?.join(" ") ?? kit
}

/** A page to print, of itself alone: the kit as text and as QR code. Secret. */
export function kitPage(kit: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Recovery kit</title>
<style>
  body { font: 14pt/1.5 serif; margin: 3cm; max-width: 16cm }
  code { font: 13pt/1.6 monospace; word-spacing: 0.3em }
  svg { width: 7cm }
</style>
<h1>Recovery kit</h1>
<p>Whoever has this page opens everything that this household's cameras have recorded and will record, and commands the
cameras. Nobody can replace it. Keep it where you keep what must not burn.</p>
<p><code>${groupedKit(kit)}</code></p>
${renderSVG(kit, { border: 4 })}
<p>Into an empty folder: <code>obscura owner restore</code></p>
</html>
`
}
