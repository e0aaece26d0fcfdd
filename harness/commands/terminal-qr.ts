import { renderUnicodeCompact } from "uqr"

/** `text` as a QR code of half blocks, with the quiet zone that readers want (ISO/IEC 18004: four modules). */
export function terminalQr(text: string): string {
  return renderUnicodeCompact(text, { border: 4 })
}
