import { parentPort, type TransferListItem, workerData } from "node:worker_threads"
import { Fault, type FaultKind, isFault, messageOf } from "../../firmware/errors.ts"

/** What a thread says to who started it: once "ready" or "fault", then one answer or fault for each question. */
export type FromThread<Facts, Answer> =
  | { readonly kind: "ready"; readonly facts: Facts }
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "fault"; readonly fault: SpokenFault }

/** An error class does not cross threads. */
export interface SpokenFault {
  readonly kind: FaultKind
  readonly message: string
  readonly definite: boolean
}

export interface Answered<Answer> {
  readonly answer: Answer
  /** Buffers of the answer that are given away. */
  readonly transfer: readonly ArrayBuffer[]
}

/**
 * The thread's end: `open` makes ready with what it was started with, and gives facts and what answers. Questions come one
 * at a time. What is no Fault ends the thread, and whoever started it hears so.
 */
export function serveThread<Data, Facts, Question, Answer>(
  open: (data: Data) => Promise<{
    readonly facts: Facts
    readonly answer: (question: Question) => Promise<Answered<Answer>>
  }>,
): void {
  const port = parentPort
  if (!port) throw new Fault("broken", "this file is for a thread")
  const say = (message: FromThread<Facts, Answer>, transfer: readonly TransferListItem[] = []) =>
    port.postMessage(message, transfer)
  const sayFault = (error: unknown) => {
    if (!isFault(error)) throw error
    say({ kind: "fault", fault: { kind: error.kind, message: messageOf(error), definite: error.definite } })
  }
  const begin = async () => {
    const { facts, answer } = await open(workerData as Data)
    port.on("message", (question: Question) => {
      answer(question).then((done) => say({ kind: "answer", answer: done.answer }, done.transfer), sayFault)
    })
    say({ kind: "ready", facts })
  }
  begin().catch(sayFault)
}

export function faultOf({ kind, message, definite }: SpokenFault): Fault {
  return new Fault(kind, message, { definite })
}
