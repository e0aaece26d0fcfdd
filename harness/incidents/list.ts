import { Fault } from "../../firmware/errors.ts"
import { adt2020 } from "./adt-2020.ts"
import { eufy2022 } from "./eufy-2022.ts"
import type { Incident } from "./incident.ts"
import { neighbors2019 } from "./neighbors-2019.ts"
import { ring2016 } from "./ring-2016.ts"
import { ring2018Revoke } from "./ring-2018-revoke.ts"
import { ringPortal } from "./ring-portal.ts"
import { ubiquiti2023 } from "./ubiquiti-2023.ts"
import { verkada2021 } from "./verkada-2021.ts"
import { wyze2024 } from "./wyze-2024.ts"

/** In the order in which they happened. Together they ask for C1 to C21. */
export const INCIDENTS: readonly Incident[] = [
  ring2016,
  ringPortal,
  ring2018Revoke,
  neighbors2019,
  adt2020,
  verkada2021,
  eufy2022,
  ubiquiti2023,
  wyze2024,
]

/** @throws Fault "usage", definite: there is none of that name. */
export function incidentNamed(name: string): Incident {
  const found = INCIDENTS.find((each) => each.name === name)
  if (!found)
    throw new Fault(
      "usage",
      `${name}: no such incident; there are ${INCIDENTS.map((each) => each.name).join(", ")}`,
    )
  return found
}
