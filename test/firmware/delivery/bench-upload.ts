export * from "../../../harness/checks/worlds/bench-upload.ts"
