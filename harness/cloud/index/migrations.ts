import type { Kysely, Migration } from "kysely"

/**
 * The tables, step by step: the same steps for SQLite and PostgreSQL, in the words that both have. A step that was ever
 * released is never changed. Each can be begun again after a crash, for SQLite's do not share a transaction with their
 * entry in the list of what was done.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001 accounts": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("accounts")
        .ifNotExists()
        .addColumn("email", "text", (column) => column.primaryKey())
        .addColumn("plan", "text", (column) => column.notNull())
        .addColumn("inbox", "text", (column) => column.notNull().unique())
        .addColumn("since", "text", (column) => column.notNull())
        .execute()
      await db.schema
        .createTable("inbox_messages")
        .ifNotExists()
        .addColumn("message", "text", (column) => column.primaryKey())
        .addColumn("inbox", "text", (column) => column.notNull())
        .addColumn("sent", "bigint", (column) => column.notNull())
        .addColumn("text", "text", (column) => column.notNull())
        .execute()
      await db.schema
        .createIndex("inbox_messages_inbox")
        .ifNotExists()
        .on("inbox_messages")
        .columns(["inbox", "sent"])
        .execute()
    },
  },
  "0002 clips": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("clip_objects")
        .ifNotExists()
        .addColumn("object", "text", (column) => column.primaryKey())
        .addColumn("clip", "text", (column) => column.notNull())
        .addColumn("device", "text", (column) => column.notNull())
        .addColumn("bytes", "bigint", (column) => column.notNull())
        .addColumn("arrived", "bigint", (column) => column.notNull())
        .execute()
      await db.schema
        .createIndex("clip_objects_device")
        .ifNotExists()
        .on("clip_objects")
        .columns(["device", "clip"])
        .execute()
    },
  },
}
