import MediaPipeTasksVision
import UIKit

private let timed = 5 // runs, of which the median counts
private let same: Float = 0.02 // how far a GPU, which may calculate with 16 bits, may be from the CPU

struct EngineError: LocalizedError {
    let errorDescription: String?
}

/// MediaPipe's ImageClassifier on one delegate. The photo has the size of the input already: nothing is stretched.
final class Engine {
    private let classifier: ImageClassifier
    private let preparation: Preparation

    init(_ preparation: Preparation, delegate: Delegate) throws {
        guard let model = Bundle.main.path(forResource: "model", ofType: "tflite") else {
            throw EngineError(errorDescription: "model.tflite is missing")
        }
        let options = ImageClassifierOptions()
        options.baseOptions.modelAssetPath = model
        options.baseOptions.delegate = delegate
        options.runningMode = .image
        classifier = try ImageClassifier(options: options)
        self.preparation = preparation
    }

    /// Returns a number for each label.
    func answers(_ levels: [UInt8]) throws -> [Float] {
        guard let photo = image(of: levels, width: preparation.width, height: preparation.height) else {
            throw EngineError(errorDescription: "no memory for the photo")
        }
        let result = try classifier.classify(image: MPImage(uiImage: UIImage(cgImage: photo)))
        let categories = result.classificationResult.classifications[0].categories
        var answers = [Float](repeating: 0, count: categories.count)
        for category in categories { answers[category.index] = category.score }
        return answers
    }
}

/// The faster of CPU and GPU, where the GPU gives the CPU's answers, and a line on both.
struct Engines {
    let best: Engine
    let report: String

    init(_ preparation: Preparation) throws {
        var lines: [String] = []
        var found: [(name: String, engine: Engine, seconds: Double)] = []
        let levels = (0..<(3 * preparation.height * preparation.width)).map { UInt8($0 * 97 % 256) }
        var expected: [Float]?
        let candidates: [(String, Delegate)] = [("CPU", .CPU), ("GPU", .GPU)] // the GPU is compared with the CPU
        for (name, delegate) in candidates {
            do {
                guard delegate == .CPU || expected != nil else {
                    throw EngineError(errorDescription: "no answers of the CPU to compare with")
                }
                let engine = try Engine(preparation, delegate: delegate)
                let answers = try engine.answers(levels) // the first run is slow
                let right = expected ?? answers
                let scale = max(1, right.map(abs).max() ?? 1)
                guard zip(answers, right).allSatisfy({ abs($0 - $1) <= same * scale }) else {
                    throw EngineError(errorDescription: "its answers differ")
                }
                expected = right
                let times = try (0..<timed).map { _ -> Double in
                    let started = Date()
                    _ = try engine.answers(levels)
                    return Date().timeIntervalSince(started)
                }
                let median = times.sorted()[timed / 2]
                lines.append("\(name) \(String(format: "%.1f", 1000 * median)) ms")
                found.append((name, engine, median))
            } catch {
                lines.append("\(name) is not used: \(error.localizedDescription)")
            }
        }
        guard let fastest = found.min(by: { $0.seconds < $1.seconds }) else {
            throw EngineError(errorDescription: lines.joined(separator: "; "))
        }
        best = fastest.engine
        report = "\(lines.joined(separator: ", ")). Runs on the \(fastest.name)."
    }
}
