import { type CloudConfig, isPlainMap } from "./user-cloud-config.ts"

/**
 * Where a cloud-config speaks of SSH: dotted names of what may turn it on, such as "enable_ssh" or "runcmd.0". Never its
 * values. Rather one too many: only the Pi itself knows what its commands do.
 */
export function sshSigns(config: CloudConfig): readonly string[] {
  return Object.entries(config).flatMap(([name, value]) => signsIn(value, name))
}

function signsIn(value: unknown, name: string): readonly string[] {
  if (value === false || value === null) return []
  const key = name.slice(name.lastIndexOf(".") + 1)
  if (/ssh/i.test(key)) return [name]
  if (typeof value === "string") return /ssh|dropbear/i.test(value) ? [name] : []
  const parts = Array.isArray(value) ? value.entries() : isPlainMap(value) ? Object.entries(value) : []
  const signs = [...parts].flatMap(([part, each]) => signsIn(each, `${name}.${part}`))
  // A command in words, [systemctl, enable, ssh], is one.
  return name.split(".").length === 2 && signs.length > 0 && Array.isArray(value) ? [name] : signs
}
