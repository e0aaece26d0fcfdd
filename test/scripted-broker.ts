export * from "../harness/checks/worlds/scripted-broker.ts"
