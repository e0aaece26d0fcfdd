import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest"
import { placeWithin, type S3Place } from "../../../harness/cloud/s3-place.ts"
import { type S3Service, startS3 } from "./s3-service.ts"

/** What the tests of one file share: a service, whose answers are its own again after each test. */
export interface S3World {
  readonly service: S3Service
  /** Where the test may write; empty at its beginning. */
  readonly place: S3Place
  /** Another such place. */
  another(): S3Place
  /** On this machine's disk. */
  readonly folder: string
}

/** Called where a file's hooks are: it has some of its own. */
export function s3World(): S3World {
  let world: { folder: string; service: S3Service; place: S3Place } | null = null
  let places = 0
  const now = () => {
    if (world === null) throw new Error("the service is there while tests run")
    return world
  }
  const another = () => placeWithin(now().service.place, `place-${places++}`)
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "obscura-s3-"))
    const service = await startS3(join(folder, "service"))
    world = { folder, service, place: service.place }
  })
  beforeEach(() => {
    now().place = another()
  })
  afterEach(() => {
    Object.assign(now().service, { answer: () => null, pageKeys: null })
  })
  afterAll(async () => {
    const { service, folder } = now()
    await service.close()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    another,
    get service() {
      return now().service
    },
    get place() {
      return now().place
    },
    get folder() {
      return now().folder
    },
  }
}
