import "mqtt"

// A mistake: mqtt.js has been loaded, and keeps the timers that it found.
await import("../../../harness/virtual/install.ts")
