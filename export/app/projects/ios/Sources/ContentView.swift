import PhotosUI
import SwiftUI

/// Shows what the model answers to the frames of the camera, or to a photo.
struct ContentView: View {
    @StateObject private var classifier = Classifier()
    @State private var choice: PhotosPickerItem?

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            Group {
                if let picture = classifier.picture {
                    Image(decorative: picture, scale: 1).resizable().scaledToFit()
                } else {
                    Color.secondary.opacity(0.2)
                }
            }
            .frame(maxWidth: .infinity, maxHeight: .infinity)
            Text(classifier.answers).font(.headline)
            Text(classifier.times).font(.footnote).foregroundStyle(.secondary)
            HStack {
                Button("Use camera") { Task { await classifier.useCamera() } }
                Spacer()
                PhotosPicker("Choose photo", selection: $choice, matching: .images)
            }
            .buttonStyle(.borderedProminent)
        }
        .padding()
        .task { await classifier.open() }
        .onChange(of: choice) { chosen in
            guard let chosen else { return }
            Task { await classifier.show(chosen) }
        }
    }
}

/// Runs the model on one photo at a time, away from the main thread.
@MainActor
final class Classifier: ObservableObject {
    @Published var picture: CGImage?
    @Published var answers = "Loading the model …"
    @Published var times = ""

    private let worker = DispatchQueue(label: "model")
    private var file: ModelFile?
    private var engines: Engines?
    private var camera: Camera?

    func open() async {
        do {
            let file = try ModelFile.read()
            let preparation = Preparation(fields: file.preprocessing)
            let engines = try await onWorker { try Engines(preparation) }
            (self.file, self.engines) = (file, engines)
            times = engines.report
            camera = Camera(worker: worker) { [weak self] frame in self?.classify(frame, file, engines) }
            await useCamera()
        } catch {
            answers = "No engine runs the model: \(error.localizedDescription)"
        }
    }

    func useCamera() async {
        do {
            try await camera?.start()
        } catch {
            answers = error.localizedDescription
        }
    }

    func show(_ chosen: PhotosPickerItem) async {
        camera?.stop()
        guard let file, let engines else { return }
        guard let data = try? await chosen.loadTransferable(type: Data.self),
              let photo = UIImage(data: data), let image = upright(photo)
        else {
            answers = "This photo cannot be read. Choose another."
            return
        }
        worker.async { self.classify(image, file, engines) }
    }

    private nonisolated func classify(_ image: CGImage, _ file: ModelFile, _ engines: Engines) {
        guard let pixels = Pixels(image, background: file.preprocessing.background) else { return }
        let levels = Preparation(fields: file.preprocessing).prepare(pixels)
        let started = Date()
        let words: String
        do {
            let found = try engines.best.answers(levels)
            let time = String(format: "%.1f ms", 1000 * Date().timeIntervalSince(started))
            words = "\(file.words(found))\n\(time)"
        } catch {
            words = error.localizedDescription
        }
        Task { @MainActor in (self.picture, self.answers) = (image, words) }
    }

    private func onWorker<Value>(_ job: @escaping () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            worker.async { continuation.resume(with: Result(catching: job)) }
        }
    }
}
