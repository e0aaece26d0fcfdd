import { type Colour, colour, scaled } from "./canvas.ts"
import { Figure } from "./figure.ts"
import type { Point } from "./shape.ts"
import type { View } from "./view.ts"

export interface PersonPose {
  readonly x: number
  readonly z: number
  readonly facing: number
  /** Metres walked so far: the gait follows the ground, so feet do not slide. */
  readonly walked: number
  readonly outfit: Outfit
}

export interface Outfit {
  readonly jacket: Colour
  readonly trousers: Colour
  readonly skin: Colour
  readonly hair: Colour
  readonly hood: boolean
  /** A parcel in front, or a pack on the back. */
  readonly carries: "parcel" | "pack"
}

export const courier: Outfit = {
  jacket: colour("#2b5fa8"),
  trousers: colour("#33363f"),
  skin: colour("#c99272"),
  hair: colour("#2c2019"),
  hood: false,
  carries: "parcel",
}

export const prowler: Outfit = {
  jacket: colour("#6d7076"),
  trousers: colour("#3a3d45"),
  skin: colour("#d9b096"),
  hair: colour("#3d3430"),
  hood: true,
  carries: "pack",
}

const STRIDE = 1.42
const THIGH = 0.43
const SHIN = 0.42
const ANKLE = 0.09

/** A person of 1.75 m seen from the side, walking. */
export function person(view: View, { x, z, facing, walked, outfit }: PersonPose): Figure {
  const figure = new Figure(view, { x, z, facing })
  const phase = (2 * Math.PI * walked) / STRIDE
  const near = leg(phase)
  const far = leg(phase + Math.PI)
  // The lower ankle carries the weight, so the hip rises and falls as a walker's does.
  const hip = { x: 0, y: ANKLE - Math.min(near.ankle.y, far.ankle.y) }
  const lean = 0.05
  const shoulder = { x: lean, y: hip.y + 0.5 }
  const farColour = 0.72

  drawArm(figure, shoulder, phase, outfit, farColour)
  drawLeg(figure, hip, far, outfit, farColour)
  if (outfit.carries === "pack")
    figure.limb(
      { x: -0.17, y: hip.y + 0.16 },
      0.13,
      { x: -0.13, y: shoulder.y - 0.06 },
      0.11,
      colour("#7d3b2e"),
    )
  drawLeg(figure, hip, near, outfit, 1)
  figure.limb({ x: 0, y: hip.y + 0.03 }, 0.118, { x: shoulder.x, y: shoulder.y - 0.07 }, 0.15, outfit.jacket)
  drawHead(figure, shoulder, outfit)
  if (outfit.carries === "parcel") {
    const centre = { x: 0.37, y: hip.y + 0.22 }
    figure.panel(square(centre, 0.21, 0.15), colour("#b98a55"), (height) => 0.8 + 0.2 * (height - centre.y))
    figure.panel(square(centre, 0.03, 0.15), colour("#d9c39a"))
  }
  drawArm(figure, shoulder, phase + Math.PI, outfit, 1)
  return figure
}

interface Leg {
  readonly knee: Point
  readonly ankle: Point
  readonly toe: Point
}

/** Joints below a hip at the origin. The knee bends while the leg swings forward. */
function leg(phase: number): Leg {
  const thigh = 0.06 + 0.43 * Math.sin(phase)
  const bend = 0.1 + 0.95 * Math.max(0, Math.cos(phase + 0.35)) ** 1.6
  const knee = { x: THIGH * Math.sin(thigh), y: -THIGH * Math.cos(thigh) }
  const shin = thigh - bend
  const ankle = { x: knee.x + SHIN * Math.sin(shin), y: knee.y - SHIN * Math.cos(shin) }
  const foot = Math.min(0.25, 0.5 * shin + 0.1)
  return {
    knee,
    ankle,
    toe: { x: ankle.x + 0.17 * Math.cos(foot), y: ankle.y - 0.05 + 0.17 * Math.sin(foot) },
  }
}

function drawLeg(figure: Figure, hip: Point, joints: Leg, outfit: Outfit, dim: number): void {
  const [knee, ankle, toe] = [joints.knee, joints.ankle, joints.toe].map((joint) => ({
    x: hip.x + joint.x,
    y: hip.y + joint.y,
  })) as [Point, Point, Point]
  const cloth = scaled(outfit.trousers, dim)
  figure.limb({ x: hip.x, y: hip.y + 0.02 }, 0.105, knee, 0.072, cloth)
  figure.limb(knee, 0.07, ankle, 0.048, cloth)
  figure.limb({ x: ankle.x - 0.03, y: ankle.y - 0.03 }, 0.052, toe, 0.036, scaled(colour("#241f1c"), dim))
}

function drawArm(figure: Figure, shoulder: Point, phase: number, outfit: Outfit, dim: number): void {
  const carrying = outfit.carries === "parcel"
  const swing = carrying ? 0.5 : 0.42 * Math.sin(phase)
  const elbow = {
    x: shoulder.x + 0.29 * Math.sin(swing),
    y: shoulder.y - 0.07 - 0.29 * Math.cos(swing),
  }
  const reach = carrying ? 1.45 : swing + 0.35
  const hand = { x: elbow.x + 0.25 * Math.sin(reach), y: elbow.y - 0.25 * Math.cos(reach) }
  figure.limb({ x: shoulder.x, y: shoulder.y - 0.06 }, 0.078, elbow, 0.058, scaled(outfit.jacket, dim * 0.94))
  figure.limb(elbow, 0.056, hand, 0.042, scaled(outfit.jacket, dim * 0.94))
  figure.ball(hand, 0.05, 0.045, 0, scaled(outfit.skin, dim))
}

function drawHead(figure: Figure, shoulder: Point, { skin, hair, hood, jacket }: Outfit): void {
  const head = { x: shoulder.x + 0.05, y: shoulder.y + 0.235 }
  figure.limb(
    shoulder,
    0.07,
    { x: head.x - 0.015, y: head.y - 0.07 },
    hood ? 0.075 : 0.055,
    hood ? jacket : skin,
  )
  if (hood) figure.ball({ x: head.x - 0.035, y: head.y + 0.005 }, 0.125, 0.15, -0.25, scaled(jacket, 0.9))
  else figure.ball({ x: head.x - 0.022, y: head.y + 0.03 }, 0.105, 0.118, 0, hair)
  figure.ball({ x: head.x + 0.018, y: head.y - 0.012 }, 0.078, 0.108, 0.12, skin)
  figure.ball({ x: head.x + 0.096, y: head.y - 0.02 }, 0.021, 0.026, 0, skin)
  figure.ball({ x: head.x + 0.066, y: head.y + 0.018 }, 0.012, 0.01, 0, colour("#2a1d18"))
  if (!hood) figure.ball({ x: head.x - 0.012, y: head.y + 0.078 }, 0.098, 0.055, 0.2, hair)
}

function square({ x, y }: Point, halfWidth: number, halfHeight: number): Point[] {
  return [
    { x: x - halfWidth, y: y - halfHeight },
    { x: x + halfWidth, y: y - halfHeight },
    { x: x + halfWidth, y: y + halfHeight },
    { x: x - halfWidth, y: y + halfHeight },
  ]
}
