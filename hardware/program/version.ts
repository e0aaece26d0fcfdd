/** Of the camera's program; the package's is the same. */
export const VERSION = "0.1.0"
