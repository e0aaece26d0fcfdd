const NEEDED = ["PATH", "HOME", "TMPDIR", "SYSTEMROOT"] as const

/** What of our environment a tool is given: where programs and temporary files are, and no secret, such as a Wi-Fi's password. */
export function toolEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(NEEDED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}
