import AVFoundation
import CoreImage

/// Upright frames of the camera, each handed on when the one before is done.
final class Camera: NSObject, AVCaptureVideoDataOutputSampleBufferDelegate {
    let session = AVCaptureSession()
    private let worker: DispatchQueue
    private let context = CIContext()
    private let onFrame: (CGImage) -> Void

    init(worker: DispatchQueue, onFrame: @escaping (CGImage) -> Void) {
        self.worker = worker
        self.onFrame = onFrame
    }

    /// Asks for the camera where that was not done. The error says in one line why there are no frames.
    func start() async throws {
        guard await AVCaptureDevice.requestAccess(for: .video) else {
            throw EngineError(errorDescription: "The camera was refused. Allow it in Settings, or choose a photo.")
        }
        let back = AVCaptureDevice.default(.builtInWideAngleCamera, for: .video, position: .back)
        guard let device = back ?? AVCaptureDevice.default(for: .video) else {
            throw EngineError(errorDescription: "This device has no camera. Choose a photo.")
        }
        if session.inputs.isEmpty { try connect(device) }
        worker.async { self.session.startRunning() }
    }

    func stop() {
        worker.async { self.session.stopRunning() }
    }

    private func connect(_ device: AVCaptureDevice) throws {
        let input = try AVCaptureDeviceInput(device: device)
        let output = AVCaptureVideoDataOutput()
        output.videoSettings = [kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_32BGRA]
        output.alwaysDiscardsLateVideoFrames = true
        output.setSampleBufferDelegate(self, queue: worker)
        guard session.canAddInput(input), session.canAddOutput(output) else {
            throw EngineError(errorDescription: "The camera does not start. Choose a photo.")
        }
        session.addInput(input)
        session.addOutput(output)
        guard let connection = output.connection(with: .video) else { return }
        if #available(iOS 17.0, *) {
            connection.videoRotationAngle = 90 // sensors lie across
        } else {
            connection.videoOrientation = .portrait
        }
    }

    func captureOutput(_: AVCaptureOutput, didOutput buffer: CMSampleBuffer, from _: AVCaptureConnection) {
        guard session.isRunning, let pixels = CMSampleBufferGetImageBuffer(buffer) else { return } // not after a stop
        let frame = CIImage(cvPixelBuffer: pixels)
        if let image = context.createCGImage(frame, from: frame.extent) { onFrame(image) }
    }
}
