export * from "../../../harness/checks/worlds/bench-camera.ts"
