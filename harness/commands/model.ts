import type { Command } from "commander"
import { modelCommand as commandFor } from "../../hardware/detector/model-command.ts"
import { MODEL_THREAD, wasmFile } from "../recognise/threads.ts"
import { homeOption, homePaths } from "./options.ts"

export function modelCommand(): Command {
  return commandFor<{ readonly home: string }>({
    withPlace: (command) => command.addOption(homeOption()),
    folderOf: async ({ home }) => homePaths(home).models,
    otherFolders: [],
    threads: { model: MODEL_THREAD, wasmFile: wasmFile() },
    print: (line) => console.log(line),
  })
}
