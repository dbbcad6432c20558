// Settings in, texts out, each character as soon as it is sampled.

import { Tensor } from "@litertjs/core";
import { fail, isKept, loadModel, recover, warmUp } from "./litert.js";
import { encode, write } from "./writer.js";

const element = (id) => document.getElementById(id);

let description, reader, isStopped;

async function start() {
  let model;
  [description, model] = await loadModel();
  reader = new Reader(model.signatures.step);
  element("name").textContent = document.title = description.name;
  element("model").textContent = `${description.variant}, ${(description.bytes / 1e6).toFixed(2)} MB.`;
  element("count").value = description.lines ? 10 : 1;
  reader.begin();
  await warmUp(() => reader.read(0));
  element("status").textContent = isKept() ? "Ready, also without a network." : "Ready.";
  element("settings").addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
  element("stop").addEventListener("click", () => (isStopped = true));
  element("write").disabled = false;
  document.body.dataset.ready = "true";
}

/** Reads one character after the other by the file's signature `step`. */
class Reader {
  constructor(step) {
    this.step = step;
    this.details = step.getInputDetails().filter(({ name }) => name.startsWith("state_"));
  }

  begin() {
    this.milliseconds = this.characters = 0;
    this.states = this.details.map(({ name, shape, dtype }) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [name, dtype === "int32" ? new Int32Array(size) : new Float32Array(size), shape];
    });
  }

  /** Returns the logits of what follows a token. */
  async read(token) {
    const started = performance.now();
    const inputs = { token: new Tensor(Int32Array.of(token), [1]) };
    for (const [name, values, shape] of this.states) inputs[name] = new Tensor(values, shape);
    let outputs = {};
    try {
      outputs = await this.step.run(inputs);
      const states = this.states.map(async ([name, , shape]) => [name, await outputs[name].data(), shape]);
      this.states = await Promise.all(states);
      const logits = await outputs.logits.data();
      this.milliseconds += performance.now() - started;
      this.characters++;
      return logits;
    } finally {
      for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.delete();
    }
  }
}

async function show() {
  recover();
  element("texts").replaceChildren();
  element("time").textContent = "";
  setRunning(true);
  try {
    const { count, ...options } = settings();
    for (let sample = 0; sample < count && !isStopped; sample++) await stream({ ...options, sample });
  } catch (error) {
    fail(error);
  }
  setRunning(false);
}

function settings() {
  const number = (id) => element(id).valueAsNumber;
  const prefix = element("prefix").value;
  const length = encode(prefix, description).length;
  if (length > description.max_length) {
    throw new Error(`The beginning has ${length} characters, texts have ${description.max_length}: shorten it.`);
  }
  return {
    prefix,
    temperature: number("temperature"),
    topK: element("top-k").value === "" ? null : number("top-k"),
    seed: number("seed"),
    count: number("count"),
  };
}

async function stream(options) {
  const item = element("texts").appendChild(document.createElement("li"));
  item.textContent = options.prefix;
  for await (const character of write(reader, description, options)) {
    if (isStopped) break;
    item.append(character);
    await new Promise((resolve) => setTimeout(resolve)); // lets the browser paint, and handle a click on stop
  }
  item.normalize();
  const each = reader.milliseconds / reader.characters;
  element("time").textContent = `${each.toFixed(2)} ms a character on this device`;
}

function setRunning(running) {
  isStopped = false;
  element("texts").ariaBusy = element("write").hidden = running;
  element("stop").hidden = !running;
}

start().catch(fail);
