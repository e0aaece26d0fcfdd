export * from "../../../harness/checks/worlds/hand-camera.ts"
