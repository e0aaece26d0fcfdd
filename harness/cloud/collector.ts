import { setFlagsFromString } from "node:v8"

/**
 * Lets the heap grow to three times what lives in it before all of it is marked; V8 itself goes up to four. Every read
 * of the network is a buffer beside the heap that counts as growth, so by V8's own measure a small, busy heap is marked
 * for every 20 MB that arrive.
 */
export function letHeapGrow(): void {
  setFlagsFromString("--heap-growing-percent=200")
}
