import { createHash } from "node:crypto"
import { fileURLToPath } from "node:url"
import { Fault, messageOf } from "../../../../firmware/errors.ts"

/** A page and the policy under which a browser may show it. */
export interface PostPage {
  readonly html: string
  readonly policy: string
}

/** The same for every post: whether there is one, the page's script asks. @throws Fault "broken": it cannot be made. */
export async function postPage(): Promise<PostPage> {
  const script = await scriptText()
  const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(STYLE)}`,
    "connect-src 'self'",
    "media-src blob:",
    ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
  ].join("; ")
  return { html: page(script), policy }
}

async function scriptText(): Promise<string> {
  try {
    const { build } = await import("esbuild")
    const entry = fileURLToPath(new URL("open-post.js", import.meta.url))
    const made = await build({
      ...{ entryPoints: [entry], bundle: true, write: false, minify: true },
      ...{ format: "iife", platform: "browser", target: "es2022", legalComments: "none" },
    })
    return (made.outputFiles[0]?.text ?? "").replaceAll("</script", "<\\/script")
  } catch (cause) {
    throw new Fault("broken", `the page of a post cannot be made (${messageOf(cause)})`, { cause })
  }
}

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
video { width: 100%; background: #000; border-radius: 0.5rem }
small { opacity: 0.75 }
`

const page = (script: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>A neighbour's post</title>
<style>${STYLE}</style>
<h1>A neighbour's post</h1>
<p id="status" role="status">This page needs JavaScript: it opens the post here, in your browser.</p>
<video controls playsinline hidden></video>
<p><a id="save" download="post.mp4" hidden>Save the film</a></p>
<p><small>The key is in the link, behind the #, and a browser does not send that. But this page comes from the board: a
board that wanted the key could serve another page, which reads it. To be sure, open the link with
<code>obscura neighbours open</code>. What was shown can be copied; taking a post down ends the showing.</small></p>
<script>${script}</script>
</html>
`
