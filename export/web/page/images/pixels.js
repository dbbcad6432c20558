// Photos as the numbers that the model was trained on: upright, on the background, resized and cropped as in training.

const LARGEST = 4096; // pixels of a side: canvases of phones end near 16 megapixels

/** Decodes an image file. Returns {data, width, height}, RGBA on a background of red, green and blue. */
export async function decode(file, background = [255, 255, 255]) {
  const bitmap = await asBitmap(file);
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = `rgb(${background.join(" ")})`;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

async function asBitmap(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new Error(`${file.name || "This file"} is not an image that this browser can read. Try a JPEG or PNG.`);
  }
}

/** Takes the channels that a model has out of RGBA: 3, or 1 for grey (ITU-R BT.601). */
export function withChannels({ data, width, height }, channels) {
  const pixels = new Uint8ClampedArray(width * height * channels);
  for (let i = 0, j = 0; j < pixels.length; i += 4) {
    if (channels === 1) {
      pixels[j++] = (19595 * data[i] + 38470 * data[i + 1] + 7471 * data[i + 2] + 32768) >> 16;
    } else {
      pixels[j++] = data[i];
      pixels[j++] = data[i + 1];
      pixels[j++] = data[i + 2];
    }
  }
  return { data: pixels, width, height, channels };
}

/** Resizes and crops an image as `keras_vit.io.preprocessing.Preprocessing`, given by its fields, does. */
export function prepare(image, fields) {
  const [height, width] = fields.image_size;
  const [rows, columns] = spans(image, fields);
  const wide = resampleRows(image, columns, fields);
  const { data, channels, ...size } = transposed(resampleRows(transposed(wide), rows, fields));
  const result = new Uint8ClampedArray(height * width * channels);
  if (fields.crop_mode === "border") result.forEach((_, i) => (result[i] = borderLevel(fields, i % channels, channels)));
  const [top, left] = [Math.floor((height - size.height) / 2), Math.floor((width - size.width) / 2)];
  for (let y = 0; y < size.height; y++) {
    const row = data.subarray(y * size.width * channels, (y + 1) * size.width * channels);
    result.set(row, ((y + top) * width + left) * channels);
  }
  return { data: result, width, height, channels };
}

/** The part of an image that a model sees, in its pixels; where a border is added it is larger than the image. */
export function seen(image, fields) {
  const [rows, columns] = spans(image, fields);
  const part = ({ resized, first, count }, side, final) => {
    const start = count < final ? -Math.floor((final - count) / 2) : first;
    return [(start * side) / resized, (final * side) / resized];
  };
  const [y, height] = part(rows, image.height, fields.image_size[0]);
  const [x, width] = part(columns, image.width, fields.image_size[1]);
  return { x, y, width, height };
}

/** The rows and columns: to how many they are resized, which is the first that is not cropped, and how many are left. */
function spans({ width, height }, fields) {
  const resized = resizedSize([height, width], fields);
  return resized.map((side, axis) => {
    const final = fields.image_size[axis];
    if (side <= final) return { resized: side, first: 0, count: side };
    const room = (side - final) / 2;
    return { resized: side, first: fields.crop_mode === "shortest_edge" ? Math.floor(room) : halfToEven(room), count: final };
  });
}

function resizedSize(size, { image_size, crop_ratio, crop_mode }) {
  const scaled = image_size.map((side) => Math.max(Math.floor(side / crop_ratio), 1));
  if (crop_mode === "squash") return scaled;
  if (crop_mode === "shortest_edge" || (crop_mode === "center" && scaled[0] === scaled[1])) {
    const [edge, short] = [Math.min(...scaled), Math.min(...size)];
    return size.map((side) => (side === short ? edge : Math.floor((edge * side) / short)));
  }
  const ratios = size.map((side, axis) => side / scaled[axis]);
  const ratio = crop_mode === "border" ? Math.max(...ratios) : Math.min(...ratios);
  return size.map((side) => Math.max(halfToEven(side / ratio), 1));
}

function halfToEven(value) {
  const rounded = Math.round(value);
  return value % 1 === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

function borderLevel({ mean, fill }, channel, channels) {
  if (fill !== null) return halfToEven(255 * fill);
  const levels = mean.map((value) => halfToEven(255 * value));
  return levels.length === channels ? levels[channel] : halfToEven(levels.reduce((a, b) => a + b, 0) / levels.length);
}

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
// As Pillow's: how far a filter reaches, and its weight at a distance.
const FILTERS = {
  bilinear: [1, (x) => 1 - x],
  bicubic: [2, (x) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : -0.5 * (((x - 5) * x + 8) * x - 4))],
  lanczos: [3, (x) => sinc(x) * sinc(x / 3)],
};

const ONE = 2 ** 22; // the weight 1 where Pillow calculates with whole numbers

/** For each place of a span: the first pixel that counts, and the weights from there on. */
function taps(side, { resized, first, count }, { interpolation, rounded }) {
  const scale = side / resized;
  if (interpolation === "nearest") {
    return Array.from({ length: count }, (_, i) => [Math.floor((i + first + 0.5) * scale), [rounded ? ONE : 1]]);
  }
  const [reach, weight] = FILTERS[interpolation];
  const stretched = Math.max(scale, 1);
  return Array.from({ length: count }, (_, i) => {
    const center = (i + first + 0.5) * scale;
    const start = Math.max(0, Math.floor(center - reach * stretched + 0.5));
    const end = Math.min(side, Math.floor(center + reach * stretched + 0.5));
    const weights = [];
    for (let j = start; j < end; j++) {
      const distance = Math.abs(j - center + 0.5) / stretched;
      weights.push(distance < reach ? weight(distance) : 0);
    }
    const total = weights.reduce((a, b) => a + b, 0);
    return [start, weights.map((value) => (rounded ? Math.round((ONE * value) / total) : value / total))];
  });
}

/** Resizes the width of an image as Pillow does, and rounds, unless the fields say that it is not rounded. */
function resampleRows({ data, width, height, channels }, span, fields) {
  const size = span.count;
  const result = new (fields.rounded ? Uint8ClampedArray : Float32Array)(size * height * channels);
  taps(width, span, fields).forEach(([first, weights], x) => {
    for (let y = 0; y < height; y++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) sum += weights[i] * data[(y * width + first + i) * channels + c];
        result[(y * size + x) * channels + c] = fields.rounded ? Math.floor(sum / ONE + 0.5) : sum;
      }
    }
  });
  return { data: result, width: size, height, channels };
}

function transposed({ data, width, height, channels }) {
  const result = new data.constructor(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) result[(x * height + y) * channels + c] = data[(y * width + x) * channels + c];
    }
  }
  return { data: result, width: height, height: width, channels };
}
