// Frames of the device's camera until it is stopped, and one clear line where there are none.

const OTHERWISE = "Choose a photo instead.";
const REASONS = {
  NotAllowedError: `The camera was refused. Allow it for this page in the browser's settings. ${OTHERWISE}`,
  NotFoundError: `This device has no camera. ${OTHERWISE}`,
  NotReadableError: `The camera does not start, perhaps since another program uses it. ${OTHERWISE}`,
};
const WANTED = { video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } } };

export class Camera {
  constructor(video) {
    this.video = video;
    this.stream = null;
  }

  get isOn() {
    return Boolean(this.stream);
  }

  /** Opens the camera at the back, where there is one, and calls a function with each frame that it has time for. */
  async start(onFrame, onEnd) {
    if (!navigator.mediaDevices) throw new Error(`Browsers show pages the camera over HTTPS only. ${OTHERWISE}`);
    try {
      this.stream = await navigator.mediaDevices.getUserMedia(WANTED);
      this.video.srcObject = this.stream;
      await this.video.play();
    } catch (error) {
      this.stop();
      throw new Error(REASONS[error.name] ?? `The camera does not start: ${error.message}. ${OTHERWISE}`);
    }
    this.watch(onFrame).catch(onEnd).finally(() => this.stop());
  }

  async watch(onFrame) {
    const [track] = this.stream.getVideoTracks();
    while (this.isOn) {
      if (track.readyState === "ended") throw new Error(`The camera was unplugged or taken away. ${OTHERWISE}`);
      await onFrame(this.video);
      await new Promise((resolve) => setTimeout(resolve, document.hidden ? 500 : 0)); // lets the browser paint
    }
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.video.srcObject = this.stream = null;
  }
}
