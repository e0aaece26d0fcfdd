/**
 * Single keys from the terminal. Ctrl-C still stops: raw mode takes it from the terminal, so it is sent on as a signal.
 * Without a terminal nothing is read.
 */
export function watchKeys(actions: Readonly<Record<string, () => void>>): { close(): void } {
  const { stdin } = process
  if (!stdin.isTTY) return { close: () => undefined }
  const onKey = (key: Buffer) => {
    const text = key.toString()
    if (text === "\u0003") process.kill(process.pid, "SIGINT")
    else actions[text.toLowerCase()]?.()
  }
  stdin.setRawMode(true)
  stdin.resume()
  stdin.on("data", onKey)
  return {
    close() {
      stdin.off("data", onKey)
      stdin.setRawMode(false)
      stdin.pause()
    },
  }
}
