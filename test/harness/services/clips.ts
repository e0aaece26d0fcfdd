export { CANARY, clipOf } from "../../../harness/checks/worlds/marked-clip.ts"
