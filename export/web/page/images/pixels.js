// Photos as the numbers that the model was trained on: upright, on white, stretched with antialiasing.

const LARGEST = 4096; // pixels of a side: canvases of phones end near 16 megapixels

/** Decodes an image file. Returns {data, width, height}, RGBA on white. */
export async function decode(file) {
  const bitmap = await asBitmap(file);
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
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

/** Stretches an image as Pillow's bilinear filter does: first its width, then its height, each rounded. */
export function stretch(image, width, height) {
  return transposed(stretchRows(transposed(stretchRows(image, width)), height));
}

function stretchRows({ data, width, height, channels }, size) {
  if (size === width) return { data, width, height, channels };
  const result = new Uint8ClampedArray(size * height * channels);
  const scale = width / size;
  const support = Math.max(scale, 1);
  for (let x = 0; x < size; x++) {
    const center = (x + 0.5) * scale;
    const first = Math.max(0, Math.floor(center - support + 0.5));
    const last = Math.min(width, Math.floor(center + support + 0.5));
    const weights = [];
    for (let i = first; i < last; i++) weights.push(Math.max(0, 1 - Math.abs(i - center + 0.5) / support));
    const total = weights.reduce((a, b) => a + b, 0);
    for (let y = 0; y < height; y++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let i = first; i < last; i++) sum += weights[i - first] * data[(y * width + i) * channels + c];
        result[(y * size + x) * channels + c] = Math.floor(sum / total + 0.5);
      }
    }
  }
  return { data: result, width: size, height, channels };
}

function transposed({ data, width, height, channels }) {
  const result = new Uint8ClampedArray(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) result[(x * height + y) * channels + c] = data[(y * width + x) * channels + c];
    }
  }
  return { data: result, width: height, height: width, channels };
}
