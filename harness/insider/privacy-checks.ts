/** What must be impossible, each drawn from something that happened. Threshold 0, in every run, under load and faults. */

/** What somebody would get: a column of "who could see what". */
export const ASSETS = [
  "clips",
  "live view",
  "pictures and alerts",
  "whose camera it is",
  "the camera's obedience",
  "a look without a trace",
  "labels",
  "addresses",
] as const
export type Asset = (typeof ASSETS)[number]

interface PrivacyCheck {
  readonly says: string
  /** Who had it otherwise. */
  readonly incident: string
  readonly asset: Asset
}

export const PRIVACY_CHECKS = {
  C1: {
    says: "whoever has the whole bucket, the database and every server key opens no clip",
    incident: "Ring 2016",
    asset: "clips",
  },
  C2: {
    says: "a canary drawn into each scene is nowhere in plain: bucket, database, wire, logs, notifications, temporary files",
    incident: "Ring; Eufy 2022",
    asset: "pictures and alerts",
  },
  C3: {
    says: "a full dump of the video index names no customer and joins to none",
    incident: "Ring",
    asset: "whose camera it is",
  },
  C4: {
    says: "an e-mail address, or any server credential, yields no frame of a live view",
    incident: "Ring portal",
    asset: "live view",
  },
  C5: {
    says: "every view by anybody but the owner leaves one record that the owner can verify; removing or changing one is found",
    incident: "FTC v. Ring 2023",
    asset: "a look without a trace",
  },
  C6: {
    says: "after consent is withdrawn no crop, label, data-set row or model listing derived from the clip is left",
    incident: "FTC v. Ring",
    asset: "labels",
  },
  C7: {
    says: "staff need a second factor, and an owner who has one cannot be without it",
    incident: "FTC v. Ring",
    asset: "clips",
  },
  C8: {
    says: "the first clip after a viewer is revoked does not open for them; their live view ends within 2 s",
    incident: "Ring 2018",
    asset: "clips",
  },
  C9: {
    says: "a viewer is added by the owner's signature alone; the installer's grant ends with the installation; unseen keys are flagged",
    incident: "ADT 2020",
    asset: "live view",
  },
  C10: {
    says: "no role opens more than one camera, nor any without that owner's grant",
    incident: "Verkada 2021",
    asset: "live view",
  },
  C11: {
    says: "an empty, blank or re-used reason is refused",
    incident: "Verkada 2021",
    asset: "live view",
  },
  C12: {
    says: "no remote command leaves privacy mode; the recording light is on while frames leave the ring",
    incident: "Verkada 2021; Scrypted #1914",
    asset: "the camera's obedience",
  },
  C13: {
    says: "a support host that is wholly taken over gets no frame",
    incident: "Verkada 2021",
    asset: "live view",
  },
  C14: {
    says: "only the listed ports are open; a guessable address gives no byte",
    incident: "Eufy 2022",
    asset: "addresses",
  },
  C15: {
    says: "a server that asks for plain media is refused, and it is logged",
    incident: "Eufy 2022",
    asset: "the camera's obedience",
  },
  C16: {
    says: "thumbnails and notifications are sealed like clips",
    incident: "Eufy 2022",
    asset: "pictures and alerts",
  },
  C17: {
    says: "each privacy claim in the documents points at a check that is there",
    incident: "Eufy 2022",
    asset: "clips",
  },
  C18: {
    says: "with identities swapped in caches and sessions the wrong owner opens no clip and sends no accepted command",
    incident: "Ubiquiti 2023; Wyze 2024",
    asset: "clips",
  },
  C19: {
    says: "after a broker restart all come back in time, spread, none lost, none double, and no identity swapped",
    incident: "Wyze 2024",
    asset: "the camera's obedience",
  },
  C20: {
    says: "posting a clip to neighbours is never consent to labelling",
    incident: "Neighbors terms 2019",
    asset: "labels",
  },
  C21: {
    says: "expired or withdrawn consent removes a clip from the labelling queue; an indoor camera's default is never",
    incident: "Ring",
    asset: "labels",
  },
} as const satisfies Readonly<Record<string, PrivacyCheck>>

export type CheckId = keyof typeof PRIVACY_CHECKS
export const CHECK_IDS = Object.keys(PRIVACY_CHECKS) as readonly CheckId[]
