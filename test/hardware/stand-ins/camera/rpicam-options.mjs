/** What rpicam-vid takes: long and short name, what kind of value, and what --help says. libav: only where that is built in. */
const TABLE = `
--help -h              flag   Print this help message
--version              flag   Displays the build version number
--list-cameras         flag   Lists the available cameras attached to the system.
--camera               whole  Chooses the camera to use. To list the available indexes, use the --list-cameras option.
--verbose -v           flag   Set verbosity level. Level 0 is no output, 1 is default, 2 is verbose.
--width                whole  Set the output image width (0 = use default value)
--height               whole  Set the output image height (0 = use default value)
--timeout -t           text   Time for which program runs. If no units are provided default to ms.
--output -o            text   Set the output file name
--post-process-file    text   Set the file name for configuring the post-processing
--nopreview -n         flag   Do not show a preview window
--preview -p           text   Set the preview window dimensions, given as x,y,width,height e.g. 0,0,640,480
--fullscreen -f        flag   Use a fullscreen preview window
--hflip                flag   Request a horizontal flip transform
--vflip                flag   Request a vertical flip transform
--rotation             whole  Request an image rotation, 0 or 180
--roi                  text   Set region of interest (digital zoom) e.g. 0.25,0.25,0.5,0.5
--shutter              text   Set a fixed shutter speed. If no units are provided default to us
--gain                 real   Set a fixed gain value
--metering             text   Set the metering mode (centre, spot, average, custom)
--exposure             text   Set the exposure mode (normal, sport)
--ev                   real   Set the EV exposure compensation, where 0 = no change
--awb                  text   Set the AWB mode (auto, incandescent, tungsten, fluorescent, indoor, daylight, cloudy, custom)
--awbgains             text   Set explict red and blue gains (disable the automatic AWB algorithm)
--flush                flag   Flush output data as soon as possible
--brightness           real   Adjust the brightness of the output images, in the range -1.0 to 1.0
--contrast             real   Adjust the contrast of the output image, where 1.0 = normal contrast
--saturation           real   Adjust the colour saturation of the output, where 1.0 = normal and 0.0 = greyscale
--sharpness            real   Adjust the sharpness of the output image, where 1.0 = normal sharpening
--framerate            real   Set the fixed framerate for preview and video modes
--lores-width          whole  Width of low resolution frames (use 0 to omit low resolution stream)
--lores-height         whole  Height of low resolution frames (use 0 to omit low resolution stream)
--bitrate -b           text   Set the video bitrate for encoding. If no units are provided, default to bits/second.
--profile              text   Set the encoding profile
--level                text   Set the encoding level
--intra -g             whole  Set the intra frame period
--inline               flag   Force PPS/SPS header with every I frame (h264 only)
--codec                text   Set the codec to use, either h264, libav, mjpeg or yuv420
--save-pts             text   Save a timestamp file with this name
--listen -l            flag   Listen for an incoming client network connection before sending data to the client
--keypress -k          flag   Pause or resume video recording when ENTER pressed
--signal -s            flag   Pause or resume video recording when signal received
--initial -i           text   Use 'pause' to pause the recording at startup, otherwise 'record' (the default)
--split                flag   Create a new output file every time recording is paused and then resumed
--segment              whole  Break the recording into files of approximately this many milliseconds
--circular             whole  Write output to a circular buffer of the given size (in MB) which is saved on exit
--libav-format         text   Sets the libav encoder output format to use. Leave blank to try and deduce this.
--low-latency          flag   Enables the libav/libx264 low latency presets for video encoding.
`

/** Of a value's text: what it comes to, NaN where it is none. null: a flag. */
const KINDS = {
  flag: null,
  text: (value) => value,
  whole: (value) => (/^\d+$/.test(value) ? Number(value) : Number.NaN),
  real: (value) => (value.trim() === "" ? Number.NaN : Number(value)),
}

/** In the order of --help: `{ long, short, readValue, what }`; `short` may be "". */
export const OPTIONS = TABLE.trim()
  .split("\n")
  .map((line) => {
    const [, long, short = "", kind, what] = /^--(\S+)(?: -(\S))? +(\w+) +(.*)$/.exec(line)
    return { long, short, readValue: KINDS[kind], what }
  })
