// Runs in the visitor's browser: fetches the sealed object, and opens it with the key behind the #.
import { Decrypter } from "age-encryption"

const status = document.querySelector("#status")
const say = (text) => {
  status.textContent = text
}

async function open() {
  const key = location.hash.slice(1)
  if (key === "")
    return say("This link has lost its key. Ask for the whole of it, with what is behind the #.")
  const decrypter = new Decrypter()
  try {
    decrypter.addIdentity(key)
  } catch {
    return say("The key in this link is mistyped or cut short. Ask for the whole of it.")
  }
  say("Fetching…")
  const answer = await fetch(location.pathname.replace(/\/p\/([0-9a-f]{32})$/, "/o/$1"))
  if (answer.status === 404) return say("There is no such post, or its owner has taken it down.")
  if (!answer.ok) return say("The board does not answer as it should. Try again later.")
  const sealed = new Uint8Array(await answer.arrayBuffer())
  let film
  try {
    film = await decrypter.decrypt(sealed)
  } catch {
    return say("The key in this link does not open this post.")
  }
  const address = URL.createObjectURL(new Blob([film], { type: "video/mp4" }))
  const video = document.querySelector("video")
  video.src = address
  video.hidden = false
  const save = document.querySelector("#save")
  save.href = address
  save.hidden = false
  say("Opened here, in your browser.")
}

addEventListener("hashchange", () => location.reload())
open().catch(() => say("The board does not answer. Try again later."))
