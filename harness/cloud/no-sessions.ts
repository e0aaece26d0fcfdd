const nothing = async (): Promise<void> => undefined

/**
 * What Aedes asks of its persistence, where there is nothing to persist: the door makes every session clean, refuses
 * what is retained, and a will that is still to be sent is its connection's. Aedes' own store in memory would look
 * through empty maps at every connection, with several streams each, and keep a queue for every client id that ever
 * acknowledged a message.
 */
export const NO_SESSIONS = {
  setup: nothing,

  // Subscriptions of clients that are away, and messages for them

  cleanSubscriptions: nothing,
  subscriptionsByTopic: async (): Promise<readonly []> => [],
  outgoingEnqueueCombi: nothing,
  outgoingClearMessageId: nothing,
  outgoingStream: (): readonly [] => [],

  // Messages of quality 2 between their two halves: the door refuses them before, so whatever is released was never here

  incomingGetPacket: async (): Promise<never> => {
    throw new Error("no such packet")
  },

  // Retained messages, which Aedes pipes to the client

  createRetainedStreamCombi: () => ({ pipe: () => undefined }),

  // Wills of another broker of a cluster

  putWill: nothing,
  delWill: nothing,
  streamWill: (): readonly [] => [],
}
