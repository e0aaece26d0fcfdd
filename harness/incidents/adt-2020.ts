import type { Incident } from "./incident.ts"

export const adt2020: Incident = {
  name: "adt-2020",
  title: "The technician who added himself",
  year: "2020",
  happened: [
    "A technician added himself to the accounts of customers whose systems he installed: 220 accounts.",
    "He looked into their homes 9,600 times.",
  ],
  source: "ADT's announcement of 2020, for the accounts; the technician's guilty plea, for the views",
  wrong:
    "Whoever installed a camera could let somebody in, without the owner's word and without the owner knowing.",
  scenario:
    "A technician is lent the camera while mounting it, and tries the grant again afterwards. From a broker of their own they send the camera recipients with a key of theirs, signed by everybody but its owner, and old words of the owner. The owner's app is asked whether it tells of a key it never signed.",
  checks: ["C9"],
  mistakes: ["adt-2020"],
}
