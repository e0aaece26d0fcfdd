import { inspect } from "node:util"
import { describe, expect, onTestFinished, test, vi } from "vitest"
import { sshSigns } from "../../../hardware/flash/ssh-signs.ts"
import { mergeCloudConfig, parseCloudConfig } from "../../../hardware/flash/user-cloud-config.ts"

const usage = (message: string) =>
  expect.objectContaining({ kind: "usage", message: expect.stringContaining(message) })

describe("the user's cloud-config", () => {
  const merged = (text: string, ours: Record<string, unknown> = {}) =>
    mergeCloudConfig(
      ours,
      parseCloudConfig(text, "my.yaml"),
      "my.yaml",
      new Map([["hostname", "--hostname"]]),
    )

  test("is merged: maps key by key, lists one after the other, and the user's value where nobody asked for ours", () => {
    const ours = { hostname: "cam", ssh_pwauth: false, runcmd: [["a"]], apt: { conf: "x", preserve: true } }
    const text =
      "#cloud-config\nssh_pwauth: true\nruncmd:\n  - b\napt: {conf: y}\nhostname: cam\npackages: [vim]\n"
    expect(merged(text, ours)).toEqual({
      hostname: "cam",
      ssh_pwauth: true,
      runcmd: [["a"], "b"],
      apt: { conf: "y", preserve: true },
      packages: ["vim"],
    })
  })

  test("means what cloud-init's own reader makes of it: YAML 1.1, with its octal numbers and its words for true", () => {
    expect(
      parseCloudConfig("#cloud-config\npermissions: 0644\nssh_pwauth: yes\nanswer: y\n", "my.yaml"),
    ).toEqual({
      permissions: 0o644,
      ssh_pwauth: true,
      answer: "y",
    })
  })

  test("may hold nothing", () => {
    expect(merged("#cloud-config\n", { a: 1 })).toEqual({ a: 1 })
  })

  test.each([
    ["packages: [vim]\n", "my.yaml:1: a cloud-config begins with"],
    ["#!/bin/sh\necho\n", "my.yaml:1: a cloud-config begins with"],
    ["#cloud-config\npackages: [vim\n", "my.yaml:3:"],
    ["#cloud-config\na: 1\na: 2\n", "my.yaml:3:"],
    ["#cloud-config\na:\n\tb: 1\n", "my.yaml:3:"],
    ["#cloud-config\n- a\n", "a cloud-config is a map"],
    ["#cloud-config\na: *nowhere\n", "my.yaml:2:4: an alias without its anchor"],
    ["#cloud-config\nruncmd: echo\n", "runcmd: a list is wanted"],
    ["#cloud-config\napt: [x]\n", "apt: a map is wanted"],
    ["#cloud-config\nhostname: other\n", "hostname: --hostname and my.yaml say different things"],
    ["#cloud-config\nx: 1\nnetwork: {version: 2}\n", "my.yaml:3:1: cloud-init takes no network from here"],
    ["#cloud-config\nwrite_files:\n  - path: /a\n", "write_files: /a is written twice"],
    [
      `#cloud-config\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${"*a,".repeat(30)}]\nc: [${"*b,".repeat(30)}]\n`,
      "my.yaml",
    ],
  ])("as of %o is refused, with its line where it has one", (text, message) => {
    const ours = { hostname: "cam", runcmd: [["a"]], apt: { conf: "x" }, write_files: [{ path: "/a" }] }
    expect(() => merged(text, ours)).toThrow(usage(message))
  })

  test.each([
    'chpasswd: "hunter2" hunter2\n',
    "pw: hunter2: hunter2\n",
    "password: *hunter2\n",
    "password: &hunter2\n  *hunter2\n",
    "password: !hunter2 hunter2\nhunter2: 1\nhunter2: 2\n",
    "password: @hunter2\n",
    "password: %hunter2\n",
    "password: 'hunter2\n",
    "? [hunter2]\n: 1\n",
  ])("does not show its words in an error or a warning, for they may be secret: %j", (text) => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined)
    onTestFinished(() => warned.mockRestore())
    let said = ""
    try {
      parseCloudConfig(`#cloud-config\n${text}`, "my.yaml")
    } catch (error) {
      said = inspect(error)
    }
    expect(said + JSON.stringify(warned.mock.calls)).not.toContain("hunter2")
  })
})

describe("what a cloud-config says of SSH", () => {
  test.each([
    ["enable_ssh: true", ["enable_ssh"]],
    ["enable_ssh: false\npackages: [vim]", []],
    ["runcmd: [[systemctl, enable, ssh]]", ["runcmd.0"]],
    ["bootcmd: [echo, systemctl start sshd]", ["bootcmd.1"]],
    ["packages: [vim, dropbear]", ["packages.1"]],
    ["users: [{name: a, ssh_authorized_keys: [x]}]", ["users.0.ssh_authorized_keys"]],
    ["ssh_pwauth: yes", ["ssh_pwauth"]],
  ])("is found by its name, without its value: %s", (text, signs) => {
    expect(sshSigns(parseCloudConfig(`#cloud-config\n${text}\n`, "my.yaml"))).toEqual(signs)
  })
})
